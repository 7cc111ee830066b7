/** Words of a nanomq.conf. Every character belongs to one of them, so that the lexer has no errors. */
import { createToken, Lexer, type TokenType } from '../grammar-library.ts';

const token = (name: string, pattern: RegExp | string): TokenType =>
  createToken({ name, pattern, label: typeof pattern === 'string' ? pattern : name, line_breaks: true });

const Space = createToken({ name: 'Space', pattern: /[\s\ufeff]+/, group: Lexer.SKIPPED, line_breaks: true });
const Comment = createToken({ name: 'Comment', pattern: /(?:#|\/\/)[^\n]*/, group: 'comments', line_breaks: false });
export const Triple = token('Triple', /"""[\s\S]*?"""/);
export const Quoted = token('Quoted', /"(?:[^"\\\n]|\\[^\n])*"/);
/** A quote that the line does not close. */
export const Unclosed = token('Unclosed', /"[^\n]*/);
/** `include "file"`, `include file("file")`, `include required(file("file"))`. */
export const Include = token('Include', /include[ \t]+(?:required\()?(?:file\()?"[^"\n]*"\)?\)?/);
export const Variable = token('Variable', /\$\{\??[^}\n]*\}/);
export const AddAssign = token('AddAssign', '+=');
export const Assign = token('Assign', /[=:]/);
export const LBrace = token('LBrace', '{');
export const RBrace = token('RBrace', '}');
export const LBracket = token('LBracket', '[');
export const RBracket = token('RBracket', ']');
export const Comma = token('Comma', ',');
/**
 * Words of one line. An address keeps its `://`, which strict HOCON wants in quotes; `//` elsewhere starts a comment, and so does `#`
 * anywhere.
 */
export const Text = token(
  'Text',
  /(?:[\w.+-]+:\/\/[^\s{}[\],"#]+|(?:(?!\/\/|\$\{|\+=)[^\s{}[\],:="#])+)(?:[ \t]+(?:(?!\/\/|\$\{|\+=)[^\s{}[\],:="#])+)*/,
);
/** What is left, for example a lone `$`. */
const Rest = token('Rest', /[\s\S]/);

export const TOKENS: TokenType[] = [
  Space,
  Comment,
  Triple,
  Quoted,
  Unclosed,
  Include,
  Variable,
  AddAssign,
  Assign,
  LBrace,
  RBrace,
  LBracket,
  RBracket,
  Comma,
  Text,
  Rest,
];
