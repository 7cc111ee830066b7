/** Many clients of one broker, connected and quiet. */

import { createDialler } from '../../engine/live/dialler.ts';
import { PlainClient } from '../../engine/live/plain-client.ts';
import { loadQuiche } from '../../engine/live/quic-library.ts';
import { trusting } from '../../engine/live/tls-options.ts';
import { answerWith, fail } from './processes.ts';

export interface HolderQuestion {
  readonly transport: 'quic' | 'tcp';
  readonly port: number;
  readonly certificatePem: string;
  readonly clients: number;
}

export interface HolderAnswer {
  readonly connected: number;
  readonly seconds: number;
}

/** Handshakes at a time. */
const TOGETHER = 20;
const TIMEOUTS = { handshakeMs: 10_000, disconnectMs: 60_000, idleMs: 0, keepaliveMs: 0 };

answerWith<HolderQuestion>(async ({ transport, port, certificatePem, clients }): Promise<HolderAnswer> => {
  const dial = createDialler({
    transport,
    server: { host: '127.0.0.1', port },
    tls: trusting(certificatePem),
    timeouts: TIMEOUTS,
    quiche: transport === 'quic' ? await loadQuiche() : null,
    crashed: fail,
  });
  const startedAtMs = performance.now();
  let connected = 0;
  for (let first = 0; first < clients; first += TOGETHER) {
    const group = Array.from({ length: Math.min(TOGETHER, clients - first) }, (_, index) =>
      new PlainClient({
        dial,
        protocol: 5,
        clientId: `held-${first + index}`,
        username: null,
        password: null,
        keepaliveS: 0,
        onEnded: (why) => fail(new Error(why)),
      }).connect(),
    );
    connected += (await Promise.all(group)).length;
  }
  return { connected, seconds: (performance.now() - startedAtMs) / 1000 };
});
