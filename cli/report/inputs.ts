/** Results that other commands printed with --json, read back for a report. */
import { readFile } from 'node:fs/promises';
import { InputError } from '../../queries/index.ts';
import type { HeatMap, Verdicts } from './model.ts';

/** Larger files are no results of ours. */
const MAX_BYTES = 64_000_000;
const VERIFY = 'bridgetrace verify CASSETTE --fix … --json';
const SWEEP = 'bridgetrace sweep CASSETTE --vary … --json';

/** The document of `verify --json`. Throws InputError for anything else. */
export async function readVerdicts(file: string): Promise<Verdicts> {
  const document = await readDocument(file, VERIFY);
  const { baseline, variants, fidelity, seeds } = document as { [key in keyof Verdicts]?: unknown };
  if (!isObject(baseline) || !isObject(baseline.observed) || !Array.isArray(variants) || !isObject(fidelity))
    throw wrongDocument(file, VERIFY);
  const { observed } = baseline;
  return {
    baseline: {
      reproduced: baseline.reproduced === true,
      k: count(baseline.k),
      n: count(baseline.n),
      cause: textOrNull(baseline.cause),
      cycles: numberOrNull(baseline.cycles),
      period_s: numberOrNull(baseline.period_s),
      lost_share: numberOrNull(baseline.lost_share),
      reason: textOrNull(baseline.reason) ?? '',
      observed: {
        cause: textOrNull(observed.cause),
        keepalive_disconnects: count(observed.keepalive_disconnects),
        period_s: numberOrNull(observed.period_s),
      },
    },
    variants: variants.filter(isObject).map((variant) => ({
      name: textOrNull(variant.name) ?? '',
      verdict: textOrNull(variant.verdict) ?? '',
      k: count(variant.k),
      n: count(variant.n),
      reason: textOrNull(variant.reason) ?? '',
      causes: strings(variant.causes),
      new_symptoms: strings(variant.new_symptoms),
      keepalive_disconnects: numberOrNull(variant.keepalive_disconnects),
      period_s: numberOrNull(variant.period_s),
      lost_share: numberOrNull(variant.lost_share),
      notes: strings(variant.notes),
    })),
    fidelity: {
      observed: count(fidelity.observed),
      inferred: count(fidelity.inferred),
      assumed: count(fidelity.assumed),
    },
    seeds: Array.isArray(seeds) ? seeds.map(count) : [],
  };
}

/**
 * The document of `sweep --json`. A map has two sides: further keys are taken together, as in the terminal. Combinations that cannot
 * be told have no cell. Throws InputError for anything else.
 */
export async function readSweep(file: string): Promise<HeatMap> {
  const document = await readDocument(file, SWEEP);
  const { axes: all, points } = document as { axes?: unknown; points?: unknown };
  const wrong = () => wrongDocument(file, SWEEP);
  if (!Array.isArray(all) || !Array.isArray(points) || all.length === 0) throw wrong();
  const axes = all.slice(0, 2).map((axis) => ({ key: String(axis?.key), values: strings(axis?.values) }));
  const cells = new Map<string, { at: number[]; k: number; n: number }>();
  for (const point of points) {
    if (!isObject(point) || !Array.isArray(point.values)) throw wrong();
    const { values, k, n, untold } = point;
    const at = axes.map((axis, index) => axis.values.indexOf(String(values[index])));
    if (at.includes(-1) || typeof k !== 'number' || typeof n !== 'number') throw wrong();
    if (typeof untold === 'string') continue;
    const cell = cells.get(at.join()) ?? { at, k: 0, n: 0 };
    cells.set(at.join(), { at, k: cell.k + k, n: cell.n + n });
  }
  return { axes, cells: [...cells.values()] };
}

async function readDocument(file: string, command: string): Promise<object> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new InputError('not-readable', `${file} cannot be read: ${(error as Error).message}`, {
      file,
      hint: 'Check the path.',
    });
  }
  if (text.length > MAX_BYTES) throw wrongDocument(file, command);
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value) && value.schema === 1) return value;
  } catch {
    // the same answer as to a document of another kind
  }
  throw wrongDocument(file, command);
}

function wrongDocument(file: string, command: string): InputError {
  return new InputError('wrong-document', `${file} is not what ${command} prints.`, {
    file,
    hint: `Write it with: ${command} > ${file}`,
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function count(value: unknown): number {
  return numberOrNull(value) ?? 0;
}
