/** A map, whatever layout printed it: an object in JSON, `#{k => v}` or `[{k,v}]` in text, `[k: v]` in trace files. */

import { plainZero } from '../plain-zero.ts';
import type { Json } from '../record.ts';
import { parseTerm, type Term } from './term-grammar.ts';

/** Names and values, values that are neither text nor number as null; null if the value is no map. */
export function readMap(value: Json): ReadonlyMap<string, string | number | null> | null {
  if (typeof value === 'object')
    return value === null || Array.isArray(value) ? null : mapOfObject(value as JsonObject);
  if (typeof value !== 'string') return null;
  if (/^\[[\w.]+: /.test(value)) return mapOfTrace(value);
  if (!value.startsWith('#') && !value.startsWith('[{')) return null;
  const term = parseTerm(value);
  return term === null ? null : mapOfTerm(term);
}

type JsonObject = { readonly [key: string]: Json };
type Entries = Map<string, string | number | null>;

function mapOfObject(object: JsonObject): Entries {
  const map: Entries = new Map();
  for (const key of Object.keys(object)) {
    const value = object[key]!;
    // JSON.parse reads `1e400` as infinity.
    map.set(key, typeof value === 'string' || Number.isFinite(value) ? (value as string | number) : null);
  }
  return map;
}

function mapOfTrace(value: string): Entries {
  const map: Entries = new Map();
  for (const pair of value.replace(/^\[|\]$/g, '').split(', ')) {
    const colon = pair.indexOf(': ');
    if (colon === -1) continue;
    const text = pair.slice(colon + 2);
    map.set(pair.slice(0, colon), /^-?\d{1,15}$/.test(text) ? plainZero(Number(text)) : text);
  }
  return map;
}

function mapOfTerm(term: Term): Entries | null {
  if (term.kind !== 'map' && term.kind !== 'list') return null;
  const map: Entries = new Map();
  if (term.kind === 'map') for (const [key, value] of term.entries) map.set(nameOf(key), scalarOf(value));
  else
    for (const item of term.items)
      if (item.kind === 'tuple' && item.items.length === 2) map.set(nameOf(item.items[0]!), scalarOf(item.items[1]!));
  return map;
}

/** Names can be tuples, as `{msg,<<"resource">>}` of throttled messages. */
function nameOf(key: Term): string {
  if (key.kind === 'tuple') return key.items.map(nameOf).join(':');
  return String(scalarOf(key) ?? '');
}

function scalarOf(term: Term): string | number | null {
  if (term.kind === 'number') return term.value;
  return 'text' in term ? term.text : null;
}
