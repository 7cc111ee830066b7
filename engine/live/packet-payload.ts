/**
 * Payload of a live PUBLISH: filler with the message's sequence number in front, so that the receiving machine gets the
 * same message. Shape: 1 byte shortfall, 1 byte zero, 6 bytes sequence number (big endian), filler. Payloads shorter than those 8 bytes
 * are sent as 8; `shortfall` is how many were added, so that the receiver still sees the size that was asked for.
 */

const HEADER_BYTES = 8;
const SEQ_BYTES = 6;
const SEQ_OFFSET = HEADER_BYTES - SEQ_BYTES;
/** What six bytes hold. */
const SEQ_MAX = 2 ** 48 - 1;
const FILLER = 0x2e;
/** Sequence number of a message that no bridge or broker of ours wrote. */
export const FOREIGN_SEQ = -1;

/**
 * @param size bytes of the message's payload
 * @throws RangeError if `seq` is not an integer in 0..2^48-1
 */
export function encodePayload(seq: number, size: number): Buffer {
  if (!Number.isInteger(seq) || seq < 0 || seq > SEQ_MAX) throw new RangeError(`sequence number ${seq} does not fit`);
  const payload = Buffer.alloc(Math.max(size, HEADER_BYTES), FILLER);
  payload[0] = payload.length - size;
  payload[1] = 0;
  payload.writeUIntBE(seq, SEQ_OFFSET, SEQ_BYTES);
  return payload;
}

/** @returns `seq` (or {@link FOREIGN_SEQ}) and the size in bytes before padding. */
export function decodePayload(payload: Buffer): { readonly seq: number; readonly size: number } {
  const foreign = { seq: FOREIGN_SEQ, size: payload.length };
  if (payload.length < HEADER_BYTES) return foreign;
  const shortfall = payload[0]!;
  const padded = shortfall > 0;
  if (payload[1] !== 0 || shortfall > HEADER_BYTES || (padded && payload.length !== HEADER_BYTES)) return foreign;
  return { seq: payload.readUIntBE(SEQ_OFFSET, SEQ_BYTES), size: payload.length - shortfall };
}
