/** The broker part: contexts take local messages in turn, each with one aio; completions and the `ctx_msgs` cache. */

import type { Message } from '../types.ts';
import { cacheInContextQueue } from './completion.ts';
import { address, log, logsDebug, lost } from './log.ts';
import { submit } from './send.ts';
import type { Aio, Bridge } from './state.ts';

/** A local client published `message` and a forward rule matched (nanomq-bridge-model §2.1). */
export function forward(bridge: Bridge, message: Message): void {
  if (logsDebug(bridge)) log(bridge, 'debug', 'bridge_forward', { remote_topic: message.topic });
  const aio = bridge.contexts[bridge.nextContext]!;
  bridge.nextContext = (bridge.nextContext + 1) % bridge.contexts.length;
  const guarded = bridge.profile.connectedGuard && !bridge.flaggedConnected;
  if (aio.busy || guarded) {
    cacheOrDrop(bridge, aio, message);
    return;
  }
  submit(bridge, aio, { message, filters: null, topics: null, packetId: null });
}

function cacheOrDrop(bridge: Bridge, aio: Aio, message: Message): void {
  const { ctxMsgs } = bridge.profile;
  const full = bridge.ctxMsgs.length >= bridge.ctxMsgsCap;
  if (ctxMsgs === 'none' || message.qos === 0 || (full && ctxMsgs === 'drop-new')) {
    log(bridge, bridge.profile.log.aioBusy, 'aio_busy', { address: address(bridge), ctx_id: aio.contextId });
    lost(bridge, message, 'aio-busy');
    return;
  }
  cacheInContextQueue(bridge, message);
  if (bridge.profile.log.ctxCachePut) log(bridge, 'info', 'ctx_cache_put');
}

/** The callback of a bridge aio (§2.2): whatever the result, the resend aio takes the oldest of `ctx_msgs`. */
export function onContextCompleted(bridge: Bridge, aio: Aio): void {
  aio.busy = false;
  if (logsDebug(bridge)) log(bridge, 'debug', 'bridge_aio_done', { address: address(bridge) });
  // Hybrid mode has no resend aio: nothing drains the cache.
  if (bridge.resendAio.busy || bridge.settings.hybrid) return;
  const message = bridge.ctxMsgs.shift();
  if (!message) return;
  log(bridge, 'debug', 'ctx_cache_flush');
  submit(bridge, bridge.resendAio, { message, filters: null, topics: null, packetId: null });
}
