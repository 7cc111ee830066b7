/** Shared by the live tests. */

import type { QuicAvailability } from '../../engine/live/quic-library.ts';

const POLL_MS = 5;
const PATIENCE_MS = 8_000;

/** Value for the `skip` option of a test: false, or the message that says why. */
export function skipReason(availability: QuicAvailability): string | false {
  return availability.available ? false : `no QUIC library here: ${availability.reason}`;
}

/** Waits until the condition holds; rejects after a few seconds. */
export async function until(condition: () => boolean, what: string, patienceMs = PATIENCE_MS): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
