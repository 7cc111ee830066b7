/** One handler a packet type, for control and data streams alike where both allow it (emqx-keepalive-model §2.2). */

import { ACK_SIZE, PING_SIZE, packetSize, publishPayloadBytes } from '../packet-size.ts';
import { SEVERITY_RANK } from '../severity.ts';
import { seconds } from '../time.ts';
import type { Message, Packet } from '../types.ts';
import { mayPublish } from './access.ts';
import { keepaliveCounter, onConnect } from './connect.ts';
import { dropStream, onDeliveryAcked, onDeliveryReceived } from './deliver.ts';
import { closeByClient, closeByProtocolError, closeGracefully } from './end.ts';
import { received } from './expiry.ts';
import { restartByPing } from './keepalive.ts';
import { CONTROL_STREAM, identityOn, log, logReceived, logsDebug, send } from './log.ts';
import { type Broker, type Connection, type StreamSession, streamSession } from './state.ts';
import { judgeFilter, sendRetained, type Verdict } from './subscribe.ts';
import { onDisconnectPacket, publishAsClient } from './will.ts';

type PublishPacket = Extract<Packet, { type: 'publish' }>;
type SubscribePacket = Extract<Packet, { type: 'subscribe' }>;
type DisconnectPacket = Extract<Packet, { type: 'disconnect' }>;
type UnsubscribePacket = Extract<Packet, { type: 'unsubscribe' }>;

/** Far more than a client sends before CONNACK; flow control would hold back the rest. */
const UNREAD_MAX = 10_000;
const AWAITING_RELEASE_MAX = 100;
const AWAIT_RELEASE_TIMEOUT_S = 300;
const FIRST_FAILURE = 0x80;
const REASON_NO_SUBSCRIPTION_EXISTED = 17;
const REASON_NO_MATCHING_SUBSCRIBERS = 16;
const REASON_NOT_AUTHORIZED = 135;
const REASON_RECEIVE_MAXIMUM_EXCEEDED = 147;
/** Without rules everything is allowed. */
const ALLOWED_MAX = 32;
const ALLOWED_FOR_S = 60;
const AUTHZ_SOURCE = "'authorization.no_match' config";

export function onPacket(broker: Broker, connection: Connection, stream: number, packet: Packet): void {
  connection.bytes += packet.size;
  if (stream !== CONTROL_STREAM && !readsDataStream(broker, connection, stream, packet)) return;
  connection.connectionPackets++;
  if (stream === CONTROL_STREAM) connection.controlPackets++;
  if (connection.state === 'accepted') {
    onFirstPacket(broker, connection, packet);
    return;
  }
  // The data streams of a closing connection still work; its control stream does not.
  if (stream === CONTROL_STREAM && connection.state !== 'connected') {
    onUnread(broker, packet);
    return;
  }
  logReceived(broker, connection, stream, packet);
  handle(broker, connection, stream, packet);
}

/** False: the packet is not counted and not handled (now). */
function readsDataStream(broker: Broker, connection: Connection, stream: number, packet: Packet): boolean {
  // Before 5.0.18 the broker reads the control stream only.
  if (!broker.profile.dataStreams) {
    onUnread(broker, packet);
    return false;
  }
  if (connection.state === 'accepted' || connection.state === 'awaiting-stepdown') {
    if (connection.unread.length < UNREAD_MAX) connection.unread.push({ stream, packet });
    else onUnread(broker, packet);
    return false;
  }
  let session = connection.streams.get(stream);
  if (!session) {
    session = streamSession(connection, stream);
    log(broker, null, 'debug', 'quic_data_stream_ready', null);
  }
  if (session.ended) onUnread(broker, packet);
  return !session.ended;
}

/** Nobody reads this packet. A QoS > 0 message stays with the client. */
export function onUnread(broker: Broker, packet: Packet): void {
  if (packet.type !== 'publish' || packet.qos > 0) return;
  const { seq, topic, qos, size } = packet;
  broker.out.push({ kind: 'lost', message: { seq, topic, qos, size }, reason: 'not-read', direction: 'up' });
}

/** [MQTT-3.1.0-1]: the first packet must be CONNECT. */
function onFirstPacket(broker: Broker, connection: Connection, packet: Packet): void {
  if (packet.type === 'connect') onConnect(broker, connection, packet);
  else closeGracefully(broker, connection, 'protocol_error', 0);
}

/** Data streams opened before CONNACK are read from then on. */
export function readDataStreams(broker: Broker, connection: Connection): void {
  for (const { stream, packet } of connection.unread.splice(0)) {
    connection.bytes -= packet.size;
    onPacket(broker, connection, stream, packet);
  }
}

