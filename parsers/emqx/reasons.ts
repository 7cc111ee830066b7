/** Why something ended: the kind of a reason, for counting, out of the term that was printed. */
import type { Json } from '../record.ts';
import { readMap } from './printed-map.ts';
import { onOneLine, parseTerm, type Term, termEntry } from './term-grammar.ts';

export interface Reason {
  readonly reason: string | null;
  /** As printed; null for a map, whose text differs from layout to layout. */
  readonly reason_term: string | null;
}

const MAX_REASON_DEPTH = 8;
const MAX_REASON_CHARS = 1_024;

/** Keys of a reason that is a map, in the order of preference. */
const KIND_KEYS: readonly string[] = ['shutdown_count', 'cause', 'hint', 'error', 'context', 'exception'];

/** `{shutdown,keepalive_timeout}` -> `keepalive_timeout`; `#{cause => frame_too_large}` -> `frame_too_large`. */
export function readReason(value: Json): Reason {
  const map = readMap(value);
  if (map !== null && !(typeof value === 'string' && value.startsWith('[{'))) {
    const kind = KIND_KEYS.map((key) => map.get(key)).find((one) => one !== undefined && one !== null);
    return { reason: kind === undefined ? null : unquoted(String(kind)), reason_term: null };
  }
  const printed = String(value);
  if (typeof value === 'object' || printed.startsWith('#{')) return { reason: null, reason_term: null };
  const term = /^[{[#<']/.test(printed) ? parseTerm(printed) : null;
  const reason = (term === null ? null : innermost(term, 0)) ?? printed.slice(0, MAX_REASON_CHARS);
  return { reason, reason_term: printed.slice(0, MAX_REASON_CHARS) };
}

function unquoted(text: string): string {
  return text.replace(/^(?:'(.*)'|<<"(.*)">>)$/s, (_, atom, binary) => atom ?? binary);
}

/** The last element of wrapping pairs. */
function innermost(term: Term, depth: number): string | null {
  if ('text' in term) return term.text;
  if (term.kind === 'number') return String(term.value);
  if (depth >= MAX_REASON_DEPTH) return null;
  if (term.kind === 'map') {
    const kind = KIND_KEYS.map((key) => termEntry(term, key)).find((entry) => entry !== undefined);
    return kind !== undefined && 'text' in kind ? kind.text : null;
  }
  if (term.kind !== 'tuple' || term.items.length !== 2) return null;
  const [wrapper, inner] = term.items;
  if (wrapper?.kind !== 'atom') return null;
  // `{bad_certificate,"TLS server: …"}`: an atom and its explanation.
  if (inner!.kind === 'string' && !WRAPPERS.has(wrapper.text)) return wrapper.text;
  return innermost(inner!, depth + 1);
}

const WRAPPERS = new Set(['shutdown', 'error', 'exit', 'stop', 'EXIT']);

/** Beginnings of the sentences that the runtime puts in place of some reasons when a report has many lines. */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/^no function clause matching/, 'function_clause'],
  [/^no case clause matching/, 'case_clause'],
  [/^no try clause matching/, 'try_clause'],
  [/^no true branch found when evaluating an if/, 'if_clause'],
  [/^no match of right hand side value/, 'badmatch'],
  [/^bad argument in an arithmetic|^an error occurred when evaluating an arithmetic/, 'badarith'],
  [/^bad argument/, 'badarg'],
  [/^bad key/, 'badkey'],
  [/^bad map/, 'badmap'],
  [/^bad record/, 'badrecord'],
  [/^bad function/, 'badfun'],
  [/^undefined function/, 'undef'],
  [/^a system limit has been reached/, 'system_limit'],
];

/** `{{my_crash,[1]},[{m,f,1,[…]}]}` -> `my_crash`: the stack is left out, then the first word counts. */
export function readCrashReason(value: Json): Reason {
  const printed = onOneLine(String(value)).trim();
  const stackAt = printed.indexOf(' in function ');
  const term = parseTerm(stackAt === -1 ? printed : printed.slice(0, stackAt));
  const kind =
    SENTENCES.find(([pattern]) => pattern.test(printed))?.[1] ?? (term === null ? null : firstWord(withoutStack(term)));
  if (kind === null && /^[{[]*\.\.\.[\]}]*$/.test(printed)) return { reason: null, reason_term: null };
  const shown = printed.slice(0, MAX_REASON_CHARS);
  if (kind !== null) return { reason: kind, reason_term: shown };
  const word = /^[{[]*(?:'([^']{1,64})'|([a-z]\w{0,63}))/.exec(printed);
  return { reason: word === null ? null : (word[1] ?? word[2]!), reason_term: shown };
}

function withoutStack(term: Term): Term {
  if (term.kind !== 'tuple' || term.items.length !== 2) return term;
  const [reason, stack] = term.items;
  return stack!.kind === 'list' && stack!.items.every((frame) => frame.kind !== 'atom') ? reason! : term;
}

function firstWord(term: Term): string | null {
  if (term.kind === 'atom') return term.text;
  if (term.kind === 'map') return innermost(term, 0);
  if (term.kind !== 'tuple' || term.items.length === 0) return null;
  const [first, second] = term.items;
  if (first!.kind === 'atom' && first!.text === 'shutdown' && second !== undefined) return innermost(term, 0);
  return firstWord(first!);
}
