/**
 * How many records of the EMQX logs under a folder have an event: `node dist/scripts/emqx-event-share.js FOLDER [--null]`.
 *
 * One line a layout; `--null` adds the shapes of the records without event (numbers and texts masked), most frequent first.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { createParser, detectLayout, LineSplitter, MAX_DETECT_LINES, type RawLine } from '../parsers/index.ts';

const LOG_NAME = /(?:^|\/)(?:emqx|trace|v-)[^/]*\.log(?:\.\d+)?\.gz$/;
const MAX_FILE_BYTES = 400_000_000;

export interface Share {
  readonly files: number;
  readonly records: number;
  readonly named: number;
  readonly unparsed: number;
}

export interface Shares {
  readonly layouts: ReadonlyMap<string, Share>;
  /** Shapes of records without event, and of lines that are no record: how many, and one of them. */
  readonly shapes: ReadonlyMap<string, { readonly count: number; readonly example: string }>;
}

/** Reads all EMQX logs under a folder. */
export function eventShares(folder: string): Shares {
  const layouts = new Map<string, Share>();
  const shapes = new Map<string, { count: number; example: string }>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!LOG_NAME.test(name)) continue;
    const bytes = gunzipSync(readFileSync(resolve(folder, name)), { maxOutputLength: MAX_FILE_BYTES });
    if (bytes.length === 0) continue;
    const { layout, ...read } = readFile(bytes, (said, body) => note(shapes, said, `${name}: ${body}`));
    const before = layouts.get(layout) ?? { files: 0, records: 0, named: 0, unparsed: 0 };
    layouts.set(layout, {
      files: before.files + 1,
      records: before.records + read.records,
      named: before.named + read.named,
      unparsed: before.unparsed + read.unparsed,
    });
  }
  return { layouts, shapes };
}

type Note = (said: string, body: string) => void;

function readFile(bytes: Uint8Array, unnamed: Note): { layout: string } & Omit<Share, 'files'> {
  const lines: RawLine[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  splitter.push(bytes);
  splitter.end();
  const detected = detectLayout(lines.slice(0, MAX_DETECT_LINES).map((line) => line.text));
  if (detected === null) return { layout: 'undetected', records: 0, named: 0, unparsed: lines.length };
  let [records, named, unparsed] = [0, 0, 0];
  const parser = createParser(detected.layout, {
    record({ event, attributes, body }) {
      records += 1;
      if (event !== null) named += 1;
      else unnamed(typeof attributes?.msg === 'string' ? `msg ${attributes.msg}` : body, body);
    },
    unparsed({ reason, text }) {
      unparsed += 1;
      unnamed(`UNPARSED ${reason} ${text}`, text);
    },
  });
  for (const line of lines) parser.line(line);
  parser.end();
  return { layout: detected.layout, records, named, unparsed };
}

function note(shapes: Map<string, { count: number; example: string }>, said: string, example: string): void {
  const shape = said
    .slice(0, 400)
    .replace(/<\d+\.\d+\.\d+>|\d+/g, '#')
    .replace(/\n[\s\S]*/, '…')
    .slice(0, 120);
  const seen = shapes.get(shape);
  if (seen === undefined) shapes.set(shape, { count: 1, example: example.slice(0, 600) });
  else seen.count += 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { layouts, shapes } = eventShares(process.argv[2] ?? '../shared/corpus');
  for (const [layout, { files, records, named, unparsed }] of [...layouts].sort()) {
    const percent = ((100 * named) / records).toFixed(3);
    console.log(`${layout}: ${files} files, ${records} records, event on ${percent} %, unparsed ${unparsed}`);
  }
  if (process.argv.includes('--null'))
    for (const [shape, { count, example }] of [...shapes].sort((a, b) => b[1].count - a[1].count))
      console.log(`${count}\t${shape}\n\t${example}`);
}
