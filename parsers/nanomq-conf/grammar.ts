/**
 * Grammar of nanomq.conf: HOCON as NanoMQ reads it (NanoNNG scanner.l and parser.y: separators may be left out everywhere, values are
 * not joined over blanks). It accepts every sequence of words; where one is missing or too many, it notes a problem and goes on, so
 * that one mistake hides no other.
 */
import type { IToken } from 'chevrotain';
import { EmbeddedActionsParser, Lexer, type TokenType } from '../grammar-library.ts';
import {
  AddAssign,
  Assign,
  Comma,
  Include,
  LBrace,
  LBracket,
  Quoted,
  RBrace,
  RBracket,
  Text,
  TOKENS,
  Triple,
  Unclosed,
  Variable,
} from './tokens.ts';
import type {
  ConfDocument,
  ConfInclude,
  ConfList,
  ConfMember,
  ConfNode,
  ConfObject,
  ConfProblem,
  ConfProblemCode,
  ConfScalar,
  ConfSetting,
  ConfSpan,
} from './tree.ts';
import { keyPath, scalarOf } from './words.ts';

/** Longer texts are no configuration. */
export const MAX_CONF_CHARS = 1_048_576;
export const MAX_CONF_DEPTH = 64;

const lexer = new Lexer(TOKENS, { positionTracking: 'onlyOffset' });

class ConfParser extends EmbeddedActionsParser {
  problems: ConfProblem[] = [];
  steps = 0;
  /** Offsets at which a comment starts. */
  comments: ReadonlySet<number> = new Set();
  text = '';
  file = 0;
  /** Objects and lists that are open here: a closing bracket that none of them waits for is a stray. */
  #openObjects = 0;
  #openLists = 0;

  constructor() {
    super(TOKENS, { maxLookahead: 1, skipValidations: true });
    this.performSelfAnalysis();
  }

  start(text: string, file: number): void {
    const lexed = lexer.tokenize(text);
    this.text = text;
    this.file = file;
    this.problems = [];
    this.steps = 0;
    this.#openObjects = 0;
    this.#openLists = 0;
    this.comments = new Set(lexed.groups.comments?.map((comment) => comment.startOffset));
    this.input = lexed.tokens;
  }

  /** Every look at a word passes here. */
  override LA(howMuch: number): IToken {
    this.steps += 1;
    return super.LA(howMuch);
  }

  /** A whole file; the braces around it may be left out. */
  readonly document: () => ConfObject = this.RULE('document', (): ConfObject => {
    const members: ConfMember[] = [];
    this.MANY(() =>
      this.OR([
        { ALT: () => this.take(members, this.SUBRULE(this.setting)) },
        { ALT: () => this.take(members, this.SUBRULE(this.include)) },
        { ALT: () => this.take(members, this.SUBRULE(this.stray)) },
        { ALT: () => this.takeAll(members, this.SUBRULE(this.object)) },
        { ALT: () => this.CONSUME(Comma) },
      ]),
    );
    return { kind: 'object', members, span: { file: this.file, offset: 0, length: this.text.length } };
  });

  private readonly setting: () => ConfSetting = this.RULE('setting', (): ConfSetting => {
    const words: IToken[] = [];
    this.AT_LEAST_ONE({
      GATE: () => words.length === 0 || this.touches(words.at(-1)!),
      DEF: () => {
        const word = this.OR1([
          { ALT: () => this.CONSUME(Text) },
          { ALT: () => this.CONSUME(Quoted) },
          { ALT: () => this.CONSUME(Unclosed) },
          { ALT: () => this.CONSUME(Variable) },
          { ALT: () => this.CONSUME(TOKENS.at(-1)!) },
        ]);
        this.ACTION(() => words.push(word));
      },
    });
    let value: ConfNode | null = null;
    let separated = false;
    this.OPTION1(() => {
      this.OR2([{ ALT: () => this.CONSUME(Assign) }, { ALT: () => this.CONSUME(AddAssign) }]);
      separated = true;
    });
    this.OPTION2({
      GATE: () => this.isValueNext(separated, words),
      DEF: () => {
        value = this.SUBRULE(this.value);
      },
    });
    return this.ACTION(() => this.settingOf(words, separated, value)) as ConfSetting;
  });

