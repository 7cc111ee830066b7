/**
 * Grammar of C format strings: text -> literals and typed conversions.
 *
 *     format     := (LITERAL | PERCENT_PERCENT | CONVERSION)*
 *     CONVERSION := '%' flags width precision length letter
 */
import { createToken, EmbeddedActionsParser, Lexer } from '../grammar-library.ts';

export type SlotKind = 'int' | 'hex' | 'pointer' | 'float' | 'string';

export type FormatPart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: SlotKind; readonly conversion: string };

const Percent = createToken({ name: 'Percent', pattern: '%%', label: '%%' });
const Conversion = createToken({
  name: 'Conversion',
  pattern: /%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j|t)?[diuxXpscf]/,
});
const Literal = createToken({ name: 'Literal', pattern: /[^%]+|%/, line_breaks: true });
const tokens = [Percent, Conversion, Literal];

const lexer = new Lexer(tokens, { positionTracking: 'onlyOffset' });

class PrintfParser extends EmbeddedActionsParser {
  constructor() {
    super(tokens, { maxLookahead: 1, skipValidations: true });
    this.performSelfAnalysis();
  }

  readonly format = this.RULE('format', (): FormatPart[] => {
    const parts: FormatPart[] = [];
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            const t = this.CONSUME(Percent);
            this.ACTION(() => appendLiteral(parts, t.image.slice(1)));
          },
        },
        {
          ALT: () => {
            const t = this.CONSUME(Literal);
            this.ACTION(() => appendLiteral(parts, t.image));
          },
        },
        {
          ALT: () => {
            const t = this.CONSUME(Conversion);
            this.ACTION(() => parts.push({ kind: slotKind(t.image), conversion: t.image }));
          },
        },
      ]);
    });
    return parts;
  });
}

let parser: PrintfParser | null = null;

/** The grammar as data, for its diagram. */
export function printfProductions() {
  parser ??= new PrintfParser();
  return parser.getSerializedGastProductions();
}

/** Parts of a printf format; neighbouring literals are joined. */
export function parsePrintfFormat(format: string): readonly FormatPart[] {
  parser ??= new PrintfParser();
  parser.input = lexer.tokenize(format).tokens;
  return parser.format();
}

const KIND_OF_LETTER: { readonly [letter: string]: SlotKind } = {
  d: 'int',
  i: 'int',
  u: 'int',
  x: 'hex',
  X: 'hex',
  p: 'pointer',
  s: 'string',
  c: 'string',
  f: 'float',
};

function slotKind(conversion: string): SlotKind {
  return KIND_OF_LETTER[conversion[conversion.length - 1]!] ?? 'string';
}

function appendLiteral(parts: FormatPart[], text: string): void {
  const last = parts[parts.length - 1];
  if (last?.kind === 'literal') parts[parts.length - 1] = { kind: 'literal', text: last.text + text };
  else parts.push({ kind: 'literal', text });
}
