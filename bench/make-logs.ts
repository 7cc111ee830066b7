/**
 * Makes logs of any size out of real ones: `node dist/bench/make-logs.js nanomq-debug|emqx-debug SIZE OUT [--corpus DIR]`,
 * SIZE like 240MB or 1GB (decimal). Copies of debug logs follow each other, with later times and other ids.
 *
 * `node dist/bench/make-logs.js emqx-debug OUT --records N [--clients 2000] [--hours 48]` makes the log of a broker with many
 * clients at once: each goes through the script of a real client, at times spread evenly. `--seed S` makes other ids.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createRng } from '../engine/index.ts';
import type { Product } from '../parsers/index.ts';
import { type BaseLog, debugLogs } from './base-logs.ts';
import {
  cutLog,
  type LineTemplate,
  type LogTemplate,
  randomPeer,
  type Shift,
  slotValue,
  stampWriter,
} from './line-template.ts';

const DEFAULT_SEED = 1;
const DEFAULT_CLIENTS = 2000;
const DEFAULT_HOURS = 48;
/** Of every log that is made here. */
export const FLEET_START_US = Date.UTC(2026, 0, 10) * 1000;
const HOUR_US = 3_600_000_000;
const SECOND_US = 1_000_000;
const FLUSH_CHARS = 4_194_304;

export interface MadeLog {
  readonly bytes: number;
  readonly lines: number;
}

/** Lines in Latin-1 to a file, in large writes. */
class LineFile {
  bytes = 0;
  lines = 0;
  private readonly file: number;
  private parts: string[] = [];
  private held = 0;

  constructor(path: string) {
    this.file = openSync(path, 'w');
  }

  line(text: string): void {
    this.parts.push(text);
    this.held += text.length + 1;
    this.bytes += text.length + 1;
    this.lines += 1;
    if (this.held >= FLUSH_CHARS) this.flush();
  }

  close(): MadeLog {
    this.flush();
    closeSync(this.file);
    return { bytes: this.bytes, lines: this.lines };
  }

  private flush(): void {
    if (this.held === 0) return;
    const bytes = Buffer.from(`${this.parts.join('\n')}\n`, 'latin1');
    for (let from = 0; from < bytes.length; ) from += writeSync(this.file, bytes, from);
    this.parts = [];
    this.held = 0;
  }
}

/**
 * Copies of debug logs one after the other until `bytes` are reached; times never go back.
 * @param seed decides the order of the logs and all ids
 */
export function makeDebugLog(
  out: string,
  product: Product,
  bytes: number,
  { seed = DEFAULT_SEED, corpus, bases }: { seed?: number; corpus?: string; bases?: readonly BaseLog[] } = {},
): MadeLog {
  const logs = (bases ?? debugLogs(product, seed, corpus)).map(cutLog);
  const file = new LineFile(out);
  let startUs = FLEET_START_US;
  for (let copy = 0; file.bytes < bytes; copy += 1) {
    const log = logs[copy % logs.length]!;
    const rng = createRng(seed, `copy ${copy}`);
    startUs += rng.int(1, 5 * SECOND_US);
    copyLog(file, log, startUs, rng, bytes);
    startUs += log.durationUs + SECOND_US;
  }
  return file.close();
}

function copyLog(file: LineFile, log: LogTemplate, startUs: number, rng: ReturnType<typeof createRng>, limit: number) {
  const shift: Shift = { us: startUs - log.startUs, number: rng.int(1, 60_000), clients: DEFAULT_CLIENTS };
  const values = log.slots.map((slot) => slotValue(slot, shift, rng));
  const stamp = stampWriter(log.stampLayout);
  for (const line of log.lines) {
    let text = line.atUs === null ? line.literals[0]! : stamp(startUs + line.atUs) + line.literals[0]!;
    for (let index = 0; index < line.slots.length; index += 1)
      text += values[line.slots[index]!]! + line.literals[index + 1]!;
    file.line(text);
    if (file.bytes >= limit) return;
  }
}

/** Lines of one client of a log, from its CONNECT on. */
interface Script {
  readonly log: LogTemplate;
  readonly lines: readonly LineTemplate[];
}

const MIN_SCRIPT_LINES = 40;
const MAX_SCRIPT_LINE_CHARS = 320;
const MAX_SCRIPTS = 24;

