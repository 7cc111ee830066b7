/** Messages that expire (MQTT 5.0 §3.3.2.3.3). */

import { SECOND, seconds } from '../time.ts';
import type { Message, Micros } from '../types.ts';

/** The property as MQTT names it in a message's content, s. */
const PROPERTY = 'messageExpiryInterval';

/** The interval runs from when the broker got the message. */
export function received(message: Message, now: Micros): Message {
  const interval = message.content?.properties?.[PROPERTY];
  return typeof interval === 'number' ? { ...message, expiresAt: now + seconds(interval) } : message;
}

/** [MQTT-3.3.2-5] */
export function isExpired({ expiresAt }: Message, now: Micros): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** [MQTT-3.3.2-6]: as it goes out, with what is left of its interval. */
export function aged(message: Message, now: Micros): Message {
  const { expiresAt, content } = message;
  if (expiresAt === undefined || !content) return message;
  const left = Math.max(0, Math.ceil((expiresAt - now) / SECOND));
  return { ...message, content: { ...content, properties: { ...content.properties, [PROPERTY]: left } } };
}
