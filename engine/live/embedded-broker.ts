/** The broker of our own, in this process: everything that a cassette knows can happen to it. */

import { createBroker } from '../broker/machine.ts';
import type { BrokerProfile } from '../profiles/profile.ts';
import { createRng } from '../rng.ts';
import type { BrokerSettings } from '../types.ts';
import type { Address, BrokerAddress, TransportKind } from './address.ts';
import { BrokerSide } from './broker-side.ts';
import type { Certificate } from './certificate.ts';
import type { RunClock } from './clock.ts';
import { LiveError } from './errors.ts';
import type { Journal } from './journal.ts';
import type { BrokerStimulus, LiveBroker } from './live-broker.ts';
import type { Quiche } from './quic-library.ts';
import type { RunControl } from './run-control.ts';

export interface EmbeddedBrokerOptions {
  readonly profile: BrokerProfile;
  readonly settings: BrokerSettings;
  readonly transport: TransportKind;
  readonly seed: number;
  readonly quiche: Quiche | null;
  readonly certificate: Certificate;
  readonly clock: RunClock;
  readonly journal: Journal;
  readonly run: RunControl;
  readonly accepts: (client: Address) => boolean;
  readonly clientPort: (port: number) => number;
  readonly whileStopped: 'silent' | 'refused';
}

export class EmbeddedBroker implements LiveBroker {
  readonly #side: BrokerSide;

  constructor({ profile, settings, transport, seed, certificate, ...rest }: EmbeddedBrokerOptions) {
    this.#side = new BrokerSide({
      ...rest,
      machine: createBroker({ profile, settings, rng: createRng(seed, 'broker') }),
      settings,
      countsTransportBytes: profile.counterScope === 'connection-bytes',
      listeners: [{ transport, port: 0 }],
      tls: { ...certificate, clientCaPem: null, keylogFile: null },
    });
  }

  async open(): Promise<BrokerAddress> {
    return (await this.#side.open())[0]!;
  }

  start(): void {
    this.#side.feed({ kind: 'start' });
  }

  apply(stimulus: BrokerStimulus): void {
    switch (stimulus.kind) {
      case 'downlink':
        this.#side.feed({ kind: 'downlink', message: stimulus.message });
        return;
      case 'broker-stop':
        this.#side.stopProduct();
        return;
      case 'broker-kill':
        this.#side.killProduct();
        return;
      case 'broker-start':
        this.#side.startProduct();
        return;
      case 'broker-pause':
        this.#side.pauseProduct();
        return;
      case 'broker-resume':
        this.#side.resumeProduct();
        return;
      case 'rival-connect':
      case 'kick':
        this.#side.feed({ kind: stimulus.kind });
        return;
      case 'refuse':
        this.#side.feed({ kind: 'refuse', reasonCode: stimulus.reasonCode });
        return;
      default:
        throw new LiveError('unsupported-stimulus', `A live run cannot do '${(stimulus as BrokerStimulus).kind}'.`, {
          hint: 'The simulator (--mode sim) can.',
        });
    }
  }

  stop(): void {
    this.#side.stop();
  }
}