/** `records` records of a broker with many clients at once, one line each. */
export function makeFleetLog(
  out: string,
  records: number,
  { seed = DEFAULT_SEED, clients = DEFAULT_CLIENTS, hours = DEFAULT_HOURS, corpus }: FleetOptions = {},
): MadeLog {
  const scripts = debugLogs('emqx', seed, corpus).map(cutLog).flatMap(clientScripts).slice(0, MAX_SCRIPTS);
  const rng = createRng(seed, 'fleet');
  const fleet = Array.from({ length: clients }, (_, index) => {
    const script = scripts[index % scripts.length]!;
    return {
      id: fleetClientId(index),
      script,
      next: rng.int(0, script.lines.length - 1),
      round: 0,
      peer: randomPeer(rng),
    };
  });
  const stamp = stampWriter(scripts[0]!.log.stampLayout);
  const stepUs = (hours * HOUR_US) / records;
  const jitterUs = Math.max(1, Math.floor(stepUs));
  const file = new LineFile(out);
  for (let index = 0; index < records; index += 1) {
    const us = FLEET_START_US + Math.floor(index * stepUs) + rng.int(0, jitterUs - 1);
    const client = fleet[rng.int(0, clients - 1)]!;
    const { log, lines } = client.script;
    const line = lines[client.next]!;
    const shift: Shift = { us: us - log.startUs - line.atUs!, number: client.round * 997, clients };
    let text = stamp(us) + line.literals[0]!;
    for (let slot = 0; slot < line.slots.length; slot += 1) {
      const { kind } = log.slots[line.slots[slot]!]!;
      const value =
        kind === 'client'
          ? client.id
          : kind === 'peer'
            ? client.peer
            : slotValue(log.slots[line.slots[slot]!]!, shift, rng);
      text += value + line.literals[slot + 1]!;
    }
    file.line(text);
    client.next += 1;
    if (client.next === lines.length) {
      client.next = 0;
      client.round += 1;
      client.peer = randomPeer(rng);
    }
  }
  return file.close();
}

interface FleetOptions {
  readonly seed?: number;
  readonly clients?: number;
  readonly hours?: number;
  readonly corpus?: string;
}

/** Name of the fleet's client number `index`, 0-based. */
export const fleetClientId = (index: number): string => `edge-${String(index).padStart(5, '0')}`;

function clientScripts(log: LogTemplate): Script[] {
  const byClient = new Map<number, LineTemplate[]>();
  log.lines.forEach((line, index) => {
    const length = line.literals.reduce((sum, literal) => sum + literal.length, 0);
    const continued = log.lines[index + 1]?.atUs === null;
    if (line.atUs === null || continued || length > MAX_SCRIPT_LINE_CHARS) return;
    const named = line.literals.findIndex((literal) => literal.endsWith('clientid: '));
    if (named === -1 || named >= line.slots.length) return;
    const client = line.slots[named]!;
    const lines = byClient.get(client);
    if (lines) lines.push(line);
    else byClient.set(client, [line]);
  });
  return [...byClient.values()]
    .map((lines) => lines.slice(lines.findIndex((line) => line.literals.some((text) => text.includes('CONNECT(')))))
    .filter((lines) => lines.length >= MIN_SCRIPT_LINES)
    .map((lines) => ({ log, lines }));
}

/** Bytes of `240MB` or `1GB`; decimal units, as drives and `MB/s` count. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(k|M|G)?B?$/.exec(text);
  if (!match) throw new Error(`${text} is no size; write it like 240MB or 1GB`);
  return Math.round(Number(match[1]) * { '': 1, k: 1e3, M: 1e6, G: 1e9 }[match[2] ?? '']!);
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      corpus: { type: 'string' },
      records: { type: 'string' },
      clients: { type: 'string', default: String(DEFAULT_CLIENTS) },
      hours: { type: 'string', default: String(DEFAULT_HOURS) },
      seed: { type: 'string', default: String(DEFAULT_SEED) },
    },
  });
  const [kind, ...rest] = positionals;
  const { corpus } = values;
  const seed = Number(values.seed);
  const product = kind === 'nanomq-debug' ? 'nanomq' : kind === 'emqx-debug' ? 'emqx' : null;
  const [size, out] = values.records === undefined ? rest : ['0', rest[0]];
  if (
    product === null ||
    size === undefined ||
    out === undefined ||
    (values.records !== undefined && product !== 'emqx')
  )
    throw new Error('usage: make-logs.js nanomq-debug|emqx-debug SIZE OUT [--corpus DIR]; emqx-debug OUT --records N');
  const started = performance.now();
  const made =
    values.records === undefined
      ? makeDebugLog(out, product, parseSize(size), { seed, corpus })
      : makeFleetLog(out, Number(values.records), {
          seed,
          corpus,
          clients: Number(values.clients),
          hours: Number(values.hours),
        });
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`${made.lines} lines, ${made.bytes} bytes in ${seconds.toFixed(1)} s, seed ${seed}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) main();
