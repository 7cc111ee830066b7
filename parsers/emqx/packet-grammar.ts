/**
 * Grammar of the packet strings EMQX prints (spec emqx-logs.md section 2).
 *
 *     packet := TYPE "(Q" int ", R" bit ", D" bit ( ")" | ", " field* ")" | ")," field* )
 *     field  := NAME "=" text
 *
 * Texts are not escaped. The payload is cut off before the grammar runs: it holds any text, and a topic that contains
 * `, PacketId=1, Payload=` is far less likely than such a payload.
 */
import { createToken, EmbeddedActionsParser, Lexer } from '../grammar-library.ts';
import { plainZero } from '../plain-zero.ts';
import type { Json } from '../record.ts';
import { endsCut } from './cut-marks.ts';
import { alignFields, FIELD_NAMES, type PacketField } from './packet-fields.ts';
import { type PrintedPayload, payloadBytes } from './payload-size.ts';
import { reasonCodeName } from './reason-codes.ts';
import { looksSecret } from './secrets.ts';
import { parseTerm, type Term, termEntry } from './term-grammar.ts';

export type PacketAttributes = { [name: string]: Json };

const Type = createToken({ name: 'Type', pattern: /[A-Z]+/ });
const Unknown = createToken({ name: 'Unknown', pattern: /UNKNOWN\(\d+\)/ });
const OpenQos = createToken({ name: 'OpenQos', pattern: '(Q', label: '(Q' });
const RetainMark = createToken({ name: 'RetainMark', pattern: /, R(?=\d)/, label: ', R' });
const DupMark = createToken({ name: 'DupMark', pattern: /, D(?=\d)/, label: ', D' });
const Digit = createToken({ name: 'Digit', pattern: /\d/ });
const BodyStart = createToken({ name: 'BodyStart', pattern: /\),|, /, push_mode: 'body' });
const HeadEnd = createToken({ name: 'HeadEnd', pattern: ')', label: ')' });
const FieldName = createToken({ name: 'FieldName', pattern: new RegExp(`(?:, ?| )?(?:${FIELD_NAMES.join('|')})=`) });
const Text = createToken({ name: 'Text', pattern: /[^, ]+|[, ]/, line_breaks: true });
const head = [Unknown, Type, OpenQos, RetainMark, DupMark, Digit, BodyStart, HeadEnd];
const body = [FieldName, Text];

const lexer = new Lexer({ modes: { head, body }, defaultMode: 'head' }, { positionTracking: 'onlyOffset' });

interface PacketTree {
  readonly type: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly fields: readonly PacketField[];
}

class PacketParser extends EmbeddedActionsParser {
  constructor() {
    super({ modes: { head, body }, defaultMode: 'head' }, { maxLookahead: 1, skipValidations: true });
    this.performSelfAnalysis();
  }

  readonly packet = this.RULE('packet', (): PacketTree => {
    const type = this.OR([{ ALT: () => this.CONSUME(Type) }, { ALT: () => this.CONSUME(Unknown) }]).image;
    this.CONSUME(OpenQos);
    const qos = Number(this.CONSUME1(Digit).image);
    this.CONSUME(RetainMark);
    const retain = this.CONSUME2(Digit).image === '1';
    this.CONSUME(DupMark);
    const dup = this.CONSUME3(Digit).image === '1';
    const fields: PacketField[] = [];
    this.OPTION(() => {
      this.OR1([
        { ALT: () => this.CONSUME(HeadEnd) },
        {
          ALT: () => {
            this.CONSUME(BodyStart);
            this.MANY(() => {
              const field = this.SUBRULE(this.field);
              this.ACTION(() => fields.push(field));
            });
          },
        },
      ]);
    });
    return { type, qos, retain, dup, fields };
  });

  private readonly field = this.RULE('field', (): PacketField => {
    const image = this.CONSUME(FieldName).image;
    let text = '';
    this.MANY(() => {
      const part = this.CONSUME(Text);
      this.ACTION(() => {
        text += part.image;
      });
    });
    return { name: image.replace(/^[, ]+/, '').slice(0, -1), image, text };
  });
}

/** The grammar as data, for its diagram. */
export function packetProductions() {
  parser ??= new PacketParser();
  return parser.getSerializedGastProductions();
}

