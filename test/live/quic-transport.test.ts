import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { afterEach, describe, it } from 'node:test';
import { createCertificate } from '../../engine/live/certificate.ts';
import { RunClock } from '../../engine/live/clock.ts';
import { createProxy } from '../../engine/live/impairment-proxy.ts';
import { LiveLink } from '../../engine/live/live-link.ts';
import { QuicClient } from '../../engine/live/quic-client.ts';
import type { QuicConnection } from '../../engine/live/quic-connection.ts';
import { loadQuiche, quicAvailable } from '../../engine/live/quic-library.ts';
import { QuicServer } from '../../engine/live/quic-server.ts';
import { clientConfig, type QuicTimeouts, serverConfig } from '../../engine/live/quic-settings.ts';
import { type ServerTls, trusting } from '../../engine/live/tls-options.ts';
import type { Failure, TransportUser } from '../../engine/live/transport.ts';
import { createRng } from '../../engine/rng.ts';
import type { CloseCause } from '../../engine/types.ts';
import { skipReason, until } from './support.ts';

const TIMEOUTS: QuicTimeouts = { handshakeMs: 3_000, disconnectMs: 1_000, idleMs: 0, keepaliveMs: 0 };
const certificate = createCertificate();
const skip = skipReason(await quicAvailable());

const tls: ServerTls = { ...certificate, clientCaPem: null, keylogFile: null };
const LOOPBACK = '127.0.0.1';

/** What one end was told. */
class Witness implements TransportUser {
  connected = false;
  readonly bytes = new Map<number, Buffer[]>();
  readonly fins: number[] = [];
  readonly aborted: number[] = [];
  cause: CloseCause | null = null;
  failure: Failure | null = null;
  onData: (stream: number, bytes: Buffer) => void = () => {};

  established(): void {
    this.connected = true;
  }
  data(stream: number, bytes: Buffer): void {
    this.bytes.set(stream, [...(this.bytes.get(stream) ?? []), bytes]);
    this.onData(stream, bytes);
  }
  finished(stream: number): void {
    this.fins.push(stream);
  }
  streamAborted(stream: number): void {
    this.aborted.push(stream);
  }
  closed(cause: CloseCause, failure: Failure): void {
    this.cause = cause;
    this.failure = failure;
  }
  received(stream: number): Buffer {
    return Buffer.concat(this.bytes.get(stream) ?? []);
  }
}

interface PairOptions {
  readonly timeouts?: Partial<QuicTimeouts>;
  readonly serverIdleMs?: number;
  readonly authorityPem?: string;
  /** Without the proxy between. */
  readonly direct?: boolean;
}

