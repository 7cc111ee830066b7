import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkLayout } from '../../scripts/check-layout.ts';
import { findImports, tokenize } from '../../scripts/import-scanner.ts';

type Tree = { readonly [file: string]: string };

const CLEAN: Tree = {
  'parsers/record.ts': 'export interface LogRecord { readonly ts: number }\n',
  'parsers/index.ts': "export type { LogRecord } from './record.ts';\n",
  'engine/profiles/table.ts': 'export const releases = [1];\n',
  'engine/bridge/machine.ts':
    "import { releases } from '../profiles/table.ts';\nexport const first = releases[0]! / 2;\n",
  'engine/live/socket.ts':
    "import { connect } from 'node:net';\nexport const quic = () => import('@matrixai/quic');\nexport const now = () => Date.now() + connect.length;\n",
  'engine/index.ts': "export { first } from './bridge/machine.ts';\nexport { now } from './live/socket.ts';\n",
  'queries/database.ts':
    "import { DuckDBInstance } from '@duckdb/node-api';\nexport const open = DuckDBInstance.create;\n",
  'queries/rows.ts':
    "import type { DuckDBValue } from '@duckdb/node-api';\nimport { releases } from '../engine/profiles/table.ts';\nimport type { LogRecord } from '../parsers/record.ts';\nexport type Row = readonly [DuckDBValue, LogRecord, typeof releases];\n",
  'replay/run.ts':
    "import { first } from '../engine/index.ts';\nexport { open } from '../queries/database.ts';\nexport const run = first;\n",
  'cli/main.ts': "import { run } from '../replay/run.ts';\nconsole.log(run, process.argv);\n",
  'test/run.test.ts': "import '../engine/live/socket.ts';\nimport '../scripts/tool.ts';\n",
  'scripts/tool.ts': "import '@duckdb/node-api';\n",
};

