/** Words of the grammar as keys and values. */
import type { IToken } from 'chevrotain';
import { Quoted, Triple, Unclosed, Variable } from './tokens.ts';
import type { ConfPlain } from './tree.ts';

const ESCAPES: { readonly [letter: string]: string } = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };
const NUMBER = /^[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?$/;

/** `bridges.mqtt."my bridge".keepalive`: dots part the names, but not inside of quotes. */
export function keyPath(words: readonly IToken[]): string[] {
  const path: string[] = [''];
  for (const word of words) {
    if (isQuoted(word)) {
      path[path.length - 1] += unquote(word);
      continue;
    }
    const [first = '', ...rest] = word.image.split('.');
    path[path.length - 1] += first;
    path.push(...rest);
  }
  return path.filter((name) => name !== '');
}

/** Only a word that stands alone and without quotes can be a number, `true`, `false` or `null`. */
export function scalarOf(words: readonly IToken[]): {
  kind: 'scalar';
  value: ConfPlain;
  quoted: boolean;
  variable: boolean;
} {
  const variable = words.some((word) => word.tokenType === Variable);
  const quoted = words.some(isQuoted);
  const text = words.map((word) => (isQuoted(word) ? unquote(word) : word.image)).join('');
  return { kind: 'scalar', value: quoted || variable ? text : plainOf(text), quoted, variable };
}

function plainOf(text: string): ConfPlain {
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : text;
}

function isQuoted(word: IToken): boolean {
  return word.tokenType === Quoted || word.tokenType === Triple || word.tokenType === Unclosed;
}

function unquote(word: IToken): string {
  if (word.tokenType === Triple) return word.image.slice(3, -3);
  const inner = word.tokenType === Quoted ? word.image.slice(1, -1) : word.image.slice(1).trimEnd();
  if (!inner.includes('\\')) return inner;
  return inner.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
