/** Marks and their lines as compressed columns, within the size that a page may have. */
import { deflateRawSync } from 'node:zlib';
import { cleanText } from './clean.ts';
import { KINDS } from './kinds.ts';
import type { MarkRow } from './marks.ts';
import type { Marks } from './model.ts';

/** Base64 characters for the lines: with the rest of the page it stays below 2,000,000 bytes. */
export const LINES_BUDGET = 1_450_000;

export interface Packed {
  readonly marks: string; // base64 of deflate-raw of JSON (Marks)
  readonly lines: string; // base64 of deflate-raw of the texts, one a line, in the order of the marks
  readonly kept: number; // share of the texts, 0 to 1
}

export function packMarks(rows: readonly MarkRow[], sources: readonly string[], budget = LINES_BUDGET): Packed {
  const sourceNo = new Map(sources.map((source, index) => [source, index]));
  const kindNo = new Map(KINDS.map((kind, index) => [kind.name, index]));
  const marks: Marks = {
    kind: rows.map((row) => kindNo.get(row.kind)!),
    time: differences(rows.map((row) => row.at)),
    source: rows.map((row) => sourceNo.get(row.source)!),
    line: differences(rows.map((row) => row.line)),
    count: rows.map((row) => row.count),
  };
  return { marks: deflated(JSON.stringify(marks)), ...packLines(rows, budget) };
}

/** All texts if they fit; else every second, third, fourth … of each kind, so that each part of the time line has some. */
function packLines(rows: readonly MarkRow[], budget: number): { lines: string; kept: number } {
  const texts = rows.map((row) => cleanText(row.text));
  for (let step = 1; ; step += 1) {
    const seen = new Map<string, number>();
    let kept = 0;
    const chosen = texts.map((text, index) => {
      const kind = rows[index]!.kind;
      const no = seen.get(kind) ?? 0;
      seen.set(kind, no + 1);
      if (no % step !== 0) return '';
      kept += 1;
      return text;
    });
    const lines = deflated(chosen.join('\n'));
    if (lines.length <= budget || kept === seen.size)
      return { lines, kept: rows.length === 0 ? 1 : kept / rows.length };
    // What is left is about as long a line: go straight to where it may fit.
    step = Math.max(step, Math.floor(step * (lines.length / budget) * 0.9) - 1);
  }
}

function differences(values: readonly number[]): number[] {
  return values.map((value, index) => (index === 0 ? value : value - values[index - 1]!));
}

function deflated(text: string): string {
  return deflateRawSync(Buffer.from(text, 'utf8'), { level: 9, memLevel: 9 }).toString('base64');
}
