/**
 * The older form of nanomq.conf (`nanomq start --old_conf`): one `key=value` a line, everything behind the first `=` is the value. Read as
 * the same tree under the names of the newer form, so that one set of rules serves both (nanomq-logs §3.2, column "old key=value name").
 */
import { emptyRoot, MAX_CONF_CHARS } from './grammar.ts';
import type { ConfDocument, ConfMember, ConfPlain, ConfProblem, ConfSpan } from './tree.ts';

/** Beginnings of keys, longest first. `{}` is the name of the bridge. */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/^bridge\.sqlite\./, 'bridges.mqtt.cache.'],
  [/^bridge\.mqtt\.([^.]+)\.address$/, 'bridges.mqtt.$1.server'],
  [/^bridge\.mqtt\.([^.]+)\.parallel$/, 'bridges.mqtt.$1.max_parallel_processes'],
  [/^bridge\.mqtt\.([^.]+)\.transparent_bridging$/, 'bridges.mqtt.$1.transparent'],
  [/^bridge\.mqtt\.([^.]+)\.connect\.properties\./, 'bridges.mqtt.$1.conn_properties.'],
  [/^bridge\.mqtt\.([^.]+)\.subscription\.properties\./, 'bridges.mqtt.$1.sub_properties.'],
  [/^bridge\.mqtt\.([^.]+)\.tls\./, 'bridges.mqtt.$1.ssl.'],
  [/^bridge\.mqtt\./, 'bridges.mqtt.'],
  [/^aws\.bridge\.mqtt\./, 'bridges.aws.'],
  [/^(parallel|num_taskq_thread|max_taskq_thread|daemon|enable_ipc_internal)$/, 'system.$1'],
  [/^(property_size|max_inflight_window|max_awaiting_rel|await_rel_timeout)$/, 'mqtt.$1'],
  [/^msq_len$/, 'mqtt.max_mqueue_len'],
  [/^qos_duration$/, 'mqtt.retry_interval'],
  [/^url$/, 'listeners.tcp.bind'],
  [/^tls\.url$/, 'listeners.ssl.bind'],
  [/^tls\./, 'listeners.ssl.'],
  [/^websocket\.url$/, 'listeners.ws.bind'],
  [/^websocket\.tls_url$/, 'listeners.wss.bind'],
  [/^websocket\./, 'listeners.ws.'],
];

/** Keys whose number counts seconds; the newer form writes `60s`. */
const SECONDS =
  /^(?:bridges\.\w+\.[^.]+\.(?:keepalive|backoff_max|quic_(?:keepalive|idle_timeout|discon_timeout|handshake_timeout|send_idle_timeout))|mqtt\.(?:retry_interval|max_awaiting_rel|await_rel_timeout))$/;
const LINE = /^([ \t]*)([\w.$-]+)([ \t]*=[ \t]*)(.*)$/;
/** A key of the older form that the newer one does not have at its top. */
const OLD_KEY =
  /^[ \t]*(?:(?:aws\.)?bridge\.(?:mqtt|sqlite)\.|url[ \t]*=|msq_len[ \t]*=|qos_duration[ \t]*=|(?:tls|websocket|web\.hook)\.[\w.]+[ \t]*=)/m;
/** A bracket outside of comments and values belongs to the newer form. */
const NEW_SHAPE = /^[ \t]*(?:[}\]]|[\w."-]+[ \t]*[:=]?[ \t]*[{[][ \t]*(?:[#/].*)?\r?$)/m;

export function isOldFormat(text: string): boolean {
  return OLD_KEY.test(text) && !NEW_SHAPE.test(text);
}

/** Tree of a configuration in the older form. Never throws. */
export function parseOldFormat(text: string, file = 0): ConfDocument {
  const members: ConfMember[] = [];
  const problems: ConfProblem[] = [];
  let steps = 0;
  if (text.length > MAX_CONF_CHARS) {
    const span = { file, offset: 0, length: 1 };
    const message = 'The text is too long for a configuration file.';
    return {
      syntax: 'old',
      root: emptyRoot(file),
      problems: [{ code: 'too-long', message, span, related: null }],
      steps,
    };
  }
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text
      .slice(start, end)
      .replace(/^\ufeff/, ' ')
      .trimEnd();
    steps += 1;
    if (!/^[ \t]*(?:#.*)?$/.test(line)) {
      const read = readLine(line, start, file);
      if ('code' in read) problems.push(read);
      else members.push(read);
    }
    start = end + 1;
  }
  const root = { kind: 'object', members, span: { file, offset: 0, length: text.length } } as const;
  return { syntax: 'old', root, problems, steps };
}

function readLine(line: string, start: number, file: number): ConfMember | ConfProblem {
  const found = LINE.exec(line);
  if (found === null) {
    const indent = line.length - line.trimStart().length;
    const length = /^[\w.$-]+/.exec(line.trimStart())?.[0].length ?? 1;
    const span = { file, offset: start + indent, length };
    return { code: 'no-separator', message: 'This line is no key=value.', span, related: null };
  }
  const [, indent = '', key = '', separator = '', written = ''] = found;
  const keySpan: ConfSpan = { file, offset: start + indent.length, length: key.length };
  const name = newName(key);
  if (written === '') {
    return { code: 'no-value', message: `${name.split('.').at(-1)} has no value.`, span: keySpan, related: null };
  }
  const span = { file, offset: keySpan.offset + key.length + separator.length, length: written.length };
  const value = name === 'log.to' ? null : plainOf(name, written);
  return {
    kind: 'setting',
    path: name.split('.').filter((part) => part !== ''),
    keySpan,
    value:
      value === null
        ? { kind: 'list', items: targets(written, span), span }
        : { kind: 'scalar', value, quoted: false, variable: false, cutByComment: false, span },
  };
}

function newName(key: string): string {
  for (const [pattern, name] of RENAMED) if (pattern.test(key)) return key.replace(pattern, name);
  return key;
}

function plainOf(name: string, written: string): ConfPlain {
  if (SECONDS.test(name) && /^\d+s?$/.test(written)) return `${Number.parseInt(written, 10)}s`;
  if (written === 'true' || written === 'false') return written === 'true';
  return /^-?\d+(?:\.\d+)?$/.test(written) ? Number(written) : written;
}

/** `log.to=file,console` */
function targets(written: string, span: ConfSpan) {
  let offset = span.offset;
  return written.split(',').map((part) => {
    const value = part.trim();
    const at = offset + (part.length - part.trimStart().length);
    offset += part.length + 1;
    const place = { file: span.file, offset: at, length: value.length };
    return { kind: 'scalar', value, quoted: false, variable: false, cutByComment: false, span: place } as const;
  });
}
