/**
 * How fast logs get into the database, and how fast a count over it is, beside lnav doing the same on the text:
 * `node dist/bench/ingest.js [--size 1GB] [--product nanomq|emqx|both] [--rounds 5] [--threads 1,2] [--lnav] [--keep]`.
 *
 * Every peer is a process of its own, timed from start to end. Peers run one after the other in each round, every other round
 * in reverse; one round before that is not counted. The log is in the page cache by then: what is measured is work, not the
 * drive. For a cold start drop the cache before (`sync; echo 3 > /proc/sys/vm/drop_caches` as root) and take `--rounds 1 --cold`.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Product } from '../parsers/index.ts';
import { Database } from '../queries/index.ts';
import { makeDebugLog, parseSize } from './make-logs.ts';
import { type ChildRun, isInstalled, markdownTable, median, runChild } from './measure.ts';

/** The same question to both: how many records, and how many of them tell of a lost message or a closed connection. */
const LNAV_COUNT: { readonly [product in Product]: string } = {
  nanomq: "SELECT count(*) AS n, sum(log_body LIKE '%aio busy%') AS found FROM all_logs",
  emqx: "SELECT count(*) AS n, sum(log_body LIKE '%msg: terminate%') AS found FROM all_logs",
};
const DATABASE_COUNT: { readonly [product in Product]: string } = {
  nanomq: "SELECT count(*) AS n, count(*) FILTER (event = 'aio_busy') AS found FROM records",
  emqx: "SELECT count(*) AS n, count(*) FILTER (event = 'connection_terminate_info') AS found FROM records",
};
const QUERY_ROUNDS = 5;
const MEGABYTE = 1e6;

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));
const READ_LOG = fileURLToPath(new URL('./read-log.js', import.meta.url));

interface Peer {
  readonly name: string;
  readonly run: () => Promise<ChildRun>;
  /** Lines or records that it says it has read. */
  readonly count: (run: ChildRun) => number;
  readonly runs: ChildRun[];
}

interface Options {
  readonly bytes: number;
  readonly rounds: number;
  readonly threads: readonly string[]; // empty: as the program chooses
  readonly lnav: boolean;
  readonly warmUp: boolean;
  readonly folder: string;
  readonly corpus: string | undefined;
}

async function measure(product: Product, options: Options): Promise<string> {
  const log = path.join(options.folder, `${product}.log`);
  const database = path.join(options.folder, `${product}.duckdb`);
  const made = makeDebugLog(log, product, options.bytes, { corpus: options.corpus });
  const peers = peersOf(product, log, database, options);
  for (let round = options.warmUp ? 0 : 1; round <= options.rounds; round += 1) {
    for (const peer of round % 2 === 1 ? peers : peers.toReversed()) {
      const run = await peer.run();
      if (round > 0) peer.runs.push(run);
      process.stderr.write(`${product}, round ${round}: ${peer.name} ${run.seconds.toFixed(2)} s\n`);
    }
  }
  // The last peer of the last round need not be an ingest; the file that the last ingest left is what counts.
  const databaseBytes = statSync(database).size;
  const title = `${product} debug log: ${(made.bytes / MEGABYTE).toFixed(0)} MB, ${made.lines} lines; medians of ${options.rounds}`;
  return [
    title,
    '',
    table(peers, made.bytes),
    '',
    `Database: ${(databaseBytes / MEGABYTE).toFixed(0)} MB, ${((databaseBytes / made.bytes) * 100).toFixed(0)} % of the log.`,
    await countInDatabase(database, DATABASE_COUNT[product]),
    ...peers
      .filter((peer) => peer.name.startsWith('lnav'))
      .map((peer) => `lnav counts: ${numbersIn(peer.runs[0]!.stdout).join(', ')}`),
  ].join('\n');
}

