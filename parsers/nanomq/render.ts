/** Event and fields back to the text NanoMQ prints: the inverse of the catalogue search. */
import type { Attributes, Json } from '../record.ts';
import { trimEndings } from '../trim-end.ts';
import { nanomqCatalogue } from './catalogue/index.ts';
import type { CatalogueRow } from './catalogue-row.ts';
import { parsePrintfFormat } from './printf-format.ts';
import { RELEASES } from './releases.ts';

/**
 * Message text of an event, trailing newline dropped. Among the statements of that name the one that `release` holds and whose
 * fields are all given comes first. A field that is missing prints as 0 or empty. Null if the catalogue has no such event.
 */
export function renderNanomqMessage(event: string, fields: Attributes = {}, release?: string): string | null {
  return renderNanomqStatement(event, fields, release)?.message ?? null;
}

/** As {@link renderNanomqMessage}, with the source file that a header names; null where the statement has none. */
export function renderNanomqStatement(
  event: string,
  fields: Attributes = {},
  release?: string,
): { readonly file: string | null; readonly message: string } | null {
  byEvent ??= groupByEvent();
  const statements = byEvent.get(event);
  if (statements === undefined) return null;
  let best: Statement | null = null;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const statement of statements) {
    const score = rowScore(statement.row, fields, release);
    if (score > bestScore) {
      best = statement;
      bestScore = score;
    }
  }
  return best === null ? null : { file: best.file, message: renderRow(best.row, fields) };
}

interface Statement {
  readonly row: CatalogueRow;
  readonly file: string | null;
}

let byEvent: Map<string, Statement[]> | null = null;

function groupByEvent(): Map<string, Statement[]> {
  const groups = new Map<string, Statement[]>();
  for (const { files, rows } of nanomqCatalogue) {
    for (const row of rows) {
      const statement = { row, file: files[0] ?? null };
      const group = groups.get(row.event);
      if (group) group.push(statement);
      else groups.set(row.event, [statement]);
    }
  }
  return groups;
}

const RELEASE_WEIGHT = 1_000;
const MISSING_FIELD_COST = 10;

function rowScore(row: CatalogueRow, fields: Attributes, release: string | undefined): number {
  let score = release !== undefined && holdsRelease(row.versions, release) ? RELEASE_WEIGHT : 0;
  for (const name of row.fields) score += name in fields ? 1 : -MISSING_FIELD_COST;
  for (const [name, value] of Object.entries(row.constants ?? {}))
    score += fields[name] === value ? 1 : -MISSING_FIELD_COST;
  return score;
}

/** Whether `≤0.22.2–0.23.9` holds a release. */
function holdsRelease(versions: string, release: string): boolean {
  const at = RELEASES.indexOf(release);
  if (at === -1) return false;
  const [from, to] = versions.replace('≤', '').split('–');
  const last = releaseIndex(to ?? from!);
  return at >= releaseIndex(from!) && (last === -1 ? false : at <= last);
}

/** Index in RELEASES; releases before the first known one sort first. */
function releaseIndex(release: string): number {
  return RELEASES.indexOf(release.trim());
}

function renderRow(row: CatalogueRow, fields: Attributes): string {
  let slot = 0;
  let text = '';
  for (const part of parsePrintfFormat(row.format)) {
    if (part.kind === 'literal') {
      text += part.text;
      continue;
    }
    const name = row.fields[slot];
    slot += 1;
    text += printValue(part.kind, part.conversion, name === undefined ? undefined : fields[name]);
  }
  return trimEndings(text, '\n');
}

function printValue(kind: string, conversion: string, value: Json | undefined): string {
  if (kind === 'string') return value === undefined || value === null ? '' : String(value);
  if (kind === 'pointer') return value === undefined || value === null ? '(nil)' : String(value);
  const given = typeof value === 'number' ? value : Number(value ?? 0);
  const number = Number.isFinite(given) ? given : 0;
  if (kind === 'float') return number.toFixed(6);
  const digits = kind === 'hex' ? number.toString(16) : String(Math.trunc(number));
  const width = /^%0(\d)/.exec(conversion);
  return width === null ? digits : digits.padStart(Number(width[1]), '0');
}
