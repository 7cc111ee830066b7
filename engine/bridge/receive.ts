/** One handler a packet type of a living pipe (nanomq-bridge-model §8.3 onPacket). */

import { ACK_SIZE, publishPayloadBytes } from '../packet-size.ts';
import type { BridgeLogProfile } from '../profiles/profile.ts';
import type { Message, Micros, Packet } from '../types.ts';
import { complete } from './completion.ts';
import { log, lost, messagePointer } from './log.ts';
import type { Bridge, Pipe } from './state.ts';
import { closeByDisconnectPacket } from './teardown.ts';
import { write } from './write.ts';

type PublishPacket = Extract<Packet, { type: 'publish' }>;
type AckedLog = NonNullable<BridgeLogProfile['acked']>;
type DisconnectPacket = Extract<Packet, { type: 'disconnect' }>;

/**
 * Share of broker disconnects whose DISCONNECT packet is read before the FIN that comes with it (measured §2.11: 46 % of the
 * cycles show the packet's line, 73 % the FIN's, so both are in 19 %).
 */
const DISCONNECT_READ_PERCENT = 46;

export function onPacket(bridge: Bridge, pipe: Pipe, stream: number, packet: Packet): void {
  if (pipe.receiverDead) {
    onPacketUnread(bridge, packet);
    return;
  }
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

function onPacketUnread(bridge: Bridge, packet: Packet): void {
  if (packet.type === 'publish') lost(bridge, messageOf(bridge, packet), 'receiver-dead', 'down');
}

function onPublish(bridge: Bridge, pipe: Pipe, stream: number, packet: PublishPacket): void {
  const message = messageOf(bridge, packet);
  if (packet.qos < 2) bridge.out.push({ kind: 'deliver', message });
  if (packet.qos === 1) writeAck(bridge, pipe, stream, 'puback', packet.packetId!);
  if (packet.qos < 2) return;
  pipe.awaitingRelease.set(packet.packetId!, message);
  writeAck(bridge, pipe, stream, 'pubrec', packet.packetId!);
}

function onPubrel(bridge: Bridge, pipe: Pipe, stream: number, packetId: number): void {
  writeAck(bridge, pipe, stream, 'pubcomp', packetId);
  const message = pipe.awaitingRelease.get(packetId);
  if (!message) {
    log(bridge, 'warn', 'bridge_pubrel_unknown_id', { packet_id: packetId });
    return;
  }
  pipe.awaitingRelease.delete(packetId);
  bridge.out.push({ kind: 'deliver', message });
}

function onAck(bridge: Bridge, packetId: number): void {
  const { acked } = bridge.profile.log;
  if (acked) log(bridge, 'debug', 'bridge_ack_rx', { packet_id: packetId });
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
  if (bridge.rng.int(0, 99) >= DISCONNECT_READ_PERCENT) return;
  closeByDisconnectPacket(bridge, packet.reasonCode);
}

function writeAck(
  bridge: Bridge,
  pipe: Pipe,
  stream: number,
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  packetId: number,
): void {
  write(bridge, pipe, stream, { type, packetId, reasonCode: 0, size: ACK_SIZE }, null, false);
}

function messageOf(bridge: Bridge, packet: PublishPacket): Message {
  const size = publishPayloadBytes(packet.topic, packet.qos, packet.size, bridge.settings.protocol);
  return { seq: packet.seq, topic: packet.topic, qos: packet.qos, size };
}