  private readonly include: () => ConfInclude = this.RULE('include', (): ConfInclude => {
    const word = this.CONSUME(Include);
    return { kind: 'include', target: /"([^"\n]*)"/.exec(word.image)?.[1] ?? '', span: this.spanOf(word) };
  });

  /** A word that belongs nowhere; what it would have to say is passed over. */
  private readonly stray: () => null = this.RULE('stray', (): null => {
    this.OR([
      {
        ALT: () => {
          const word = this.OR1([{ ALT: () => this.CONSUME(Assign) }, { ALT: () => this.CONSUME(AddAssign) }]);
          this.OPTION({ GATE: () => this.isValueNext(true, [word]), DEF: () => this.SUBRULE(this.value) });
          this.ACTION(() => this.report('no-key', 'A key is missing before this sign.', word));
        },
      },
      {
        ALT: () => {
          const word = this.OR2([{ ALT: () => this.CONSUME(RBrace) }, { ALT: () => this.CONSUME(RBracket) }]);
          this.ACTION(() => this.report('stray-bracket', `This ${word.image} closes nothing.`, word));
        },
      },
      {
        ALT: () => {
          const word = this.CONSUME(Triple);
          this.ACTION(() => this.report('no-separator', 'This text is no key.', word));
        },
      },
      {
        ALT: () => {
          const list = this.SUBRULE(this.list);
          this.ACTION(() => this.report('no-key', 'A key is missing before this list.', list.span, null, 1));
        },
      },
    ]);
    return null;
  });

  private readonly value: () => ConfNode = this.RULE(
    'value',
    (): ConfNode =>
      this.OR<ConfNode>([
        { ALT: () => this.SUBRULE(this.object) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.scalar) },
      ]),
  );

  private readonly object: () => ConfObject = this.RULE('object', (): ConfObject => {
    const members: ConfMember[] = [];
    const open = this.CONSUME(LBrace);
    this.ACTION(() => this.enter(1, 0));
    this.MANY({
      // A `]` ends the object if a list around it waits for it: then the `}` is missing.
      GATE: () => !this.isNext(RBrace) && !(this.isNext(RBracket) && this.#openLists > 0),
      DEF: () =>
        this.OR([
          { ALT: () => this.take(members, this.SUBRULE(this.setting)) },
          { ALT: () => this.take(members, this.SUBRULE(this.include)) },
          { ALT: () => this.take(members, this.SUBRULE(this.stray)) },
          { ALT: () => this.takeAll(members, this.SUBRULE(this.object)) },
          { ALT: () => this.CONSUME(Comma) },
        ]),
    });
    this.ACTION(() => this.enter(-1, 0));
    let close: IToken | null = null;
    this.OPTION(() => {
      close = this.CONSUME(RBrace);
    });
    return { kind: 'object', members, span: this.closed(open, close) };
  });

  private readonly list: () => ConfList = this.RULE('list', (): ConfList => {
    const items: ConfNode[] = [];
    const open = this.CONSUME(LBracket);
    this.ACTION(() => this.enter(0, 1));
    this.MANY({
      GATE: () => !(this.isNext(RBrace) && this.#openObjects > 0),
      DEF: () =>
        this.OR([
          {
            ALT: () => {
              const item = this.SUBRULE(this.value);
              this.ACTION(() => items.push(item));
            },
          },
          {
            ALT: () => {
              const word = this.OR1([{ ALT: () => this.CONSUME(Assign) }, { ALT: () => this.CONSUME(AddAssign) }]);
              this.ACTION(() => this.report('no-braces', 'A key in a list: { } are missing around it.', word));
            },
          },
          {
            ALT: () => {
              const word = this.CONSUME2(RBrace);
              this.ACTION(() => this.report('stray-bracket', 'This } closes nothing.', word));
            },
          },
          { ALT: () => this.CONSUME(Include) },
          { ALT: () => this.CONSUME(Comma) },
        ]),
    });
    this.ACTION(() => this.enter(0, -1));
    let close: IToken | null = null;
    this.OPTION(() => {
      close = this.CONSUME(RBracket);
    });
    return { kind: 'list', items, span: this.closed(open, close) };
  });

  /** Words that touch each other: `${HOME}/log`. */
  private readonly scalar: () => ConfScalar = this.RULE('scalar', (): ConfScalar => {
    const words: IToken[] = [];
    this.AT_LEAST_ONE({
      GATE: () => words.length === 0 || this.touches(words.at(-1)!),
      DEF: () => {
        const word = this.OR([
          { ALT: () => this.CONSUME(Text) },
          { ALT: () => this.CONSUME(Quoted) },
          { ALT: () => this.CONSUME(Triple) },
          { ALT: () => this.CONSUME(Unclosed) },
          { ALT: () => this.CONSUME(Variable) },
          { ALT: () => this.CONSUME(TOKENS.at(-1)!) },
        ]);
        this.ACTION(() => words.push(word));
      },
    });
    return this.ACTION(() => {
      for (const word of words) this.checkQuote(word);
      const span = this.between(words[0]!, words.at(-1)!);
      return { ...scalarOf(words), cutByComment: this.comments.has(span.offset + span.length), span };
    }) as ConfScalar;
  });

  private isNext(type: TokenType): boolean {
    return this.LA(1).tokenType === type;
  }

  private touches(last: IToken): boolean {
    return this.LA(1).startOffset === endOf(last);
  }

  /** After a separator a value of the next line counts, unless it is a key of its own. Without one only an object or a list does. */
  private isValueNext(separated: boolean, words: readonly IToken[]): boolean {
    const next = this.LA(1);
    if (next.tokenType === LBrace || next.tokenType === LBracket) return true;
    if (!separated) return false;
    const last = words.at(-1);
    if (last === undefined) return true;
    const after = this.LA(2).tokenType;
    if (after !== Assign && after !== AddAssign && after !== LBrace) return true;
    return !this.text.slice(endOf(last), next.startOffset).includes('\n');
  }

  private settingOf(words: readonly IToken[], separated: boolean, value: ConfNode | null): ConfSetting {
    for (const word of words) this.checkQuote(word);
    const keySpan = this.between(words[0]!, words.at(-1)!);
    const path = keyPath(words).slice(0, MAX_CONF_DEPTH);
    if (value === null) {
      if (separated) this.report('no-value', `${keyName(path)} has no value.`, keySpan);
      else this.report('no-separator', 'An = or { is missing behind the key.', keySpan);
    }
    return { kind: 'setting', path, keySpan, value };
  }

  private checkQuote(word: IToken): void {
    if (word.tokenType === Unclosed)
      this.report('unclosed-quote', 'This quote is not closed on its line.', word, null, 1);
  }

  private enter(objects: number, lists: number): void {
    this.#openObjects += objects;
    this.#openLists += lists;
  }

  private take(members: ConfMember[], member: ConfMember | null): void {
    this.ACTION(() => {
      if (member !== null) members.push(member);
    });
  }

  private takeAll(members: ConfMember[], object: ConfObject): void {
    this.ACTION(() => members.push(...object.members));
  }

  private closed(open: IToken, close: IToken | null): ConfSpan {
    if (close !== null) return this.between(open, close);
    this.ACTION(() => {
      const next = this.LA(1);
      const end = Number.isNaN(next.startOffset) ? Math.max(this.text.trimEnd().length - 1, 0) : next.startOffset;
      const place = { file: this.file, offset: end, length: 1 };
      this.report('unclosed-bracket', `This ${open.image} is not closed.`, open, place);
    });
    return this.spanOf(open);
  }

  private report(
    code: ConfProblemCode,
    message: string,
    where: IToken | ConfSpan,
    related: ConfSpan | null = null,
    length?: number,
  ): void {
    const span = 'offset' in where ? where : this.spanOf(where);
    this.problems.push({ code, message, span: length === undefined ? span : { ...span, length }, related });
  }

  private spanOf(word: IToken): ConfSpan {
    return this.between(word, word);
  }

  private between(first: IToken, last: IToken): ConfSpan {
    return { file: this.file, offset: first.startOffset, length: endOf(last) - first.startOffset };
  }
}

function endOf(word: IToken): number {
  return word.startOffset + word.image.length;
}

function keyName(path: readonly string[]): string {
  return path.at(-1) ?? 'The key';
}

let parser: ConfParser | null = null;

/** The grammar as data, for its diagram. */
export function nanomqConfProductions() {
  parser ??= new ConfParser();
  return parser.getSerializedGastProductions();
}

/**
 * Tree of a configuration in HOCON. Never throws: what is wrong is among the problems.
 *
 * @param file index for the places, 0 for the file that was named
 */
export function parseHocon(text: string, file = 0): ConfDocument {
  const refusal = refusalOf(text, file);
  if (refusal !== null) return { syntax: 'hocon', root: emptyRoot(file), problems: [refusal], steps: 0 };
  parser ??= new ConfParser();
  parser.start(text, file);
  const root = parser.document();
  // The grammar accepts everything; should it ever not, that is no reason to keep quiet.
  const refused = parser.errors.map(({ token }): ConfProblem => {
    const offset = Number.isNaN(token.startOffset) ? text.length : token.startOffset;
    return {
      code: 'not-understood',
      message: 'This is not understood.',
      span: { file, offset, length: 1 },
      related: null,
    };
  });
  const problems = [...parser.problems, ...refused].sort((left, right) => left.span.offset - right.span.offset);
  return { syntax: 'hocon', root: root ?? emptyRoot(file), problems, steps: parser.steps };
}

export function emptyRoot(file: number): ConfObject {
  return { kind: 'object', members: [], span: { file, offset: 0, length: 0 } };
}

function refusalOf(text: string, file: number): ConfProblem | null {
  const problem = (code: ConfProblemCode, message: string, offset: number): ConfProblem => ({
    code,
    message,
    span: { file, offset, length: 1 },
    related: null,
  });
  if (text.length > MAX_CONF_CHARS) return problem('too-long', 'The text is too long for a configuration file.', 0);
  // Brackets in comments and quotes count as well: a text with so many of them is refused sooner, never parsed too deep.
  let depth = 0;
  for (let offset = 0; offset < text.length; offset++) {
    const char = text.charCodeAt(offset);
    if (char === 0x5b || char === 0x7b) depth += 1;
    else if ((char === 0x5d || char === 0x7d) && depth > 0) depth -= 1;
    if (depth > MAX_CONF_DEPTH)
      return problem('too-deep', `Brackets are nested more than ${MAX_CONF_DEPTH} deep.`, offset);
  }
  return null;
}
