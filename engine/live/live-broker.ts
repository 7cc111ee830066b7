/** What a live run needs of a broker, ours or another's. */

import type { Stimulus } from '../types.ts';
import type { BrokerAddress } from './address.ts';

export type BrokerStimulus = Exclude<Stimulus, { kind: 'publish' | 'network' | 'nat-rebind' }>;

export interface LiveBroker {
  /** Makes it ready. @returns where it listens */
  open(): Promise<BrokerAddress>;
  /** The run begins: time 0. */
  start(): void;
  apply(stimulus: BrokerStimulus): void;
  /** Closes everything of ours at once. */
  stop(): void;
}

/** How far what we know of a foreign broker goes. */
export interface BrokerFacts {
  readonly address: BrokerAddress;
  /** As it tells by itself; null: it does not. */
  readonly version: string | null;
  readonly serverKeepaliveS: number | null;
  readonly maximumPacketSize: number | null;
  readonly receiveMaximum: number | null;
}
