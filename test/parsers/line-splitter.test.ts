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
  assert.equal(second!.text, 'a\ufffdb');
  assert.equal(second!.byteLength, 5);
  assert.deepEqual(second!.flags, ['nul-bytes', 'invalid-utf8']);
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

test('a replacement character that was in the input is not taken for a repair', () => {
  const cut4 = Buffer.from([0xf0, 0x9f, 0x98]); // three bytes of four become one replacement character of three bytes
  const [written, broken, both] = split([
    Buffer.concat([Buffer.from('a\ufffdb\n'), cut4, Buffer.from('\n\ufffd'), cut4, Buffer.from('\n')]),
  ]);
  assert.equal(written!.flags, undefined);
  assert.deepEqual(broken!.flags, ['invalid-utf8']);
  assert.deepEqual(both!.flags, ['invalid-utf8']);
});

test('a byte order mark is no text, but counts', () => {
  const [first, second] = split(['\ufeffone\n\ufefftwo\n']);
  assert.deepEqual({ ...first }, { lineNo: 1, byteOffset: 0, byteLength: 7, text: 'one' });
  assert.equal(second!.text, '\ufefftwo');
});

test('an overlong line is cut between characters', () => {
  const [line] = split([`${'x'.repeat(MAX_LINE_CHARS - 1)}éé\n`]);
  assert.equal(line!.text.length, MAX_LINE_CHARS - 1);
  assert.deepEqual(line!.flags, ['line-truncated']);
});

test('text behind a hole is a line of its own with the same number, wherever the chunks end', () => {
  const input = Buffer.concat([
    Buffer.from('one\nhalf of tw'),
    Buffer.alloc(200),
    Buffer.from('three\r\n'),
    Buffer.alloc(100),
    Buffer.from('four\nfi\0ve'),
    Buffer.alloc(70),
  ]);
  const expected = split([input]);
  assert.deepEqual(
    expected.map(({ lineNo, byteOffset, byteLength, text, flags }) => [lineNo, byteOffset, byteLength, text, flags]),
    [
      [1, 0, 4, 'one', undefined],
      [2, 4, 210, 'half of tw', ['nul-bytes']],
      [2, 214, 7, 'three', undefined],
      [3, 221, 105, 'four', ['nul-bytes']],
      [4, 326, 75, 'five', ['nul-bytes']],
    ],
  );
  for (let cut = 1; cut < input.length; cut++) {
    assert.deepEqual(split([input.subarray(0, cut), input.subarray(cut)]), expected);
  }
});

test('a hole of 100 MB costs no memory', () => {
  const lines: RawLine[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  const hole = Buffer.alloc(1_048_576);
  splitter.push(Buffer.from('before'));
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100; i++) splitter.push(hole);
  assert.ok(process.memoryUsage().arrayBuffers - before < 4_000_000);
  splitter.push(Buffer.from('after\n'));
  assert.deepEqual(
    lines.map((line) => [line.text, line.byteLength]),
    [
      ['before', 6 + 100 * 1_048_576],
      ['after', 6],
    ],
  );
});
