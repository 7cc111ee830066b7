/** Size of a payload from what was printed of it (spec emqx-logs.md sections 1.7 and 2). The payload itself is never kept. */
import { PAYLOAD_CUT } from './cut-marks.ts';

export interface PrintedPayload {
  readonly text: string;
  readonly encoding: string | null; // text, hex, hidden, or null where the release does not say
}

const HIDDEN = '******';
/** 5.1.6–5.8.1 show the first 100 bytes of a long payload, as hexadecimal digits without saying so if they are no text. */
const CUT_HEX = /^[0-9A-F]{200}$/;

/** Bytes of the payload, or null if it was hidden. Text counts as UTF-8, hex two digits a byte. */
export function payloadBytes(payload: PrintedPayload): number | null {
  if (payload.encoding === 'hidden' || payload.text === HIDDEN) return null;
  const cut = PAYLOAD_CUT.exec(payload.text);
  const shown = cut === null ? payload.text : payload.text.slice(0, cut.index);
  const rest = cut === null ? 0 : Number(cut[1] ?? cut[2]);
  if (!Number.isSafeInteger(rest)) return null;
  const isHex =
    payload.encoding === 'hex' || (payload.encoding === null && cut?.[2] !== undefined && CUT_HEX.test(shown));
  return rest + (isHex ? Math.floor(shown.length / 2) : shownBytes(shown));
}

function shownBytes(shown: string): number {
  const binary = /^<<"([\s\S]*)"(?:\/utf8)?>>$/.exec(shown);
  if (binary !== null)
    return Buffer.byteLength(binary[1]!.replace(/\\x\{[0-9a-fA-F]+\}|\\([\s\S])/g, (_, letter) => letter ?? '?'));
  const bytes = /^<<([\d,]*)>>$/.exec(shown);
  if (bytes !== null) return bytes[1] === '' ? 0 : bytes[1]!.split(',').length;
  return Buffer.byteLength(shown);
}
