/** Results that other commands printed with --json, read back for a report. */
import { readFile } from 'node:fs/promises';
import { InputError } from '../../queries/index.ts';
import type { HeatMap, Verdicts } from './model.ts';

/** Larger files are no results of ours. */
const MAX_BYTES = 64_000_000;

/** The document of `verify --json`. Throws InputError for anything else. */
export async function readVerdicts(file: string): Promise<Verdicts> {
  const document = await readDocument(file);
  const { baseline, variants, fidelity, seeds } = document as { [key in keyof Verdicts]?: unknown };
  if (!isObject(baseline) || !isObject(baseline.observed) || !Array.isArray(variants) || !isObject(fidelity))
    throw wrongDocument(file, 'bridgetrace verify CASSETTE --fix … --json');
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
 * A sweep: `{ "schema": 1, "axes": [{"key": "keepalive", "values": ["10s", "30s"]}, …], "cells": [{"at": [0, 1], "k": 3, "n": 5,
 * "verdict": "not-fixed"}, …] }`. Throws InputError for anything else.
 */
export async function readSweep(file: string): Promise<HeatMap> {
  const document = await readDocument(file);
  const { axes, cells } = document as Partial<HeatMap>;
  const wrong = () => wrongDocument(file, 'bridgetrace sweep CASSETTE --vary … --json');
  if (!Array.isArray(axes) || !Array.isArray(cells) || axes.length < 1 || axes.length > 2) throw wrong();
  const grid = axes.map((axis) => ({ key: String(axis?.key), values: strings(axis?.values) }));
  return {
    axes: grid,
    cells: cells.map((cell) => {
      const at = isObject(cell) && Array.isArray(cell.at) ? cell.at : [];
      const inside =
        at.length === grid.length && at.every((no, axis) => grid[axis]!.values[no as number] !== undefined);
      if (!inside || typeof cell.k !== 'number' || typeof cell.n !== 'number') throw wrong();
      return {
        at: at as number[],
        k: cell.k,
        n: cell.n,
        verdict: typeof cell.verdict === 'string' ? cell.verdict : null,
      };
    }),
  };
}

async function readDocument(file: string): Promise<object> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new InputError('not-readable', `${file} cannot be read: ${(error as Error).message}`, {
      file,
      hint: 'Check the path.',
    });
  }
  if (text.length > MAX_BYTES) throw wrongDocument(file, '--json');
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value) && value.schema === 1) return value;
  } catch {
    // the same answer as to a document of another kind
  }
  throw wrongDocument(file, '--json');
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
