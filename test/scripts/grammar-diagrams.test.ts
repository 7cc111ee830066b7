import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { grammarFiles } from '../../scripts/grammar-diagrams.ts';
import { choice, loop, optional, sequence, svgOf, terminal } from '../../scripts/railroad.ts';

const FOLDER = resolve(process.cwd(), 'docs/grammars');

test('the diagrams in docs/grammars are those of the grammars', () => {
  const files = grammarFiles();
  assert.deepEqual(readdirSync(FOLDER).sort(), [...files.keys()].sort());
  for (const [name, text] of files)
    assert.equal(readFileSync(resolve(FOLDER, name), 'utf8'), text, `${name} is not up to date: npm run diagrams`);
});

test('a diagram is as large as what is in it', () => {
  const [a, b] = [terminal('a'), terminal('bb')];
  assert.equal(sequence([a, b]).width, a.width + 10 + b.width);
  assert.equal(choice([a, b]).width, b.width + 40);
  assert.ok(choice([a, b]).down > a.down + b.down);
  assert.ok(loop(a, b).down > optional(a).down - a.down);
  const svg = svgOf('t', [{ title: 'x < y', part: loop(a, b) }]);
  assert.match(svg, /^<svg [^>]*viewBox="0 0 \d+(?:\.\d+)? \d+(?:\.\d+)?">/);
  assert.match(svg, /x &lt; y/);
});
