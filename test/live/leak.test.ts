import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { createCertificate } from '../../engine/live/certificate.ts';
import { createDialler } from '../../engine/live/dialler.ts';
import { loadQuiche, quicAvailable } from '../../engine/live/quic-library.ts';
import { QuicServer } from '../../engine/live/quic-server.ts';
import { serverConfig } from '../../engine/live/quic-settings.ts';
import { TcpServer } from '../../engine/live/tcp-server.ts';
import { trusting } from '../../engine/live/tls-options.ts';
import type { ClientTransport, TransportConnection, TransportUser } from '../../engine/live/transport.ts';
import { skipReason, until } from './support.ts';

const skip = skipReason(await quicAvailable());
const LOOPBACK = '127.0.0.1';
const CYCLES = 40;
const TIMEOUTS = { handshakeMs: 5_000, disconnectMs: 5_000, idleMs: 30_000, keepaliveMs: 1_000 };
const certificate = createCertificate();
const tls = { ...certificate, clientCaPem: null, keylogFile: null };

/** Sockets and timers of this process, by kind. */
function held(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (/^(UDP|TCP|TLS)|^Timeout$|^Immediate$/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

function crashed(error: unknown): never {
  throw error;
}

/** Sends back what comes; knows how many of its connections have neither ended nor been told so. */
function echo(open: Set<TransportConnection>): (connection: TransportConnection) => TransportUser {
  return (connection) => ({
    established: () => open.add(connection),
    data: (stream, bytes) => connection.write(stream, bytes, () => {}),
    finished: () => {
      connection.close(0);
      open.delete(connection);
    },
    streamAborted: () => {},
    closed: () => open.delete(connection),
  });
}

describe('connections that come and go', { skip }, () => {
  const cleanUps: (() => void)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) cleanUp();
    // Else they are still there when the next test starts to count.
    await until(() => !Object.keys(held()).some((kind) => /^(UDP|TCP|TLS)/.test(kind)), 'the servers to close');
  });

  for (const transport of ['tcp', 'tls', 'quic'] as const) {
    it(`leave no socket, timer or entry behind over ${transport}`, async () => {
      const quiche = await loadQuiche();
      const open = new Set<TransportConnection>();
      const common = { accepts: () => true, connection: echo(open), crashed, connectionsMax: CYCLES };
      const server =
        transport === 'quic'
          ? new QuicServer({
              ...common,
              quiche,
              config: serverConfig(quiche, tls, TIMEOUTS.idleMs),
              timeouts: TIMEOUTS,
            })
          : new TcpServer({ ...common, tls: transport === 'tls' ? tls : null, handshakeMs: TIMEOUTS.handshakeMs });
      const address = await server.listen({ host: LOOPBACK, port: 0 });
      cleanUps.push(() => server.close());
      const dial = createDialler({
        transport,
        server: address,
        tls: trusting(certificate.certificatePem),
        timeouts: TIMEOUTS,
        quiche,
        crashed,
      });
      const before = held();
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        let answered = false;
        const client: ClientTransport = dial({
          user: {
            established: () => client.write(0, Buffer.from('hello'), () => {}),
            data: () => {
              answered = true;
            },
            finished: () => {},
            streamAborted: () => {},
            closed: () => {},
          },
        });
        await until(() => answered, `the answer of cycle ${cycle}`);
        // Streams that are opened, aborted and ended, which only QUIC has more than one of.
        for (let stream = 1; transport === 'quic' && stream <= 3; stream++) {
          client.write(stream, Buffer.from('more'), () => {});
          if (cycle % 2 === 0) client.resetStream(stream);
        }
        client.close(0);
        await until(() => client.isDestroyed, `the end of cycle ${cycle}`);
      }
      await until(() => server.connections === 0 && open.size === 0, 'the server to forget its connections');
      await until(() => JSON.stringify(held()) === JSON.stringify(before), 'sockets and timers to go').catch(() => {});
      assert.deepEqual(held(), before);
      assert.equal(server.connections, 0);
    });
  }
});
