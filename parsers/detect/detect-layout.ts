/** Which product and layout a stream of lines has, from its first lines. */
import { SEVERITY_OF_LEVEL, splitFrame } from '../emqx/frame.ts';
import { searchAllFiles } from '../nanomq/catalogue-search.ts';
import { splitNanomqHeader } from '../nanomq/header.ts';
import type { Layout, Product } from '../record.ts';

export interface Detection {
  readonly layout: Layout;
  readonly product: Product;
  /** One sentence for the reader: which line decided, and by what; and what the line was wrapped in. */
  readonly evidence: string;
}

/** Lines looked at. */
export const MAX_DETECT_LINES = 200;

export interface NumberedLine {
  readonly lineNo: number; // 1-based
  readonly text: string;
}

/** Layout of a stream, or null if none of its first lines starts a record of any layout. */
export function detectLayout(lines: readonly string[]): Detection | null {
  return detectNumbered(lines.slice(0, MAX_DETECT_LINES).map((text, index) => ({ lineNo: index + 1, text })));
}

/** As `detectLayout`; lines of another product than the given one are passed over. */
export function detectNumbered(lines: readonly NumberedLine[], product?: Product): Detection | null {
  let fallback: Detection | null = null;
  for (const { text, lineNo } of lines) {
    const found = detectLine(text, lineNo);
    if (found === null || (product !== undefined && found.product !== product)) continue;
    // A text log has only lower-case levels, but a trace file can start with such lines too: a trace line further on decides.
    if (found.layout !== 'emqx-text') return fallback === null || found.layout === 'emqx-trace' ? found : fallback;
    fallback ??= found;
  }
  return fallback ?? (product === 'emqx' ? null : detectSyslog(lines));
}

/** Shorter statements are too likely to be somebody else's words. */
const MIN_LITERAL_CHARS = 16;
/** Text that only quotes NanoMQ has other lines as well. */
const MIN_SHARE = 0.5;
/** Of the lines looked at for messages without a header: each is held against all statements. */
const MAX_HEADLESS_LINES = 50;

/** NanoMQ's messages without a header, as it hands them to syslog: told by what they say, if nothing else is there. */
function detectSyslog(lines: readonly NumberedLine[]): Detection | null {
  const written = lines.filter(({ text }) => text.trim() !== '').slice(0, MAX_HEADLESS_LINES);
  let first: Detection | null = null;
  let count = 0;
  for (const { text, lineNo } of written) {
    const found = searchAllFiles(text, null);
    if (found === null || found.literalChars < MIN_LITERAL_CHARS) continue;
    count += 1;
    const evidence = `line ${lineNo} is NanoMQ's message ${found.event} without a header`;
    first ??= { layout: 'nanomq-syslog', product: 'nanomq', evidence };
  }
  return count >= written.length * MIN_SHARE ? first : null;
}

/** Layout of which the line starts a record; null if it starts none. */
export function detectLine(text: string, lineNo: number): Detection | null {
  const nanomq = splitNanomqHeader(text);
  if (nanomq !== null) {
    return nanomq.func === null
      ? {
          layout: 'nanomq-file',
          product: 'nanomq',
          evidence: `line ${lineNo} has NanoMQ's header with source ${nanomq.file}:${nanomq.line}`,
        }
      : {
          layout: 'nanomq-console',
          product: 'nanomq',
          evidence: `line ${lineNo} has NanoMQ's header with source ${nanomq.file}:${nanomq.line} and function ${nanomq.func}`,
        };
  }
  const frame = splitFrame(text);
  if (frame !== null && frame !== 'bad') {
    if (SEVERITY_OF_LEVEL[frame.level] === undefined) {
      if (!isTraceBody(text.slice(frame.bodyAt))) return null;
      return {
        layout: 'emqx-trace',
        product: 'emqx',
        evidence: `line ${lineNo} has EMQX's trace tag [${frame.level}]`,
      };
    }
    return {
      layout: 'emqx-text',
      product: 'emqx',
      evidence: `line ${lineNo} has EMQX's time and level [${frame.level}]`,
    };
  }
  return detectJson(text, lineNo);
}

/** `CLIENTID@PEER msg: `, with anything between. */
function isTraceBody(body: string): boolean {
  const peer = /@[^\s@]* /.exec(body);
  return peer !== null && body.includes('msg: ', peer.index + peer[0].length);
}

function detectJson(text: string, lineNo: number): Detection | null {
  const brace = text.indexOf('{');
  if (brace === -1 || !text.includes('"time"')) return null;
  let object: { readonly [key: string]: unknown };
  try {
    object = JSON.parse(text.slice(brace));
  } catch {
    return null;
  }
  if (typeof object !== 'object' || object === null || typeof object.level !== 'string' || !('time' in object))
    return null;
  if (SEVERITY_OF_LEVEL[object.level] === undefined) return null;
  return typeof object.meta === 'object' && object.meta !== null
    ? {
        layout: 'emqx-trace-json',
        product: 'emqx',
        evidence: `line ${lineNo} is a JSON object with time, level and meta`,
      }
    : { layout: 'emqx-json', product: 'emqx', evidence: `line ${lineNo} is a JSON object with time and level` };
}
