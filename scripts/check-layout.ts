/**
 * Holds the folders to their order: who may import whom, what the pure folders may not touch, where each native library
 * is loaded, and that every folder says what it is for. `npm run lint` runs it; docs/ARCHITECTURE.md gives the reasons.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findImports, type ImportSite, type Token, tokenize } from './import-scanner.ts';

export interface Problem {
  readonly file: string; // relative to the root, with `/`
  readonly line: number; // 1-based
  readonly message: string;
}

/** What each product folder may import besides itself. A path means that folder only. */
const MAY_IMPORT: { readonly [folder: string]: readonly string[] } = {
  parsers: [],
  engine: [],
  queries: ['parsers', 'engine/profiles'],
  replay: ['engine', 'queries', 'parsers'],
  cli: ['replay', 'queries', 'parsers', 'engine'],
};

/** Folders that exercise the product: they may import all of it, and nothing of the product imports them. */
const TOOL_FOLDERS = ['test', 'bench', 'scripts'];
const SOURCE_FOLDERS = [...Object.keys(MAY_IMPORT), ...TOOL_FOLDERS];
const README_FOLDERS = [...SOURCE_FOLDERS, 'docs', 'examples'];

/** No clock, no I/O, no chance: the same input gives the same output. The rest of `engine/` is `engine/live`. */
const isPure = (file: string) => file.startsWith('parsers/') || (file.startsWith('engine/') && !isLive(file));
const isLive = (file: string) => file.startsWith('engine/live/');

/** Words that reach for time, chance or the machine. `member` null: the bare name is enough. */
const IMPURE_WORDS: readonly { readonly name: string; readonly member: RegExp | null; readonly instead: string }[] = [
  { name: 'Date', member: /^now$/, instead: 'take the time as an argument' },
  { name: 'Math', member: /^random$/, instead: 'draw from the seeded generator that the caller passes in' },
  { name: 'performance', member: /./, instead: 'take the time as an argument' },
  { name: 'process', member: /./, instead: 'take what you need from the caller' },
  { name: 'setTimeout', member: null, instead: 'return the next deadline and let the driver wait' },
  { name: 'setInterval', member: null, instead: 'return the next deadline and let the driver wait' },
  { name: 'setImmediate', member: null, instead: 'return the next deadline and let the driver wait' },
];

/** Node's modules that only compute. */
const PURE_MODULES = ['node:buffer'];

const SOCKET_MODULES = ['net', 'dgram', 'tls', 'http', 'https', 'http2', 'dns'].flatMap((name) => [
  `node:${name}`,
  name,
]);
const QUIC_MODULE = '@matrixai/quic';
const DUCKDB_MODULES = ['@duckdb/node-api', '@duckdb/node-bindings'];
const DUCKDB_OWNERS = ['queries/database.ts', 'queries/chunk-appender.ts'];

interface SourceFile {
  readonly file: string;
  readonly tokens: readonly Token[];
  readonly imports: readonly ImportSite[];
}

/**
 * @param root folder that holds `parsers/`, `engine/` and so on; folders that are absent are passed over
 * @returns what breaks a rule, in the order of the files; empty if the layout is sound
 */
export function checkLayout(root: string): Problem[] {
  const files = SOURCE_FOLDERS.flatMap((folder) => sourceFiles(root, folder)).map((file): SourceFile => {
    const tokens = tokenize(readFileSync(path.join(root, file), 'utf8'));
    return { file, tokens, imports: findImports(tokens) };
  });
  return [
    ...files.flatMap(checkImports),
    ...files.filter((source) => isPure(source.file)).flatMap(checkPurity),
    ...checkCycles(files),
    ...checkReadmes(root),
  ].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
}

function sourceFiles(root: string, folder: string): string[] {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.includes('node_modules'))
    .map((name) => `${folder}/${name.split(path.sep).join('/')}`)
    .sort();
}

function checkImports(source: SourceFile): Problem[] {
  const folder = topFolder(source.file);
  if (TOOL_FOLDERS.includes(folder)) return [];
  return source.imports.flatMap((site) => {
    const messages = [directionFault(source.file, site), libraryFault(source.file, site)];
    return messages
      .filter((message) => message !== null)
      .map((message) => ({ file: source.file, line: site.line, message }));
  });
}

/** Loads one library by its place on the disk, and nothing else. */
const COMPUTED = 'parsers/grammar-library.ts';

function directionFault(file: string, site: ImportSite): string | null {
  if (site.specifier === null) {
    return file === COMPUTED ? null : 'imports a computed name; write the name out, so that this check can see it';
  }
  if (site.specifier === 'bridgetrace' || site.specifier.startsWith('bridgetrace/')) {
    return `imports the package by its own name (${site.specifier}); use a relative path`;
  }
  const target = resolve(file, site);
  if (target === null) return null;
  const from = topFolder(file);
  const to = topFolder(target);
  if (isPure(file) && isLive(target) && file.split('/').length > 2) {
    return `imports ${target}; only engine/live reaches sockets and the clock, the machines do not know it`;
  }
  if (from === to) return null;
  const allowed = MAY_IMPORT[from]!;
  if (allowed.some((place) => target === place || target.startsWith(`${place}/`))) return null;
  const may = allowed.length > 0 ? `only ${allowed.join(', ')}` : 'nothing of ours';
  return `imports ${target}; ${from}/ may import ${may}`;
}

