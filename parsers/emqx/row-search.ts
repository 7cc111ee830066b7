/** Finds the row of the catalogue that fits a line. */
import { emqxCatalogue } from './catalogue.ts';
import type { EmqxCatalogueRow } from './catalogue-row.ts';
import type { Lookup } from './fields.ts';

const exactRows = new Map<string, EmqxCatalogueRow[]>();
const prefixRows: { readonly prefix: string; readonly row: EmqxCatalogueRow }[] = [];
const keyRows: EmqxCatalogueRow[] = [];
for (const row of emqxCatalogue) {
  if (row.keys !== undefined) keyRows.push(row);
  for (const msg of row.msgs) {
    if (msg.endsWith('*')) prefixRows.push({ prefix: msg.slice(0, -1), row });
    else exactRows.set(msg, [...(exactRows.get(msg) ?? []), row]);
  }
}

export function rowOfMsg(msg: string, get: Lookup): EmqxCatalogueRow | null {
  const rows = exactRows.get(msg);
  if (rows !== undefined) return rows.find((row) => hasNeeds(row, get)) ?? null;
  return prefixRows.find(({ prefix }) => msg.startsWith(prefix))?.row ?? null;
}

export function rowOfKeys(get: Lookup): EmqxCatalogueRow | null {
  return keyRows.find((row) => row.keys!.every((key) => get(key) !== undefined)) ?? null;
}

const MIN_CUT_CHARS = 3;

/** The row whose `msg` begins so; of rows of different events the one with the line's tag; null if that does not decide. */
export function rowOfCutMsg(begin: string, get: Lookup): EmqxCatalogueRow | null {
  if (begin.length < MIN_CUT_CHARS) return null;
  const found = emqxCatalogue.filter((row) => hasNeeds(row, get) && row.msgs.some((msg) => msg.startsWith(begin)));
  const tag = get('tag');
  const tagged = found.filter((row) => tag !== undefined && row.tag === tag);
  const rows = tagged.length > 0 ? tagged : found;
  return rows.length > 0 && rows.every((row) => row.event === rows[0]!.event) ? rows[0]! : null;
}

function hasNeeds(row: EmqxCatalogueRow, get: Lookup): boolean {
  return row.needs === undefined || get(row.needs) !== undefined;
}
