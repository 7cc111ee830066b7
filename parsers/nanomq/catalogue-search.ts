/**
 * Finds the log statement that printed a message: source file + message -> row and values.
 *
 * An index by file and first character leaves a handful of candidates, tried from the most specific format to the least. The
 * answer depends on nothing but file and message, so a read that is resumed gives the same records.
 */
import type { Attributes } from '../record.ts';
import { nanomqCatalogue } from './catalogue/index.ts';
import type { CatalogueRow } from './catalogue-row.ts';
import { matchParts, type SlotValue, trimParts } from './format-matcher.ts';
import { type FormatPart, parsePrintfFormat } from './printf-format.ts';

interface Candidate {
  readonly row: CatalogueRow;
  readonly parts: readonly FormatPart[];
  readonly literalChars: number;
}

interface FileIndex {
  readonly byFirstChar: Map<number, Candidate[]>;
  /** Formats that start with a conversion: any first character will do. */
  readonly open: Candidate[];
}

export interface CatalogueMatch {
  readonly event: string;
  readonly attributes: Attributes | null;
}

let index: Map<string, FileIndex> | null = null;

/** The statement of `file` (base name) that prints `message`, or null. Blanks around the message do not count. */
export function searchCatalogue(file: string, message: string): CatalogueMatch | null {
  index ??= buildIndex();
  const entry = index.get(file);
  if (entry === undefined) return null;
  const text = message.trim();
  const closed = entry.byFirstChar.get(text.charCodeAt(0));
  return (closed && firstMatch(closed, text)) ?? firstMatch(entry.open, text);
}

function firstMatch(candidates: readonly Candidate[], text: string): CatalogueMatch | null {
  for (const candidate of candidates) {
    const values = matchParts(candidate.parts, text);
    if (values !== null) return { event: candidate.row.event, attributes: nameValues(candidate.row, values) };
  }
  return null;
}

function nameValues(row: CatalogueRow, values: readonly SlotValue[]): Attributes | null {
  const attributes: { [name: string]: SlotValue } = { ...row.constants };
  let count = row.constants === undefined ? 0 : 1;
  for (let i = 0; i < values.length; i++) {
    const name = row.fields[i];
    if (name === undefined || name === '') continue;
    attributes[name] = values[i]!;
    count += 1;
  }
  return count === 0 ? null : attributes;
}

function buildIndex(): Map<string, FileIndex> {
  const byFile = new Map<string, FileIndex>();
  for (const sheet of nanomqCatalogue) {
    const candidates = uniqueFormats(sheet.rows).map(toCandidate);
    candidates.sort((a, b) => b.literalChars - a.literalChars);
    for (const file of sheet.files) {
      const entry: FileIndex = byFile.get(file) ?? { byFirstChar: new Map(), open: [] };
      byFile.set(file, entry);
      for (const candidate of candidates) addCandidate(entry, candidate);
    }
  }
  return byFile;
}

/** A statement whose level changed between releases has several rows with one text; one of them is enough to match. */
function uniqueFormats(rows: readonly CatalogueRow[]): CatalogueRow[] {
  const byFormat = new Map<string, CatalogueRow>();
  for (const row of rows) if (!byFormat.has(row.format.trim())) byFormat.set(row.format.trim(), row);
  return [...byFormat.values()];
}

function toCandidate(row: CatalogueRow): Candidate {
  const parts = trimParts(parsePrintfFormat(row.format));
  let literalChars = 0;
  for (const part of parts) if (part.kind === 'literal') literalChars += part.text.length;
  return { row, parts, literalChars };
}

function addCandidate(entry: FileIndex, candidate: Candidate): void {
  const first = candidate.parts[0];
  if (first?.kind !== 'literal') {
    entry.open.push(candidate);
    return;
  }
  const code = first.text.charCodeAt(0);
  const list = entry.byFirstChar.get(code);
  if (list) list.push(candidate);
  else entry.byFirstChar.set(code, [candidate]);
}
