/** What a simulation takes and gives. */

import type { BridgeMachine } from '../bridge/io.ts';
import type { BridgeProcess } from '../bridge/state.ts';
import type { BridgeProfile, BrokerProfile } from '../profiles/profile.ts';
import type {
  BridgeSettings,
  BrokerSettings,
  Choices,
  Message,
  Micros,
  NetworkChange,
  Qos,
  Stimulus,
} from '../types.ts';

export interface LinkSettings {
  /** One way, ms. */
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Share of datagrams lost, 0 to 1. */
  readonly loss: number;
  /** What a dial meets while the broker is stopped: nothing, or an ICMP error / RST at once. Default `silent`. */
  readonly brokerDown?: 'silent' | 'refused';
  /** The state at the start where it is more than delay, jitter and loss, such as a link that is down. */
  readonly initially?: NetworkChange;
}

export interface SimOptions {
  /** `process` is shared by runs that stand for the bridges of one NanoMQ. */
  readonly bridge: {
    readonly profile: BridgeProfile;
    readonly settings: BridgeSettings;
    readonly process?: BridgeProcess;
  };
  readonly broker: { readonly profile: BrokerProfile; readonly settings: BrokerSettings };
  /** In time order; read lazily. */
  readonly stimuli: Iterable<Stimulus>;
  readonly durationUs: Micros;
  readonly seed: number;
  readonly choices?: Choices;
  readonly link?: LinkSettings;
  /** Told of every message that arrives, duplicates included. */
  readonly onDelivery?: (direction: 'up' | 'down', message: Message, at: Micros) => void;
  /** Stop after this many calls of `handle`; `stoppedBy` says so. */
  readonly maxEvents?: number;
  /** Wraps the bridge machine, for checks ({@link checkedBridge}). */
  readonly wrapBridge?: (machine: BridgeMachine) => BridgeMachine;
}

export interface DirectionSummary {
  readonly offered: Readonly<Record<Qos, number>>;
  /** Distinct messages. */
  readonly delivered: Readonly<Record<Qos, number>>;
  readonly lost: Readonly<Record<Qos, number>>;
  readonly lostByReason: Readonly<Record<string, number>>;
  /** Deliveries beyond the first of a message. */
  readonly duplicates: number;
  /** Messages neither delivered nor lost at the end. */
  readonly held: number;
}

export interface SimSummary {
  /** Calls of a machine's `handle`. */
  readonly events: number;
  readonly endedAt: Micros;
  readonly stoppedBy: 'duration' | 'max-events' | 'queue-full';
  readonly up: DirectionSummary;
  readonly down: DirectionSummary;
  /** FNV-1a over the trace, 16 hex digits. Same options and seed, same hash. */
  readonly hash: string;
  readonly records: number;
  /** Uplink messages that the books still hold but neither the bridge nor the network does. Always 0; checked by tests. */
  readonly unaccounted: number;
}