let parser: PacketParser | null = null;

/** Packets repeat: all PINGREQs and most acknowledgements differ in nothing but an integer. */
const MAX_MEMO_ENTRIES = 4_096;
const MAX_MEMO_CHARS = 160;
const memo = new Map<string, PacketAttributes | null>();

const PAYLOAD = /PacketId=(?:\d+|undefined)((?:, ?)?Payload(?:\((text|hex|hidden)\))?=)/;
/** After the password, which is hidden, nothing but the will can follow. */
const WILL = /, Password=(?:undefined|\**)(, Will\(Q(\d), R([01]), Topic=([\s\S]*))$/;
const WILL_PAYLOAD = /,? Payload(?:\((text|hex|hidden)\))?=/;
const PACKET_ID = /PacketId=(\d{1,15})(?!\d)/;
/** Packets of 5.0.0–5.0.15: the header is closed before the body. */
const HEAD_CLOSED_FIRST = /^[A-Z]+\(Q\d, R\d, D\d\),/;

/** Attributes of a packet string (names as in the record contract, no payload), or null if it is none. */
export function parsePacket(text: string): PacketAttributes | null {
  const closedFirst = HEAD_CLOSED_FIRST.test(text);
  const found = text.startsWith('PUBLISH(') ? PAYLOAD.exec(text) : null;
  if (endsCut(text) && !(closedFirst && found !== null)) return parseCut(text.slice(0, -3));
  if (found !== null) {
    const payloadAt = found.index + found[0].length;
    const payload: PrintedPayload = {
      text: text.slice(payloadAt, !closedFirst && text.endsWith(')') ? -1 : undefined),
      encoding: found[2] ?? null,
    };
    const attributes = parseMemoised(text.slice(0, payloadAt - found[1]!.length));
    if (attributes === null) return null;
    const bytes = payloadBytes(payload);
    return bytes === null ? attributes : { ...attributes, payload_bytes: bytes };
  }
  const will = WILL.exec(text);
  if (will !== null) {
    const attributes = parseMemoised(text.slice(0, text.length - will[1]!.length));
    return attributes === null ? null : { ...attributes, ...readWill(will, closedFirst) };
  }
  return parseMemoised(text.endsWith(')') && !closedFirst ? text.slice(0, -1) : text);
}

function readWill(will: RegExpExecArray, closedFirst: boolean): PacketAttributes {
  const closed = closedFirst ? /\)$/ : /\)\)$/;
  const text = will[4]!.replace(closed, '');
  const attributes: PacketAttributes = { will_qos: Number(will[2]), will_retain: will[3] === '1' };
  const payload = WILL_PAYLOAD.exec(text);
  attributes.will_topic = payload === null ? text : text.slice(0, payload.index);
  if (payload === null) return attributes;
  const printed = text.slice(payload.index + payload[0].length);
  const bytes = payloadBytes({ text: printed, encoding: payload[1] ?? null });
  return bytes === null ? attributes : { ...attributes, will_payload_bytes: bytes };
}