function problemsOf(changes: Tree, without: readonly string[] = []): string[] {
  const root = mkdtempSync(path.join(tmpdir(), 'layout-'));
  try {
    for (const [file, text] of Object.entries({ ...CLEAN, ...changes })) {
      mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
      const readme = `${file.split('/')[0]}/README.md`;
      if (!without.includes(readme)) writeFileSync(path.join(root, readme), '# here\n');
    }
    return checkLayout(root).map(({ file, line, message }) => `${file}:${line}: ${message}`);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** The tree with one file added has exactly one problem, at this line, and the sentence matches. */
function assertFails(file: string, text: string, line: number, sentence: RegExp): void {
  const problems = problemsOf({ [file]: text });
  assert.equal(problems.length, 1, problems.join('\n'));
  assert.ok(problems[0]!.startsWith(`${file}:${line}: `), problems[0]);
  assert.match(problems[0]!, sentence);
}

test('a tree that keeps the rules has no problems', () => {
  assert.deepEqual(problemsOf({}), []);
});

test('imports against the direction are refused, whatever their form', () => {
  const forms = [
    "import { run } from '../replay/run.ts';",
    "import type { Run } from '../replay/run.ts';",
    "import '../replay/run.ts';",
    "export * from '../replay/run.ts';",
    "export { run } from '../replay/run.ts';",
    "export type { Run } from '../replay/run.ts';",
    "export const load = () => import('../replay/run.ts');",
    'export const load = () => import(`../replay/run.js`);',
    "export type Run = typeof import('../replay/run.ts');",
    "import {\n  a,\n  b as c,\n} from '../replay/run.ts';",
  ];
  for (const form of forms)
    assertFails('queries/bad.ts', `// first line\n${form}\n`, 2, /queries\/ may import only parsers, engine\/profiles/);
});

test('every folder is held to its own list', () => {
  const bad: readonly (readonly [string, string])[] = [
    ['parsers/bad.ts', '../engine/profiles/table.ts'],
    ['engine/bad.ts', '../parsers/record.ts'],
    ['queries/bad.ts', '../engine/bridge/machine.ts'],
    ['queries/bad.ts', '../engine/index.ts'],
    ['replay/bad.ts', '../cli/main.ts'],
    ['cli/bad.ts', '../scripts/tool.ts'],
    ['cli/bad.ts', '../test/run.test.ts'],
  ];
  for (const [file, specifier] of bad) assertFails(file, `import '${specifier}';\n`, 1, /may import/);
});

test('the machines may not know the live driver, the index of the engine may', () => {
  assertFails('engine/sim/bad.ts', "import '../live/socket.ts';\n", 1, /only engine\/live/);
});

test('computed names and the own package name are refused', () => {
  assertFails('cli/bad.ts', 'export const load = (name: string) => import(name);\n', 1, /computed name/);
  assertFails('cli/bad.ts', "import 'bridgetrace/engine';\n", 1, /own name/);
});

test('a cycle is reported with all its files', () => {
  const problems = problemsOf({
    'queries/a.ts': "import type { B } from './b.ts';\nexport type A = B;\n",
    'queries/b.ts': "\nimport type { C } from './c.ts';\nexport type B = C;\n",
    'queries/c.ts': "export type { A as C } from './a.ts';\n",
  });
  assert.deepEqual(problems, [
    'queries/c.ts:1: closes an import cycle: queries/a.ts -> queries/b.ts -> queries/c.ts -> queries/a.ts',
  ]);
});

test('the pure folders may not reach for clock, chance or machine', () => {
  const lines: readonly (readonly [string, RegExp])[] = [
    ['const now = Date.now();', /Date\.now/],
    ['const then = new Date(0);', /new Date/],
    ['const draw = Math.random();', /Math\.random/],
    ['const name = process.env.HOME;', /process\.env/],
    ['const name = process?.env;', /process\.env/],
    ['setTimeout(() => {}, 1);', /setTimeout/],
    ['setInterval(() => {}, 1);', /setInterval/],
    ["import { readFileSync } from 'node:fs';", /node:fs/],
  ];
  for (const folder of [
    'parsers',
    'engine/bridge',
    'engine/broker',
    'engine/profiles',
    'engine/sim',
    'engine/checks',
  ]) {
    for (const [text, sentence] of lines) assertFails(`${folder}/bad.ts`, `\n\n${text}\n`, 3, sentence);
  }
});

test('names that only look impure pass: strings, comments, regular expressions, members, types', () => {
  const text = [
    "/* import '../cli/main.ts'; Date.now() */",
    '// process.exit()',
    `const said = "Date.now() import(x)" + 'process.env' + \`Math.random() \${1 + 1} setTimeout( \${\`process.env\`}\`;`,
    'const found = /process.exit("\\/[/`]")/.test(said);',
    'const half = said.length! / 2; const other = "/".length / 2;',
    'const row = { process: 1, import: 2 }; const sum = row.process + row.import;',
    'const utc = Date.UTC(2026, 0, 1); const root = Math.sqrt(half); const process = 1;',
    'export const all = [said, found, half, other, sum, utc, root, process];',
  ].join('\n');
  assert.deepEqual(problemsOf({ 'parsers/good.ts': text }), []);
});

test('sockets and QUIC are for engine/live only', () => {
  assertFails('replay/bad.ts', "import net from 'node:net';\n", 1, /only engine\/live touches sockets/);
  assertFails('cli/bad.ts', "import { createSocket } from 'node:dgram';\n", 1, /only engine\/live touches sockets/);
  assertFails('queries/bad.ts', "import tls from 'node:tls';\n", 1, /only engine\/live touches sockets/);
  assertFails('cli/bad.ts', "export const quic = () => import('@matrixai/quic');\n", 1, /only engine\/live loads it/);
});

test('engine/live loads QUIC at run time, never at start', () => {
  assertFails('engine/live/bad.ts', "import { native } from '@matrixai/quic';\n", 1, /statically; it is optional/);
  assert.deepEqual(
    problemsOf({
      'engine/live/good.ts': "import type { native } from '@matrixai/quic';\nexport type N = typeof native;\n",
    }),
    [],
  );
});

test('one module loads DuckDB; its types are free to the rest of queries', () => {
  assertFails(
    'queries/bad.ts',
    "import { DuckDBInstance } from '@duckdb/node-api';\n",
    1,
    /only queries\/database\.ts/,
  );
  assertFails('queries/bad.ts', "import { type DuckDBValue } from '@duckdb/node-api';\n", 1, /use `import type`/);
  assertFails('cli/bad.ts', "import type { DuckDBValue } from '@duckdb/node-api';\n", 1, /only queries\/ knows/);
});

test('a folder without README.md is reported', () => {
  assert.deepEqual(problemsOf({}, ['queries/README.md', 'test/README.md']), [
    'queries/README.md:1: is missing; ten lines: what lives here, what may be imported, where to add a new thing',
    'test/README.md:1: is missing; ten lines: what lives here, what may be imported, where to add a new thing',
  ]);
});

test('the scanner tells type imports, default imports named `type`, and local exports apart', () => {
  const imports = (text: string) =>
    findImports(tokenize(text)).map((site) => [site.specifier, site.typeOnly, site.line]);
  assert.deepEqual(imports("import type A from 'a';"), [['a', true, 1]]);
  assert.deepEqual(imports("import type from 'a';"), [['a', false, 1]]);
  assert.deepEqual(imports("import type, { b } from 'a';"), [['a', false, 1]]);
  assert.deepEqual(imports("import a, * as b from 'a';"), [['a', false, 1]]);
  assert.deepEqual(imports("const x = 1;\nexport { x };\nimport y from 'y';\nexport type { x as z };"), [
    ['y', false, 3],
  ]);
  assert.deepEqual(imports('const here = import.meta.url; const n = 4 / 2 / 1;'), []);
  assert.deepEqual(imports(`const y = \`\n\${f(\`\n\`)}\n\`;\nconst z = import('z');`), [['z', false, 5]]);
  assert.deepEqual(imports("#!/usr/bin/env node\nimport 'a';"), [['a', false, 2]]);
});
