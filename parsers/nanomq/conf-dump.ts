/**
 * The settings NanoMQ prints at start-up (spec nanomq-logs.md section 2.5): three kinds of lines of conf.c.
 *
 *     bridge.mqtt.NAME.KEY:   VALUE     conf_bridge       {key, value}                  bridge NAME
 *     <tab>[1] remote topic:  down/#    conf_bridge_item  {section, index, key, value}  bridge of the section it stands in
 *     max_packet_size:        1048576   conf_value        {key, value}
 */

import { plainZero } from '../plain-zero.ts';
import type { Attributes } from '../record.ts';
import type { CatalogueMatch } from './catalogue-search.ts';

export const CONF_FILE = 'conf.c';
export const HIDDEN_VALUE = '******';

/** Lines that follow belong to this section until a line of the same thread says otherwise. */
export interface ConfSection {
  readonly bridge: string | null;
  readonly name: string;
}

export interface ConfMatch extends CatalogueMatch {
  readonly bridge: string | null;
  /** The message, if it must not be kept as it was printed. */
  readonly body: string | null;
}

/** Keys printed with %d, %ld, %u or %f; all others are text. `max_awaiting_rel` and the like end in `s` for seconds. */
const NUMBER_KEYS = new Set([
  'proto_ver',
  'clean_start',
  'keepalive',
  'backoff_max',
  'max_parallel_processes',
  'quic_keepalive',
  'quic_handshake_timeout',
  'quic_discon_timeout',
  'qidle_timeout',
  'qsend_idle_timeout',
  'qinitial_rtt_ms',
  'qmax_ack_delay_ms',
  'qcongestion_control',
  'resend_interval',
  'resend_wait',
  'cancel_timeout',
  'enable',
  'qos',
  'rap',
  'rh',
  'num_taskq_thread',
  'max_taskq_thread',
  'parallel',
  'property_size',
  'max_packet_size',
  'client_max_packet_size',
  'max_mqueue_len',
  'max_inflight_window',
  'keepalive_multiplier',
  'http server port',
  'http server limit_conn',
  'http server max body',
  'acl_cache_max_size',
  'acl_cache_ttl',
  'disk_cache_size',
  'flush_mem_threshold',
  'bridge.sqlite.disk_cache_size',
  'bridge.sqlite.flush_mem_threshold',
  'max_awaiting_rel',
  'await_rel_timeout',
  'retry_interval',
]);

/** Keys of the broker-wide dump. */
const VALUE_KEYS = new Set([
  'tcp url',
  'websocket url',
  'websocket tls url',
  'tls url',
  'tls key file',
  'tls cert file',
  'tls cacert file',
  'tls verify peer',
  'tls fail_if_no_peer_cert',
  'daemon',
  'num_taskq_thread',
  'max_taskq_thread',
  'parallel',
  'property_size',
  'max_packet_size',
  'client_max_packet_size',
  'max_mqueue_len',
  'max_inflight_window',
  'max_awaiting_rel',
  'await_rel_timeout',
  'retry_interval',
  'keepalive_multiplier',
  'http server port',
  'http server limit_conn',
  'http server username',
  'http server auth type',
  'http server url',
  'http server max body',
  'allow_anonymous',
  'acl_nomatch',
  'enable_acl_cache',
  'acl_cache_max_size',
  'acl_cache_ttl',
  'acl_deny_action',
  'cmd_ipc_url',
  'hook_ipc_url',
  'bridge.sqlite.disk_cache_size',
  'bridge.sqlite.mounted_file_path',
  'bridge.sqlite.flush_mem_threshold',
]);

/** Keys whose value must never be stored; releases print `password`, the others are kept out in case one prints them. */
const SECRET_KEY = /pass(word)?$|keypass|secret|token/i;
const SECTION_KEYS = new Set(['forwards', 'subscription', 'hybrid_servers', 'tls']);
const DUMP_START = 'This NanoMQ instance configured as:';