describe('QUIC transport', { skip }, () => {
  const cleanUps: (() => void)[] = [];
  afterEach(() => {
    for (const cleanUp of cleanUps.splice(0)) cleanUp();
  });

  function crashed(error: unknown): never {
    throw error;
  }

  async function startServer({ serverIdleMs = 0 }: PairOptions = {}) {
    const quiche = await loadQuiche();
    const link = new LiveLink(undefined, createRng(1, 'link'), new RunClock(1));
    const witness = new Witness();
    const accepted: QuicConnection[] = [];
    const server = new QuicServer({
      quiche,
      config: serverConfig(quiche, tls, serverIdleMs),
      timeouts: TIMEOUTS,
      accepts: () => true,
      connection: (connection) => {
        accepted.push(connection);
        return witness;
      },
      crashed,
    });
    const { port } = await server.listen({ host: LOOPBACK, port: 0 });
    const target = { host: LOOPBACK, port };
    const proxy = createProxy('udp', { target, link, speed: 1, accepts: () => true, refused: () => {}, crashed });
    const proxyPort = (await proxy.listen()).port;
    cleanUps.push(() => {
      server.close();
      proxy.close();
      link.close();
    });
    return { quiche, link, server, port, proxy, proxyPort, witness, accepted };
  }

  type Server = Awaited<ReturnType<typeof startServer>>;

  function dial({ quiche, port, proxyPort }: Server, options: PairOptions = {}) {
    const witness = new Witness();
    const timeouts = { ...TIMEOUTS, ...options.timeouts };
    const authority = options.authorityPem ?? certificate.certificatePem;
    const trust = trusting(authority);
    const config = clientConfig(quiche, trust, timeouts.idleMs);
    const server = { host: LOOPBACK, port: options.direct ? port : proxyPort };
    const client = new QuicClient({ quiche, config, tls: trust, timeouts, server, user: witness, crashed });
    cleanUps.push(() => client.destroy());
    return { client, witness };
  }

  async function connectedPair(options: PairOptions = {}) {
    const server = await startServer(options);
    const { client, witness } = dial(server, options);
    await until(() => witness.connected && server.witness.connected, 'handshake');
    return { ...server, client, clientSide: witness, serverSide: server.witness, atServer: server.accepted[0]! };
  }

  it('carries bytes both ways on every stream and keeps the streams apart', async () => {
    const { client, clientSide, serverSide, atServer } = await connectedPair();
    serverSide.onData = (stream, bytes) => atServer.write(stream, bytes, () => {});
    const texts = [0, 1, 2, 3, 4].map((stream) => `stream ${stream} `.repeat(1_000 * (stream + 1)));
    let taken = 0;
    for (const [stream, text] of texts.entries()) {
      client.write(stream, Buffer.from(text), (result) => {
        assert.equal(result, 0);
        taken++;
      });
    }
    await until(() => texts.every((text, stream) => clientSide.received(stream).length === text.length), 'the echo');
    for (const [stream, text] of texts.entries()) assert.equal(clientSide.received(stream).toString(), text);
    assert.equal(taken, 5);
  });

  it('reports a write beyond the send buffer only when the peer has acknowledged', async () => {
    const { client, serverSide, link } = await connectedPair({ timeouts: { disconnectMs: 0 } });
    link.change({ down: true });
    const results: string[] = [];
    client.write(3, Buffer.alloc(100_000), () => results.push('first'));
    client.write(3, Buffer.alloc(100_000), () => results.push('second'));
    await until(() => results.length > 0, 'the first hand-over');
    await pause(150);
    assert.deepEqual(results, ['first']);
    link.change({ down: false });
    await until(() => serverSide.received(3).length === 200_000, 'the bytes');
    await until(() => results.length === 2, 'the second hand-over');
  });

  it('tells the peer the application code of a close', async () => {
    const { client, serverSide, server } = await connectedPair();
    client.close(42);
    await until(() => serverSide.cause !== null, 'the close');
    assert.deepEqual(serverSide.cause, { kind: 'peer', code: 42 });
    await until(() => server.connections === 0, 'the drained connection to be forgotten');
  });

  it('tells FIN after the data before it', async () => {
    const { clientSide, serverSide, atServer, client } = await connectedPair();
    client.write(0, Buffer.from('hello'), () => {});
    await until(() => serverSide.received(0).length > 0, 'the stream to exist');
    atServer.write(0, Buffer.from('bye'), () => {});
    atServer.finish(0);
    await until(() => clientSide.fins.length > 0, 'FIN');
    assert.deepEqual(clientSide.fins, [0]);
    assert.equal(clientSide.received(0).toString(), 'bye');
  });

  it('aborts a stream, fails its writes and goes on with a new one under the same index', async () => {
    const { client, serverSide, link } = await connectedPair();
    client.write(3, Buffer.from('old'), () => {});
    await until(() => serverSide.received(3).toString() === 'old', 'the old stream');
    link.change({ down: true });
    const results: number[] = [];
    client.write(3, Buffer.alloc(300_000), (result) => results.push(result));
    await pause(20);
    client.resetStream(3);
    assert.deepEqual(results, [20]);
    client.write(3, Buffer.from('new'), () => {});
    link.change({ down: false });
    await until(() => serverSide.received(5).toString() === 'new', 'the new stream');
    assert.deepEqual(serverSide.aborted, [3]);
  });

  it('notices a dead path after the disconnect timeout', async () => {
    const { client, clientSide, link } = await connectedPair({ timeouts: { disconnectMs: 300 } });
    link.change({ down: true });
    client.write(0, Buffer.from('anyone?'), () => {});
    await until(() => clientSide.cause !== null, 'the timeout');
    assert.deepEqual(clientSide.cause, { kind: 'timeout' });
    assert.equal(client.isOpen, false);
  });

  it('notices silence after the idle timeout, unless keepalive prevents it', async () => {
    const idle = await connectedPair({ timeouts: { idleMs: 400 } });
    const kept = await connectedPair({ timeouts: { idleMs: 400, keepaliveMs: 100 } });
    await until(() => idle.clientSide.cause !== null, 'the idle timeout');
    assert.deepEqual(idle.clientSide.cause, { kind: 'idle' });
    await pause(400);
    assert.equal(kept.clientSide.cause, null);
  });

  it('gives up a handshake that nobody answers', async () => {
    const server = await startServer();
    server.link.change({ down: true });
    const { witness } = dial(server, { timeouts: { handshakeMs: 200 } });
    await until(() => witness.cause !== null, 'the handshake timeout');
    assert.deepEqual(witness.cause, { kind: 'handshake-timeout' });
  });

  it('says unreachable when nothing listens on the port', async () => {
    const server = await startServer();
    server.server.close();
    const { witness } = dial(server, { direct: true });
    await until(() => witness.cause !== null, 'the refusal');
    assert.deepEqual(witness.cause, { kind: 'unreachable' });
    assert.equal(witness.failure?.reason, 'refused');
  });

  it('refuses a server whose certificate it does not trust', async () => {
    const server = await startServer();
    const { witness } = dial(server, { authorityPem: createCertificate().certificatePem });
    await until(() => witness.cause !== null, 'the refusal');
    assert.deepEqual(witness.cause, { kind: 'local' });
    assert.equal(witness.failure?.reason, 'certificate-untrusted');
    assert.equal(witness.connected, false);
  });

  it('survives garbage datagrams and still serves', async () => {
    const server = await startServer();
    const socket = createSocket('udp4');
    cleanUps.push(() => socket.close());
    for (let length = 0; length <= 1_400; length += 7) {
      socket.send(Buffer.alloc(length, length % 251), server.port, '127.0.0.1');
      const likeInitial = Buffer.alloc(length, length % 251);
      // Long header, version 1, Initial.
      Buffer.from([0xc3, 0, 0, 0, 1, 8]).copy(likeInitial);
      socket.send(likeInitial, server.port, '127.0.0.1');
    }
    await pause(100);
    const { witness } = dial(server);
    await until(() => witness.connected, 'the handshake after the garbage');
  });

  it('says which port is taken', async () => {
    const { quiche, port } = await startServer();
    const second = new QuicServer({
      quiche,
      config: serverConfig(quiche, tls, 0),
      timeouts: TIMEOUTS,
      accepts: () => true,
      connection: () => new Witness(),
      crashed,
    });
    await assert.rejects(second.listen({ host: LOOPBACK, port }), { code: 'EADDRINUSE' });
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
