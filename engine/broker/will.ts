/** Will messages (MQTT 5.0 §3.1.2.5, §3.1.3.2.2). */

import { seconds } from '../time.ts';
import type { Message } from '../types.ts';
import { mayPublish } from './access.ts';
import type { Clients } from './clients.ts';
import { received } from './expiry.ts';
import { log } from './log.ts';
import { retain } from './retained.ts';
import { route } from './route.ts';
import type { Broker, Connection } from './state.ts';

/** [MQTT-3.14.4-3]: a DISCONNECT takes the will away, unless it says "with will message". */
const DISCONNECT_WITH_WILL = 4;

export function onDisconnectPacket(connection: Connection, reasonCode: number): void {
  if (reasonCode !== DISCONNECT_WITH_WILL || connection.connect?.protocol !== 5) connection.will = null;
}

/** The connection is gone, the session lives on for `expiryS`: now, or after the delay. */
export function onDetached(broker: Broker, connection: Connection, expiryS: number): void {
  const { will } = connection;
  if (!will) return;
  const delayS = Math.min(will.delayS, expiryS);
  if (delayS === 0) publishWill(broker, connection);
  else connection.willAt = broker.now + seconds(delayS);
}

/** The session ends. [MQTT-3.1.3-9]: a delayed will does not outlive its session; a new connection of the session cancels it. */
export function onSessionEnd(broker: Broker, connection: Connection): void {
  const isTakenOver = connection.closeReason === broker.profile.takeoverReason;
  if (isTakenOver && (connection.will?.delayS ?? 0) > 0) connection.will = null;
  publishWill(broker, connection);
}

export function publishWill(broker: Broker, connection: Connection): void {
  const { will } = connection;
  connection.will = null;
  connection.willAt = null;
  if (!will || !broker.clients) return;
  if (!mayPublish(broker.clients.rules, connection, will.topic)) {
    log(broker, connection, 'warn', 'will_publish_denied', { topic: will.topic });
    return;
  }
  const { topic, qos, seq, content } = will;
  const message = received({ seq, topic, qos, size: content.payload.length, content, retain: will.retain }, broker.now);
  publishAsClient(broker, broker.clients, null, message);
}

/** Keeps it if it is to be retained, and routes it. @returns the number of subscriptions that got it */
export function publishAsClient(broker: Broker, clients: Clients, source: Connection | null, message: Message): number {
  if (message.retain) retain(broker, clients, message);
  return route(broker, clients, source, message);
}