const BRIDGE_LINE = /^(?:aws\.)?bridge\.mqtt\.(.+?)\.(tls\.enable|\w+)[ \t]*:[ \t]*(.*)$/;
const SECTION_LINE =
  /^(?:(?:aws\.)?bridge\.mqtt\.(.+)\.(forwards|subscription|hybrid_servers|tls)|(sqlite|http server jwt)):\s*$/;
const ITEM_LINE = /^\t(?:\[(\d{1,15})\] )?( *[a-z_]+(?: +[a-z_]+)*)[ \t]*:[ \t]*(.*)$/;
const VALUE_LINE = /^([a-z_.]+(?: +[a-z_.]+)*)[ \t]*:[ \t]*(.*)$/;
/** What `.` does not match. No statement of the dump prints one, and `(.*)$` would be tried from every blank before it. */
const LINE_END = /[\n\r\u2028\u2029]/;

export function isConfItem(message: string): boolean {
  return message.charCodeAt(0) === 0x09;
}

/** The section that this line opens, or null. */
export function confSection(message: string): ConfSection | null {
  const found = SECTION_LINE.exec(message);
  if (found === null) return null;
  return { bridge: found[1] ?? null, name: found[2] ?? found[3]! };
}

/** What a line of conf.c says; `section` is the one it stands in. */
export function readConfLine(message: string, section: ConfSection | null): ConfMatch | null {
  if (isConfItem(message)) return readItem(message, section);
  const isOneLine = !LINE_END.test(message);
  const bridgeLine = isOneLine ? BRIDGE_LINE.exec(message) : null;
  if (bridgeLine !== null) {
    const key = bridgeLine[2]!;
    const printed = bridgeLine[3]!;
    const secret = SECRET_KEY.test(key) && printed.trim() !== '';
    const value = secret ? HIDDEN_VALUE : readValue(key, printed);
    const attributes: Attributes = SECTION_KEYS.has(key) ? { key } : { key, value };
    const body = secret ? message.slice(0, message.length - printed.length) + HIDDEN_VALUE : null;
    return { event: 'conf_bridge', attributes, bridge: bridgeLine[1]!, body };
  }
  if (message.trim() === DUMP_START) return { event: 'conf_dump_started', attributes: null, bridge: null, body: null };
  const brokerSection = confSection(message);
  if (brokerSection !== null) {
    return { event: 'conf_value', attributes: { key: brokerSection.name }, bridge: null, body: null };
  }
  const valueLine = isOneLine ? VALUE_LINE.exec(message) : null;
  if (valueLine === null) return null;
  const key = valueLine[1]!;
  if (!VALUE_KEYS.has(key.replace(/^aws\./, ''))) return null;
  return { event: 'conf_value', attributes: { key, value: readValue(key, valueLine[2]!) }, bridge: null, body: null };
}

function readItem(message: string, section: ConfSection | null): ConfMatch | null {
  const found = LINE_END.test(message) ? null : ITEM_LINE.exec(message);
  if (found === null) return null;
  const key = found[2]!;
  const attributes: { [name: string]: string | number | null } = {};
  if (section !== null) attributes.section = section.name;
  if (found[1] !== undefined) attributes.index = Number(found[1]);
  attributes.key = key;
  attributes.value = readValue(key, found[3]!);
  const ofBroker = section !== null && section.bridge === null;
  return {
    event: ofBroker ? 'conf_value' : 'conf_bridge_item',
    attributes,
    bridge: section?.bridge ?? null,
    body: null,
  };
}

function readValue(key: string, printed: string): string | number | null {
  const text = printed.trim();
  if (text === '(null)') return null;
  if (!NUMBER_KEYS.has(key)) return text;
  const value = Number(text.replace(/s$/, ''));
  return text === '' || !Number.isFinite(value) ? text : plainZero(value);
}