function peersOf(product: Product, log: string, database: string, options: Options): Peer[] {
  const reader = (name: string, step: string): Peer => ({
    name,
    run: () => runChild(process.execPath, [READ_LOG, step, log]),
    count: (run) => Number(run.stdout),
    runs: [],
  });
  const ingester = (name: string, more: readonly string[]): Peer => ({
    name,
    run: () => {
      for (const end of ['', '.wal']) rmSync(database + end, { force: true });
      return runChild(process.execPath, [MAIN, 'ingest', log, '--db', database, '--json', ...more]);
    },
    count: (run) => (JSON.parse(run.stdout) as { sources: { records: number }[] }).sources[0]?.records ?? 0,
    runs: [],
  });
  const lnav: Peer = {
    name: 'lnav: read and count',
    // A home of its own: lnav keeps settings and a history there.
    run: () => runChild('lnav', ['-n', '-N', '-c', `;${LNAV_COUNT[product]}`, log], { HOME: options.folder }),
    count: (run) => numbersIn(run.stdout)[0] ?? 0,
    runs: [],
  };
  return [
    reader('cut into lines (baseline)', 'cut'),
    reader('parsed into records', 'parse'),
    ...(options.threads.length === 0
      ? [ingester('ingested', [])]
      : options.threads.map((threads) => ingester(`ingested, --threads ${threads}`, ['--threads', threads]))),
    ...(options.lnav ? [lnav] : []),
  ];
}

const numbersIn = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);

function table(peers: readonly Peer[], bytes: number): string {
  const seconds = (peer: Peer) => median(peer.runs.map((run) => run.seconds));
  const baseline = seconds(peers[0]!);
  const lnav = peers.find((peer) => peer.name.startsWith('lnav'));
  const rows = peers.map((peer) => {
    const time = seconds(peer);
    const spread = [Math.min(...peer.runs.map((run) => run.seconds)), Math.max(...peer.runs.map((run) => run.seconds))];
    const memory = peer.runs.flatMap((run) => run.maxRssBytes ?? []);
    return [
      peer.name,
      `${time.toFixed(2)} s`,
      spread.map((value) => value.toFixed(2)).join('–'),
      (bytes / time / MEGABYTE).toFixed(0),
      Math.round(peer.count(peer.runs[0]!) / time / 1000).toString(),
      memory.length === 0 ? '–' : (Math.max(...memory) / MEGABYTE).toFixed(0),
      (time / baseline).toFixed(1),
      lnav === undefined ? '–' : (time / seconds(lnav)).toFixed(2),
    ];
  });
  return markdownTable(
    ['step', 'time', 'min–max s', 'MB/s', 'k records/s', 'max RSS MB', 'to baseline', 'to lnav'],
    rows,
  );
}

/** The count from the finished database: once with the opening of the file, then the query only. */
async function countInDatabase(file: string, sql: string): Promise<string> {
  const times: number[] = [];
  const started = performance.now();
  const database = await Database.open(file, 'read');
  let answer = '';
  let first = 0;
  try {
    for (let round = 0; round <= QUERY_ROUNDS; round += 1) {
      const start = performance.now();
      answer = JSON.stringify(await database.all(sql));
      if (round === 0) first = performance.now() - started;
      else times.push(performance.now() - start);
    }
  } finally {
    database.close();
  }
  return `The same count from it: ${median(times).toFixed(1)} ms, ${first.toFixed(0)} ms with opening the file: ${answer}`;
}

/** Which `--threads` the program takes; none while it has no such option. */
async function threadChoices(wanted: string): Promise<string[]> {
  const help = await runChild(process.execPath, [MAIN, 'ingest', '--help']);
  if (help.stdout.includes('--threads')) return wanted.split(',');
  process.stderr.write('ingest has no --threads yet; it is measured as it is\n');
  return [];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '1GB' },
      product: { type: 'string', default: 'both' },
      rounds: { type: 'string', default: '5' },
      threads: { type: 'string', default: '1,2' },
      corpus: { type: 'string' },
      lnav: { type: 'boolean', default: false },
      cold: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const lnav = values.lnav && isInstalled('lnav');
  if (values.lnav && !lnav)
    process.stderr.write('lnav is not installed (Debian: apt-get install lnav); going on without\n');
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-bench-'));
  try {
    const options: Options = {
      bytes: parseSize(values.size),
      rounds: Number(values.rounds),
      threads: await threadChoices(values.threads),
      lnav,
      warmUp: !values.cold,
      folder,
      corpus: values.corpus,
    };
    const products: Product[] = values.product === 'both' ? ['nanomq', 'emqx'] : [values.product as Product];
    for (const product of products) {
      process.stdout.write(`${await measure(product, options)}\n\n`);
      // The next product's log must not compete with this one for the page cache.
      if (!values.keep)
        for (const end of ['log', 'duckdb']) rmSync(path.join(folder, `${product}.${end}`), { force: true });
    }
    if (values.keep) process.stdout.write(`Logs and databases are kept in ${folder}\n`);
  } finally {
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
  }
}

await main();
