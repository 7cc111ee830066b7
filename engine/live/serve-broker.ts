/** The broker as a server of its own: any clients, several listeners, until it is told to stop. */

import { createBroker } from '../broker/machine.ts';
import type { ClientRules } from '../broker/rules.ts';
import type { BrokerProfile } from '../profiles/profile.ts';
import { createRng } from '../rng.ts';
import type { BrokerSettings, Message, SimRecord } from '../types.ts';
import type { BrokerAddress } from './address.ts';
import { BrokerSide, type ListenerOptions } from './broker-side.ts';
import { RunClock } from './clock.ts';
import { LiveError } from './errors.ts';
import { logOnly } from './journal.ts';
import { loadQuiche } from './quic-library.ts';
import type { ServerTls } from './tls-options.ts';

export interface BrokerServerOptions {
  readonly profile: BrokerProfile;
  readonly settings: BrokerSettings;
  readonly rules: ClientRules;
  readonly listeners: readonly ListenerOptions[];
  readonly tls: ServerTls;
  /** Connections that a listener holds at a time. */
  readonly connectionsMax: number;
  /** Log records, their times in µs since the start. */
  readonly sink: (record: SimRecord) => void;
  /** A client published this, and may. */
  readonly onPublished?: (message: Message) => void;
  /** It cannot go on. */
  readonly failed: (error: unknown) => void;
}

export interface BrokerServer {
  readonly addresses: readonly BrokerAddress[];
  /** µs since the epoch at the time 0 of the records. */
  readonly startedAtUs: number;
  /** To whom it may concern, as another client would. Numbered by {@link nextSeq}. */
  publish(message: Message): void;
  nextSeq(): number;
  /** Says good-bye to all clients and closes the ports. */
  stop(): Promise<void>;
}

/** DISCONNECT, FIN and CLOSE frames leave before the sockets are closed. */
const FAREWELL_MS = 100;

/** @throws LiveError `port-taken`, `address-unusable`, `quic-unavailable`, `certificate-unreadable` */
export async function serveBroker(options: BrokerServerOptions): Promise<BrokerServer> {
  const { profile, settings, rules, listeners, tls, connectionsMax, sink, onPublished, failed } = options;
  const quiche = listeners.some(({ transport }) => transport === 'quic') ? await loadQuiche() : null;
  const clock = new RunClock(1);
  let seq = 0;
  const nextSeq = (): number => seq++;
  const side = new BrokerSide({
    machine: createBroker({ profile, settings, rules, rng: createRng(Date.now() % 2 ** 31, 'broker') }),
    settings,
    countsTransportBytes: profile.counterScope === 'connection-bytes',
    listeners,
    quiche,
    tls,
    clock,
    journal: logOnly(sink, (direction, message) => {
      if (direction === 'up') onPublished?.(message);
    }),
    run: {
      mayHandle: () => true,
      overflow: () =>
        failed(new LiveError('overloaded', 'More comes in than can be handled.', { hint: 'Send less at a time.' })),
      crashed: failed,
    },
    connectionsMax,
    whileStopped: 'refused',
    nextSeq,
  });
  const addresses = await side.open();
  clock.restart();
  const startedAtUs = Date.now() * 1000;
  side.feed({ kind: 'start' });
  return {
    addresses,
    startedAtUs,
    nextSeq,
    publish: (message) => side.feed({ kind: 'downlink', message }),
    stop: async () => {
      side.feed({ kind: 'stop' });
      await new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
      side.stop();
    },
  };
}
