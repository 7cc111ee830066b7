import { splitFrame } from './emqx/frame.ts';
import { createEmqxJsonParser } from './emqx/json-parser.ts';
import { createEmqxTextParser } from './emqx/text-parser.ts';
import { CONF_FILE } from './nanomq/conf-dump.ts';
import { splitNanomqHeader } from './nanomq/header.ts';
import { createNanomqParser } from './nanomq/nanomq-parser.ts';
import { createNanomqSyslogParser } from './nanomq/syslog-parser.ts';
import type { Layout, ParserSink, RecordParser } from './record.ts';
import { createSlottedParser, type SlottedLayout, type SlottedSink } from './slots/slotted-parser.ts';

/**
 * A parser for one stream of the given layout; records and unparsed lines go to `sink` in the order of their first bytes. A sink
 * that takes slotted records gets most of them that way, several times as fast.
 */
export function createParser(layout: Layout, sink: ParserSink | SlottedSink): RecordParser {
  const slotted = SLOTTED[layout];
  if (slotted !== undefined && 'slotted' in sink) return createSlottedParser(layout, slotted, sink);
  return PARSERS[layout](sink);
}

const PARSERS: { readonly [layout in Layout]: (sink: ParserSink) => RecordParser } = {
  'nanomq-file': (sink) => createNanomqParser('nanomq-file', sink),
  'nanomq-console': (sink) => createNanomqParser('nanomq-console', sink),
  'nanomq-syslog': createNanomqSyslogParser,
  'emqx-text': createEmqxTextParser,
  'emqx-trace': createEmqxTextParser,
  'emqx-json': createEmqxJsonParser,
  'emqx-trace-json': createEmqxJsonParser,
};

function nanomq(layout: 'nanomq-file' | 'nanomq-console'): SlottedLayout {
  const startsRecord = (text: string): boolean => splitNanomqHeader(text) !== null;
  return { style: 'nanomq', create: PARSERS[layout], startsRecord, contextual: [CONF_FILE] };
}

const EMQX_TEXT: SlottedLayout = {
  style: 'emqx',
  create: createEmqxTextParser,
  startsRecord: (text) => {
    const frame = splitFrame(text);
    return frame !== null && frame !== 'bad';
  },
  contextual: [],
};

/** A JSON record is one line; only empty ones follow it. */
const EMQX_JSON: SlottedLayout = {
  style: 'json',
  create: createEmqxJsonParser,
  startsRecord: (text) => text.trim() !== '',
  contextual: [],
};

/** Layouts whose lines fall into shapes. */
const SLOTTED: { readonly [layout in Layout]?: SlottedLayout } = {
  'nanomq-file': nanomq('nanomq-file'),
  'nanomq-console': nanomq('nanomq-console'),
  'emqx-text': EMQX_TEXT,
  'emqx-trace': EMQX_TEXT,
  'emqx-json': EMQX_JSON,
  'emqx-trace-json': EMQX_JSON,
};
