import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter, MAX_LINE_CHARS, type RawLine } from '../../parsers/index.ts';

function split(chunks: readonly (Buffer | string)[], start?: { byteOffset: number; lineNo: number }): RawLine[] {
  const lines: RawLine[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), start);
  for (const chunk of chunks) splitter.push(Buffer.from(chunk as string));
  splitter.end();
  return lines;
}

test('cuts at \\n and \\r\\n, wherever the chunks end', () => {
  const input = 'one\r\ntwo\n\nthree\rfour\r\nlast';
  const expected = split([input]);
  assert.deepEqual(
    expected.map((line) => line.text),
    ['one', 'two', '', 'three\rfour', 'last'],
  );
  assert.deepEqual(
    expected.map((line) => line.byteOffset),
    [0, 5, 9, 10, 22],
  );
  assert.deepEqual(
    expected.map((line) => line.byteLength),
    [5, 4, 1, 12, 4],
  );
  for (let cut = 1; cut < input.length; cut++)
    assert.deepEqual(split([input.slice(0, cut), input.slice(cut)]), expected);
});

test('decodes UTF-8 and replaces what is none', () => {
  const [first, second] = split([Buffer.from('größe\n'), Buffer.from([0x61, 0xff, 0x00, 0x62, 0x0a])]);
  assert.equal(first!.text, 'größe');
  assert.equal(first!.byteLength, 8);
  assert.equal(second!.text, 'a\ufffd\0b');
  assert.equal(second!.byteLength, 5);
});

test('keeps the length of an overlong line, but not its text', () => {
  const long = Buffer.alloc(3 * MAX_LINE_CHARS, 0x78);
  const lines = split([long.subarray(0, 10), long.subarray(10), '\nnext\n']);
  assert.equal(lines[0]!.text.length, MAX_LINE_CHARS);
  assert.equal(lines[0]!.truncated, true);
  assert.equal(lines[0]!.byteLength, long.length + 1);
  assert.deepEqual({ ...lines[1] }, { lineNo: 2, byteOffset: long.length + 1, byteLength: 5, text: 'next' });
});

test('goes on counting from where a read was interrupted', () => {
  assert.deepEqual(split(['x\n'], { byteOffset: 100, lineNo: 7 }), [
    { lineNo: 7, byteOffset: 100, byteLength: 2, text: 'x' },
  ]);
});
