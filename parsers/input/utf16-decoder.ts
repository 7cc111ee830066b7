/**
 * UTF-16 as Windows writes it (`docker logs x > file` in PowerShell) to the UTF-8 that everything behind expects.
 *
 * Offsets of lines and records then refer to the UTF-8 stream, as those of a compressed file refer to what is in it.
 */

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** Bytes that `encodingOf` wants to see. */
export const ENCODING_HEAD_BYTES = 512;

/** Told by the byte order mark; without one by the NULs that ASCII has in UTF-16, each second byte and nowhere else. */
export function encodingOf(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const bytes = Math.min(head.length, ENCODING_HEAD_BYTES) & ~1;
  if (bytes < 8) return 'utf-8';
  let evenNuls = 0;
  let oddNuls = 0;
  for (let at = 0; at < bytes; at += 2) {
    if (head[at] === 0) evenNuls += 1;
    if (head[at + 1] === 0) oddNuls += 1;
  }
  const most = (bytes / 2) * 0.9;
  if (oddNuls >= most && evenNuls === 0) return 'utf-16le';
  return evenNuls >= most && oddNuls === 0 ? 'utf-16be' : 'utf-8';
}

/** Chunks of UTF-16, cut anywhere, to chunks of UTF-8. The byte order mark is left out; a lone surrogate becomes U+FFFD. */
export class Utf16Decoder {
  private readonly decoder: TextDecoder;

  constructor(encoding: 'utf-16le' | 'utf-16be') {
    this.decoder = new TextDecoder(encoding);
  }

  push(chunk: Uint8Array): Buffer {
    return Buffer.from(this.decoder.decode(chunk, { stream: true }));
  }

  /** What an odd byte or half a character at the end of the input becomes. */
  end(): Buffer {
    return Buffer.from(this.decoder.decode());
  }
}
