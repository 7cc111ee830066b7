/** Reports in the system's Chromium. Screenshots stay in the folder that BRIDGETRACE_SHOTS names, else in the temporary folder. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openBrowser } from '../../bench/browser.ts';
import { writeCopies } from '../../bench/report.ts';
import { bridgetrace, scratch } from './bridgetrace.ts';
import { demoReport, hostileReport } from './report-files.ts';

const SHOTS = process.env.BRIDGETRACE_SHOTS ?? path.join(tmpdir(), 'bridgetrace-shots');
mkdirSync(SHOTS, { recursive: true });

const browser = await openBrowser();
const skip = browser === null ? 'no Chromium on this machine (CHROMIUM names one)' : false;
const reports: { demo?: Promise<string>; hostile?: Promise<string> } = {};
const demo = () => (reports.demo ??= demoReport());
const hostile = () => (reports.hostile ??= hostileReport());
after(() => browser?.close());

interface Opened {
  readonly page: Page;
  /** What must stay empty: messages of the console, errors, requests other than for the file, dialogs. */
  readonly complaints: string[];
}

async function opened(file: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await (browser as Browser).newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-US',
    colorScheme: 'light',
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const url = pathToFileURL(file).href;
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== url) complaints.push(`request: ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  await page.waitForSelector('canvas[data-ready]');
  await settled(page);
  return { page, complaints };
}

/** Two frames: what was asked for is drawn. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

async function view(page: Page): Promise<[number, number]> {
  await settled(page);
  return page.locator('canvas').evaluate((canvas) => [Number(canvas.dataset.from), Number(canvas.dataset.to)]);
}

const text = async (page: Page, selector: string) => (await page.locator(selector).textContent()) ?? '';

const shot = (page: Page, name: string) => page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });

test("the demo's report opens from disk without a message, an error or a request", { skip }, async () => {
  const { page, complaints } = await opened(await demo());
  for (const heading of ['Time line', 'Findings', 'Replays and verdict', 'Sweep', 'Connections', 'Clocks', 'Sources'])
    assert.equal(await page.getByRole('heading', { name: heading, exact: true }).count(), 1, heading);
  await shot(page, 'report-light-en');
  assert.deepEqual(complaints, []);
});

test('wheel, buttons and dragging zoom and pan, and a mark under the pointer shows its line', { skip }, async () => {
  const { page, complaints } = await opened(await demo());
  const canvas = page.locator('canvas');
  const box = (await canvas.boundingBox())!;
  const whole = await view(page);
  await canvas.focus();
  await page.mouse.move(box.x + 700, box.y + 120);
  await page.mouse.wheel(0, -400);
  const zoomed = await view(page);
  assert.ok(zoomed[1] - zoomed[0] < 0.7 * (whole[1] - whole[0]));
  await page.mouse.down();
  await page.mouse.move(box.x + 500, box.y + 120, { steps: 4 });
  await page.mouse.up();
  const panned = await view(page);
  assert.ok(panned[0] > zoomed[0] && Math.abs(panned[1] - panned[0] - (zoomed[1] - zoomed[0])) <= 2);
  await page.getByRole('button', { name: 'Zoom out' }).click();
  const wider = await view(page);
  assert.ok(wider[1] - wider[0] > panned[1] - panned[0]);
  await page.getByRole('button', { name: 'All' }).click();
  assert.deepEqual(await view(page), whole);
  // The lane of busy contexts is the fourth; a mark is every second there.
  const now = (await canvas.boundingBox())!;
  await page.mouse.move(now.x + 700, now.y + 26 + 26 + 3.5 * 24);
  await settled(page);
  assert.match(await text(page, '.tip'), /context busy .*nanomq\.log\.gz:\d+[\s\S]*aio busy! msg lost!/);
  assert.deepEqual(complaints, []);
});

test('the time line is of use by keyboard alone, and a screen reader hears the line', { skip }, async () => {
  const { page, complaints } = await opened(await demo());
  const canvas = page.locator('canvas');
  await canvas.focus();
  const whole = await view(page);
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  const zoomed = await view(page);
  assert.ok(zoomed[1] - zoomed[0] < 0.5 * (whole[1] - whole[0]));
  await page.keyboard.press('ArrowRight');
  assert.ok((await view(page))[0] > zoomed[0]);
  for (let lane = 0; lane < 3; lane += 1) await page.keyboard.press('ArrowDown');
  const detail = page.locator('#mark-detail');
  assert.match(await text(page, '#mark-detail'), /aio busy/);
  await page.keyboard.press('.');
  const first = await text(page, '#mark-detail');
  assert.match(first, /aio busy! msg lost!/);
  await page.keyboard.press('.');
  assert.notEqual(await text(page, '#mark-detail'), first);
  assert.equal(await detail.getAttribute('aria-live'), 'polite');
  await page.keyboard.press('Home');
  assert.deepEqual(await view(page), whole);
  await page.waitForFunction(() => /Time line from .* lanes/.test(document.querySelector('canvas')?.ariaLabel ?? ''));
  // Everything that can be clicked can be reached, and has a name.
  const nameless = await page.evaluate(
    () =>
      [...document.querySelectorAll('button, a, select, canvas')].filter(
        (one) => !(one.getAttribute('aria-label') || one.textContent?.trim() || one.closest('label')),
      ).length,
  );
  assert.equal(nameless, 0);
  assert.deepEqual(complaints, []);
});

test('a click on a finding jumps to its evidence with the lines around, on the page and on the time line', {
  skip,
}, async () => {
  const { page, complaints } = await opened(await demo());
  const whole = await view(page);
  await page.locator('[data-jump="1"]').click();
  const open = page.locator('#around-1-1');
  assert.equal(await open.isVisible(), true);
  assert.match(await text(page, '#around-1-1 .proof'), /client sending msg while disconnected! cached/);
  assert.ok((await open.locator('li').count()) >= 8);
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-expanded')), 'true');
  const jumped = await view(page);
  assert.ok(jumped[0] > whole[0]);
  await page.locator('#evidence-1-8 button').click();
  const near = await view(page);
  assert.ok(near[1] - near[0] <= 30_001);
  await shot(page, 'report-evidence');
  assert.deepEqual(complaints, []);
});

test('language and theme switch, and follow reader and system at first', { skip }, async () => {
  const { page, complaints } = await opened(await demo(), { locale: 'zh-CN', colorScheme: 'dark' });
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
  assert.equal(await page.getByRole('heading', { name: '结论', exact: true }).count(), 1);
  assert.match(await text(page, '#finding-1'), /发送路径卡死/);
  const dark = await background();
  await shot(page, 'report-dark-zh');
  await page.getByLabel('主题').selectOption('light');
  assert.notEqual(await background(), dark);
  await page.getByRole('button', { name: 'English' }).click();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
  assert.equal(await page.getByRole('heading', { name: 'Findings', exact: true }).count(), 1);
  assert.deepEqual(complaints, []);
});

test('text has a contrast of at least 4.5 to 1 in both themes', { skip }, async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await opened(await demo(), { colorScheme });
    const least = await page.evaluate(() => {
      const styles = getComputedStyle(document.documentElement);
      const luminance = (name: string) => {
        const hex = styles.getPropertyValue(name).trim();
        const [r, g, b] = [1, 3, 5].map((at) => {
          const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
          return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
      };
      const pairs = ['--surface', '--lane', '--page', '--raised']
        .flatMap((ground) => ['--ink', '--muted'].map((text) => [text, ground] as const))
        .concat([
          ['--accent', '--surface'],
          ['--loss', '--surface'],
          ['--on-bar', '--bridge'],
          ['--on-bar', '--broker'],
          ['--ink', '--proof'],
          ['--ink', '--head'],
        ]);
      return pairs
        .map(([text, ground]) => {
          const [a, b] = [luminance(text), luminance(ground)];
          return { text, ground, ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
        })
        .toSorted((a, b) => a.ratio - b.ratio)[0]!;
    });
    assert.ok(least.ratio >= 4.5, `${colorScheme}: ${JSON.stringify(least)}`);
    await page.close();
  }
});

test('on a phone nothing is wider than the page, and on paper the time line is there', { skip }, async () => {
  const { page, complaints } = await opened(await demo(), { viewport: { width: 360, height: 740 } });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
  await shot(page, 'report-narrow');
  await page.emulateMedia({ media: 'print' });
  await settled(page);
  assert.equal(await page.locator('.toolbar').isVisible(), false);
  assert.equal(await page.locator('canvas').evaluate((canvas: HTMLCanvasElement) => canvas.width), 2000);
  await shot(page, 'report-print');
  await page.emulateMedia({ media: 'screen' });
  assert.deepEqual(complaints, []);
});

test('hostile client ids, topics, payloads and paths are shown and not obeyed', { skip }, async () => {
  const { page, complaints } = await opened(await hostile());
  for (const jump of await page.locator('[data-jump]').all()) await jump.click();
  for (const line of await page.locator('button.line').all()) await line.click();
  const canvas = page.locator('canvas');
  await canvas.focus();
  for (const key of ['ArrowDown', '.', 'ArrowDown', '.', 'ArrowDown', '.', 'ArrowDown', '.'])
    await page.keyboard.press(key);
  const box = (await canvas.boundingBox())!;
  for (let y = 60; y < 200; y += 12) await page.mouse.move(box.x + 640, box.y + y);
  await page.getByRole('button', { name: '中文' }).click();
  assert.equal(await page.evaluate(() => (globalThis as { hacked?: unknown }).hacked), undefined);
  assert.equal(await page.locator('img, svg, iframe').count(), 0);
  assert.equal(await page.locator('script').count(), 4);
  assert.match(await text(page, 'main'), /<img\/src=x\/onerror=window\.hacked=1>/);
  await shot(page, 'report-hostile');
  assert.deepEqual(complaints, []);
});

test('a report of an incident of 100,000 lines is below 2 MB and zooms', { skip }, async () => {
  const folder = scratch();
  const lines = writeCopies(path.join(folder, 'logs'), 12);
  assert.ok(lines > 99_000);
  const file = path.join(folder, 'report.html');
  await bridgetrace('ingest', path.join(folder, 'logs'), '--db', path.join(folder, 'i.duckdb'));
  const { out } = await bridgetrace('report', '--db', path.join(folder, 'i.duckdb'), '-o', file, '--json');
  const { bytes, marks } = JSON.parse(out);
  assert.ok(bytes < 2_000_000 && marks > 10_000, out);
  const { page, complaints } = await opened(file);
  const whole = await view(page);
  await page.locator('canvas').focus();
  for (let press = 0; press < 12; press += 1) await page.keyboard.press('+');
  const near = await view(page);
  assert.ok(near[1] - near[0] < 0.02 * (whole[1] - whole[0]));
  await shot(page, 'report-large');
  assert.deepEqual(complaints, []);
});
