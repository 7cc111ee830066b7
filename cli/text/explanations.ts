/** What a line, a code, an event or a finding stands for: looked up in the catalogues, code tables and rules. */
import {
  type CodeTable,
  codeName,
  createParser,
  detectLayout,
  EVENT_MEANINGS,
  type LogRecord,
} from '../../parsers/index.ts';
import { ADVICE, DEFECTS, RULES } from '../../queries/index.ts';

export interface Explanation {
  readonly kind: 'log line' | 'event' | 'finding' | 'code';
  readonly name: string;
  readonly text: readonly string[];
}

/** Everything that is known of a text; empty if nothing is. */
export function explain(text: string): Explanation[] {
  const trimmed = text.trim();
  if (/^(0x[0-9a-f]+|-?\d{1,10})$/i.test(trimmed)) return codes(Number(trimmed));
  const named = [...findings(trimmed), ...events(trimmed)];
  return named.length > 0 ? named : logLine(trimmed);
}

const CODE_TABLES: readonly { readonly table: CodeTable; readonly of: string }[] = [
  { table: 'mqtt_reason', of: 'MQTT 5 reason code (DISCONNECT, PUBACK …)' },
  { table: 'mqtt_connack', of: 'MQTT 3.1.1 CONNACK return code' },
  { table: 'nng', of: 'nng error of NanoMQ (rv, recv error, RC over TCP)' },
  { table: 'quic_status', of: 'msquic status (Shutdown by transport)' },
  { table: 'quic_transport_error', of: 'QUIC transport error code' },
  { table: 'signal', of: 'signal' },
];

/** What a number means in practice, beyond its name. */
const CODE_NOTES: { readonly [code: number]: string } = {
  18: 'As an nng code it follows every kind of close, so by itself it says nothing of the cause.',
  20: 'As an nng code up to NanoMQ 0.23.9 it can leave the bridge deaf (receiver-dead); from 0.23.10 the receive is armed again.',
  128: 'As the code of a send in NanoMQ 0.23.10 and later: the packet is larger than the broker allows, and the pipe stays busy (send-error-stuck).',
  135: 'The broker refuses; NanoMQ never logs this reason (auth-refused).',
  138: 'The client is banned at the broker (auth-refused).',
  139: 'As an RC over TCP it stands for any loss of the connection.',
  141: 'The broker heard no packet that counts for 1.5 × keepalive and more. Fewer than half of such ends show this code in NanoMQ.',
  142: 'Another connection with the same client id took the session (client-id-clash), or the bridge itself came back.',
  152: 'An administrator, a rule or a script ended the connection (kicked).',
};

function codes(code: number): Explanation[] {
  const found = CODE_TABLES.flatMap(({ table, of }) => {
    // the table of MQTT 3.1.1 goes on with the codes of MQTT 5
    const name = table === 'mqtt_connack' && code > 5 ? null : codeName(table, code);
    return name === null
      ? []
      : [{ kind: 'code' as const, name: `${code} (0x${code.toString(16)})`, text: [`${of}: ${name}`] }];
  });
  const note = CODE_NOTES[code];
  if (note === undefined || found.length === 0) return found;
  return [...found, { kind: 'code', name: `${code} in bridge logs`, text: [note] }];
}

function findings(id: string): Explanation[] {
  const rule = RULES.find((one) => one.id === id);
  if (rule === undefined) return [];
  const defect = DEFECTS[id as keyof typeof DEFECTS];
  return [
    {
      kind: 'finding',
      name: id,
      text: [
        `${rule.title}.`,
        ...(defect === undefined
          ? []
          : [
              `In ${defect.product === 'nanomq' ? 'NanoMQ' : 'EMQX'} ${defect.from}${defect.to === '99' ? ' and later' : ` to ${defect.to}`}. Source: ${defect.source}.`,
            ]),
        ...(ADVICE[id] ?? []).map(
          ({ change, why, knownFix, source }) => `${knownFix ? 'fix' : 'try'} ${change}: ${why} (${source})`,
        ),
      ],
    },
  ];
}

/** Events that come with every close, whatever its cause. */
const HARMLESS = ['quic_no_tls_credentials', 'quic_shutdown_bug', 'bridge_local_addr', 'quic_stream_shutdown_complete'];

/** What usually comes with an event. */
const COMPANY: { readonly [event: string]: string } = {
  bridge_recv_error:
    'Code 18 follows every kind of close and is harmless. Code 20 alone can leave the bridge deaf up to 0.23.9 (receiver-dead).',
  aio_busy:
    'Comes with load (aio-load), with a stuck send path (stuck-busy), and after an outage (aio-leak, resend-starved): look whether PINGREQ goes on.',
  cached_msg_lost: 'Comes behind a pipe that is marked busy: look for parked messages before the connect (stuck-busy).',
  msg_cached_disconnected:
    'Comes while the bridge is down, 0.23.2 to 0.24.2; up to 0.23.9 QoS 0 is parked too (parked-before-connect).',
  bridge_connected:
    'Is logged for a part of the refused connects too: only a SUBACK or a PINGREQ after it shows that it stands.',
  quic_fin_received:
    'On stream 0 it is the broker\u2019s close; a DISCONNECT packet that came with it is often lost to it.',
  bridge_send_failed:
    'rv 7 after the connection is gone; rv 128 for a packet larger than the broker allows (send-error-stuck).',
};

function events(name: string): Explanation[] {
  const meaning = EVENT_MEANINGS[name];
  const company = COMPANY[name];
  if (meaning === undefined && company === undefined) return [];
  return [
    {
      kind: 'event',
      name,
      text: [
        ...(meaning === undefined ? [] : [`${meaning}.`]),
        ...(HARMLESS.includes(name) ? ['Harmless by itself: it comes with every close.'] : []),
        ...(company === undefined ? [] : [company]),
      ],
    },
  ];
}

function logLine(line: string): Explanation[] {
  const detected = detectLayout([line]);
  if (detected === null) return [];
  const records: LogRecord[] = [];
  const parser = createParser(detected.layout, { record: (record) => void records.push(record), unparsed: () => {} });
  parser.line({ text: line, lineNo: 1, byteOffset: 0, byteLength: Buffer.byteLength(line) });
  parser.end();
  return records.flatMap((record) => {
    const event = record.event ?? null;
    const about = event === null ? [] : events(event).flatMap((one) => one.text);
    const attributes = Object.entries(record.attributes ?? {}).map(
      ([name, value]) => `${name} = ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return [
      {
        kind: 'log line' as const,
        name: event ?? 'not in the catalogue',
        text: [
          `Layout ${detected.layout}, severity ${record.severity}.`,
          ...about,
          ...(attributes.length > 0 ? [attributes.join(', ')] : []),
        ],
      },
    ];
  });
}
