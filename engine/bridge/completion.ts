/** The end of an aio, and the `ctx_msgs` cache that completions drain (nanomq-bridge-model §2.1-2, §2.2). */

import type { Message } from '../types.ts';
import { log, lost, NNG_ECLOSED } from './log.ts';
import { type Aio, addTurn, type Bridge } from './state.ts';

/** A completion callback runs in a later turn, on a worker thread of its own. */
const COMPLETION_DELAY_US = 20;
/**
 * While offline a resend aio that ends ECLOSED at once starts the next one (D8). The product spins as fast as its CPU lets
 * it, some 10^4 rounds a second; a slower round keeps the loop visible without filling the trace.
 */
const CLOSED_COMPLETION_DELAY_US = 1_000;

/** The aio is done; its callback runs in a later turn. */
export function complete(bridge: Bridge, aio: Aio, result: number): void {
  if (aio.cancelAt !== null) {
    aio.cancelAt = null;
    bridge.armedCancels--;
  }
  aio.submitted = null;
  const delay = result === NNG_ECLOSED ? CLOSED_COMPLETION_DELAY_US : COMPLETION_DELAY_US;
  addTurn(bridge, { at: bridge.now + delay, kind: 'complete', aio, result });
}

/** Appends to `ctx_msgs`, dropping the oldest when full; with capacity 0 the new one is dropped (D12). */
export function cacheInContextQueue(bridge: Bridge, message: Message): void {
  if (bridge.ctxMsgsCap === 0) {
    log(bridge, 'warn', 'ctx_cache_put_failed');
    lost(bridge, message, 'cache-full');
    return;
  }
  if (bridge.ctxMsgs.length >= bridge.ctxMsgsCap) {
    log(bridge, 'warn', 'ctx_cache_overwrite');
    lost(bridge, bridge.ctxMsgs.shift()!, 'cache-full');
  }
  bridge.ctxMsgs.push(message);
}
