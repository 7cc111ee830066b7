/** The system's Chromium, driven without a download. */
import { spawnSync } from 'node:child_process';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** Path of a browser: what `CHROMIUM` names, else the first that starts; null without one. */
export function findBrowser(): string | null {
  const named = process.env.CHROMIUM;
  const candidates = named ? [named] : process.platform === 'linux' ? NAMES : [...PLACES, ...NAMES];
  return (
    candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore', timeout: 20_000 }).status === 0) ?? null
  );
}

/** A browser, or null if there is none. Root needs it without a sandbox of its own. */
export async function openBrowser(): Promise<Browser | null> {
  const name = findBrowser();
  if (name === null) return null;
  const path = name.includes('/') || name.includes('\\') ? name : whereIs(name);
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: path, args });
}

function whereIs(name: string): string {
  return spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim() || name;
}
