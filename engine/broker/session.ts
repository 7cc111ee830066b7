/** Sessions beyond a connection: expiry, takeover, what is replayed (emqx-keepalive-model §1.4, §3, §4). */

import { ACK_SIZE, publishSize } from '../packet-size.ts';
import { seconds } from '../time.ts';
import { deliver, dropStream, watchRetry } from './deliver.ts';
import { aged } from './expiry.ts';
import { CONTROL_STREAM, log, send } from './log.ts';
import { type Broker, type Connection, type StreamSession, streamSession } from './state.ts';
import { onDetached } from './will.ts';

/** MQTT 3.1.1 with clean_session 0 (§3). */
const V3_SESSION_EXPIRY_S = 7_200;
/** [MQTT-3.1.2-23]: this value never expires. */
const EXPIRY_NEVER = 0xffff_ffff;

/** Seconds a session outlives its connection; 0: it ends with it. */
export function sessionExpiryS(broker: Broker, connection: Connection): number {
  const { connect } = connection;
  if (!connect) return 0;
  if (connect.protocol === 5) return connect.sessionExpiryS ?? 0;
  return connect.cleanStart ? 0 : (broker.settings.sessionExpiryS ?? V3_SESSION_EXPIRY_S);
}

/** The channel goes to `disconnected` and lives on. Data streams were copies of the session; theirs is gone. */
export function detach(broker: Broker, connection: Connection): void {
  const expiryS = sessionExpiryS(broker, connection);
  connection.state = 'detached';
  connection.closingUntil = null;
  connection.retryAt = null;
  connection.expiresAt = expiryS === EXPIRY_NEVER ? null : broker.now + seconds(expiryS);
  for (const [stream, session] of connection.streams) {
    if (stream === CONTROL_STREAM) continue;
    dropStream(broker, session);
    connection.streams.delete(stream);
  }
  for (const [filter, { stream }] of connection.subscriptions) {
    if (stream !== CONTROL_STREAM) connection.subscriptions.delete(filter);
  }
  if (broker.clients) onDetached(broker, connection, expiryS);
}

/** `older` gives its session to `connection`: the control stream's subscriptions, window and queue. */
export function takeOver(broker: Broker, older: Connection, connection: Connection): void {
  log(broker, older, 'debug', 'session_takeover_begin', null);
  connection.takenOver = older;
  const control = older.streams.get(CONTROL_STREAM);
  if (control) connection.streams.set(CONTROL_STREAM, control);
  for (const [filter, subscription] of older.subscriptions) {
    if (subscription.stream === CONTROL_STREAM) connection.subscriptions.set(filter, subscription);
  }
  older.streams.delete(CONTROL_STREAM);
  older.subscriptions.clear();
  log(broker, older, 'debug', 'session_takeover_end', null);
}

/** After CONNACK: what was in flight again, then what was queued. */
export function replay(broker: Broker, connection: Connection): void {
  if (!connection.takenOver) return;
  connection.takenOver = null;
  const session = streamSession(connection, CONTROL_STREAM);
  resend(broker, connection, CONTROL_STREAM, session, Number.POSITIVE_INFINITY);
  const queued = session.queue.splice(0);
  for (const { message, qos } of queued) deliver(broker, connection, CONTROL_STREAM, message, qos);
}

/** Deliveries sent at `until` or before are sent again: [MQTT-3.3.1-1] with DUP, or their PUBREL. */
export function resend(
  broker: Broker,
  connection: Connection,
  stream: number,
  session: StreamSession,
  until: number,
): void {
  const protocol = connection.connect?.protocol ?? 5;
  for (const [packetId, entry] of session.inflight) {
    if (entry.sentAt > until) continue;
    entry.sentAt = broker.now;
    if (entry.released) {
      send(broker, connection, stream, { type: 'pubrel', packetId, reasonCode: 0, size: ACK_SIZE });
      continue;
    }
    const { message, qos } = entry;
    const size = publishSize(message.topic, qos, message.size, protocol);
    const { topic, seq, retain = false } = message;
    const packet = { type: 'publish', topic, qos, packetId, dup: true, retain, seq, size } as const;
    send(broker, connection, stream, packet, aged(message, broker.now));
  }
}

/** The retry timer of a living connection (§3: 30 s up to 5.7, never from 5.8.0). */
export function onRetry(broker: Broker, connection: Connection, interval: number): void {
  connection.retryAt = null;
  for (const [stream, session] of connection.streams) {
    resend(broker, connection, stream, session, broker.now - interval);
  }
  watchRetry(broker, connection);
}
