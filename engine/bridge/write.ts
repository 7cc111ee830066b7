/** Packets and the stream each of them takes (nanomq-bridge-model §1.1, measured.md "Streams"). */

import { filtersSize, publishSize } from '../packet-size.ts';
import type { Packet } from '../types.ts';
import { log, logsDebug, streamPointer } from './log.ts';
import { logIdealBuffer } from './quic-lines.ts';
import { addTurn, type Bridge, type Outgoing, type Pipe } from './state.ts';

export const CONTROL_STREAM = 0;
const SUBSCRIBE_STREAMS = [1, 2] as const;
const PUBLISH_STREAMS = [3, 4] as const;
/** What a write of a packet above the server's Maximum Packet Size ends with (D7). */
export const PACKET_TOO_LARGE = 128;
const FAILED_WRITE_DELAY_US = 50;
const NO_LOCAL_SUBSCRIPTION_BYTES = 1;

export function packetOf(bridge: Bridge, outgoing: Outgoing, isResend: boolean): Packet {
  const { protocol } = bridge.settings;
  if (outgoing.filters) {
    const topics = outgoing.filters.map((filter) => filter.topic);
    const size = filtersSize(topics, NO_LOCAL_SUBSCRIPTION_BYTES, protocol);
    return { type: 'subscribe', packetId: outgoing.packetId!, filters: outgoing.filters, size };
  }
  if (outgoing.topics) {
    const size = filtersSize(outgoing.topics, 0, protocol);
    return { type: 'unsubscribe', packetId: outgoing.packetId!, filters: outgoing.topics, size };
  }
  const message = outgoing.message!;
  return {
    type: 'publish',
    topic: message.topic,
    qos: message.qos,
    packetId: outgoing.packetId,
    dup: isResend && bridge.profile.dupOnWire,
    retain: false,
    seq: message.seq,
    size: publishSize(message.topic, message.qos, message.size, protocol),
  };
}

/** SUBSCRIBE and PUBLISH choose one of two streams at random; UNSUBSCRIBE takes the main one, TCP has no other. */
export function ordinaryStream(bridge: Bridge, outgoing: Outgoing): number {
  if (bridge.settings.transport === 'tcp' || outgoing.topics) return CONTROL_STREAM;
  return (outgoing.filters ? SUBSCRIBE_STREAMS : PUBLISH_STREAMS)[bridge.rng.int(0, 1)]!;
}

/** Hands a packet to the transport; its `sent` comes in a later input. */
export function write(
  bridge: Bridge,
  pipe: Pipe,
  stream: number,
  packet: Packet,
  outgoing: Outgoing | null,
  ordinary: boolean,
): void {
  const token = bridge.nextToken++;
  pipe.writes.set(token, { outgoing, stream, startedAt: bridge.now, ordinary });
  const failure = failureOf(pipe, packet);
  if (failure !== null) {
    addTurn(bridge, { at: bridge.now + FAILED_WRITE_DELAY_US, kind: 'sent', token, result: failure });
    return;
  }
  if (bridge.settings.transport === 'quic') {
    if (packet.type === 'publish') logIdealBuffer(bridge, pipe, stream);
    if (logsDebug(bridge)) logWrite(bridge, stream, outgoing, ordinary);
  }
  bridge.out.push({ kind: 'write', token, stream, packet, message: outgoing?.message ?? null });
}

/** A priority send has a function, and so a line, of its own. */
function logWrite(bridge: Bridge, stream: number, outgoing: Outgoing | null, ordinary: boolean): void {
  if (outgoing !== null && !ordinary) log(bridge, 'debug', 'quic_write_priority_start', { sid: stream });
  else log(bridge, 'debug', 'quic_write_start', { sid: stream, stream_ptr: streamPointer(bridge, stream) });
}

function failureOf(pipe: Pipe, packet: Packet): number | null {
  if (pipe.deadResult !== null) return pipe.deadResult;
  if (pipe.maximumPacketSize !== null && packet.size > pipe.maximumPacketSize) return PACKET_TOO_LARGE;
  return null;
}