/** What was printed before the cut. The last field counts only if its end was printed as well. */
function parseCut(text: string): PacketAttributes | null {
  const found = text.startsWith('PUBLISH(') ? PAYLOAD.exec(text) : null;
  if (found !== null) return parseFront(text.slice(0, found.index + found[0].length - found[1]!.length), false);
  const type = /^([A-Z]+)\(/.exec(text)?.[1];
  return parseFront(text, true) ?? (type === undefined ? null : { packet: type });
}

function parseMemoised(text: string): PacketAttributes | null {
  if (text.length > MAX_MEMO_CHARS) return parseFront(text, false);
  // The packet id is the one value that differs from packet to packet. It is masked only where nothing else looks like it.
  const id = PACKET_ID.exec(text);
  const masked = id !== null && text.indexOf('PacketId=', id.index + 1) === -1;
  const key = masked ? `${text.slice(0, id.index)}#${text.slice(id.index + id[0].length)}` : text;
  let attributes = memo.get(key);
  if (attributes === undefined) {
    attributes = parseFront(text, false);
    if (memo.size < MAX_MEMO_ENTRIES) memo.set(key, attributes);
  }
  if (attributes === null) return null;
  return masked && 'packet_id' in attributes ? { ...attributes, packet_id: Number(id[1]) } : { ...attributes };
}

function parseFront(text: string, isCut: boolean): PacketAttributes | null {
  const lexed = lexer.tokenize(text);
  if (lexed.errors.length > 0) return null;
  parser ??= new PacketParser();
  parser.input = lexed.tokens;
  const tree = parser.packet();
  return parser.errors.length > 0 ? null : nameAttributes(tree, isCut);
}

/** More digits than a packet's field can have are none, and a double would not hold them. */
const INTEGER = /^\d{1,15}$/;

type FieldReader = (attributes: PacketAttributes, text: string) => void;

const asInteger =
  (name: string): FieldReader =>
  (attributes, text) => {
    if (INTEGER.test(text)) attributes[name] = plainZero(Number(text));
  };

const READERS: { readonly [field: string]: FieldReader } = {
  ClientId: (attributes, text) => {
    if (text !== '' && text !== 'undefined') attributes.client_id = text;
  },
  ProtoVsn: asInteger('protocol_version'),
  CleanStart: (attributes, text) => {
    attributes.clean_start = text === 'true';
  },
  KeepAlive: asInteger('keepalive_s'),
  AckFlags: (attributes, text) => {
    attributes.session_present = text === '1';
  },
  ReasonCode: asInteger('reason_code'),
  ReasonCodes: (attributes, text) => {
    attributes.reason_codes = (text.match(/\d+/g) ?? []).filter((code) => INTEGER.test(code)).map(Number);
  },
  Topic: (attributes, text) => {
    attributes.topic = text;
  },
  PacketId: asInteger('packet_id'),
  TopicFilters: (attributes, text) => {
    attributes.topic_filters = readFilters(text);
  },
  Username: (attributes, text) => {
    if (text !== '' && text !== 'undefined' && !looksSecret(text)) attributes.username = text;
  },
};

function nameAttributes(tree: PacketTree, isCut: boolean): PacketAttributes {
  const attributes: PacketAttributes = { packet: tree.type, qos: tree.qos, retain: tree.retain, dup: tree.dup };
  for (const { name, text } of alignFields(tree.type, tree.fields, isCut)) READERS[name]?.(attributes, text);
  const code = attributes.reason_code;
  const codeName = typeof code === 'number' ? reasonCodeName(tree.type, code) : null;
  if (codeName !== null) attributes.reason_code_name = codeName;
  return attributes;
}

const MAX_FILTERS = 1_024;

/** 4.x: a term list. 5.x: `[filter(#{qos => 0,…}),…]`; UNSUBSCRIBE has bare filters. */
function readFilters(text: string): Json {
  if (text.startsWith('[{') || text.startsWith('[<<')) return filtersOfTerm(parseTerm(text));
  const inner = text.replace(/^\[/, '').replace(/\]$/, '');
  if (!inner.includes('(#{'))
    return inner === ''
      ? []
      : inner
          .split(',')
          .slice(0, MAX_FILTERS)
          .map((topic) => ({ topic, qos: null }));
  const filters: Json[] = [];
  for (let at = 0; filters.length < MAX_FILTERS; ) {
    const open = inner.indexOf('(#{', at);
    const close = open === -1 ? -1 : inner.indexOf('})', open + 3);
    if (close === -1) break;
    const topic = inner.slice(at, open).replace(/^,?\s*/, '');
    filters.push({ topic, qos: numberOf(termEntry(parseTerm(inner.slice(open + 1, close + 1)), 'qos')) });
    at = close + 2;
  }
  return filters;
}

function filtersOfTerm(term: Term | null): Json {
  if (term?.kind !== 'list') return [];
  return term.items.slice(0, MAX_FILTERS).map((item) => {
    if (item.kind !== 'tuple') return { topic: 'text' in item ? item.text : '', qos: null };
    const [topic, options] = item.items;
    return {
      topic: topic !== undefined && 'text' in topic ? topic.text : '',
      qos: numberOf(termEntry(options ?? null, 'qos')),
    };
  });
}

function numberOf(term: Term | undefined): number | null {
  return term?.kind === 'number' ? term.value : null;
}
