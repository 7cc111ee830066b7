/**
 * Child process of bench/ingest.ts: reads a log without a database. `read-log.js cut FILE` cuts it into lines,
 * `read-log.js parse FILE` makes records of them. Prints the number of lines or records.
 */
import { createReadStream } from 'node:fs';
import { createParser, detectLayout, LineSplitter, MAX_DETECT_LINES, type RawLine } from '../parsers/index.ts';

const CHUNK_BYTES = 1_048_576;

async function readLines(file: string, onLine: (line: RawLine) => void): Promise<void> {
  const splitter = new LineSplitter(onLine);
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) splitter.push(chunk as Buffer);
  splitter.end();
}

async function countLines(file: string): Promise<number> {
  let lines = 0;
  await readLines(file, () => {
    lines += 1;
  });
  return lines;
}

async function countRecords(file: string): Promise<number> {
  const first: string[] = [];
  const head = new LineSplitter((line) => first.push(line.text));
  for await (const chunk of createReadStream(file, { end: CHUNK_BYTES })) head.push(chunk as Buffer);
  const detected = detectLayout(first.slice(0, MAX_DETECT_LINES));
  if (detected === null) throw new Error(`${file}: no known layout`);
  let records = 0;
  const parser = createParser(detected.layout, {
    record: () => {
      records += 1;
    },
    unparsed: () => {},
  });
  await readLines(file, (line) => parser.line(line));
  parser.end();
  return records;
}

const [step, file] = process.argv.slice(2);
const count = step === 'cut' ? await countLines(file!) : await countRecords(file!);
process.stdout.write(`${count}\n`);
