/**
 * chevrotain, as the one file that its package holds beside its modules: those are some seven hundred files with lodash-es, which
 * take longer to load than a small log to read. Loaded by its place, since the package does not list it among its exports; should a
 * later version not have it, the modules do the same.
 */
import type * as Chevrotain from 'chevrotain';

const modules = import.meta.resolve('chevrotain'); // …/chevrotain/lib/src/api.js
const library = (await import(new URL('../chevrotain.mjs', modules).href).catch(
  () => import('chevrotain'),
)) as typeof Chevrotain;

export const { createToken, EmbeddedActionsParser, Lexer } = library;
export type { TokenType } from 'chevrotain';
