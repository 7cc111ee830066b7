/**
 * Under which names a bridge goes to a broker that is not ours: a client id and topics that nobody else uses, so that no session is
 * taken over and no subscriber is reached. Our own broker, and a user who wants it so, get the original names.
 */

import type { Packet } from '../types.ts';

export interface Identity {
  readonly clientId: (id: string) => string;
  /** Before every topic and filter, `/` included; empty: none. */
  readonly topicPrefix: string;
  readonly username: string | null;
  readonly password: Uint8Array | null;
}

/** @param run a word that is unique among the runs against this broker */
export function foreignIdentity(run: string, username: string | null, password: Uint8Array | null): Identity {
  return { clientId: (id) => `${id}-bridgetrace-${run}`, topicPrefix: `bridgetrace/${run}/`, username, password };
}

export function originalIdentity(username: string | null, password: Uint8Array | null): Identity {
  return { clientId: (id) => id, topicPrefix: '', username, password };
}

/** What the bridge's machine sends, as it leaves. RETAIN is never set. */
export function disguise(packet: Packet, identity: Identity): Packet {
  switch (packet.type) {
    case 'connect': {
      const { username, password, clientId } = identity;
      const login = username === null ? {} : { username, ...(password === null ? {} : { password }) };
      return { ...packet, clientId: clientId(packet.clientId), ...login };
    }
    case 'publish':
      return { ...packet, topic: identity.topicPrefix + packet.topic, retain: false };
    case 'subscribe':
      return {
        ...packet,
        filters: packet.filters.map((filter) => ({ ...filter, topic: prefixed(filter.topic, identity.topicPrefix) })),
      };
    case 'unsubscribe':
      return { ...packet, filters: packet.filters.map((topic) => prefixed(topic, identity.topicPrefix)) };
    default:
      return packet;
  }
}

/** What comes from the broker, as the machine expects it. */
export function undisguise(packet: Packet, { topicPrefix }: Identity): Packet {
  if (packet.type !== 'publish' || !packet.topic.startsWith(topicPrefix)) return packet;
  return { ...packet, topic: packet.topic.slice(topicPrefix.length) };
}

/** The prefix stands behind the group of a shared subscription. */
function prefixed(filter: string, prefix: string): string {
  const match = /^(\$share\/[^/]+\/)(.*)$/s.exec(filter);
  return match ? `${match[1]}${prefix}${match[2]}` : prefix + filter;
}
