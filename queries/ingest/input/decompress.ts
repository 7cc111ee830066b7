/**
 * Gzip and zstd streams to the bytes inside, as far as they can be read.
 *
 * Compressed bytes go in by small pieces, and what came out is handed on before the next one goes in: a file made to unpack to a
 * thousand times its size costs time but not memory, and all that lies before a damage is there when the error is.
 */
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { InputError } from '../../errors.ts';
import type { Compression } from './magic.ts';
import { readError } from './read-error.ts';

const GZIP_PIECE_BYTES = 32_768; // unpacks to 33 MB at most
const ZSTD_PIECE_BYTES = 4_096; // to 128 MB at most
const OUTPUT_BYTES = 65_536;
/** zstd's own default for reading; more needs `zstd --long=28` or higher when the file is written. */
const MAX_ZSTD_WINDOW = 128 * 1_048_576;

/** Members of a gzip file and frames of a zstd file follow one another as one stream. Throws InputError. */
export async function* decompress(
  stream: AsyncIterable<Buffer>,
  compression: Compression,
  file: string,
): AsyncGenerator<Buffer> {
  if (compression === 'none') yield* stream;
  else if (compression === 'gzip') {
    yield* through(stream, zlib.createGunzip({ chunkSize: OUTPUT_BYTES }), GZIP_PIECE_BYTES, (error) =>
      readError(file, error),
    );
  } else yield* unzstd(stream, file);
}

async function* through(
  stream: AsyncIterable<Buffer>,
  transform: Transform,
  pieceBytes: number,
  toError: (error: unknown) => Error,
): AsyncGenerator<Buffer> {
  let out: Buffer[] = [];
  let failure: { readonly error: unknown } | null = null;
  transform.on('data', (chunk: Buffer) => out.push(chunk));
  transform.on('error', (error) => {
    failure ??= { error };
  });
  const ended = new Promise<void>((resolve) => transform.once('close', resolve).once('end', resolve));
  const take = (): Buffer[] => {
    const taken = out;
    out = [];
    return taken;
  };
  try {
    for await (const chunk of stream) {
      for (let at = 0; at < chunk.length && failure === null; at += pieceBytes) {
        const piece = chunk.subarray(at, at + pieceBytes);
        await Promise.race([new Promise<void>((resolve) => transform.write(piece, () => resolve())), ended]);
        yield* take();
      }
      if (failure !== null) break;
    }
    if (failure === null) {
      transform.end();
      await ended;
    }
    yield* take();
    if (failure !== null) throw toError((failure as { error: unknown }).error);
  } finally {
    transform.destroy();
  }
}

/** Node reads zstd itself from 22.15 on. */
type CreateZstd = (options: { readonly chunkSize: number }) => Transform;
const createZstd = (zlib as { readonly createZstdDecompress?: CreateZstd }).createZstdDecompress;

async function* unzstd(stream: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer> {
  if (createZstd !== undefined) {
    yield* through(stream, createZstd({ chunkSize: OUTPUT_BYTES }), ZSTD_PIECE_BYTES, (error) =>
      zstdError(file, error),
    );
    return;
  }
  let out: Buffer[] = [];
  const reader = new Decompress((chunk) => out.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)));
  let failure: { readonly error: unknown } | null = null;
  const push = (piece: Uint8Array, isLast: boolean): Buffer[] => {
    try {
      reader.push(piece, isLast);
    } catch (error) {
      failure = { error };
    }
    const taken = out.filter((chunk) => chunk.length > 0);
    out = [];
    return taken;
  };
  let isFirst = true;
  for await (const chunk of stream) {
    if (isFirst) checkWindow(chunk, file);
    isFirst = false;
    for (let at = 0; at < chunk.length && failure === null; at += ZSTD_PIECE_BYTES) {
      // The library keeps the piece, the reader of the file may use its chunk again.
      yield* push(Uint8Array.from(chunk.subarray(at, at + ZSTD_PIECE_BYTES)), false);
    }
    if (failure !== null) break;
  }
  if (failure === null) yield* push(new Uint8Array(0), true);
  if (failure !== null) throw zstdError(file, (failure as { error: unknown }).error);
}

/** The library would allocate whatever window the first frame asks for (RFC 8878 section 3.1.1.1.2). */
function checkWindow(head: Buffer, file: string): void {
  if (head.length < 6 || head[0] !== 0x28) return;
  const isSingleSegment = (head[4]! & 0x20) !== 0;
  const exponent = 10 + (head[5]! >> 3);
  const window = isSingleSegment ? contentSize(head) : 2 ** exponent + (2 ** exponent / 8) * (head[5]! & 7);
  if (window <= MAX_ZSTD_WINDOW) return;
  throw new InputError('zstd-window', `${file} was compressed with a window of more than 128 MiB.`, {
    file,
    hint: 'Unpack it with zstd -d --long=31, or pipe that into - as input.',
  });
}

function contentSize(head: Buffer): number {
  const sizeBytes = [1, 2, 4, 8][head[4]! >> 6]!;
  const at = 5 + [0, 1, 2, 4][head[4]! & 3]!;
  if (head.length < at + sizeBytes) return 0;
  if (sizeBytes === 8) return Number(head.readBigUInt64LE(at));
  return head.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

function zstdError(file: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const message = (error as Error).message;
  const isCut = /EOF|unexpected end/i.test(message) || (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
  return isCut
    ? new InputError('zstd-cut', `${file} is a zstd file that breaks off before its end.`, {
        file,
        hint: 'Copy it again; what could be read was kept.',
      })
    : new InputError('zstd-broken', `${file} is not a readable zstd file (${message}).`, {
        file,
        hint: 'Test it with zstd -t, copy it again; what could be read was kept.',
      });
}
