import { createEmqxJsonParser } from './emqx/json-parser.ts';
import { createEmqxTextParser } from './emqx/text-parser.ts';
import { createNanomqParser } from './nanomq/nanomq-parser.ts';
import { createNanomqSyslogParser } from './nanomq/syslog-parser.ts';
import type { Layout, ParserSink, RecordParser } from './record.ts';

/** A parser for one stream of the given layout; records and unparsed lines go to `sink` in the order of their first bytes. */
export function createParser(layout: Layout, sink: ParserSink): RecordParser {
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
