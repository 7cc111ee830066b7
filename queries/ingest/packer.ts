/** Records, whole or slotted, into rows of a batch. */
import type { Envelope, LogRecord, RecordFlag, Shape, SlottedRecord, Template } from '../../parsers/index.ts';
import { decimal, SlotMap, slotText, sourceText, toLogRecord } from '../../parsers/index.ts';
import { Dictionary, type ShapeRow } from './dictionary.ts';
import {
  BatchFiller,
  type ColumnName,
  type ColumnPlace,
  type Id,
  idOf,
  placeOf,
  type RecordBatch,
} from './record-batch.ts';

const NUMBERS = ['packet_id', 'stream_id', 'bytes', 'count', 'ctx_id'] as const;
/** Attributes that are columns of their own. What a shape has no room for stays in `args` and in the attributes. */
const NUMBER_COLUMNS: { readonly [attribute: string]: (typeof NUMBERS)[number] } = {
  packet_id: 'packet_id',
  stream_id: 'stream_id',
  sid: 'stream_id',
  payload_bytes: 'bytes',
  remaining_len: 'bytes',
  size: 'bytes',
  bytes: 'bytes',
  count: 'count',
  dropped: 'count',
  ctx_id: 'ctx_id',
};
const SHAPE_ATTRIBUTES = new Set(['packet', 'qos', 'reason', 'topic']);

/** Place of a value in the list that templates index (views/05-records.sql): these first, the args from ARGS on. 0 stands for nothing. */
const VALUE_INDEX = {
  thread: 1,
  client_id: 2,
  peer: 3,
  topic: 4,
  packet_id: 5,
  stream_id: 6,
  bytes: 7,
  count: 8,
  ctx_id: 9,
} as const;
const FIRST_ARG = 10;
const SEPARATOR = '\u001f';
const SEPARATOR_CODE = 0x1f;
/** Of a record that has no shape of its own: its args are head, body and attributes. */
const WHOLE_BODY = { parts: ['', ''], slots: [FIRST_ARG + 1, 0] };
const WHOLE_ATTRIBUTES = { parts: ['', ''], slots: [FIRST_ARG + 2, 0] };
const MAX_VALUE_INDEX = 255;
/** Longer reasons are only in the attributes: each would make a shape. */
const MAX_REASON_CHARS = 64;

export const FLAGS: readonly RecordFlag[] = ['line-truncated', 'invalid-utf8', 'nul-bytes', 'interleaved', 'cut'];

const place = {} as { [name in ColumnName]: ColumnPlace };
for (const name of [
  'source_id',
  'byte_offset',
  'ts',
  'shape_id',
  'context_id',
  'topic_id',
  'packet_id',
  'stream_id',
  'bytes',
  'count',
  'ctx_id',
  'collector_ts',
  'line_no',
  'byte_length',
] as const) {
  place[name] = placeOf(name);
}

const numberPlaces = NUMBERS.map((name) => place[name]);

/** How the slots of a shape become columns. */
interface Plan {
  readonly id: Id;
  /** Slots whose texts make the context; empty: `fixedContext` holds for all. */
  readonly contextSlots: readonly number[];
  /** null: too many sorts are remembered already. */
  readonly contexts: SlotMap<Id> | null;
  readonly topic: Id | number | null;
  /** In the order of NUMBERS: a constant, a slot (or ~slot for its length), or null. */
  readonly numbers: readonly ({ readonly constant: number } | { readonly slot: number } | null)[];
  /** The slot of the topic, if it is one. */
  readonly topicSlots: readonly number[];
  readonly args: readonly number[];
}

/** Contexts remembered of one sort, and topics; then they are looked up in the dictionary again. */
const MAX_CONTEXTS = 4_096;
const MAX_TOPICS = 8_192;
/** Sorts of contexts: which of the fields are slots, and what the others are. */
const MAX_CONTEXT_SORTS = 256;

export class Packer {
  readonly dictionary = new Dictionary();
  private readonly filler: BatchFiller;
  /** null: the shape has more values than a row has room for, its records are stored whole. */
  private plans = new Map<Shape, Plan | null>();
  /** The same for records with an empty line behind them. */
  private blankPlans = new Map<Shape, Plan | null>();
  private contexts = new Map<string, SlotMap<Id>>();
  private readonly topics = new SlotMap<Id>();
  private source: Id = { low: 0, high: 0 };

