/** Files, folders, globs, pipes and packed files, as they lie around after an incident. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { expandInputs, type InputFile } from '../../queries/ingest/input/expand-inputs.ts';
import { nonLogOf } from '../../queries/ingest/input/magic.ts';
import { HEAD_BYTES, type OpenInput, openInput } from '../../queries/ingest/input/open-input.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-inputs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
function put(bytes: Uint8Array | string, name = `file-${count++}`): InputFile {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return { path: file, named: true, once: false };
}

interface Outcome {
  readonly bytes: Buffer;
  readonly code: string | null;
  readonly largest: number;
}

async function readAll(input: OpenInput, from?: number): Promise<Outcome> {
  const chunks: Buffer[] = [];
  let code: string | null = null;
  try {
    for await (const chunk of input.read(from)) chunks.push(Buffer.from(chunk));
  } catch (error) {
    code = (error as { code: string }).code;
  }
  return {
    bytes: Buffer.concat(chunks),
    code,
    largest: chunks.reduce((most, { length }) => Math.max(most, length), 0),
  };
}

const TEXT = Array.from(
  { length: 40_000 },
  (_, i) => `2026-11-22 04:58:0${i % 10} [${i}] INFO  /b/x.c:${i}: größe ${i * 7919}\n`,
).join('');
const BYTES = Buffer.from(TEXT);
const ZSTD = spawnSync('zstd', ['--version']).status === 0 ? false : 'no zstd command to make the input';
const zstd = (bytes: Buffer, ...options: string[]): Buffer =>
  spawnSync('zstd', ['-q', '-c', ...options], { input: bytes, maxBuffer: 1e9 }).stdout;

function utf16(text: string, bigEndian: boolean, mark: string): Buffer {
  const bytes = Buffer.from(mark + text, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
}

const PACKED: readonly (readonly [title: string, bytes: Buffer, compression: string, encoding: string])[] = [
  ['plain', BYTES, 'none', 'utf-8'],
  ['gzip', gzipSync(BYTES), 'gzip', 'utf-8'],
  [
    'gzip of several members',
    Buffer.concat([gzipSync(BYTES.subarray(0, 777)), gzipSync(''), gzipSync(BYTES.subarray(777))]),
    'gzip',
    'utf-8',
  ],
  ['UTF-16LE', utf16(TEXT, false, '\ufeff'), 'none', 'utf-16le'],
  ['UTF-16BE', utf16(TEXT, true, '\ufeff'), 'none', 'utf-16be'],
  ['UTF-16LE without a byte order mark', utf16(TEXT, false, ''), 'none', 'utf-16le'],
  ['gzip of UTF-16LE', gzipSync(utf16(TEXT, false, '\ufeff')), 'gzip', 'utf-16le'],
];

for (const [title, bytes, compression, encoding] of PACKED) {
  test(`reads ${title}, from any place`, async () => {
    const input = await openInput(put(bytes, `misnamed-${title}.txt`));
    assert.deepEqual(input.kind, { compression, encoding });
    assert.ok(input.head.equals(BYTES.subarray(0, HEAD_BYTES)));
    assert.equal(input.size, title === 'plain' ? BYTES.length : null);
    for (const from of [0, 1, 262_143, 1_000_003, BYTES.length, BYTES.length + 1]) {
      const { bytes: read, code, largest } = await readAll(input, from);
      assert.ok(read.equals(BYTES.subarray(from)), `from ${from}`);
      assert.equal(code, null);
      assert.ok(largest <= 4 * 1_048_576);
    }
  });
}

for (const options of [['-3'], ['-19'], ['--long=27'], ['--no-check']]) {
  test(`reads zstd ${options}`, { skip: ZSTD }, async () => {
    const packed = Buffer.concat([zstd(BYTES.subarray(0, 5_000), ...options), zstd(BYTES.subarray(5_000), ...options)]);
    const input = await openInput(put(packed));
    assert.equal(input.kind.compression, 'zstd');
    assert.ok((await readAll(input)).bytes.equals(BYTES));
    assert.ok((await readAll(input, 70_001)).bytes.equals(BYTES.subarray(70_001)));
  });
}

test('a zstd file that breaks off gives what is there and says so', { skip: ZSTD }, async () => {
  const packed = zstd(BYTES);
  const { bytes, code } = await readAll(await openInput(put(packed.subarray(0, packed.length - 500))));
  assert.equal(code, 'zstd-cut');
  assert.ok(bytes.length > BYTES.length / 2 && bytes.equals(BYTES.subarray(0, bytes.length)));
});

test('a zstd file with a window that is too large is refused before memory is taken', async () => {
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00, 0, 0, 0, 0, 0, 0, 0]);
  await assert.rejects(openInput(put(frame)), { code: 'zstd-window' });
});

test('a gzip file that breaks off anywhere gives all that is there and says so', async () => {
  const packed = gzipSync(BYTES);
  for (const share of [0.1, 0.5, 0.9, 0.999]) {
    const { bytes, code } = await readAll(await openInput(put(packed.subarray(0, Math.floor(packed.length * share)))));
    assert.equal(code, 'gzip-cut');
    assert.ok(bytes.equals(BYTES.subarray(0, bytes.length)));
    assert.ok(bytes.length > BYTES.length * (share - 0.1), `${bytes.length} of ${BYTES.length} at ${share}`);
  }
});

test('a gzip file with a damaged middle gives what lies before it', async () => {
  const packed = gzipSync(BYTES);
  packed.fill(0xff, packed.length / 2, packed.length / 2 + 50);
  const { bytes, code } = await readAll(await openInput(put(packed)));
  assert.equal(code, 'gzip-broken');
  assert.ok(bytes.length > BYTES.length / 3);
});

test('a gzip file that is nothing but a header is an error, not an empty log', async () => {
  await assert.rejects(openInput(put(gzipSync(BYTES).subarray(0, 12))), { code: 'gzip-cut' });
});

test('an empty file is empty', async () => {
  const input = await openInput(put(''));
  assert.equal(input.head.length, 0);
  assert.equal((await readAll(input)).bytes.length, 0);
});

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

for (const size of [1, 7, 1_000, 65_536]) {
  test(`standard input in pieces of ${size} is looked at and read once`, async () => {
    const bytes = size === 1 ? BYTES.subarray(0, 3_000) : BYTES;
    for (const packed of [bytes, gzipSync(bytes), utf16(bytes.toString(), false, '\ufeff')]) {
      const input = await openInput({ path: '-', named: true, once: true }, inPieces(packed, size));
      assert.ok(input.head.equals(bytes.subarray(0, HEAD_BYTES)));
      const { bytes: read } = await readAll(input, 5);
      assert.ok(read.equals(bytes.subarray(5)));
      assert.equal((await readAll(input)).code, 'read-once');
    }
  });
}

test('a pipe named by the user is read', { skip: process.platform === 'win32' }, async () => {
  const pipe = path.join(folder, 'pipe');
  if (spawnSync('mkfifo', [pipe]).status !== 0) return;
  const { files } = await expandInputs([pipe]);
  assert.deepEqual(files, [{ path: pipe, named: true, once: true }]);
  const [input] = await Promise.all(
    [
      openInput(files[0]!),
      import('node:fs/promises').then((fs) => fs.writeFile(pipe, BYTES.subarray(0, 2 * HEAD_BYTES))),
    ].reverse() as [Promise<void>, Promise<OpenInput>],
  ).then(([, opened]) => [opened]);
  assert.ok(input!.head.length > 0);
  await input!.close();
  rmSync(pipe);
});

test('a file that grows is read from where it ended', async () => {
  const file = put('one\n');
  const input = await openInput(file);
  assert.equal((await readAll(input)).bytes.toString(), 'one\n');
  appendFileSync(file.path, 'two\n');
  assert.equal((await readAll(input, 4)).bytes.toString(), 'two\n');
});

test('folders, links, loops, pipes and double names', { skip: process.platform === 'win32' }, async () => {
  const root = path.join(folder, 'tree');
  mkdirSync(path.join(root, 'a', 'b'), { recursive: true });
  for (const name of ['a/one.log', 'a/b/two.log', 'a/emqx.log.idx', 'a/emqx.log.siz', 'a/.idx']) {
    writeFileSync(path.join(root, name), 'x');
  }
  linkSync(path.join(root, 'a/one.log'), path.join(root, 'hard.log'));
  symlinkSync('..', path.join(root, 'a/b/up'));
  symlinkSync('nowhere', path.join(root, 'broken'));
  symlinkSync('a/b/two.log', path.join(root, 'z-link.log'));
  spawnSync('mkfifo', [path.join(root, 'fifo')]);
  const { files, skipped } = await expandInputs([root, path.join(root, 'a/one.log'), root]);
  const short = (file: string) => path.relative(root, file).replaceAll('\\', '/');
  assert.deepEqual(
    files.map((file) => short(file.path)),
    ['a/b/two.log', 'a/one.log'],
  );
  const reasons = new Map(skipped.map((one) => [short(one.path), one.reason.replace(root, '')]));
  assert.deepEqual(Object.fromEntries(reasons), {
    'a/.idx': 'the index of a rotated log',
    'a/emqx.log.idx': 'the index of a rotated log',
    'a/emqx.log.siz': 'the index of a rotated log',
    broken: 'a link to nothing, or not accessible',
    fifo: 'a named pipe',
    'hard.log': 'the same file as /a/one.log',
    'z-link.log': 'the same file as /a/b/two.log',
  });
});

test('patterns that the shell left alone', async () => {
  const root = path.join(folder, 'globs');
  mkdirSync(path.join(root, 'n1', 'deep'), { recursive: true });
  mkdirSync(path.join(root, 'n2'), { recursive: true });
  for (const name of ['n1/a.log', 'n1/a.log.1', 'n1/b.txt', 'n1/deep/c.log', 'n2/a.log']) {
    writeFileSync(path.join(root, name), name);
  }
  const find = async (pattern: string) =>
    (await expandInputs([`${root.replaceAll('\\', '/')}/${pattern}`])).files.map((file) =>
      path.relative(root, file.path).replaceAll('\\', '/'),
    );
  assert.deepEqual(await find('*/*.log'), ['n1/a.log', 'n2/a.log']);
  assert.deepEqual(await find('**/*.log'), ['n1/a.log', 'n1/deep/c.log', 'n2/a.log']);
  assert.deepEqual(await find('n1/a.log*'), ['n1/a.log', 'n1/a.log.1']);
  assert.deepEqual(await find('n{1,2}/[ab].*'), ['n1/a.log', 'n1/a.log.1', 'n1/b.txt', 'n2/a.log']);
  assert.deepEqual(await find('n?'), ['n1/a.log', 'n1/a.log.1', 'n1/b.txt', 'n1/deep/c.log', 'n2/a.log']);
  await assert.rejects(find('*.none'), { code: 'not-found' });
  await assert.rejects(find('none'), { code: 'not-found' });
});

test('a file that may not be read is an error, in a folder too', { skip: process.getuid?.() === 0 }, async () => {
  const file = put('x');
  chmodSync(file.path, 0);
  await assert.rejects(openInput(file), { code: 'not-readable' });
});

test('what is no log is told by its first bytes', () => {
  assert.equal(nonLogOf(Buffer.from('12345678DUCKxxxx')), 'a DuckDB database');
  assert.match(nonLogOf(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2])) ?? '', /^an xz archive/);
  assert.equal(nonLogOf(Buffer.from('2026-11-22 04:58:00')), null);
});
