/** State of a broker that serves clients of any kind, beyond the sessions it has for every one. */

import type { Message } from '../types.ts';
import type { ClientRules } from './rules.ts';

export interface Clients {
  readonly rules: ClientRules;
  /** Retained messages by topic. */
  readonly retained: Map<string, Message>;
  retainedBytes: number;
  /** Whose turn it is in a group of shared subscriptions: group and filter → count of messages. */
  readonly turns: Map<string, number>;
  assignedIds: number;
}

export function newClients(rules: ClientRules): Clients {
  return { rules, retained: new Map(), retainedBytes: 0, turns: new Map(), assignedIds: 0 };
}
