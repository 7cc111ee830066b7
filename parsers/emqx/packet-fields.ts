/** Which fields a packet has, and in which order: it tells a field from a text that looks like one. */

export interface PacketField {
  readonly name: string;
  readonly image: string; // as printed, with the separator before it
  readonly text: string;
}

export const FIELD_NAMES: readonly string[] = [
  'ClientId',
  'ProtoName',
  'ProtoVsn',
  'CleanStart',
  'KeepAlive',
  'Username',
  'Password',
  'AckFlags',
  'ReasonCodes',
  'ReasonCode',
  'Topic',
  'PacketId',
  'TopicFilters',
];

const ACK = ['PacketId', 'ReasonCode'] as const;
const FILTERS = ['PacketId', 'TopicFilters'] as const;

const ORDER: { readonly [type: string]: readonly string[] } = {
  CONNECT: ['ClientId', 'ProtoName', 'ProtoVsn', 'CleanStart', 'KeepAlive', 'Username', 'Password'],
  CONNACK: ['AckFlags', 'ReasonCode'],
  PUBLISH: ['Topic', 'PacketId'],
  PUBACK: ACK,
  PUBREC: ACK,
  PUBREL: ACK,
  PUBCOMP: ACK,
  SUBSCRIBE: FILTERS,
  SUBACK: ['PacketId', 'ReasonCodes'],
  UNSUBSCRIBE: FILTERS,
  UNSUBACK: ['PacketId'],
  DISCONNECT: ['ReasonCode'],
  AUTH: ['ReasonCode'],
};

/**
 * The fields that the type has; the others are text of the field before them, as the `, PacketId=` in a topic is. A text that was cut
 * loses its last field, unless the beginning of the next one was printed.
 */
export function alignFields(type: string, fields: readonly PacketField[], isCut: boolean): readonly PacketField[] {
  const order = ORDER[type] ?? [];
  const wanted = order === FILTERS ? firstOf(order, fields) : lastOf(order, fields);
  const aligned: PacketField[] = [];
  fields.forEach((field, i) => {
    const before = aligned.at(-1);
    if (wanted.has(i) || before === undefined) aligned.push(field);
    else aligned[aligned.length - 1] = { ...before, text: before.text + field.image + field.text };
  });
  const last = aligned.at(-1);
  if (!isCut || last === undefined) return aligned;
  const complete = withoutBegunName(last.text, order[order.indexOf(last.name) + 1]);
  return complete === null ? aligned.slice(0, -1) : [...aligned.slice(0, -1), { ...last, text: complete }];
}

/** Texts stand before fields of numbers: the last of two alike is the field. */
function lastOf(order: readonly string[], fields: readonly PacketField[]): ReadonlySet<number> {
  const found = new Set<number>();
  let at = fields.length - 1;
  for (const name of order.toReversed()) {
    let i = at;
    while (i >= 0 && fields[i]!.name !== name) i -= 1;
    if (i < 0) continue;
    found.add(i);
    at = i - 1;
  }
  return found;
}

/** Topic filters stand last: the first of two alike is the field. */
function firstOf(order: readonly string[], fields: readonly PacketField[]): ReadonlySet<number> {
  return new Set(order.map((name) => fields.findIndex((field) => field.name === name)));
}

/** The text before `, ` and a beginning of the name of the next field; null if there is none. */
function withoutBegunName(text: string, next: string | undefined): string | null {
  const comma = text.lastIndexOf(', ');
  return comma !== -1 && next?.startsWith(text.slice(comma + 2)) ? text.slice(0, comma) : null;
}
