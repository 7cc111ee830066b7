/** Deterministic 64-bit ids: the first 8 bytes of a SHA-256, so that the same content has the same id on every machine. */
import { createHash } from 'node:crypto';

export function hash64(...parts: readonly (string | Uint8Array)[]): bigint {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(part);
    hash.update('\0');
  }
  return hash.digest().readBigUInt64BE(0);
}

export function hashHex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
