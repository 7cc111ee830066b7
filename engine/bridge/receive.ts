/** One handler a packet type of a living pipe (nanomq-bridge-model §8.3 onPacket). */

import { ACK_SIZE, publishPayloadBytes } from '../packet-size.ts';
import type { BridgeLogProfile } from '../profiles/profile.ts';
import type { Message, Micros, Packet } from '../types.ts';
import { complete } from './completion.ts';
import { aioPointer, log, logsDebug, lost, messagePointer } from './log.ts';
import { admitDownlink } from './receive-queue.ts';
import type { Bridge, Pipe } from './state.ts';
import { closeByDisconnectPacket } from './teardown.ts';
import { CONTROL_STREAM, write } from './write.ts';

type PublishPacket = Extract<Packet, { type: 'publish' }>;
type AckedLog = NonNullable<BridgeLogProfile['acked']>;
type DisconnectPacket = Extract<Packet, { type: 'disconnect' }>;

/**
 * Share of broker disconnects whose DISCONNECT packet is read before the FIN that comes with it (measured §2.11: 46 % of the
 * keepalive cycles show the packet's line, 73 % the FIN's, so both are in 19 %; of the 32 kicks in 21 and 21b 6 show it).
 */
const DISCONNECT_READ_PERCENT = 46;
const KICK_READ_PERCENT = 19;
const REASON_ADMINISTRATIVE = 152;
/** Acknowledgements that wait on a sub stream (§1: `rslmq`); on the main stream the profile says. */
const SUB_STREAM_ACKS_MAX = 512;

export function onPacket(bridge: Bridge, pipe: Pipe, stream: number, packet: Packet): void {
  if (pipe.receiverDead) {
    onPacketUnread(bridge, packet);
    return;
  }
  if (bridge.profile.log.receiveArmed && packet.type !== 'disconnect') logReceiveArmed(bridge, stream);
  if (bridge.profile.pingTimerResetOnReceive === 'any') bridge.timeleft = bridge.keepalive;
  if (bridge.profile.pingCountResetOn === 'any') pipe.pings = 0;
  switch (packet.type) {
    case 'publish':
      onPublish(bridge, pipe, stream, packet);
      return;
    case 'puback':
    case 'pubcomp':
    case 'suback':
    case 'unsuback':
      onAck(bridge, packet.packetId);
      return;
    case 'pubrec':
      // The transport answers PUBREL on the same stream; only PUBCOMP completes the aio.
      writeAck(bridge, pipe, stream, 'pubrel', packet.packetId);
      return;
    case 'pubrel':
      onPubrel(bridge, pipe, stream, packet.packetId);
      return;
    case 'pingresp':
      onPingresp(bridge, pipe);
      return;
    case 'disconnect':
      onDisconnect(bridge, packet);
      return;
    default:
      return;
  }
}

/** The receive is armed again after each packet, on the stream it came on. */
export function logReceiveArmed(bridge: Bridge, stream: number): void {
  const event = stream === CONTROL_STREAM ? 'quic_tran_recv_armed_main' : 'quic_tran_recv_armed_sub';
  log(bridge, 'info', event, { aio_ptr: aioPointer(bridge, stream) });
}

function onPacketUnread(bridge: Bridge, packet: Packet): void {
  if (packet.type === 'publish') lost(bridge, messageOf(bridge, packet), 'receiver-dead', 'down');
}

function onPublish(bridge: Bridge, pipe: Pipe, stream: number, packet: PublishPacket): void {
  const message = messageOf(bridge, packet);
  if (packet.qos < 2) {
    // The transport acknowledges before anyone knows whether there is room for the message.
    if (packet.qos === 1) writeAck(bridge, pipe, stream, 'puback', packet.packetId!);
    if (!admitDownlink(bridge, pipe, stream)) {
      log(bridge, 'warn', 'bridge_rx_publish_lost');
      lost(bridge, message, 'no-context', 'down');
      return;
    }
    bridge.out.push({ kind: 'deliver', message });
    return;
  }
  onPublishQos2(bridge, pipe, stream, packet.packetId!, message);
}