function libraryFault(file: string, site: ImportSite): string | null {
  const name = site.specifier ?? '';
  if (isPure(file) && name.startsWith('node:') && !PURE_MODULES.includes(name))
    return `imports ${name}; this folder is pure: no clock, no I/O`;
  if (SOCKET_MODULES.includes(name) && !isLive(file)) return `imports ${name}; only engine/live touches sockets`;
  if (isModule(name, QUIC_MODULE)) {
    if (!isLive(file)) return `imports ${QUIC_MODULE}; only engine/live loads it`;
    if (!site.dynamic && !site.typeOnly) {
      return `imports ${QUIC_MODULE} statically; it is optional, load it with \`await import\` so that all else works without`;
    }
  }
  const duckdb = DUCKDB_MODULES.find((module) => isModule(name, module));
  if (duckdb !== undefined && !DUCKDB_OWNERS.includes(file)) {
    if (topFolder(file) !== 'queries') return `imports ${duckdb}; only queries/ knows the database`;
    if (!site.typeOnly) {
      return `loads ${duckdb}; only ${DUCKDB_OWNERS.join(' and ')} do (a file opened twice in one process loses data), use \`import type\``;
    }
  }
  return null;
}

function checkPurity(source: SourceFile): Problem[] {
  const { file, tokens } = source;
  return tokens.flatMap((token, index) => {
    if (token.kind !== 'word' || tokens[index - 1]?.text === '.') return [];
    const next = tokens[index + 1]?.text;
    const problem = (what: string, instead: string) => [
      { file, line: token.line, message: `uses ${what}; this folder is pure: ${instead}` },
    ];
    if (token.text === 'Date' && tokens[index - 1]?.text === 'new') {
      return problem('new Date', 'count integer microseconds, or use Date.UTC');
    }
    const rule = IMPURE_WORDS.find((word) => word.name === token.text);
    if (!rule) return [];
    if (rule.member === null) return next === '(' ? problem(rule.name, rule.instead) : [];
    const member = tokens[index + (next === '?' ? 3 : 2)]?.text ?? '';
    const reads = next === '.' || next === '?';
    if (reads && tokens[index + (next === '?' ? 2 : 1)]?.text === '.' && rule.member.test(member)) {
      return problem(`${rule.name}.${member}`, rule.instead);
    }
    return [];
  });
}

/** One problem a cycle of files, told once, from its first file in alphabetical order of discovery. */
function checkCycles(files: readonly SourceFile[]): Problem[] {
  const byName = new Map(files.map((source) => [source.file, source]));
  const state = new Map<string, 'open' | 'done'>();
  const problems: Problem[] = [];

  const visit = (source: SourceFile, trail: readonly string[]) => {
    state.set(source.file, 'open');
    const here = [...trail, source.file];
    for (const site of source.imports) {
      const target = site.specifier === null ? null : resolve(source.file, site);
      const next = target === null ? undefined : byName.get(target);
      if (!next) continue;
      if (state.get(next.file) === 'open') {
        const cycle = [...here.slice(here.indexOf(next.file)), next.file];
        problems.push({ file: source.file, line: site.line, message: `closes an import cycle: ${cycle.join(' -> ')}` });
      } else if (!state.has(next.file)) visit(next, here);
    }
    state.set(source.file, 'done');
  };
  for (const source of files) if (!state.has(source.file)) visit(source, []);
  return problems;
}

function checkReadmes(root: string): Problem[] {
  return README_FOLDERS.filter((folder) => existsSync(path.join(root, folder)))
    .filter((folder) => !existsSync(path.join(root, folder, 'README.md')))
    .map((folder) => ({
      file: `${folder}/README.md`,
      line: 1,
      message: 'is missing; ten lines: what lives here, what may be imported, where to add a new thing',
    }));
}

/** The file of ours that an import names, relative to the root, or null for a library. */
function resolve(file: string, site: ImportSite): string | null {
  if (!site.specifier?.startsWith('.')) return null;
  const target = path.posix.join(path.posix.dirname(file), site.specifier).replace(/\.js$/, '.ts');
  return target.startsWith('..') ? null : target;
}

function isModule(specifier: string, name: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`);
}

function topFolder(file: string): string {
  return file.split('/')[0]!;
}

function main(): void {
  const problems = checkLayout(path.resolve(process.argv[2] ?? '.'));
  for (const { file, line, message } of problems) console.error(`${file}:${line}: ${message}`);
  if (problems.length > 0) {
    console.error(`layout: ${problems.length} problem${problems.length === 1 ? '' : 's'}`);
    process.exitCode = 1;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
