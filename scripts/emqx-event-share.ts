/**
 * How many records of the EMQX logs under a folder have an event: `node dist/scripts/emqx-event-share.js FOLDER [--null]`.
 *
 * One line a layout; `--null` adds the shapes of the records without event (numbers and texts masked), most frequent first.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createParser, detectLayout, LineSplitter, MAX_DETECT_LINES, type RawLine } from '../parsers/index.ts';

const LOG_NAME = /(?:^|\/)(?:emqx|trace|v-)[^/]*\.log(?:\.\d+)?\.gz$/;
const MAX_FILE_BYTES = 400_000_000;

interface Share {
  files: number;
  records: number;
  named: number;
  unparsed: number;
}

const folder = process.argv[2] ?? '../shared/corpus';
const showNull = process.argv.includes('--null');
const shares = new Map<string, Share>();
const shapes = new Map<string, { count: number; example: string }>();

for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (LOG_NAME.test(name)) measure(name);
}
for (const [layout, share] of [...shares].sort()) {
  const percent = ((100 * share.named) / share.records).toFixed(3);
  console.log(
    `${layout}: ${share.files} files, ${share.records} records, event on ${percent} %, unparsed ${share.unparsed}`,
  );
}
if (showNull) {
  for (const [shape, { count, example }] of [...shapes].sort((a, b) => b[1].count - a[1].count))
    console.log(`${count}\t${shape}\n\t${example}`);
}

function measure(name: string): void {
  const bytes = gunzipSync(readFileSync(resolve(folder, name)), { maxOutputLength: MAX_FILE_BYTES });
  if (bytes.length === 0) return;
  const lines: RawLine[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  splitter.push(bytes);
  splitter.end();
  const detected = detectLayout(lines.slice(0, MAX_DETECT_LINES).map((line) => line.text));
  const layout = detected?.layout ?? 'undetected';
  const share = shares.get(layout) ?? { files: 0, records: 0, named: 0, unparsed: 0 };
  shares.set(layout, share);
  share.files += 1;
  if (detected === null) {
    share.unparsed += lines.length;
    return;
  }
  const parser = createParser(detected.layout, {
    record: (record) => {
      share.records += 1;
      if (record.event !== null) share.named += 1;
      else
        note(
          typeof record.attributes?.msg === 'string' ? `msg ${record.attributes.msg}` : record.body,
          record.body,
          name,
        );
    },
    unparsed: (line) => {
      share.unparsed += 1;
      note(`UNPARSED ${line.reason} ${line.text}`, line.text, name);
    },
  });
  for (const line of lines) parser.line(line);
  parser.end();
}

function note(said: string, body: string, name: string): void {
  const shape = said
    .slice(0, 400)
    .replace(/<\d+\.\d+\.\d+>|\d+/g, '#')
    .replace(/\n[\s\S]*/, '…')
    .slice(0, 120);
  const seen = shapes.get(shape);
  if (seen === undefined) shapes.set(shape, { count: 1, example: `${name}: ${body.slice(0, 600)}` });
  else seen.count += 1;
}
