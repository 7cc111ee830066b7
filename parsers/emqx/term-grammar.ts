/**
 * Grammar of printed Erlang terms (spec emqx-logs.md sections 1.2, 1.7): text -> tree. `...` marks what the printer cut off.
 */
import { createToken, EmbeddedActionsParser, Lexer, type TokenType } from '../grammar-library.ts';
import { plainZero } from '../plain-zero.ts';

export type Term =
  | { readonly kind: 'atom' | 'string' | 'binary' | 'opaque'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'tuple' | 'list'; readonly items: readonly Term[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Term, Term])[] }
  | { readonly kind: 'cut' };

/** Longer text is not parsed: printed states of a connection can be very large and nothing in them is used. */
const MAX_TERM_CHARS = 16_384;
const MAX_TERM_DEPTH = 64;

const token = (name: string, pattern: RegExp | string): TokenType =>
  createToken({ name, pattern, label: typeof pattern === 'string' ? pattern : name, line_breaks: true });
const Space = createToken({ name: 'Space', pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true });
const TextBinary = token('TextBinary', /<<"(?:[^"\\]|\\.)*"(?:\/utf8)?(?:\.\.\.)?>>/);
const ByteBinary = token('ByteBinary', /<<[\d,\s]*(?:\.\.\.)?>>/);
const Opaque = token('Opaque', /<\d+\.\d+\.\d+>|#(?:Ref|Port|Fun)<[^>]*>|fun [\w:/.]+/);
const MapOpen = token('MapOpen', '#{');
const RecordOpen = token('RecordOpen', /#[a-z]\w*\{/);
const Arrow = token('Arrow', /=>|:=|=/);
const Cut = token('Cut', '...');
const Float = token('Float', /-?\d+\.\d+(?:[eE][-+]?\d+)?/);
const Integer = token('Integer', /-?\d+/);
const Quoted = token('Quoted', /"(?:[^"\\]|\\.)*"/);
const Atom = token('Atom', /'(?:[^'\\]|\\.)*'|[a-z][\w@]*/);
const LBrace = token('LBrace', '{');
const RBrace = token('RBrace', '}');
const LBracket = token('LBracket', '[');
const RBracket = token('RBracket', ']');
const Comma = token('Comma', ',');
const Bar = token('Bar', '|');
const tokens = [
  Space,
  TextBinary,
  ByteBinary,
  Opaque,
  MapOpen,
  RecordOpen,
  Arrow,
  Cut,
  Float,
  Integer,
  Quoted,
  Atom,
  LBrace,
  RBrace,
  LBracket,
  RBracket,
  Comma,
  Bar,
];

const lexer = new Lexer(tokens, { positionTracking: 'onlyOffset' });

class TermParser extends EmbeddedActionsParser {
  constructor() {
    super(tokens, { maxLookahead: 1, skipValidations: true });
    this.performSelfAnalysis();
  }

  readonly term: () => Term = this.RULE(
    'term',
    (): Term =>
      this.OR<Term>([
        { ALT: () => ({ kind: 'atom', text: unquote(this.CONSUME(Atom).image) }) },
        { ALT: () => numberTerm(this.CONSUME(Integer).image) },
        { ALT: () => numberTerm(this.CONSUME(Float).image) },
        { ALT: () => ({ kind: 'string', text: unquote(this.CONSUME(Quoted).image) }) },
        { ALT: () => ({ kind: 'binary', text: textOfBinary(this.CONSUME(TextBinary).image) }) },
        { ALT: () => ({ kind: 'binary', text: textOfBytes(this.CONSUME(ByteBinary).image) }) },
        { ALT: () => ({ kind: 'opaque', text: this.CONSUME(Opaque).image }) },
        {
          ALT: () => {
            this.CONSUME(Cut);
            return { kind: 'cut' };
          },
        },
        { ALT: () => this.SUBRULE(this.tuple) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.map) },
      ]),
  );

  private readonly tuple: () => Term = this.RULE('tuple', (): Term => {
    const items: Term[] = [];
    this.CONSUME(LBrace);
    this.MANY_SEP({
      SEP: Comma,
      DEF: () => {
        const item = this.SUBRULE(this.term);
        this.ACTION(() => items.push(item));
      },
    });
    this.CONSUME(RBrace);
    return { kind: 'tuple', items };
  });

  private readonly list: () => Term = this.RULE('list', (): Term => {
    const items: Term[] = [];
    this.CONSUME(LBracket);
    this.MANY_SEP({
      SEP: Comma,
      DEF: () => {
        const item = this.SUBRULE(this.term);
        this.ACTION(() => items.push(item));
      },
    });
    this.OPTION(() => {
      this.CONSUME(Bar);
      const tail = this.SUBRULE2(this.term);
      this.ACTION(() => items.push(tail));
    });
    this.CONSUME(RBracket);
    return { kind: 'list', items };
  });

  private readonly map: () => Term = this.RULE('map', (): Term => {
    const entries: [Term, Term][] = [];
    this.OR([{ ALT: () => this.CONSUME(MapOpen) }, { ALT: () => this.CONSUME(RecordOpen) }]);
    this.MANY_SEP({
      SEP: Comma,
      DEF: () => {
        const key = this.SUBRULE(this.term);
        this.OPTION(() => {
          this.CONSUME(Arrow);
          const value = this.SUBRULE2(this.term);
          this.ACTION(() => entries.push([key, value]));
        });
      },
    });
    this.CONSUME(RBrace);
    return { kind: 'map', entries };
  });
}

