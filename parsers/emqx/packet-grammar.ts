/**
 * Grammar of the packet strings EMQX prints (spec emqx-logs.md section 2).
 *
 *     packet := TYPE "(Q" int ", R" bit ", D" bit ( ")" | ", " field* ")" | ")," field* )
 *     field  := NAME "=" text
 *
 * Texts are not escaped. The payload is cut off before the grammar runs: it holds any text, and a topic that contains
 * `, PacketId=1, Payload=` is far less likely than such a payload.
 */
import { createToken, EmbeddedActionsParser, Lexer } from 'chevrotain';
import type { Json } from '../record.ts';
import { type PrintedPayload, payloadBytes } from './payload-size.ts';
import { parseTerm, type Term, termEntry } from './term-grammar.ts';

export type PacketAttributes = { [name: string]: Json };

const FIELD_NAMES = [
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

const Type = createToken({ name: 'Type', pattern: /[A-Z]+/ });
const Unknown = createToken({ name: 'Unknown', pattern: /UNKNOWN\(\d+\)/ });
const OpenQos = createToken({ name: 'OpenQos', pattern: '(Q' });
const RetainMark = createToken({ name: 'RetainMark', pattern: /, R(?=\d)/ });
const DupMark = createToken({ name: 'DupMark', pattern: /, D(?=\d)/ });
const Digit = createToken({ name: 'Digit', pattern: /\d/ });
const BodyStart = createToken({ name: 'BodyStart', pattern: /\),|, /, push_mode: 'body' });
const HeadEnd = createToken({ name: 'HeadEnd', pattern: ')' });
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
  readonly fields: readonly (readonly [string, string])[];
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
    const fields: (readonly [string, string])[] = [];
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

  private readonly field = this.RULE('field', (): readonly [string, string] => {
    const name = this.CONSUME(FieldName).image;
    let text = '';
    this.MANY(() => {
      const part = this.CONSUME(Text);
      this.ACTION(() => {
        text += part.image;
      });
    });
    return [name.replace(/^[, ]+/, '').slice(0, -1), text];
  });
}

let parser: PacketParser | null = null;

/** Packets repeat: all PINGREQs and most acknowledgements differ in nothing but an integer. */
const MAX_MEMO_ENTRIES = 4_096;
const MAX_MEMO_CHARS = 160;
const memo = new Map<string, PacketAttributes | null>();

const PAYLOAD = /PacketId=(?:\d+|undefined)((?:, ?)?Payload(?:\((text|hex|hidden)\))?=)/;
const WILL = /, Will\(Q\d, R\d, Topic=/;
const PACKET_ID = /PacketId=(\d+)/;

/** Attributes of a packet string (names as in the record contract, no payload), or null if it is none. */
export function parsePacket(text: string): PacketAttributes | null {
  const cut = PAYLOAD.exec(text);
  if (cut !== null && text.startsWith('PUBLISH(')) {
    const payloadStart = cut.index + cut[0].length;
    // Up to 5.0.15 the header is closed before the body, so there is no bracket after the payload.
    const closed = !/^PUBLISH\(Q\d, R\d, D\d\)/.test(text);
    const payload: PrintedPayload = {
      text: text.slice(payloadStart, closed && text.endsWith(')') ? -1 : undefined),
      encoding: cut[2] ?? null,
    };
    const attributes = parseMemoised(text.slice(0, payloadStart - cut[1]!.length));
    if (attributes === null) return null;
    const bytes = payloadBytes(payload);
    return bytes === null ? attributes : { ...attributes, payload_bytes: bytes };
  }
  const will = WILL.exec(text);
  if (will !== null) return parseMemoised(text.slice(0, will.index));
  const headClosedEarly = /^[A-Z]+\(Q\d, R\d, D\d\),/.test(text);
  return parseMemoised(text.endsWith(')') && !headClosedEarly ? text.slice(0, -1) : text);
}

function parseMemoised(text: string): PacketAttributes | null {
  if (text.length > MAX_MEMO_CHARS) return parseFront(text);
  // The packet id is the one value that differs from packet to packet. It is masked only where nothing else looks like it.
  const id = PACKET_ID.exec(text);
  const masked = id !== null && text.indexOf('PacketId=', id.index + 1) === -1;
  const key = masked ? `${text.slice(0, id.index)}#${text.slice(id.index + id[0].length)}` : text;
  let attributes = memo.get(key);
  if (attributes === undefined) {
    attributes = parseFront(text);
    if (memo.size < MAX_MEMO_ENTRIES) memo.set(key, attributes);
  }
  if (attributes === null) return null;
  return masked && 'packet_id' in attributes ? { ...attributes, packet_id: Number(id[1]) } : { ...attributes };
}

function parseFront(text: string): PacketAttributes | null {
  const lexed = lexer.tokenize(text);
  if (lexed.errors.length > 0) return null;
  parser ??= new PacketParser();
  parser.input = lexed.tokens;
  const tree = parser.packet();
  return parser.errors.length > 0 ? null : nameAttributes(tree);
}

type FieldReader = (attributes: PacketAttributes, text: string) => void;

const asInteger =
  (name: string): FieldReader =>
  (attributes, text) => {
    if (/^\d+$/.test(text)) attributes[name] = Number(text);
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
    attributes.reason_codes = (text.match(/\d+/g) ?? []).map(Number);
  },
  Topic: (attributes, text) => {
    attributes.topic = text;
  },
  PacketId: asInteger('packet_id'),
  TopicFilters: (attributes, text) => {
    attributes.topic_filters = readFilters(text);
  },
};

function nameAttributes(tree: PacketTree): PacketAttributes {
  const attributes: PacketAttributes = { packet: tree.type, qos: tree.qos, retain: tree.retain, dup: tree.dup };
  for (const [name, text] of tree.fields) READERS[name]?.(attributes, text);
  return attributes;
}

const MAX_FILTERS = 1_024;

/** 4.x: a term list. 5.x: `[filter(#{qos => 0,…}),…]`; UNSUBSCRIBE has bare filters. */
function readFilters(text: string): Json {
  if (text.startsWith('[{')) return filtersOfTerm(parseTerm(text));
  const inner = text.replace(/^\[/, '').replace(/\]$/, '');
  if (!inner.includes('(#{'))
    return inner === ''
      ? []
      : inner
          .split(',')
          .slice(0, MAX_FILTERS)
          .map((topic) => ({ topic, qos: null }));
  const filters: Json[] = [];
  const pattern = /,?\s*([\s\S]*?)\((#\{[\s\S]*?\})\)/y;
  for (let found = pattern.exec(inner); found !== null && filters.length < MAX_FILTERS; found = pattern.exec(inner)) {
    filters.push({ topic: found[1]!, qos: numberOf(termEntry(parseTerm(found[2]!), 'qos')) });
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