function handle(broker: Broker, connection: Connection, stream: number, packet: Packet): void {
  switch (packet.type) {
    case 'publish':
      onPublish(broker, connection, stream, packet);
      return;
    case 'puback':
    case 'pubcomp':
      onDeliveryAcked(broker, connection, stream, packet.packetId);
      return;
    case 'pubrec':
      // [MQTT-4.3.3-4]: from 0x80 on it is a refusal, and the delivery is over.
      if (packet.reasonCode >= FIRST_FAILURE) {
        onDeliveryAcked(broker, connection, stream, packet.packetId);
        return;
      }
      onDeliveryReceived(connection, stream, packet.packetId);
      ack(broker, connection, stream, 'pubrel', packet.packetId);
      return;
    case 'pubrel':
      streamSession(connection, stream).awaitingRelease.delete(packet.packetId);
      ack(broker, connection, stream, 'pubcomp', packet.packetId);
      return;
    case 'subscribe':
      onSubscribe(broker, connection, stream, packet);
      return;
    case 'unsubscribe':
      onUnsubscribe(broker, connection, stream, packet);
      return;
    case 'pingreq':
      onPingreq(broker, connection, stream);
      return;
    case 'connect':
      if (stream === CONTROL_STREAM) closeByProtocolError(broker, connection);
      else endDataStream(broker, connection, stream, null);
      return;
    case 'disconnect':
      if (stream === CONTROL_STREAM) onDisconnect(broker, connection, packet);
      else endDataStream(broker, connection, stream, 'unexpected_packet');
      return;
    // Only a server sends these (MQTT 5.0 §3.2, §3.9, §3.11, §3.13); EMQX disconnects with `protocol_error`.
    case 'connack':
    case 'suback':
    case 'unsuback':
    case 'pingresp':
      if (stream === CONTROL_STREAM) closeByProtocolError(broker, connection);
      else endDataStream(broker, connection, stream, 'unexpected_packet');
      return;
  }
}

/** [MQTT-3.14.2-2]: a session that was to end with its connection cannot be prolonged. */
function onDisconnect(broker: Broker, connection: Connection, packet: DisconnectPacket): void {
  const { connect } = connection;
  const { sessionExpiryS, reasonCode } = packet;
  if (sessionExpiryS !== undefined && connect && (connect.sessionExpiryS ?? 0) > 0) {
    connection.connect = { ...connect, sessionExpiryS };
  }
  onDisconnectPacket(connection, reasonCode);
  closeByClient(broker, connection);
}

/** The data stream's process ends; the connection lives on (§2.2). Its subscriptions were its own. */
function endDataStream(broker: Broker, connection: Connection, stream: number, crash: string | null): void {
  const session = streamSession(connection, stream);
  session.ended = true;
  dropStream(broker, session);
  for (const [filter, subscription] of connection.subscriptions) {
    if (subscription.stream === stream) connection.subscriptions.delete(filter);
  }
  if (crash !== null) log(broker, null, 'info', 'quic_data_stream_exit', { reason: crash });
}

function onPublish(broker: Broker, connection: Connection, stream: number, packet: PublishPacket): void {
  const { topic, qos, seq, packetId } = packet;
  const size = publishPayloadBytes(topic, qos, packet.size, connection.connect!.protocol);
  const { content, retain } = packet;
  const message: Message = content
    ? received({ seq, topic, qos, size, content, retain }, broker.now)
    : { seq, topic, qos, size };
  if (broker.clients && !mayPublish(broker.clients.rules, connection, topic)) {
    onForbidden(broker, connection, stream, packet, message);
    return;
  }
  const verdict = qos < 2 ? 'new' : acceptQos2(broker, streamSession(connection, stream), packetId!);
  if (verdict === 'full') {
    const reason = 'receive_maximum_exceeded';
    const identity = identityOn(connection, stream);
    log(broker, identity, 'warn', 'qos2_packet_dropped', { reason, packet_id: packetId, topic });
    broker.out.push({ kind: 'lost', message, reason: 'awaiting-release-full', direction: 'up' });
    ack(broker, connection, stream, 'pubrec', packetId!, REASON_RECEIVE_MAXIMUM_EXCEEDED);
    return;
  }
  logAllowed(broker, connection, stream, topic, `PUBLISH(Q${qos},R${packet.retain ? 1 : 0})`);
  let reasonCode = 0;
  if (verdict === 'new') {
    if (logsDebug(broker)) {
      log(broker, identityOn(connection, stream), 'debug', 'publish_routed', { topic, payload_bytes: size });
    }
    broker.out.push({ kind: 'deliver', message });
    const takers = broker.clients ? publishAsClient(broker, broker.clients, connection, message) : 1;
    if (takers === 0 && connection.connect!.protocol === 5) reasonCode = REASON_NO_MATCHING_SUBSCRIBERS;
  }
  if (qos === 1) ack(broker, connection, stream, 'puback', packetId!, reasonCode);
  if (qos === 2) ack(broker, connection, stream, 'pubrec', packetId!, reasonCode);
}

