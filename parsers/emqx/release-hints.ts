/**
 * Which EMQX releases can have written a log, from the shapes of its lines (spec emqx-logs.md sections 1.2, 1.4, 1.5, 2).
 *
 * Nearly every release prints the same events, so the answer is a range; it narrows with each shape seen.
 */
import type { LogRecord } from '../record.ts';

/** A shape, and the record that showed it. */
export interface EmqxHint {
  readonly shape: keyof typeof SHAPES;
  readonly lineNo: number;
}

export interface EmqxReleaseRange {
  readonly from: string;
  readonly to: string;
  readonly restsOn: readonly { readonly shape: string; readonly lineNo: number; readonly means: string }[];
}

export const EMQX_FIRST = '4.0.0';
export const EMQX_LAST = '6.2.x';

interface Shape {
  readonly from: string;
  readonly to: string;
  readonly means: string;
  readonly pattern: RegExp;
}

/** Patterns run on the body of a record of a text layout (`text`) or of JSON (`json`); the spec's table of prefixes as data. */
const SHAPES = {
  header_tag_text: {
    from: '4.0.0',
    to: '4.4.x',
    means: 'messages start with [MQTT] or the like',
    pattern: /^\[(?:MQTT|Channel|Session|CM|Tracer)\] /,
  },
  keys_sorted: {
    from: '5.0.0',
    to: '5.0.15',
    means: 'clientid, line, mfa, msg in alphabetical order',
    pattern: /^(?:clientid: .{0,512}?, )?line: \d+, mfa: \w+:\S+, msg: /,
  },
  mfa_then_line: {
    from: '5.0.16',
    to: '5.2.x',
    means: 'mfa and line are separate keys',
    pattern: /^msg: .{1,200}?, mfa: \w+:\w+\/\d+, line: \d+/,
  },
  mfa_with_line: {
    from: '5.3.0',
    to: '5.5.x',
    means: 'mfa follows msg and ends in (LINE)',
    pattern: /^msg: .{1,200}?, mfa: [\w:]+\/\d+\(\d+\)/,
  },
  tag_first: {
    from: '5.6.0',
    to: EMQX_LAST,
    means: 'the tag comes before msg',
    pattern: /^tag: [A-Z_]+, (?:tns: .{0,512}?, )?(?:clientid: .{0,512}?, )?msg: /,
  },
  clientid_first: {
    from: '5.6.0',
    to: EMQX_LAST,
    means: 'the client id comes before msg',
    pattern: /^clientid: (?:(?!, ).){0,512}, msg: /,
  },
  payload_encode: {
    from: '5.8.2',
    to: EMQX_LAST,
    means: 'payload_encode accompanies a payload',
    pattern: /payload_encode(?:: |":")(?:text|hex|hidden)/,
  },
  payload_kind: {
    from: '5.8.2',
    to: EMQX_LAST,
    means: 'packets print Payload(text)=',
    pattern: /Payload\((?:text|hidden)\)=/,
  },
  payload_plain: {
    from: '4.0.0',
    to: '5.8.1',
    means: 'packets print Payload=',
    pattern: /packet(?:: |":")PUBLISH\([^"]{0,2048}?PacketId=(?:\d+|undefined),? ?Payload=/,
  },
  pid_in_text: {
    from: '5.10.4',
    to: EMQX_LAST,
    means: 'text lines carry the pid',
    pattern:
      /^tag: MQTT, (?:clientid: .{0,512}?, )?msg: mqtt_packet_\w+, (?:peername: \S+, )?(?:username: .{0,512}?, )?pid: <\d+\.\d+\.\d+>/,
  },
} as const satisfies { readonly [name: string]: Shape };

/** The shapes a record shows; feed them to `emqxReleaseRange`. */
export function hintOfRecord(record: LogRecord): EmqxHint[] {
  const hints: EmqxHint[] = [];
  for (const shape in SHAPES) {
    const name = shape as keyof typeof SHAPES;
    if (SHAPES[name].pattern.test(record.body)) hints.push({ shape: name, lineNo: record.lineNo });
  }
  return hints;
}

/** The releases in which all shapes seen occur; null if there are none, or they contradict each other. */
export function emqxReleaseRange(hints: Iterable<EmqxHint>): EmqxReleaseRange | null {
  let from: string = EMQX_FIRST;
  let to: string = EMQX_LAST;
  const seen = new Set<string>();
  const restsOn: EmqxReleaseRange['restsOn'][number][] = [];
  for (const { shape, lineNo } of hints) {
    if (seen.has(shape)) continue;
    seen.add(shape);
    const row = SHAPES[shape];
    if (compareReleases(row.from, from) > 0) from = row.from;
    if (compareReleases(row.to, to) < 0) to = row.to;
    restsOn.push({ shape, lineNo, means: row.means });
  }
  return restsOn.length === 0 || compareReleases(from, to) > 0 ? null : { from, to, restsOn };
}

/** `x` stands for any patch release, so it sorts last. */
function compareReleases(a: string, b: string): number {
  const left = a.split('.').map(partValue);
  const right = b.split('.').map(partValue);
  for (let i = 0; i < 3; i++) {
    const difference = left[i]! - right[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function partValue(part: string): number {
  return part === 'x' ? 9_999 : Number(part);
}
