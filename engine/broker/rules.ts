/** What a broker for clients of any kind allows and bounds. A replay has no such rules: there is one bridge, and it may do all. */

/** The first rule that fits decides; if none does, it is allowed. */
export interface AclRule {
  readonly allow: boolean;
  /** Null: everybody. */
  readonly user: string | null;
  readonly action: 'publish' | 'subscribe' | 'all';
  /** Topic filter; for SUBSCRIBE it covers the same filter and what is narrower by its wildcards. */
  readonly filter: string;
}

export interface ClientRules {
  /** Password by user name; null: anybody may connect. */
  readonly users: ReadonlyMap<string, string> | null;
  readonly acl: readonly AclRule[];
  /** Of one client. */
  readonly subscriptionsMax: number;
  readonly retainedMax: number;
  readonly retainedBytesMax: number;
  /** Sessions without a connection; the one that came first ends for a new one. */
  readonly detachedMax: number;
}

export const OPEN_RULES: ClientRules = {
  users: null,
  acl: [],
  subscriptionsMax: 1_000,
  retainedMax: 10_000,
  retainedBytesMax: 64 * 1024 * 1024,
  detachedMax: 10_000,
};