/** `authorization.deny_action` is `ignore`: the message goes nowhere, the client stays. MQTT 3.1.1 cannot say more. */
function onForbidden(
  broker: Broker,
  connection: Connection,
  stream: number,
  { qos, packetId, topic }: PublishPacket,
  message: Message,
): void {
  log(broker, identityOn(connection, stream), 'warn', 'publish_denied', { topic, reason: 'not_authorized' });
  broker.out.push({ kind: 'lost', message, reason: 'not-authorized', direction: 'up' });
  const reasonCode = connection.connect!.protocol === 5 ? REASON_NOT_AUTHORIZED : 0;
  if (qos > 0) ack(broker, connection, stream, qos === 1 ? 'puback' : 'pubrec', packetId!, reasonCode);
}

/**
 * `authorization.cache`: a decision is asked for, and logged, once a minute for each of 32 actions on a topic (measured 02c, 03b;
 * of SUBSCRIBE too: 08b).
 */
function logAllowed(broker: Broker, connection: Connection, stream: number, topic: string, action: string): void {
  const severity = broker.profile.authorizationLog;
  if (severity === null || broker.logRank > SEVERITY_RANK[severity]) return;
  const { allowed } = streamSession(connection, stream);
  const asked = `${action} ${topic}`;
  if ((allowed.get(asked) ?? 0) > broker.now) return;
  allowed.delete(asked);
  for (const oldest of allowed.keys()) {
    if (allowed.size < ALLOWED_MAX) break;
    allowed.delete(oldest);
  }
  allowed.set(asked, broker.now + seconds(ALLOWED_FOR_S));
  log(broker, identityOn(connection, stream), severity, 'authorization_allowed', {
    topic,
    action,
    source: AUTHZ_SOURCE,
  });
}

/** [MQTT-4.3.3-10]: a QoS 2 packet id is not routed again until its PUBREL. */
function acceptQos2(broker: Broker, session: StreamSession, packetId: number): 'new' | 'again' | 'full' {
  const { awaitingRelease } = session;
  if (awaitingRelease.has(packetId)) return 'again';
  const max = broker.settings.maxAwaitingRel ?? AWAITING_RELEASE_MAX;
  if (awaitingRelease.size >= max) forgetOld(awaitingRelease, broker.now - seconds(AWAIT_RELEASE_TIMEOUT_S));
  if (awaitingRelease.size >= max) return 'full';
  awaitingRelease.set(packetId, broker.now);
  return 'new';
}

function forgetOld(awaitingRelease: Map<number, number>, before: number): void {
  for (const [packetId, at] of awaitingRelease) if (at <= before) awaitingRelease.delete(packetId);
}

function ack(
  broker: Broker,
  connection: Connection,
  stream: number,
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  packetId: number,
  reasonCode = 0,
): void {
  send(broker, connection, stream, { type, packetId, reasonCode, size: ACK_SIZE });
}

function onSubscribe(broker: Broker, connection: Connection, stream: number, packet: SubscribePacket): void {
  const identity = identityOn(connection, stream);
  const { clients } = broker;
  const verdicts: Verdict[] = [];
  for (const filter of packet.filters) {
    const { topic, qos } = filter;
    const verdict = clients && judgeFilter(broker, clients, connection, stream, packet, filter);
    if (verdict) verdicts.push(verdict);
    if (verdict && !verdict.subscription) continue;
    logAllowed(broker, connection, stream, topic, `SUBSCRIBE(Q${qos})`);
    log(broker, identity, 'debug', 'broker_subscribe', { topic, sub_id: connection.clientId, qos });
    connection.subscriptions.set(topic, verdict?.subscription ?? { qos, stream });
  }
  const reasonCodes = clients ? verdicts.map((verdict) => verdict.reasonCode) : packet.filters.map(({ qos }) => qos);
  const size = packetSize(2 + 1 + reasonCodes.length);
  send(broker, connection, stream, { type: 'suback', packetId: packet.packetId, reasonCodes, size });
  // Measured: the connection's process writes its entry again; a data stream has none.
  if (stream === CONTROL_STREAM) log(broker, connection, 'debug', 'channel_registered', null);
  if (clients) sendRetained(broker, clients, connection, verdicts);
}

function onUnsubscribe(broker: Broker, connection: Connection, stream: number, packet: UnsubscribePacket): void {
  const reasonCodes: number[] = [];
  for (const filter of packet.filters) {
    log(broker, identityOn(connection, stream), 'debug', 'broker_unsubscribe', { topic: filter });
    reasonCodes.push(connection.subscriptions.delete(filter) ? 0 : REASON_NO_SUBSCRIPTION_EXISTED);
  }
  const told = broker.clients ? { reasonCodes } : {};
  send(broker, connection, stream, { type: 'unsuback', packetId: packet.packetId, ...told, size: ACK_SIZE });
}

/** On a data stream a PINGREQ is counted but its answer is filtered out. */
function onPingreq(broker: Broker, connection: Connection, stream: number): void {
  if (stream !== CONTROL_STREAM) return;
  send(broker, connection, stream, { type: 'pingresp', size: PING_SIZE });
  if (!connection.keepalive) return;
  restartByPing(broker.profile, connection.keepalive, keepaliveCounter(broker, connection), broker.now);
}