  constructor(first: RecordBatch, onFull: (batch: RecordBatch) => RecordBatch) {
    this.filler = new BatchFiller(first, onFull);
  }

  /** Rows that follow belong to this source. */
  setSource(sourceId: bigint): void {
    this.source = idOf(sourceId);
  }

  handOver(): void {
    this.filler.handOver();
  }

  /** Forgets rows and definitions that were not handed over, and what the database may not know any more. */
  clear(): void {
    this.filler.clear();
    this.dictionary.clear();
    this.plans = new Map();
    this.blankPlans = new Map();
    this.contexts = new Map();
    this.topics.clear();
  }

  slotted(record: SlottedRecord): void {
    const { shape, hasBlank } = record;
    const plans = hasBlank ? this.blankPlans : this.plans;
    let plan = plans.get(shape);
    if (plan === undefined) {
      plan = this.makePlan(shape, hasBlank ? '\n' : '');
      plans.set(shape, plan);
    }
    if (plan === null) {
      this.record(toLogRecord(record));
      return;
    }
    const { filler } = this;
    const { bytes, from, to, envelope } = record;
    filler.setId(place.source_id, this.source);
    filler.setLong(place.byte_offset, record.byteOffset);
    filler.setInt(place.line_no, record.lineNo);
    filler.setInt(place.byte_length, record.byteLength);
    filler.setLong(place.ts, record.ts);
    filler.setId(place.shape_id, plan.id);
    filler.setId(place.context_id, envelope === undefined ? this.contextOf(plan, record) : this.contextId(record));
    const { topic, numbers, args } = plan;
    if (topic !== null) filler.setId(place.topic_id, typeof topic === 'number' ? this.topicOf(plan, record) : topic);
    for (let i = 0; i < NUMBERS.length; i++) {
      const number = numbers[i]!;
      const column = numberPlaces[i]!;
      if (number === null) continue;
      if ('constant' in number) filler.setLong(column, number.constant);
      else if (number.slot >= 0) filler.setLong(column, decimal(bytes, from[number.slot]!, to[number.slot]!));
      else filler.setLong(column, record.lengths[~number.slot]!);
    }
    if (args.length === 0) filler.noArgs();
    else {
      let length = args.length - 1;
      for (let i = 0; i < args.length; i++) length += to[args[i]!]! - from[args[i]!]!;
      filler.beginArgs(length);
      for (let i = 0; i < args.length; i++) {
        if (i > 0) filler.argChar(SEPARATOR_CODE);
        filler.argBytes(bytes, from[args[i]!]!, to[args[i]!]!);
      }
    }
    if (envelope?.ts !== undefined) filler.setLong(place.collector_ts, envelope.ts);
    filler.endRow();
  }

  record(record: LogRecord): void {
    const { filler, dictionary } = this;
    const attributes = record.attributes ?? {};
    const text = (name: string): string | null =>
      typeof attributes[name] === 'string' ? (attributes[name] as string) : null;
    const whole = (name: string): number | null =>
      Number.isSafeInteger(attributes[name]) ? (attributes[name] as number) : null;
    const reason = text('reason');
    const args = [record.head, record.body];
    if (record.attributes !== null) args.push(JSON.stringify(record.attributes));
    const separator = separatorFor(args);
    const shape: ShapeRow = {
      severity: record.severity,
      file: record.file,
      line: record.line,
      func: record.func,
      tag: record.tag,
      event: record.event,
      ts_precision_us: record.tsPrecisionUs,
      flags: flagBits(record.flags),
      continuations: record.continuations,
      packet: text('packet'),
      qos: whole('qos'),
      reason: reason !== null && reason.length <= MAX_REASON_CHARS ? reason : null,
      time_format: null,
      time_shift_us: 0,
      head: null,
      body_parts: WHOLE_BODY.parts,
      body_slots: WHOLE_BODY.slots,
      attribute_parts: record.attributes === null ? null : WHOLE_ATTRIBUTES.parts,
      attribute_slots: record.attributes === null ? null : WHOLE_ATTRIBUTES.slots,
      separator,
    };
    filler.setId(place.source_id, this.source);
    filler.setLong(place.byte_offset, record.byteOffset);
    filler.setInt(place.line_no, record.lineNo);
    filler.setInt(place.byte_length, record.byteLength);
    if (record.ts !== null) filler.setLong(place.ts, record.ts);
    filler.setId(place.shape_id, dictionary.shape(shape));
    filler.setId(
      place.context_id,
      dictionary.context({
        thread: record.thread,
        client_id: record.clientId,
        bridge_id: record.bridgeId,
        peer: record.peer,
        envelope: envelopeText(record),
      }),
    );
    const topic = text('topic');
    if (topic !== null) filler.setId(place.topic_id, dictionary.string(topic));
    const taken = new Set<string>();
    for (const name in NUMBER_COLUMNS) {
      const value = whole(name);
      const column = NUMBER_COLUMNS[name]!;
      if (value === null || taken.has(column)) continue;
      taken.add(column);
      filler.setLong(place[column], value);
    }
    if (record.envelope?.ts !== undefined) filler.setLong(place.collector_ts, record.envelope.ts);
    const joined = Buffer.from(args.join(separator));
    filler.beginArgs(joined.length);
    filler.argBytes(joined, 0, joined.length);
    filler.endRow();
  }

