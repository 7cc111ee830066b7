/** Size of a payload from what was printed of it (spec emqx-logs.md sections 1.7 and 2). The payload itself is never kept. */

export interface PrintedPayload {
  readonly text: string;
  readonly encoding: string | null; // text, hex, hidden, or null where the release does not say
}

const HIDDEN = '******';
/** 5.8.2+ / 5.1.6–5.8.1: the number of bytes that are not shown. */
const CUT = /(?:\.\.\.\((\d+) bytes\)|\.\.\. The (\d+) bytes of this log are truncated)$/;

/** Bytes of the payload, or null if it was hidden. Text counts as UTF-8, hex two digits a byte. */
export function payloadBytes(payload: PrintedPayload): number | null {
  if (payload.encoding === 'hidden' || payload.text === HIDDEN) return null;
  const cut = CUT.exec(payload.text);
  const shown = cut === null ? payload.text : payload.text.slice(0, cut.index);
  const rest = cut === null ? 0 : Number(cut[1] ?? cut[2]);
  return rest + (payload.encoding === 'hex' ? Math.floor(shown.length / 2) : shownBytes(shown));
}

function shownBytes(shown: string): number {
  const binary = /^<<"([\s\S]*)"(?:\/utf8)?>>$/.exec(shown);
  if (binary !== null)
    return Buffer.byteLength(binary[1]!.replace(/\\x\{[0-9a-fA-F]+\}|\\([\s\S])/g, (_, letter) => letter ?? '?'));
  const bytes = /^<<([\d,]*)>>$/.exec(shown);
  if (bytes !== null) return bytes[1] === '' ? 0 : bytes[1]!.split(',').length;
  return Buffer.byteLength(shown);
}
