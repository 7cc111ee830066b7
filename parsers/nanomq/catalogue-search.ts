/**
 * Finds the log statement that printed a message: source file + message -> row and values.
 *
 * The formats of a file form a tree; those with a string in them are tried one by one, from the most specific to the least. The
 * answer depends on nothing but file and message, so a read that is resumed gives the same records.
 */
import type { Attributes, Severity } from '../record.ts';
import { nanomqCatalogue } from './catalogue/index.ts';
import type { CatalogueRow } from './catalogue-row.ts';
import { type CodeTable, codeName } from './code-tables.ts';
import { matchSlots, rawSlots, readSlot, type SlotValue, trimParts } from './format-matcher.ts';
import { FormatTree } from './format-tree.ts';
import { type FormatPart, parsePrintfFormat, type SlotKind } from './printf-format.ts';

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
  readonly kinds: readonly SlotKind[];
  /** Fields that are codes, and the attribute that holds the name. */
  readonly codes: readonly { readonly field: string; readonly nameOf: string; readonly table: CodeTable }[];
  readonly hasAttributes: boolean;
  /** Of all rows with this text. */
  readonly functions: readonly string[];
  /** Place in the order of the file's formats; the first that fits counts. */
  rank: number;
}

interface Found {
  readonly candidate: Candidate;
  readonly slots: readonly number[];
}

interface CandidateLists {
  readonly byFirstChar: Map<number, Candidate[]>;
  /** Formats that start with a conversion: any first character will do. */
  readonly open: Candidate[];
}

interface FileIndex {
  readonly tree: FormatTree<Candidate>;
  /** Formats with a string in them. */
  readonly loose: CandidateLists;
}

interface Index {
  readonly files: ReadonlyMap<string, FileIndex>;
  readonly stdout: FileIndex;
  readonly all: CandidateLists;
}

let index: Index | null = null;

function find(file: string, text: string): Found | null {
  index ??= buildIndex();
  const entry = index.files.get(file);
  return entry === undefined ? null : firstMatch(entry, text);
}

/** The most specific statement that fits: of the tree, unless one with a string in it is more specific still. */
function firstMatch(entry: FileIndex, text: string): Found | null {
  const fixed = entry.tree.match(text);
  const limit = fixed === null ? Number.POSITIVE_INFINITY : fixed.rank;
  const loose =
    firstOf(entry.loose.byFirstChar.get(text.charCodeAt(0)), text, limit) ?? firstOf(entry.loose.open, text, limit);
  if (loose !== null) return loose;
  return fixed === null ? null : { candidate: fixed.value, slots: fixed.slots };
}

function firstOf(candidates: readonly Candidate[] | undefined, text: string, limit: number): Found | null {
  if (candidates === undefined) return null;
  for (const candidate of candidates) {
    if (candidate.rank >= limit) return null;
    if (!text.endsWith(candidate.suffix)) continue;
    const slots = matchSlots(candidate.parts, text);
    if (slots !== null) return { candidate, slots };
  }
  return null;
}

function statementOf(found: Found, text: string): StatementMatch {
  const { row, parts, kinds } = found.candidate;
  const raw = rawSlots(text, found.slots);
  const attributes = attributesOf(found, text);
  const derived: { [name: string]: string } = {};
  for (const { field, table, nameOf } of found.candidate.codes) {
    const code = attributes?.[field];
    const name = typeof code === 'number' ? codeName(table, code) : null;
    if (name !== null) derived[nameOf] = name;
  }
  return {
    row,
    parts,
    values: raw.map((one, i) => readSlot(kinds[i]!, one)),
    raw,
    event: row.event,
    attributes,
    derived: Object.keys(derived).length === 0 ? null : derived,
  };
}

function attributesOf({ candidate, slots }: Found, text: string): Attributes | null {
  const { row, kinds, codes } = candidate;
  if (!candidate.hasAttributes) return null;
  const attributes: { [name: string]: SlotValue } = row.constants === undefined ? {} : { ...row.constants };
  for (let i = 0; i < kinds.length; i++) {
    const name = row.fields[i]!;
    if (name !== '') attributes[name] = readSlot(kinds[i]!, text.slice(slots[2 * i]!, slots[2 * i + 1]!));
  }
  for (const { field, table, nameOf } of codes) {
    const code = attributes[field];
    const name = typeof code === 'number' ? codeName(table, code) : null;
    if (name !== null) attributes[nameOf] = name;
  }
  return attributes;
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
  return { files, stdout: indexOf(uniqueFormats(stdout)), all: listsOf(inOrder(all.map((row) => toCandidate([row])))) };
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
  const kinds: SlotKind[] = [];
  let literalChars = 0;
  for (const part of parts) {
    if (part.kind === 'literal') literalChars += part.text.length;
    else kinds.push(part.kind);
  }
  const last = parts[parts.length - 1];
  return {
    row,
    parts,
    literalChars,
    suffix: last?.kind === 'literal' ? last.text : '',
    kinds,
    codes: Object.entries(row.codes ?? {}).map(([field, table]) => ({ field, nameOf: `${field}_name`, table })),
    hasAttributes: row.constants !== undefined || row.fields.some((name) => name !== ''),
    functions: [...new Set(rows.flatMap((one) => one.functions ?? []))],
    rank: 0,
  };
}

function indexOf(candidates: readonly Candidate[]): FileIndex {
  const ordered = inOrder(candidates);
  const isLoose = (candidate: Candidate) => candidate.parts.some((part) => part.kind === 'string');
  const tree = new FormatTree<Candidate>();
  for (const candidate of ordered) if (!isLoose(candidate)) tree.add(candidate.parts, candidate, candidate.rank);
  return { tree, loose: listsOf(ordered.filter(isLoose)) };
}

/** Formats that start with text before those that do not, and much text before little. */
function inOrder(candidates: readonly Candidate[]): Candidate[] {
  const isOpen = (candidate: Candidate) => (candidate.parts[0]?.kind === 'literal' ? 0 : 1);
  const ordered = candidates.toSorted((a, b) => isOpen(a) - isOpen(b) || b.literalChars - a.literalChars);
  ordered.forEach((candidate, rank) => {
    candidate.rank = rank;
  });
  return ordered;
}

function listsOf(ordered: readonly Candidate[]): CandidateLists {
  const lists: CandidateLists = { byFirstChar: new Map(), open: [] };
  for (const candidate of ordered) {
    const first = candidate.parts[0];
    if (first?.kind !== 'literal') {
      lists.open.push(candidate);
      continue;
    }
    const code = first.text.charCodeAt(0);
    const list = lists.byFirstChar.get(code);
    if (list) list.push(candidate);
    else lists.byFirstChar.set(code, [candidate]);
  }
  return lists;
}
