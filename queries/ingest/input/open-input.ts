/**
 * From a file, a pipe or standard input to one stream of UTF-8: unpacked, and decoded if it was UTF-16.
 *
 * Offsets of lines and records refer to this stream. A file is opened again for each read; a pipe cannot be, so what is read of it
 * to tell what it is, is kept and given back.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ENCODING_HEAD_BYTES, type Encoding, encodingOf, Utf16Decoder } from '../../../parsers/index.ts';
import { InputError } from '../../errors.ts';
import { peek, skipBytes } from './byte-stream.ts';
import { decompress } from './decompress.ts';
import type { InputFile } from './expand-inputs.ts';
import { type Compression, compressionOf, MAGIC_BYTES } from './magic.ts';
import { readError } from './read-error.ts';

/** What is read ahead to tell the layout; the first PREFIX_BYTES of it identify the source. */
export const HEAD_BYTES = 262_144;
export const PREFIX_BYTES = 65_536;
const READ_BYTES = 1_048_576;

export interface InputKind {
  readonly compression: Compression;
  readonly encoding: Encoding;
}

export interface OpenInput {
  readonly kind: InputKind;
  /** The first HEAD_BYTES of the stream; fewer if it is shorter or breaks off after some. */
  readonly head: Buffer;
  /** Bytes of the stream, null if only reading it to its end would tell. */
  readonly size: number | null;
  /** When the file was last written to, µs; of a pipe, when it was opened. */
  readonly modifiedUs: number;
  /** The stream from an offset on, in chunks of at most 4 MiB. A pipe can be read once. Throws InputError when the input does. */
  read(from?: number): AsyncGenerator<Buffer>;
  /** To be called if `read` is not. */
  close(): Promise<void>;
}

/** Throws InputError if nothing of the input can be read; `standardInput` is read for the path `-`. */
export async function openInput(
  file: InputFile,
  standardInput: AsyncIterable<Buffer> = process.stdin,
): Promise<OpenInput> {
  const { path, once } = file;
  const raw = path === '-' ? standardInput : readFile(path, 0);
  const { kind, bytes } = await decode(raw, path);
  const { head, rest } = await peek(bytes, HEAD_BYTES);
  if (head.length === 0) await failIfBroken(rest);
  if (once) return readOnce(path, kind, head, rest);
  await rest.return(undefined);
  const isVerbatim = kind.compression === 'none' && kind.encoding === 'utf-8';
  const { size: bytesOnDisk, mtimeMs } = await stat(path);
  const size = isVerbatim ? bytesOnDisk : null;
  const modifiedUs = Math.round(mtimeMs * 1000);
  return { kind, head, size, modifiedUs, read: (from = 0) => readBytes(path, kind, from), close: async () => {} };
}

/** The stream of a file whose kind is known. */
export async function* readBytes(path: string, kind: InputKind, from = 0): AsyncGenerator<Buffer> {
  if (kind.compression === 'none' && kind.encoding === 'utf-8') yield* readFile(path, from);
  else yield* skipBytes((await decode(readFile(path, 0), path)).bytes, from);
}

function readOnce(path: string, kind: InputKind, head: Buffer, rest: AsyncGenerator<Buffer>): OpenInput {
  let isRead = false;
  return {
    kind,
    head,
    size: null,
    modifiedUs: Date.now() * 1000,
    read(from = 0) {
      if (isRead) {
        throw new InputError('read-once', `${path === '-' ? 'Standard input' : path} can be read only once.`, {
          file: path,
          hint: 'Write it to a file first.',
        });
      }
      isRead = true;
      return skipBytes(rest, from) as AsyncGenerator<Buffer>;
    },
    close: async () => {
      await rest.return(undefined);
    },
  };
}

async function* readFile(path: string, start: number): AsyncGenerator<Buffer> {
  // With any start, even 0, Node reads by position, which pipes do not have.
  const raw = createReadStream(path, { ...(start > 0 ? { start } : {}), highWaterMark: READ_BYTES });
  try {
    for await (const chunk of raw) yield chunk as Buffer;
  } catch (error) {
    throw readError(path, error);
  } finally {
    raw.destroy();
  }
}

async function decode(
  raw: AsyncIterable<Buffer>,
  path: string,
): Promise<{ readonly kind: InputKind; readonly bytes: AsyncGenerator<Buffer> }> {
  const packed = await peek(raw, MAGIC_BYTES);
  const compression = compressionOf(packed.head);
  const unpacked = await peek(decompress(packed.rest, compression, path), ENCODING_HEAD_BYTES);
  const encoding = encodingOf(unpacked.head);
  const bytes = encoding === 'utf-8' ? unpacked.rest : decodeUtf16(unpacked.rest, encoding);
  return { kind: { compression, encoding }, bytes };
}

async function* decodeUtf16(stream: AsyncIterable<Buffer>, encoding: 'utf-16le' | 'utf-16be'): AsyncGenerator<Buffer> {
  const decoder = new Utf16Decoder(encoding);
  for await (const chunk of stream) yield decoder.push(chunk);
  yield decoder.end();
}

async function failIfBroken(rest: AsyncGenerator<Buffer>): Promise<void> {
  const next = await rest.next();
  if (!next.done) throw new Error('a stream without a head goes on'); // peek reads until there is one
}
