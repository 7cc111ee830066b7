/**
 * Finds the log statement that printed a message: source file + message -> row and values.
 *
 * An index by file and first character leaves a handful of candidates, tried from the most specific format to the least. The
 * answer depends on nothing but file and message, so a read that is resumed gives the same records.
 */
import type { Attributes, Severity } from '../record.ts';
import { nanomqCatalogue } from './catalogue/index.ts';
import type { CatalogueRow } from './catalogue-row.ts';
import { codeName } from './code-tables.ts';
import { matchSlots, rawSlots, readSlots, type SlotValue, trimParts } from './format-matcher.ts';
import { type FormatPart, parsePrintfFormat } from './printf-format.ts';

export interface CatalogueMatch {
  readonly event: string;
  readonly attributes: Attributes | null;
}

/** A match with everything it was made of; the message without the blanks around it is the parts with `raw` in their slots. */
export interface StatementMatch extends CatalogueMatch {
  readonly row: CatalogueRow;
  /** Literals and conversions of the format, without the blanks around it. */
  readonly parts: readonly FormatPart[];
  /** Value of each conversion, in order. */
  readonly values: readonly SlotValue[];
  /** Text of each conversion as printed, in order. */
  readonly raw: readonly string[];
  /** Those of the attributes that come from a code table and not from the text; null if none. */
  readonly derived: Attributes | null;
}

/** The statement of `file` (base name) that prints `message`, or null. Blanks around the message do not count. */
export function searchCatalogue(file: string, message: string): CatalogueMatch | null {
  const text = message.trim();
  const found = find(file, text);
  return found === null ? null : { event: found.candidate.row.event, attributes: attributesOf(found, text) };
}

/** As `searchCatalogue`, with the row, its parts and the texts in its slots. */
export function matchCatalogue(file: string, message: string): StatementMatch | null {
  const text = message.trim();
  const found = find(file, text);
  return found === null ? null : statementOf(found, text);
}

/** What a line without a header says that goes to stdout or stderr, or null. */
export function searchStdout(message: string): CatalogueMatch | null {
  index ??= buildIndex();
  const text = message.trim();
  const found = firstMatch(index.stdout, text);
  return found === null ? null : { event: found.candidate.row.event, attributes: attributesOf(found, text) };
}

/**
 * The statement that prints `message`, whatever its file, or null: where the file is not known (syslog). Statements of that
 * level go first; if two events print the same text, none is named.
 */
export function searchAllFiles(
  message: string,
  severity: Severity | null,
): (CatalogueMatch & { readonly severity: Severity; readonly literalChars: number }) | null {
  index ??= buildIndex();
  const text = message.trim();
  if (text === '') return null; // one file prints empty messages; without a file that says nothing
  let best: Found | null = null;
  let bestIsOfLevel = false;
  let isAmbiguous = false;
  for (const list of [index.all.byFirstChar.get(text.charCodeAt(0)) ?? [], index.all.open]) {
    for (const candidate of list) {
      if (best !== null && candidate.literalChars < best.candidate.literalChars) break;
      const slots = matchSlots(candidate.parts, text);
      if (slots === null) continue;
      const isOfLevel = candidate.row.level === severity;
      if (best === null || (isOfLevel && !bestIsOfLevel)) {
        best = { candidate, slots };
        bestIsOfLevel = isOfLevel;
        isAmbiguous = false;
      } else if (isOfLevel === bestIsOfLevel && candidate.row.event !== best.candidate.row.event) {
        isAmbiguous = true;
      }
    }
    if (best !== null) break;
  }
  if (best === null || isAmbiguous) return null;
  const { row, literalChars } = best.candidate;
  return { event: row.event, attributes: attributesOf(best, text), severity: row.level ?? 'info', literalChars };
}

/**
 * How well `message` suits a prefix of `file` and function `func`: 2 if that function prints it, 1 if the file does and the
 * function is not known, 0 if neither.
 */
export function prefixFit(file: string, func: string | null, message: string): 0 | 1 | 2 {
  const found = find(file, message.trim());
  if (found === null) return 0;
  const functions = found.candidate.functions;
  if (functions.length === 0 || func === null) return 1;
  return functions.includes(func) ? 2 : 0;
}

interface Candidate {
  readonly row: CatalogueRow;
  readonly parts: readonly FormatPart[];
  readonly literalChars: number;
  /** Text that the message must end in; '' if the format ends in a conversion. */
  readonly suffix: string;
  /** Of all rows with this text. */
  readonly functions: readonly string[];
}

interface Found {
  readonly candidate: Candidate;
  readonly slots: readonly number[];
}

interface FileIndex {
  readonly byFirstChar: Map<number, Candidate[]>;
  /** Formats that start with a conversion: any first character will do. */
  readonly open: Candidate[];
}

interface Index {
  readonly files: ReadonlyMap<string, FileIndex>;
  readonly stdout: FileIndex;
  readonly all: FileIndex;
}

