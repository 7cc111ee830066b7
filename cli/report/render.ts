/** One HTML file that needs nothing else: style, script and data inside, and a policy that lets nothing else in or out. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../queries/index.ts';
import { clean } from './clean.ts';
import type { ReportData } from './model.ts';
import type { Packed } from './pack.ts';
import { pageScript } from './page-script.ts';

export function renderReport(data: ReportData, packed: Packed): string {
  const script = pageScript();
  const style = readFileSync(path.join(packageRoot(), 'cli', 'report', 'report.css'), 'utf8');
  const cleaned = clean(data);
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="bridgetrace ${htmlText(cleaned.version)}">
<title>${htmlText(cleaned.title)}</title>
<style>${style}</style>
</head>
<body>
<noscript>This report draws itself with the script inside this file, and loads nothing from anywhere. Please allow it to run.</noscript>
<div id="report"></div>
<script type="application/json" id="report-data">${scriptJson(cleaned)}</script>
<script type="text/plain" id="report-marks">${packed.marks}</script>
<script type="text/plain" id="report-lines">${packed.lines}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
}

/** JSON that cannot end the element it stands in, nor begin a comment or another script in it. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const ENTITIES: { readonly [char: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function htmlText(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}
