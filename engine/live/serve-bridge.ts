/** The bridge as a program of its own: local clients publish over MQTT, it forwards to a broker and brings back what it subscribed. */

import { createBridge } from '../bridge/machine.ts';
import { matchesTopic } from '../broker/topic-filter.ts';
import type { BridgeProfile } from '../profiles/profile.ts';
import { createRng } from '../rng.ts';
import type { BridgeSettings, SimRecord } from '../types.ts';
import type { BrokerAddress } from './address.ts';
import { BridgeSide, bridgeTimeouts } from './bridge-side.ts';
import { RunClock } from './clock.ts';
import { createDialler } from './dialler.ts';
import { LiveError } from './errors.ts';
import { logOnly } from './journal.ts';
import { loadQuiche } from './quic-library.ts';
import { type BrokerServer, type BrokerServerOptions, serveBroker } from './serve-broker.ts';
import type { ClientTls } from './tls-options.ts';

/** `forwards` of nanomq.conf: what of the local topics goes out, and under which name. */
export interface ForwardRule {
  readonly local: string;
  /** Null: under its own name. */
  readonly remote: string | null;
  /** Null: as it was published. */
  readonly qos: 0 | 1 | 2 | null;
}

export interface BridgeServerOptions {
  readonly profile: BridgeProfile;
  readonly settings: BridgeSettings;
  readonly password: string | null;
  readonly forwards: readonly ForwardRule[];
  readonly target: BrokerAddress;
  readonly tls: ClientTls;
  /** The broker for local clients. */
  readonly local: Omit<BrokerServerOptions, 'sink' | 'onPublished' | 'failed'>;
  /** Records of the bridge, their times in µs since the start. */
  readonly sink: (record: SimRecord) => void;
  readonly failed: (error: unknown) => void;
}

export interface BridgeServer {
  readonly addresses: BrokerServer['addresses'];
  readonly startedAtUs: number;
  stop(): Promise<void>;
}

/** @throws LiveError as `serveBroker` does */
export async function serveBridge(options: BridgeServerOptions): Promise<BridgeServer> {
  const { profile, settings, password, forwards, target, tls, local, sink, failed } = options;
  const quiche = target.transport === 'quic' ? await loadQuiche() : null;
  const clock = new RunClock(1);
  const timeouts = bridgeTimeouts(settings, clock);
  const dial = createDialler({
    transport: target.transport,
    server: target,
    tls,
    timeouts: target.transport === 'quic' ? timeouts : { ...timeouts, handshakeMs: 0 },
    quiche,
    crashed: failed,
  });
  const broker = await serveBroker({
    ...local,
    sink: () => {},
    onPublished: (message) => {
      const rule = forwards.find((candidate) => matchesTopic(candidate.local, message.topic));
      if (!rule) return;
      const topic = rule.remote ?? message.topic;
      bridge.feed({ kind: 'offer', message: { ...message, topic, qos: rule.qos ?? message.qos, retain: false } });
    },
    failed,
  });
  const bridge = new BridgeSide({
    machine: createBridge({ profile, settings, rng: createRng(Date.now() % 2 ** 31, 'bridge') }),
    settings,
    dial,
    clock,
    journal: logOnly(sink, (direction, message) => {
      if (direction === 'down') broker.publish({ ...message, seq: broker.nextSeq() });
    }),
    run: {
      mayHandle: () => true,
      overflow: () =>
        failed(new LiveError('overloaded', 'More comes in than can be handled.', { hint: 'Publish less at a time.' })),
      crashed: failed,
    },
    nextSeq: broker.nextSeq,
    outgoing: (packet) =>
      packet.type === 'connect' && password !== null ? { ...packet, password: Buffer.from(password) } : packet,
  });
  clock.restart();
  const startedAtUs = Date.now() * 1000;
  bridge.feed({ kind: 'start' });
  return {
    addresses: broker.addresses,
    startedAtUs,
    stop: async () => {
      bridge.stop();
      await broker.stop();
    },
  };
}
