/** What a file is by its first bytes; its name says nothing reliable. */

export type Compression = 'none' | 'gzip' | 'zstd';

/** Bytes that have to be seen. */
export const MAGIC_BYTES = 16;

export function compressionOf(head: Uint8Array): Compression {
  if (startsWith(head, [0x1f, 0x8b])) return 'gzip';
  if (startsWith(head, [0x28, 0xb5, 0x2f, 0xfd])) return 'zstd';
  // A skippable frame of zstd, as pzstd and the seekable format write it.
  if (head.length >= 4 && (head[0]! & 0xf0) === 0x50 && startsWith(head.subarray(1), [0x2a, 0x4d, 0x18])) return 'zstd';
  return 'none';
}

const OTHERS: readonly (readonly [reason: string, at: number, bytes: readonly number[]])[] = [
  ['a DuckDB database', 8, [...Buffer.from('DUCK')]],
  ['an SQLite database', 0, [...Buffer.from('SQLite format 3')]],
  ['an xz archive; unpack it first', 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['a bzip2 archive; unpack it first', 0, [...Buffer.from('BZh')]],
  ['an lz4 archive; unpack it first', 0, [0x04, 0x22, 0x4d, 0x18]],
  ['a zip archive; unpack it first', 0, [0x50, 0x4b, 0x03, 0x04]],
  ['a 7z archive; unpack it first', 0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['a systemd journal; export it with journalctl -o json', 0, [...Buffer.from('LPKSHHRH')]],
  ['a packet capture', 0, [0xd4, 0xc3, 0xb2, 0xa1]],
  ['a packet capture', 0, [0x0a, 0x0d, 0x0d, 0x0a]],
  ['a program', 0, [0x7f, 0x45, 0x4c, 0x46]],
  ['an image', 0, [0x89, 0x50, 0x4e, 0x47]],
  ['a PDF', 0, [...Buffer.from('%PDF-')]],
];

/** Why the file can be no log, whatever its name; null if it may be one. */
export function nonLogOf(head: Uint8Array): string | null {
  return OTHERS.find(([, at, bytes]) => startsWith(head.subarray(at), bytes))?.[0] ?? null;
}

function startsWith(head: Uint8Array, bytes: readonly number[]): boolean {
  return head.length >= bytes.length && bytes.every((byte, index) => head[index] === byte);
}
