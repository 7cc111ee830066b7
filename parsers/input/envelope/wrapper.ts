/** What a collector wraps lines in, and how a line is taken out of it again. */
import type { Envelope } from '../../record.ts';

export interface Unwrapped {
  /** What the product wrote. A collector that stores whole messages can leave line ends in it. */
  readonly text: string;
  readonly envelope: Envelope;
  /** The collector split the line here; the rest follows in a line of its own. */
  readonly partial: boolean;
  /** Characters before the text; 0 if the text does not stand in the line as it is. */
  readonly prefixLength: number;
}

export interface Wrapper {
  /** For the reader, after "behind": `docker compose's prefix`. */
  readonly title: string;
  unwrap(text: string): Unwrapped | null;
  /** Each line is an object: one that does not fit is damaged. In other wrappers it is more of the message before. */
  readonly objects: boolean;
  /** Continuation lines of a message are indented by the width of the prefix. */
  readonly indents: boolean;
  /** The collector can repeat its stamp inside; then a second look is worth it. */
  readonly mayHoldStamps: boolean;
}

/** What a program says about its own output: no log line of anybody. */
export const COLLECTOR_NOTE = /^(?:-- .* --|-- (?:Logs begin|Journal begins|No entries|Boot)\b.*|Attaching to .*)$/;

const ANSI = '(?:\\x1b\\[[\\d;]*[A-Za-z])';
const LEADING_ANSI = new RegExp(`^${ANSI}+`);
const TRAILING_ANSI = new RegExp(`${ANSI}+$`);
const ESC = 0x1b;
const LETTER_M = 0x6d; // colour codes end in it
const MAX_CODE_CHARS = 12;

/** Takes colour codes off both ends; returns the same string if there are none. Those inside are the product parsers' own. */
export function stripColourEnds(text: string): string {
  const started = text.charCodeAt(0) === ESC ? text.replace(LEADING_ANSI, '') : text;
  if (started.charCodeAt(started.length - 1) !== LETTER_M) return started;
  // A long line is not searched for a code that can only be at its end.
  if (started.lastIndexOf('\x1b') < started.length - MAX_CODE_CHARS) return started;
  return started.replace(TRAILING_ANSI, '');
}
