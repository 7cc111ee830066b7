/**
 * Finds the imports of a TypeScript file without a parser: a small tokenizer that knows comments, strings, templates and
 * regular expressions, and a walk over its tokens. It reads correct programs; the compiler is the judge of the others.
 */

export interface Token {
  /** `string` covers templates without a substitution; a template with one leaves its pieces as `template`. */
  readonly kind: 'word' | 'number' | 'string' | 'template' | 'regexp' | 'punctuation';
  readonly text: string; // a string's or template's content, without quotes and with escapes as written
  readonly line: number; // 1-based
}

export interface ImportSite {
  readonly specifier: string | null; // null: a computed name, as in `import(name)`
  readonly line: number; // 1-based line of the `import` or `export` keyword
  readonly typeOnly: boolean; // gone after compilation; `import { type A }` is not, the module is still loaded
  readonly dynamic: boolean; // `import(…)` or `require(…)`
}

/** Words after which a `/` starts a regular expression although they look like a value. */
const BEFORE_REGEXP = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof extends'.split(' '),
);

/**
 * @param source text of a .ts file
 * @returns its tokens in order; comments and white space are left out
 */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  const braces: ('block' | 'template')[] = []; // what each open `{` belongs to
  let at = 0;
  let line = 1;

  const push = (kind: Token['kind'], text: string, from: number) => tokens.push({ kind, text, line: from });

  // Reads from just after a backtick or a closing `}` of a substitution up to the next end of literal text.
  const template = (start: number) => {
    const from = line;
    const resumed = source[start - 1] === '}';
    at = start;
    while (at < source.length) {
      const char = source[at];
      if (char === '\\') at += 1;
      else if (char === '\n') line += 1;
      else if (char === '`') {
        push(resumed ? 'template' : 'string', source.slice(start, at), from);
        at += 1;
        return;
      } else if (char === '$' && source[at + 1] === '{') {
        push('template', source.slice(start, at), from);
        braces.push('template');
        at += 2;
        return;
      }
      at += 1;
    }
  };

  while (at < source.length) {
    const char = source[at]!;
    const next = source[at + 1];
    if (char === '\n') {
      line += 1;
      at += 1;
    } else if (/\s/.test(char)) {
      at += 1;
    } else if (char === '/' && next === '/') {
      const end = source.indexOf('\n', at);
      at = end < 0 ? source.length : end;
    } else if (char === '#' && next === '!' && at === 0) {
      const end = source.indexOf('\n');
      at = end < 0 ? source.length : end;
    } else if (char === '/' && next === '*') {
      const close = source.indexOf('*/', at + 2);
      const end = close < 0 ? source.length : close + 2;
      line += source.slice(at, end).split('\n').length - 1;
      at = end;
    } else if (char === "'" || char === '"') {
      let end = at + 1;
      while (end < source.length && source[end] !== char && source[end] !== '\n') end += source[end] === '\\' ? 2 : 1;
      push('string', source.slice(at + 1, end), line);
      at = end + 1;
    } else if (char === '`') {
      template(at + 1);
    } else if (char === '}' && braces.at(-1) === 'template') {
      braces.pop();
      template(at + 1);
    } else if (char === '/' && !endsValue(tokens) && regexpEnd(source, at) > 0) {
      const end = regexpEnd(source, at);
      push('regexp', source.slice(at, end), line);
      at = end;
    } else {
      const word = /^[\p{ID_Start}$_][\p{ID_Continue}$]*/u.exec(source.slice(at, at + 256))?.[0];
      const number = word ? undefined : /^\d[\w.]*/.exec(source.slice(at, at + 64))?.[0];
      if (char === '{') braces.push('block');
      else if (char === '}') braces.pop();
      const text = word ?? number ?? char;
      push(word ? 'word' : number ? 'number' : 'punctuation', text, line);
      at += text.length;
    }
  }
  return tokens;
}

