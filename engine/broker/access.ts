/** Who may connect, publish and subscribe. Reason codes are MQTT 5's (§2.4). */

import type { AclRule, ClientRules } from './rules.ts';
import type { Connection, ConnectPacket } from './state.ts';
import { isValidFilter, matchesTopic, splitShare } from './topic-filter.ts';

const BAD_USER_NAME_OR_PASSWORD = 134;
const CLIENT_ID_NOT_VALID = 133;
const BAD_AUTHENTICATION_METHOD = 140;

/** Null: welcome. */
export function connectRefusal(rules: ClientRules, packet: ConnectPacket): number | null {
  // [MQTT-3.1.3-8]: a 3.1.1 client without an id cannot keep a session.
  if (packet.clientId === '' && packet.protocol === 4 && !packet.cleanStart) return CLIENT_ID_NOT_VALID;
  // §4.12: no method of enhanced authentication is offered.
  if (packet.authenticationMethod !== undefined) return BAD_AUTHENTICATION_METHOD;
  if (rules.users === null) return null;
  const password = rules.users.get(packet.username ?? '');
  if (password === undefined || packet.username === null) return BAD_USER_NAME_OR_PASSWORD;
  return password === utf8(packet.password) ? null : BAD_USER_NAME_OR_PASSWORD;
}

function utf8(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : Buffer.from(bytes).toString('utf8');
}

export function mayPublish(rules: ClientRules, connection: Connection, topic: string): boolean {
  return decide(rules.acl, connection, 'publish', (filter) => matchesTopic(filter, topic));
}

export function maySubscribe(rules: ClientRules, connection: Connection, filter: string): boolean {
  const wanted = splitShare(filter).filter;
  // A filter is a topic to a wider one: `a/+` and `a/b` are both within `a/#`, and `a/#` within itself.
  return decide(rules.acl, connection, 'subscribe', (allowed) => allowed === wanted || matchesTopic(allowed, wanted));
}

function decide(
  acl: readonly AclRule[],
  connection: Connection,
  action: AclRule['action'],
  covers: (filter: string) => boolean,
): boolean {
  const username = connection.connect?.username ?? null;
  const rule = acl.find(
    (candidate) =>
      (candidate.action === 'all' || candidate.action === action) &&
      (candidate.user === null || candidate.user === username) &&
      covers(candidate.filter),
  );
  return rule?.allow ?? true;
}

/** Text of one rule, `allow|deny USER|* publish|subscribe|all FILTER`. @returns null if it is none */
export function parseAclRule(text: string): AclRule | null {
  const match = /^(allow|deny)\s+(\S+)\s+(publish|subscribe|all)\s+(\S+)$/.exec(text.trim());
  if (!match || !isValidFilter(match[4]!)) return null;
  return {
    allow: match[1] === 'allow',
    user: match[2] === '*' ? null : match[2]!,
    action: match[3] as AclRule['action'],
    filter: match[4]!,
  };
}
