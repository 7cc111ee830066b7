/**
 * The report of a large incident: `node dist/bench/report.js [--rounds 5]`. Time to write it and its size; in a browser
 * the time to first paint and to the whole time line, and frames a second while zooming by the wheel and panning.
 * The bundled incident, copied one after the other, is the input: 12 copies are 100,000 lines; 91 without their debug lines have
 * 100,000 marks on the time line, as many as a report draws one by one. `CHROMIUM` names the browser.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { packageRoot } from '../queries/index.ts';
import { findBrowser, openBrowser } from './browser.ts';
import { markdownTable, median, runChild } from './measure.ts';

const MAIN = path.join(packageRoot(), 'dist', 'cli', 'main.js');
const COPY_MS = 240_000;
const FRAMES = 120;

const CASES = [
  { name: '100,000 lines', copies: 12, debug: true },
  { name: '100,000 marks', copies: 91, debug: false },
] as const;

/** Writes the bundled incident `copies` times, four minutes apart, as three logs. Returns the number of lines. */
export function writeCopies(folder: string, copies: number, debug = true): number {
  mkdirSync(folder, { recursive: true });
  const example = path.join(packageRoot(), 'examples', 'stuck-busy');
  let total = 0;
  for (const name of ['nanomq.log.gz', 'emqx.log', 'trace.log']) {
    const bytes = readFileSync(path.join(example, name));
    const lines = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes)
      .toString('latin1')
      .trimEnd()
      .split('\n')
      .filter((line) => debug || !/^\S+ \S+ \[\d+\] DEBUG /.test(line));
    const out: string[] = [];
    for (let copy = 0; copy < copies; copy += 1) for (const line of lines) out.push(later(line, copy * COPY_MS));
    total += out.length;
    writeFileSync(path.join(folder, name.replace(/\.gz$/, '')), `${out.join('\n')}\n`, 'latin1');
  }
  return total;
}

/** A line with its stamp moved; one without a stamp as it is. */
function later(line: string, ms: number): string {
  return line.replace(/^(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)/, (_, date: string, between: string, time: string) => {
    const moved = new Date(Date.parse(`${date}T${time}Z`) + ms).toISOString();
    return moved.slice(0, 10) + between + moved.slice(11, 19);
  });
}

export interface PaintTimes {
  readonly firstPaintMs: number;
  readonly timeLineMs: number; // marks and lines unpacked and drawn
}

/** Opens a report from disk. */
export async function openReport(page: Page, file: string): Promise<PaintTimes> {
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('canvas[data-ready]');
  return page.evaluate(() => ({
    firstPaintMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
    timeLineMs: performance.now(),
  }));
}

/** Zooms in and out and pans, an input a frame; frames a second by the median of the frame times, and of the slowest twentieth. */
export async function frameRate(page: Page): Promise<{ median: number; slow: number }> {
  await page.locator('canvas').focus();
  const times = await page.evaluate(async (frames) => {
    const canvas = document.querySelector('canvas')!;
    const box = canvas.getBoundingClientRect();
    const taken: number[] = [];
    let last = await new Promise<number>(requestAnimationFrame);
    for (let frame = 0; frame < frames; frame += 1) {
      const deltaY = Math.floor(frame / 20) % 2 === 0 ? -120 : 120;
      canvas.dispatchEvent(
        new WheelEvent('wheel', {
          deltaX: frame % 5 === 0 ? 300 : 0,
          deltaY,
          ctrlKey: true,
          cancelable: true,
          clientX: box.left + box.width * 0.6,
          clientY: box.top + 100,
        }),
      );
      const now = await new Promise<number>(requestAnimationFrame);
      taken.push(now - last);
      last = now;
    }
    return taken;
  }, FRAMES);
  const sorted = times.toSorted((a, b) => a - b);
  return { median: 1000 / median(times), slow: 1000 / sorted[Math.floor(sorted.length * 0.95)]! };
}

interface Measured {
  readonly [what: string]: string;
}

async function measure(copies: number, debug: boolean, rounds: number): Promise<Measured> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-report-'));
  try {
    const lines = writeCopies(path.join(folder, 'logs'), copies, debug);
    const database = path.join(folder, 'incident.duckdb');
    await runChild(process.execPath, [MAIN, 'ingest', path.join(folder, 'logs'), '--db', database]);
    const file = path.join(folder, 'report.html');
    const written = await runChild(process.execPath, [MAIN, 'report', '--db', database, '-o', file, '--json']);
    const { marks, lines_kept } = JSON.parse(written.stdout);
    return {
      'log lines': lines.toLocaleString('en'),
      'marks on the time line': Number(marks).toLocaleString('en'),
      'of them with their log line': `${Math.floor(100 * lines_kept)} %`,
      'size of the page': `${(statSync(file).size / 1000).toFixed(0)} kB`,
      'time to write it': `${written.seconds.toFixed(1)} s`,
      ...(await inBrowser(file, rounds)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inBrowser(file: string, rounds: number): Promise<Measured> {
  const browser = await openBrowser();
  if (browser === null) return {};
  try {
    const paints: PaintTimes[] = [];
    const rates: { median: number; slow: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      paints.push(await openReport(page, file));
      rates.push(await frameRate(page));
      await page.close();
    }
    const of = (numbers: number[]) => median(numbers).toFixed(0);
    return {
      'first paint': `${of(paints.map((one) => one.firstPaintMs))} ms`,
      'whole time line': `${of(paints.map((one) => one.timeLineMs))} ms`,
      'frames a second while zooming and panning, median': of(rates.map((one) => one.median)),
      'the same, slowest twentieth': of(rates.map((one) => one.slow)),
    };
  } finally {
    await browser.close();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
  if (findBrowser() === null)
    process.stderr.write('no Chromium found: the page itself is not measured (CHROMIUM names one)\n');
  const results: Measured[] = [];
  for (const { copies, debug } of CASES) results.push(await measure(copies, debug, Number(values.rounds)));
  const rows = Object.keys(results[0]!).map((what) => [what, ...results.map((result) => result[what]!)]);
  process.stdout.write(`${markdownTable(['report', ...CASES.map((one) => one.name)], rows)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) await main();