  private contextOf(plan: Plan, record: SlottedRecord): Id {
    const { contextSlots, contexts } = plan;
    if (contexts === null) return this.contextId(record);
    const known = contexts.get(record.bytes, record.from, record.to, contextSlots);
    if (known !== undefined) return known;
    const id = this.contextId(record);
    if (contexts.size >= MAX_CONTEXTS) contexts.clear();
    contexts.add(record.bytes, record.from, record.to, contextSlots, id);
    return id;
  }

  private contextId(record: SlottedRecord): Id {
    const { shape } = record;
    return this.dictionary.context({
      thread: sourceText(record, shape.thread),
      client_id: sourceText(record, shape.clientId),
      bridge_id: sourceText(record, shape.bridgeId),
      peer: sourceText(record, shape.peer),
      envelope: envelopeText(record),
    });
  }

  private topicOf(plan: Plan, record: SlottedRecord): Id {
    const { topicSlots } = plan;
    const { topics } = this;
    const known = topics.get(record.bytes, record.from, record.to, topicSlots);
    if (known !== undefined) return known;
    const id = this.dictionary.string(slotText(record, topicSlots[0]!));
    if (topics.size >= MAX_TOPICS) topics.clear();
    topics.add(record.bytes, record.from, record.to, topicSlots, id);
    return id;
  }

  /** Shapes whose contexts are made of the same fields share what is remembered: a log has many shapes and few threads or clients. */
  private contextsOf({ thread, clientId, bridgeId, peer }: Shape): SlotMap<Id> | null {
    const sort = JSON.stringify(
      [thread, clientId, peer, bridgeId].map((source) => (typeof source === 'number' ? 0 : source)),
    );
    const known = this.contexts.get(sort);
    if (known !== undefined) return known;
    if (this.contexts.size >= MAX_CONTEXT_SORTS) return null;
    const contexts = new SlotMap<Id>();
    this.contexts.set(sort, contexts);
    return contexts;
  }

