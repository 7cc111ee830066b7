/** Lines that end anywhere: what was cut must not turn into a field, and no byte is lost. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import type { Attributes, Layout } from '../../parsers/index.ts';
import { parseAll } from './parse.ts';

const CASES = resolve(process.cwd(), 'test/parsers/cases');
const CUTS_PER_LINE = 8;

interface Sample {
  readonly layout: Layout;
  readonly text: string;
}

const samples: readonly Sample[] = readdirSync(CASES)
  .filter((name) => /^emqx-samples-.*\.jsonl$/.test(name))
  .flatMap((name) => readFileSync(resolve(CASES, name), 'utf8').trimEnd().split('\n'))
  .map((line) => JSON.parse(line) as Sample);

/** Where a line is cut: spread over its length, the same in every run. */
function cutsOf(text: string): number[] {
  return Array.from({ length: CUTS_PER_LINE }, (_, i) => Math.floor(((i + 0.37) * text.length) / CUTS_PER_LINE));
}

test('a line that ends anywhere is one record or one unparsed line of all its bytes', () => {
  for (const { layout, text } of samples) {
    for (const cut of cutsOf(text)) {
      for (const end of ['\n', '...\n']) {
        const input = text.slice(0, cut) + end;
        const { records, unparsed } = parseAll(layout, input);
        const bytes = [...records, ...unparsed].reduce((sum, one) => sum + one.byteLength, 0);
        assert.equal(bytes, Buffer.byteLength(input), input);
      }
    }
  }
});

test('a name in a packet that the broker cut is whole or missing', () => {
  const names = ['client_id', 'topic', 'username', 'will_topic'];
  let looked = 0;
  for (const { layout, text } of samples) {
    const packetAt = text.indexOf('packet: ');
    if (layout !== 'emqx-text' || packetAt === -1 || text.includes('...')) continue;
    const whole = parseAll(layout, `${text}\n`).records[0]!.attributes ?? {};
    // A name that looks like the end of itself cannot be told from one that ended.
    if (names.some((name) => String(whole[name] ?? '').includes(', '))) continue;
    for (let cut = packetAt + 9; cut < text.length; cut += 1) {
      const attributes: Attributes = parseAll(layout, `${text.slice(0, cut)}...\n`).records[0]!.attributes ?? {};
      for (const name of names) {
        const value = attributes[name];
        if (value === undefined) continue;
        looked += 1;
        assert.equal(value, whole[name], `${name} of ${text.slice(0, cut)}...`);
      }
    }
  }
  assert.ok(looked > 1_000, `${looked}`);
});

test('the same line gives the same record, whatever came before it', () => {
  const lines = samples
    .filter(({ layout, text }) => layout === 'emqx-text' && parseAll(layout, `${text}\n`).records.length === 1)
    .map(({ text }) => `${text}\n`);
  const together = parseAll('emqx-text', lines.join('')).records;
  assert.equal(together.length, lines.length);
  lines.forEach((line, i) => {
    const alone = parseAll('emqx-text', line).records[0]!;
    const { lineNo, byteOffset } = together[i]!;
    assert.deepEqual(together[i], { ...alone, lineNo, byteOffset });
  });
});
