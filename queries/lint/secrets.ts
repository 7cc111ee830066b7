/** What of a configuration is never shown: values of keys that name a secret, in whatever part of the output. */
import type { ConfNode, ConfSpan } from '../../parsers/index.ts';

export const HIDDEN = '******';

const SECRET_NAME = /pass|secret|token|credential/i;
/** In a text that is not well formed a name is enough: all behind it on the line is hidden. */
const SECRET_ON_LINE = /(?:pass|secret|token|credential)[\w.-]*(?:"?[ \t]*(?:\+=|[=:])|[ \t])[ \t]*/i;
const USER_INFO = /(:\/\/)([^\s@/"]*@)/;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** A key as a message may quote it. */
export function shownName(name: string): string {
  const cut = name.length > 60 ? `${name.slice(0, 59)}…` : name;
  return isSecretName(cut) && /\s/.test(cut) ? `${cut.split(/\s/)[0]} ${HIDDEN}` : cut;
}

/** Places of all values under names of secrets, also of those out of force; `auth.password` holds a password for each user. */
export function secretSpansOf(node: ConfNode, secret = false): ConfSpan[] {
  if (node.kind === 'scalar') return secret ? [node.span] : [];
  if (node.kind === 'list') return node.items.flatMap((item) => secretSpansOf(item, secret));
  return node.members.flatMap((member) => {
    if (member.kind !== 'setting' || member.value === null) return [];
    return secretSpansOf(member.value, secret || member.path.some(isSecretName));
  });
}

export interface MaskedLine {
  readonly text: string;
  /** Column, from 0, of a column of the line as it is. */
  readonly at: (column: number) => number;
}

/**
 * A line without its secrets.
 *
 * @param secrets columns, from 0, of what is to be hidden: start and end
 */
export function maskLine(line: string, secrets: readonly (readonly [number, number])[]): MaskedLine {
  const hidden = [...secrets];
  const named = SECRET_ON_LINE.exec(line);
  const rest = named === null ? line.length : named.index + named[0].length;
  if (/[^\s{}[\],]/.test(line.slice(rest))) hidden.push([rest, line.length]);
  const user = USER_INFO.exec(line);
  if (user) hidden.push([user.index + user[1]!.length, user.index + user[0].length - 1]);
  hidden.sort((left, right) => left[0] - right[0]);
  let text = '';
  let read = 0;
  const moves: { from: number; to: number; shown: number }[] = [];
  for (const [from, to] of hidden) {
    if (to <= read) continue;
    const start = Math.max(from, read);
    text += line.slice(read, start);
    // Two that touch show as one.
    if (!(moves.at(-1)?.to === start)) text += HIDDEN;
    moves.push({ from: start, to, shown: text.length });
    read = to;
  }
  text += line.slice(read);
  const at = (column: number): number => {
    let moved = column;
    for (const { from, to, shown } of moves) {
      if (column >= to) moved = shown + (column - to);
      else if (column > from) moved = shown;
    }
    return moved;
  };
  return { text, at };
}
