/**
 * Makes control characters visible. Log lines come from strangers: a terminal that obeyed an escape sequence or a change
 * of writing direction in them would show something else than what is there.
 */

const NAMED: { readonly [char: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** C0, DEL, C1, line and paragraph separators, bidirectional controls. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text on one line, safe for a terminal: `\n`, `\t`, `\x1b`, `\u202e` as these very letters. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (char) => NAMED[char] ?? hex(char));
}

function hex(char: string): string {
  const code = char.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
}