/** Whether the tokens so far end in a value, so that a `/` divides. */
function endsValue(tokens: readonly Token[]): boolean {
  const last = tokens.at(-1);
  if (!last) return false;
  if (last.kind === 'word') return !BEFORE_REGEXP.has(last.text);
  if (last.kind !== 'punctuation') return true;
  if (')]}'.includes(last.text)) return true;
  if (last.text === '!') return endsValue(tokens.slice(-3, -1)); // `rows[0]! / 2`
  const twice = tokens.at(-2)?.text === last.text && (last.text === '+' || last.text === '-');
  return twice && endsValue(tokens.slice(-4, -2)); // `count++ / 2`
}

/** Index after the regular expression that starts at `start`, or 0 if the line ends before it does. */
function regexpEnd(source: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < source.length && source[at] !== '\n'; at += 1) {
    const char = source[at];
    if (char === '\\') at += 1;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) {
      at += 1;
      while (/[a-z]/.test(source[at] ?? '')) at += 1;
      return at;
    }
  }
  return 0;
}

/**
 * @param tokens of one file
 * @returns every static, type-only, dynamic and re-exporting import, in order
 */
export function findImports(tokens: readonly Token[]): ImportSite[] {
  const sites: ImportSite[] = [];
  tokens.forEach((token, index) => {
    if (token.kind !== 'word' || isMember(tokens, index)) return;
    if (token.text === 'import') sites.push(...importAt(tokens, index));
    else if (token.text === 'export') sites.push(...reexportAt(tokens, index));
    else if (token.text === 'require' && tokens[index + 1]?.text === '(') sites.push(call(tokens, index));
  });
  return sites;
}

function isMember(tokens: readonly Token[], index: number): boolean {
  return tokens[index - 1]?.kind === 'punctuation' && tokens[index - 1]?.text === '.';
}

function importAt(tokens: readonly Token[], index: number): ImportSite[] {
  const next = tokens[index + 1];
  const line = tokens[index]!.line;
  if (!next) return [];
  if (next.kind === 'string') return [{ specifier: next.text, line, typeOnly: false, dynamic: false }];
  if (next.text === '(') return [call(tokens, index)];
  if (next.text === '.' || next.text === ':') return []; // import.meta, a key named `import`
  const after = tokens[index + 2];
  // `import type from './a.ts'` imports a default export of that name; `import type X from` does not.
  const named =
    next.text === 'type' && (after?.text === ',' || (after?.text === 'from' && isString(tokens[index + 3])));
  const specifier = specifierAfterFrom(tokens, index + 1);
  return specifier === null ? [] : [{ specifier, line, typeOnly: next.text === 'type' && !named, dynamic: false }];
}

function reexportAt(tokens: readonly Token[], index: number): ImportSite[] {
  const typeOnly = tokens[index + 1]?.text === 'type';
  const start = tokens[index + (typeOnly ? 2 : 1)];
  if (start?.kind !== 'punctuation' || (start.text !== '*' && start.text !== '{')) return [];
  const specifier = specifierAfterFrom(tokens, index + 1);
  return specifier === null ? [] : [{ specifier, line: tokens[index]!.line, typeOnly, dynamic: false }];
}

/** The string after the `from` that closes an import or export clause, or null if the clause has none. */
function specifierAfterFrom(tokens: readonly Token[], start: number): string | null {
  for (let at = start; at < tokens.length; at += 1) {
    const token = tokens[at]!;
    const following = tokens[at + 1];
    if (token.text === 'from' && following?.kind === 'string') return following.text;
    if (token.kind !== 'word' && token.kind !== 'string' && !'{},*'.includes(token.text)) return null;
    if (token.text === '}' && following?.text !== 'from') return null; // `export { local }`
  }
  return null;
}

function call(tokens: readonly Token[], index: number): ImportSite {
  const argument = tokens[index + 2];
  const literal = isString(argument) && /^[),]$/.test(tokens[index + 3]?.text ?? '');
  return {
    specifier: literal ? argument!.text : null,
    line: tokens[index]!.line,
    typeOnly: tokens[index - 1]?.text === 'typeof',
    dynamic: true,
  };
}

function isString(token: Token | undefined): boolean {
  return token?.kind === 'string';
}
