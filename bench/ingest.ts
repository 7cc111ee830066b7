/**
 * How fast logs are read, side by side in one run: lines cut only (the baseline), lines parsed, records in the database.
 * `node dist/bench/ingest.js [MB]`: makes a log of that size from the bundled incident's lines with shifted times, medians of three.
 */

import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createParser, LineSplitter } from '../parsers/index.ts';
import { Database, ingest, packageRoot } from '../queries/index.ts';

const ROUNDS = 3;
const MEGABYTE = 1_048_576;
/** The incident is 181 s long; copies follow each other without overlap. */
const SHIFT_S = 200;

async function makeLog(file: string, megabytes: number): Promise<void> {
  const lines = gunzipSync(readFileSync(path.join(packageRoot(), 'examples', 'stuck-busy', 'nanomq.log.gz')))
    .toString('latin1')
    .split('\n');
  const out = createWriteStream(file, { encoding: 'latin1' });
  let written = 0;
  for (let copy = 0; written < megabytes * MEGABYTE; copy += 1) {
    const text = `${lines.map((line) => shifted(line, copy * SHIFT_S)).join('\n')}\n`;
    written += text.length;
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

function shifted(line: string, seconds: number): string {
  const stamp = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.exec(line)?.[0];
  if (stamp === undefined) return line;
  const time = new Date(Date.parse(`${stamp.replace(' ', 'T')}Z`) + seconds * 1000).toISOString();
  return `${time.slice(0, 10)} ${time.slice(11, 19)}${line.slice(19)}`;
}

async function cutLines(file: string): Promise<number> {
  let lines = 0;
  const splitter = new LineSplitter(() => {
    lines += 1;
  });
  for await (const chunk of createReadStream(file, { highWaterMark: MEGABYTE })) splitter.push(chunk as Buffer);
  splitter.end();
  return lines;
}

async function parseLines(file: string): Promise<number> {
  let records = 0;
  const parser = createParser('nanomq-file', {
    record: () => {
      records += 1;
    },
    unparsed: () => {},
  });
  const splitter = new LineSplitter((line) => parser.line(line));
  for await (const chunk of createReadStream(file, { highWaterMark: MEGABYTE })) splitter.push(chunk as Buffer);
  splitter.end();
  parser.end();
  return records;
}

async function ingestLog(file: string, folder: string): Promise<number> {
  const target = path.join(folder, 'bench.duckdb');
  rmSync(target, { force: true });
  const database = await Database.open(target, 'write');
  try {
    const result = await ingest(database, { paths: [file] });
    return result.sources[0]?.records ?? 0;
  } finally {
    database.close();
  }
}

async function main(): Promise<void> {
  const megabytes = Number(process.argv[2] ?? 100);
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-bench-'));
  try {
    const file = path.join(folder, 'nanomq.log');
    await makeLog(file, megabytes);
    const size = statSync(file).size / MEGABYTE;
    const steps: { name: string; run: () => Promise<number>; seconds: number[]; count: number }[] = [
      { name: 'cut into lines (baseline)', run: () => cutLines(file), seconds: [], count: 0 },
      { name: 'parsed into records', run: () => parseLines(file), seconds: [], count: 0 },
      { name: 'ingested into DuckDB', run: () => ingestLog(file, folder), seconds: [], count: 0 },
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const step of steps) {
        const start = performance.now();
        step.count = await step.run();
        step.seconds.push((performance.now() - start) / 1000);
      }
    }
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    const baseline = median(steps[0]?.seconds ?? []);
    process.stdout.write(`${size.toFixed(0)} MB, median of ${ROUNDS}\n`);
    for (const step of steps) {
      const seconds = median(step.seconds);
      process.stdout.write(
        `${step.name.padEnd(28)} ${seconds.toFixed(2)} s  ${(size / seconds).toFixed(0)} MB/s  ${Math.round(step.count / seconds / 1000)}k/s  ${(seconds / baseline).toFixed(1)} × baseline\n`,
      );
    }
    process.stdout.write(`largest resident set ${Math.round(process.resourceUsage().maxRSS / 1024)} MB\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
