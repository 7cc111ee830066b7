/** Looking at the first bytes of a stream that can be read only once, and giving them back. */

export interface Peeked {
  readonly head: Buffer;
  /** The whole stream from its first byte, to be read once. Where reading failed, it fails again at the same place. */
  readonly rest: AsyncGenerator<Buffer>;
}

/** Reads until `bytes` are there or the stream ends or breaks off. */
export async function peek(stream: AsyncIterable<Buffer>, bytes: number): Promise<Peeked> {
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  let length = 0;
  let failure: { readonly error: unknown } | null = null;
  let done = false;
  try {
    while (length < bytes && !done) {
      const next = await iterator.next();
      if (next.done) done = true;
      else {
        chunks.push(next.value);
        length += next.value.length;
      }
    }
  } catch (error) {
    failure = { error };
  }
  async function* rest(): AsyncGenerator<Buffer> {
    try {
      yield* chunks;
      if (failure !== null) throw failure.error;
      while (!done) {
        const next = await iterator.next();
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { head: Buffer.concat(chunks).subarray(0, bytes), rest: rest() };
}

export async function* skipBytes(stream: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of stream) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}
