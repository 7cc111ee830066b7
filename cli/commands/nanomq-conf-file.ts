/** The bridge of a nanomq.conf file, as far as `bridgetrace bridge` needs it. A subset of HOCON: keys, values, objects, lists. */
import { readFileSync } from 'node:fs';
import { InputError } from '../../queries/index.ts';

export type HoconValue = string | number | boolean | null | readonly HoconValue[] | HoconObject;
export interface HoconObject {
  readonly [key: string]: HoconValue;
}

type Draft = { [key: string]: HoconValue };

/** Files of more bytes are no configuration. */
const BYTES_MAX = 1_048_576;
const DEPTH_MAX = 32;
const TOKEN = /\s*(?:(?:#|\/\/)[^\n]*\s*)*("(?:[^"\\\n]|\\.)*"|[{}[\],=:]|[^\s{}[\],=:"#]+(?::\/\/[^\s,\]}#]+)?)/y;

/** Throws InputError `not-found`, or `bad-conf` with the line. */
export function readConfFile(file: string): HoconObject {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError('not-found', `${file} cannot be read: ${String(error)}`, {
      file,
      hint: 'Name a nanomq.conf.',
    });
  }
  if (text.length > BYTES_MAX) throw new InputError('too-large', `${file} is no configuration file.`, { file });
  return new Reader(text, file).document();
}

class Reader {
  readonly #text: string;
  readonly #file: string;
  #at = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  document(): HoconObject {
    const object = this.#members(0, false);
    if (this.#peek() !== null) this.#fail('a key was expected');
    return object;
  }

  #next(): string | null {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (!match) {
      if (/^\s*(?:(?:#|\/\/)[^\n]*\s*)*$/.test(this.#text.slice(this.#at))) return null;
      return this.#fail('this is not understood');
    }
    this.#at = TOKEN.lastIndex;
    return match[1]!;
  }

  #peek(): string | null {
    const at = this.#at;
    const token = this.#next();
    this.#at = at;
    return token;
  }

  #members(depth: number, braced: boolean): HoconObject {
    if (depth > DEPTH_MAX) this.#fail('too deep');
    const object: Draft = {};
    for (;;) {
      const token = this.#peek();
      if (token === ',') {
        this.#next();
        continue;
      }
      if (token === null || token === '}') {
        if (braced && token === null) this.#fail('a } is missing');
        if (!braced && token === '}') this.#fail('a } too many');
        return object;
      }
      const path = unquote(this.#next()!).split('.');
      const separator = this.#peek();
      if (separator === '=' || separator === ':') this.#next();
      else if (separator !== '{') this.#fail('an = was expected');
      put(object, path, this.#value(depth + 1));
    }
  }

  #value(depth: number): HoconValue {
    const token = this.#next();
    if (token === null || token === ',' || token === '}' || token === ']') return this.#fail('a value was expected');
    if (token === '{') {
      const object = this.#members(depth, true);
      this.#next();
      return object;
    }
    if (token !== '[') return scalar(token);
    const list: HoconValue[] = [];
    for (let item = this.#peek(); item !== ']'; item = this.#peek()) {
      if (item === null) return this.#fail('a ] is missing');
      if (item === ',') this.#next();
      else list.push(this.#value(depth + 1));
    }
    this.#next();
    return list;
  }

  #fail(what: string): never {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    throw new InputError('bad-conf', `This is no nanomq.conf: ${what}.`, {
      file: this.#file,
      line,
      hint: 'Name another file, or mend that line.',
    });
  }
}

function put(object: Draft, path: readonly string[], value: HoconValue): void {
  const [key = '', ...rest] = path;
  const old = Object.hasOwn(object, key) ? object[key] : undefined;
  const inner: Draft = isObject(old) ? { ...old } : {};
  if (rest.length > 0) put(inner, rest, value);
  const merged = rest.length > 0 ? inner : isObject(value) && isObject(old) ? { ...old, ...value } : value;
  Object.defineProperty(object, key, { value: merged, enumerable: true, configurable: true, writable: true });
}

export function isObject(value: HoconValue | undefined): value is HoconObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unquote(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token;
}

function scalar(token: string): HoconValue {
  if (token.startsWith('"')) return unquote(token);
  if (token === 'true' || token === 'false') return token === 'true';
  if (token === 'null') return null;
  return /^-?\d+(\.\d+)?$/.test(token) ? Number(token) : token;
}