let parser: TermParser | null = null;

/** The grammar as data, for its diagram. */
export function termProductions() {
  parser ??= new TermParser();
  return parser.getSerializedGastProductions();
}

/** Tree of a printed term, or null if the text is not one term. */
export function parseTerm(text: string): Term | null {
  if (text.length > MAX_TERM_CHARS || depthOf(text) > MAX_TERM_DEPTH) return null;
  const lexed = lexer.tokenize(text);
  if (lexed.errors.length > 0 || lexed.tokens.length === 0) return null;
  parser ??= new TermParser();
  parser.input = lexed.tokens;
  const term = parser.term();
  return parser.errors.length > 0 ? null : term;
}

/** A term that was printed over several lines, on one. */
export function onOneLine(text: string): string {
  return text.replace(/\s+/g, (blanks) => (blanks.includes('\n') ? ' ' : blanks));
}

/** Value of a key in a printed map or a list of pairs. */
export function termEntry(term: Term | null, key: string): Term | undefined {
  if (term?.kind === 'map') return term.entries.find(([k]) => k.kind === 'atom' && k.text === key)?.[1];
  if (term?.kind !== 'list') return undefined;
  for (const item of term.items) {
    if (item.kind !== 'tuple' || item.items.length !== 2) continue;
    const [name, value] = item.items;
    if (name?.kind === 'atom' && name.text === key) return value;
  }
  return undefined;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x5d || c === 0x7d) depth -= 1;
  }
  return deepest;
}

const ESCAPES: { readonly [letter: string]: string } = {
  n: '\n',
  r: '\r',
  t: '\t',
  e: '\x1b',
  b: '\b',
  f: '\f',
  v: '\v',
  d: '\x7f',
};

function unescapeText(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(
    /\\(?:x\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|([0-7]{1,3})|([\s\S]))/g,
    (_, braced, hex, octal, letter) => {
      if (letter !== undefined) return ESCAPES[letter] ?? letter;
      const code = octal !== undefined ? Number.parseInt(octal, 8) : Number.parseInt(braced ?? hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
    },
  );
}

/** Erlang's integers have no limit: one that a double does not hold exactly stays text. */
function numberTerm(image: string): Term {
  const value = plainZero(Number(image));
  const isHeld = Number.isSafeInteger(value) || (Number.isFinite(value) && image.includes('.'));
  return isHeld ? { kind: 'number', value } : { kind: 'opaque', text: image };
}

function unquote(image: string): string {
  const first = image[0];
  return first === "'" || first === '"' ? unescapeText(image.slice(1, -1)) : image;
}

/** `<<"text">>` holds bytes, `<<"text"/utf8>>` characters. */
function textOfBinary(image: string): string {
  const close = image.lastIndexOf('"');
  const text = unescapeText(image.slice(3, close));
  return image.startsWith('/utf8', close + 1) ? text : Buffer.from(text, 'latin1').toString('utf8');
}

function textOfBytes(image: string): string {
  const bytes = image
    .slice(2, -2)
    .split(',')
    .map(Number)
    .filter((n) => Number.isInteger(n));
  return image === '<<>>' ? '' : Buffer.from(bytes).toString('utf8');
}
