/** The broker under attack, in this process, with a listener of every kind, and the ways to it. */

import { OPEN_RULES } from '../../../engine/broker/rules.ts';
import { createCertificate } from '../../../engine/live/certificate.ts';
import { createDialler, type Dialler } from '../../../engine/live/dialler.ts';
import type { Quiche } from '../../../engine/live/quic-library.ts';
import { type BrokerServer, serveBroker } from '../../../engine/live/serve-broker.ts';
import { trusting } from '../../../engine/live/tls-options.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS } from '../../../engine/profiles/emqx.ts';

export const LOOPBACK = '127.0.0.1';
export type Way = 'quic' | 'tcp' | 'tls';

export interface Target {
  readonly server: BrokerServer;
  readonly quiche: Quiche;
  readonly certificatePem: string;
  readonly ports: Readonly<Record<Way, number>>;
  readonly dials: Readonly<Record<Way, Dialler>>;
  /** What the broker could not go on after; must stay empty. */
  readonly crashes: unknown[];
}

/** So many clients of the campaign are there at a time, and some that broke off and are not forgotten yet. */
const CONNECTIONS_MAX = 2_000;
const TIMEOUTS = { handshakeMs: 20_000, disconnectMs: 20_000, idleMs: 0, keepaliveMs: 0 };
/** What hostile clients may leave behind is bounded; small bounds are reached early, so that growth beyond them shows. */
const RULES = { ...OPEN_RULES, retainedMax: 50, retainedBytesMax: 1_048_576, detachedMax: 50 };

export async function startTarget(quiche: Quiche, connectionsMax = CONNECTIONS_MAX): Promise<Target> {
  const crashes: unknown[] = [];
  const certificate = createCertificate();
  const server = await serveBroker({
    profile: brokerProfile('5.8.4').profile,
    settings: DEFAULT_BROKER_SETTINGS,
    rules: RULES,
    listeners: (['quic', 'tcp', 'tls'] as const).map((transport) => ({ transport, port: 0 })),
    tls: { ...certificate, clientCaPem: null, keylogFile: null },
    connectionsMax,
    sink: () => {},
    failed: (error) => crashes.push(error),
  });
  const [quic, tcp, tls] = server.addresses.map(({ port }) => port);
  const ports = { quic: quic!, tcp: tcp!, tls: tls! };
  const dial = (transport: Way): Dialler =>
    createDialler({
      transport,
      server: { host: LOOPBACK, port: ports[transport] },
      tls: trusting(certificate.certificatePem),
      timeouts: TIMEOUTS,
      quiche,
      crashed: (error) => crashes.push(error),
    });
  const dials = { quic: dial('quic'), tcp: dial('tcp'), tls: dial('tls') };
  return { server, quiche, certificatePem: certificate.certificatePem, ports, dials, crashes };
}