function onPublishQos2(bridge: Bridge, pipe: Pipe, stream: number, packetId: number, message: Message): void {
  const old = pipe.awaitingRelease.get(packetId);
  if (old) {
    log(bridge, 'error', 'bridge_rx_qos2_duplicate', { packet_id: packetId });
    // [MQTT-4.3.3-10]: the sender's repetition is the same message; anything else replaces it.
    if (old.seq !== message.seq) lost(bridge, old, 'half-received', 'down');
  }
  pipe.awaitingRelease.set(packetId, message);
  if (logsDebug(bridge)) {
    log(bridge, 'debug', 'bridge_rx_qos2_pending', { msg_ptr: messagePointer(packetId), packet_id: packetId });
  }
  writeAck(bridge, pipe, stream, 'pubrec', packetId);
}

function onPubrel(bridge: Bridge, pipe: Pipe, stream: number, packetId: number): void {
  writeAck(bridge, pipe, stream, 'pubcomp', packetId);
  const message = pipe.awaitingRelease.get(packetId);
  if (!message) {
    log(bridge, 'warn', 'bridge_pubrel_unknown_id', { packet_id: packetId });
    return;
  }
  pipe.awaitingRelease.delete(packetId);
  if (!admitDownlink(bridge, pipe, stream)) {
    log(bridge, 'warn', 'bridge_rx_qos2_lost');
    lost(bridge, message, 'no-context', 'down');
    return;
  }
  bridge.out.push({ kind: 'deliver', message });
}

function onAck(bridge: Bridge, packetId: number): void {
  const { acked } = bridge.profile.log;
  if (acked && logsDebug(bridge)) log(bridge, 'debug', 'bridge_ack_rx', { packet_id: packetId });
  const entry = bridge.unacked.get(packetId);
  if (!entry) {
    log(bridge, 'warn', 'bridge_ack_unknown', { packet_id: packetId });
    return;
  }
  bridge.unacked.delete(packetId);
  bridge.qosAcked++;
  if (acked) logAcked(bridge, acked, packetId, entry.sentAt);
  complete(bridge, entry.aio, 0);
}

function logAcked(bridge: Bridge, acked: AckedLog, packetId: number, sentAt: Micros): void {
  const base = { msg_ptr: messagePointer(packetId), packet_id: packetId };
  const latencyMs = Math.floor((bridge.now - sentAt) / 1000);
  log(bridge, acked.severity, 'bridge_acked', acked.latency ? { ...base, latency_ms: latencyMs } : base);
}

function onPingresp(bridge: Bridge, pipe: Pipe): void {
  pipe.pings = 0;
  bridge.timeleft = bridge.keepalive;
}

function onDisconnect(bridge: Bridge, packet: DisconnectPacket): void {
  // Data delivered together with the FIN is not read; the FIN or the close that follows ends the pipe then.
  const percent = packet.reasonCode === REASON_ADMINISTRATIVE ? KICK_READ_PERCENT : DISCONNECT_READ_PERCENT;
  if (bridge.rng.int(0, 99) >= percent) return;
  if (bridge.profile.log.receiveArmed) logReceiveArmed(bridge, CONTROL_STREAM);
  closeByDisconnectPacket(bridge, packet.reasonCode);
}

function writeAck(
  bridge: Bridge,
  pipe: Pipe,
  stream: number,
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  packetId: number,
): void {
  const cap = stream === CONTROL_STREAM ? bridge.profile.ackQueueCap : SUB_STREAM_ACKS_MAX;
  // One is being written, the others wait.
  if (pipe.acksUnderWay[stream]! > cap) {
    log(bridge, 'warn', 'bridge_ack_lost');
    return;
  }
  pipe.acksUnderWay[stream]!++;
  write(bridge, pipe, stream, { type, packetId, reasonCode: 0, size: ACK_SIZE }, null, false);
}

function messageOf(bridge: Bridge, packet: PublishPacket): Message {
  const size = publishPayloadBytes(packet.topic, packet.qos, packet.size, bridge.settings.protocol);
  const { seq, topic, qos, content } = packet;
  return content ? { seq, topic, qos, size, content } : { seq, topic, qos, size };
}