let index: Index | null = null;

function find(file: string, text: string): Found | null {
  index ??= buildIndex();
  const entry = index.files.get(file);
  return entry === undefined ? null : firstMatch(entry, text);
}

function firstMatch(entry: FileIndex, text: string): Found | null {
  const closed = entry.byFirstChar.get(text.charCodeAt(0));
  return (closed && firstOf(closed, text)) ?? firstOf(entry.open, text);
}

function firstOf(candidates: readonly Candidate[], text: string): Found | null {
  for (const candidate of candidates) {
    if (!text.endsWith(candidate.suffix)) continue;
    const slots = matchSlots(candidate.parts, text);
    if (slots !== null) return { candidate, slots };
  }
  return null;
}

function statementOf(found: Found, text: string): StatementMatch {
  const { row, parts } = found.candidate;
  const values = readSlots(parts, text, found.slots);
  const attributes: { [name: string]: SlotValue } = { ...row.constants };
  nameValues(row, values, attributes);
  const derived: { [name: string]: string } = {};
  nameCodes(row, attributes, derived);
  const isDerived = Object.keys(derived).length > 0;
  if (isDerived) Object.assign(attributes, derived);
  return {
    row,
    parts,
    values,
    raw: rawSlots(text, found.slots),
    event: row.event,
    attributes: Object.keys(attributes).length === 0 ? null : attributes,
    derived: isDerived ? derived : null,
  };
}

function attributesOf(found: Found, text: string): Attributes | null {
  const { row, parts } = found.candidate;
  if (row.fields.length === 0 && row.constants === undefined) return null;
  const attributes: { [name: string]: SlotValue } = { ...row.constants };
  const count = nameValues(row, readSlots(parts, text, found.slots), attributes);
  nameCodes(row, attributes, attributes);
  return count === 0 && row.constants === undefined ? null : attributes;
}

function nameValues(row: CatalogueRow, values: readonly SlotValue[], into: { [name: string]: SlotValue }): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const name = row.fields[i]!;
    if (name === '') continue;
    into[name] = values[i]!;
    count += 1;
  }
  return count;
}

function nameCodes(row: CatalogueRow, values: Attributes, into: { [name: string]: SlotValue }): void {
  if (row.codes === undefined) return;
  for (const field in row.codes) {
    const code = values[field];
    if (typeof code !== 'number') continue;
    const name = codeName(row.codes[field]!, code);
    if (name !== null) into[`${field}_name`] = name;
  }
}

function buildIndex(): Index {
  const rowsOfFile = new Map<string, CatalogueRow[]>();
  const stdout: CatalogueRow[] = [];
  const all: CatalogueRow[] = [];
  for (const sheet of nanomqCatalogue) {
    const rows = sheet.rows.filter((row) => row.searched !== false);
    for (const file of sheet.files) rowsOfFile.set(file, [...(rowsOfFile.get(file) ?? []), ...rows]);
    for (const row of rows) (row.level === undefined ? stdout : all).push(row);
  }
  const files = new Map<string, FileIndex>();
  for (const [file, rows] of rowsOfFile) files.set(file, indexOf(uniqueFormats(rows)));
  return { files, stdout: indexOf(uniqueFormats(stdout)), all: indexOf(all.map((row) => toCandidate([row]))) };
}

/** A statement whose level or integer type changed between releases has several rows with one text; one of them matches. */
function uniqueFormats(rows: readonly CatalogueRow[]): Candidate[] {
  const byText = new Map<string, CatalogueRow[]>();
  for (const row of rows) {
    const parts = trimParts(parsePrintfFormat(row.format));
    const key = parts.map((part) => (part.kind === 'literal' ? part.text : `\0${part.kind}\0`)).join('');
    const same = byText.get(key);
    if (same) same.push(row);
    else byText.set(key, [row]);
  }
  return [...byText.values()].map(toCandidate);
}

function toCandidate(rows: readonly CatalogueRow[]): Candidate {
  const row = rows[0]!;
  const parts = trimParts(parsePrintfFormat(row.format));
  let literalChars = 0;
  for (const part of parts) if (part.kind === 'literal') literalChars += part.text.length;
  const last = parts[parts.length - 1];
  const functions = [...new Set(rows.flatMap((one) => one.functions ?? []))];
  return { row, parts, literalChars, suffix: last?.kind === 'literal' ? last.text : '', functions };
}

function indexOf(candidates: Candidate[]): FileIndex {
  const entry: FileIndex = { byFirstChar: new Map(), open: [] };
  candidates.sort((a, b) => b.literalChars - a.literalChars);
  for (const candidate of candidates) {
    const first = candidate.parts[0];
    if (first?.kind !== 'literal') {
      entry.open.push(candidate);
      continue;
    }
    const code = first.text.charCodeAt(0);
    const list = entry.byFirstChar.get(code);
    if (list) list.push(candidate);
    else entry.byFirstChar.set(code, [candidate]);
  }
  return entry;
}