  private makePlan(shape: Shape, ending: string): Plan | null {
    const { constants, slots, partly } = attributeSources(shape.attributes);
    for (const name of partly) if (name in NUMBER_COLUMNS || SHAPE_ATTRIBUTES.has(name)) return null;
    const index = new Map<number, number>(); // slot -> place in the list of values
    const contextSlots: number[] = [];
    for (const [name, source] of [
      ['thread', shape.thread],
      ['client_id', shape.clientId],
      ['peer', shape.peer],
    ] as const) {
      if (typeof source !== 'number') continue;
      contextSlots.push(source);
      if (!index.has(source)) index.set(source, VALUE_INDEX[name]);
    }
    if (typeof shape.bridgeId === 'number') contextSlots.push(shape.bridgeId);
    let topic: Id | number | null = null;
    const topicSlot = slots.topic;
    if (topicSlot !== undefined && topicSlot >= 0) {
      topic = topicSlot;
      if (!index.has(topicSlot)) index.set(topicSlot, VALUE_INDEX.topic);
    } else if (typeof constants.topic === 'string') topic = this.dictionary.string(constants.topic);
    const numbers = NUMBERS.map((column) => {
      for (const name in NUMBER_COLUMNS) {
        if (NUMBER_COLUMNS[name] !== column) continue;
        const slot = slots[name];
        const constant = constants[name];
        if (slot !== undefined && (slot < 0 || shape.decimals.includes(slot))) {
          if (!index.has(slot)) index.set(slot, VALUE_INDEX[column]);
          return { slot };
        }
        if (typeof constant === 'number' && Number.isSafeInteger(constant)) return { constant };
      }
      return null;
    });
    const args: number[] = [];
    const indexOf = (slot: number): number => {
      let found = index.get(slot);
      if (found === undefined && slot >= 0) {
        args.push(slot);
        found = FIRST_ARG + args.length - 1;
        index.set(slot, found);
      }
      return found ?? -1;
    };
    const bodySlots = shape.body.slots.map(indexOf);
    const attributeSlots = shape.attributes?.slots.map(indexOf) ?? null;
    // A length that is no column has no place in the list.
    if ([...bodySlots, ...(attributeSlots ?? [])].some((at) => at < 0 || at > MAX_VALUE_INDEX)) return null;
    const { time } = shape;
    const id = this.dictionary.shape({
      severity: shape.severity,
      file: shape.file,
      line: shape.line,
      func: shape.func,
      tag: shape.tag,
      event: shape.event,
      ts_precision_us: shape.tsPrecisionUs,
      flags: flagBits(shape.flags),
      continuations: ending === '' ? 0 : 1,
      packet: typeof constants.packet === 'string' ? constants.packet : null,
      qos: typeof constants.qos === 'number' ? constants.qos : null,
      reason:
        typeof constants.reason === 'string' && constants.reason.length <= MAX_REASON_CHARS ? constants.reason : null,
      time_format: time === null ? '' : time.kind === 'epoch' ? 'epoch' : `${time.separator}${time.fractionDigits}`,
      time_shift_us: shape.timeShiftUs,
      head: shape.head,
      body_parts: [...shape.body.parts.slice(0, -1), shape.body.parts.at(-1)! + ending],
      body_slots: [...bodySlots, 0],
      attribute_parts: shape.attributes?.parts ?? null,
      attribute_slots: attributeSlots === null ? null : [...attributeSlots, 0],
      separator: SEPARATOR,
    });
    const topicSlots = typeof topic === 'number' ? [topic] : [];
    return {
      id,
      contextSlots,
      contexts: this.contextsOf(shape),
      topic,
      topicSlots,
      numbers,
      args,
    };
  }
}

/** What a shape says of its attributes: those that are the same for all its lines, and those that are just one slot. */
interface AttributeSources {
  readonly constants: { readonly [name: string]: unknown };
  readonly slots: { readonly [name: string]: number };
  /** Attributes of which a slot is only a part. */
  readonly partly: ReadonlySet<string>;
}

function attributeSources(template: Template | null): AttributeSources {
  const constants: { [name: string]: unknown } = {};
  const slots: { [name: string]: number } = {};
  const partly = new Set<string>();
  if (template === null) return { constants, slots, partly };
  // Slots become markers, in quotes also where they stand for a number, so that the whole is JSON.
  let text = template.parts[0]!;
  for (const [i, slot] of template.slots.entries()) {
    const marker = `\\u0001${slot}\\u0001`;
    const inString = (text.match(/(?<!\\)(?:\\\\)*"/g)?.length ?? 0) % 2 === 1;
    if (inString) text += marker;
    else if (text.endsWith('-')) text = `${text.slice(0, -1)}"-${marker}"`;
    else text += `"${marker}"`;
    text += template.parts[i + 1]!;
  }
  const object: { readonly [name: string]: unknown } = JSON.parse(text);
  for (const name in object) {
    const value = object[name];
    const whole = typeof value === 'string' ? /^\u0001(-?\d+)\u0001$/.exec(value) : null;
    if (whole !== null) slots[name] = Number(whole[1]);
    else if (JSON.stringify(value).includes('\\u0001')) partly.add(name);
    else constants[name] = value;
  }
  return { constants, slots, partly };
}

/** What tells the texts apart again; nearly always the control character that is made for it. */
function separatorFor(texts: readonly string[]): string {
  let separator = SEPARATOR;
  for (let n = 0; ; n++) {
    const parts = texts.join(separator).split(separator);
    if (parts.length === texts.length && parts.every((part, i) => part === texts[i])) return separator;
    separator = `${SEPARATOR}${n}${SEPARATOR}`;
  }
}

function flagBits(flags: readonly RecordFlag[] | undefined): number {
  let bits = 0;
  for (const flag of flags ?? []) bits |= 1 << FLAGS.indexOf(flag);
  return bits;
}

function envelopeText(from: { readonly envelope?: Envelope | undefined }): string | null {
  if (from.envelope === undefined) return null;
  const { ts: _, ...rest } = from.envelope;
  return JSON.stringify(rest);
}
