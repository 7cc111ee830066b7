/** Every way in which a connection can fail has a name, over QUIC and over TLS, and none hangs. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { OPEN_RULES } from '../../engine/broker/rules.ts';
import { createCertificate } from '../../engine/live/certificate.ts';
import { createDialler } from '../../engine/live/dialler.ts';
import { PlainClient } from '../../engine/live/plain-client.ts';
import { loadQuiche, quicAvailable } from '../../engine/live/quic-library.ts';
import { QuicServer } from '../../engine/live/quic-server.ts';
import { type QuicTimeouts, serverConfig } from '../../engine/live/quic-settings.ts';
import { serveBroker } from '../../engine/live/serve-broker.ts';
import { type ClientTls, type ServerTls, trusting } from '../../engine/live/tls-options.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS } from '../../engine/profiles/emqx.ts';
import { skipReason } from './support.ts';

const certificate = createCertificate();
const client = createCertificate();
const stranger = createCertificate();
const trust = trusting(certificate.certificatePem);
const TIMEOUTS: QuicTimeouts = { handshakeMs: 1_500, disconnectMs: 1_500, idleMs: 0, keepaliveMs: 0 };
const noQuic = skipReason(await quicAvailable());
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

type Secure = 'quic' | 'tls';
type Kind = Secure | 'tcp';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function broker(transport: Kind, tls: Partial<ServerTls> = {}, address: { host?: string; port?: number } = {}) {
  const server = await serveBroker({
    profile: brokerProfile('5.8.4').profile,
    settings: DEFAULT_BROKER_SETTINGS,
    rules: OPEN_RULES,
    listeners: [{ transport, port: address.port ?? 0, ...(address.host ? { host: address.host } : {}) }],
    tls: { ...certificate, clientCaPem: null, keylogFile: null, ...tls },
    connectionsMax: 10,
    sink: () => {},
    failed: (error) => {
      throw error;
    },
  });
  cleanUps.push(() => server.stop());
  return server.addresses[0]!;
}

/** Connects and gets CONNACK. Rejects with a LiveError whose details name the reason. */
async function connect(
  transport: Kind,
  server: { host: string; port: number },
  tls: ClientTls = trust,
): Promise<number> {
  const quiche = transport === 'quic' ? await loadQuiche() : null;
  const crashed = (error: unknown): never => {
    throw error;
  };
  const probe = new PlainClient({
    dial: createDialler({ transport, server, tls, timeouts: TIMEOUTS, quiche, crashed }),
    protocol: 5,
    clientId: 'probe',
    username: null,
    password: null,
    keepaliveS: 10,
  });
  cleanUps.push(() => probe.destroy());
  return (await probe.connect()).reasonCode;
}

const failsWith = (reason: string | RegExp, attempt: Promise<unknown>): Promise<void> =>
  assert.rejects(attempt, (error: Error & { code?: string; details?: { reason?: string } }) => {
    assert.equal(error.code, 'broker-unreachable');
    assert.match(error.details?.reason ?? '', typeof reason === 'string' ? new RegExp(`^${reason}$`) : reason);
    return true;
  });

const LOOPBACK = { host: '127.0.0.1' };
const portOf = (server: { address(): unknown }) => ({ ...LOOPBACK, port: (server.address() as { port: number }).port });

for (const transport of ['quic', 'tls'] as const) {
  describe(`a ${transport} connection`, { skip: transport === 'quic' && noQuic }, () => {
    const shows = (shown: { certificatePem: string; privateKeyPem: string }): ClientTls => ({ ...trust, ...shown });

    it('is made with the client certificate that is wanted', async () => {
      const address = await broker(transport, { clientCaPem: client.certificatePem });
      assert.equal(await connect(transport, address, shows(client)), 0);
    });

    it('fails without a client certificate, and with one of somebody else', async () => {
      const address = await broker(transport, { clientCaPem: client.certificatePem });
      await failsWith('client-certificate-required', connect(transport, address));
      // Node's TLS server looks at the certificate after the handshake, and then has no alert any more.
      const wrong = transport === 'quic' ? /^certificate-(untrusted|rejected)$/ : /^(peer-finished|reset)$/;
      await failsWith(wrong, connect(transport, address, shows(stranger)));
    });

    it('fails for a name that the certificate does not have, and for an authority that did not sign it', async () => {
      const address = await broker(transport);
      const otherName = { ...trust, serverName: 'broker.example' };
      await failsWith('certificate-name-mismatch', connect(transport, address, otherName));
      await failsWith('certificate-untrusted', connect(transport, address, trusting(stranger.certificatePem)));
      assert.equal(await connect(transport, address, { ...trusting(stranger.certificatePem), verify: false }), 0);
    });

    it('fails for a certificate that has expired', async () => {
      const old = createCertificate(Date.now() - 365 * 86_400_000);
      const address = await broker(transport, old);
      await failsWith('certificate-expired', connect(transport, address, trusting(old.certificatePem)));
    });

    it('leaves the secrets of both ends in their keylog files', async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-keylog-'));
      cleanUps.push(() => rmSync(folder, { recursive: true }));
      const [ours, theirs] = [path.join(folder, 'client'), path.join(folder, 'server')];
      const address = await broker(transport, { keylogFile: theirs });
      await connect(transport, address, { ...trust, keylogFile: ours });
      const secret = (file: string): string[] =>
        readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => /^CLIENT_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]{64,96}$/.test(line));
      assert.equal(secret(ours).length, 1);
      assert.deepEqual(secret(theirs), secret(ours));
    });

    it('fails where the server speaks another protocol (ALPN)', async () => {
      await failsWith('alpn-refused', connect(transport, await otherProtocol(transport)));
    });

    it('fails where the server knows other versions only', async () => {
      await failsWith('version-unsupported', connect(transport, await otherVersion(transport)));
    });

    it('fails where the server sends garbage', async () => {
      const reason = transport === 'quic' ? 'handshake-timeout' : 'protocol-violation';
      await failsWith(reason, connect(transport, await garbage(transport)));
    });

    it('fails where the server says nothing', async () => {
      await failsWith('handshake-timeout', connect(transport, await silence(transport)));
    });
  });
}

for (const transport of ['quic', 'tls', 'tcp'] as const) {
  describe(`a ${transport} listener`, { skip: transport === 'quic' && noQuic }, () => {
    it('serves over IPv6', { skip: !hasIpv6 && 'no ::1 here' }, async () => {
      const address = await broker(transport, {}, { host: '::1' });
      assert.equal(await connect(transport, address, { ...trust, serverName: 'localhost' }), 0);
    });

    it('says which port is taken, and leaves the first one alone', async () => {
      const address = await broker(transport);
      await assert.rejects(broker(transport, {}, address), { code: 'port-taken' });
      assert.equal(await connect(transport, address), 0);
    });

    it('is missed where there is none', async () => {
      const free = createServer();
      await new Promise<void>((resolve) => free.listen({ ...LOOPBACK, port: 0 }, resolve));
      const nobody = portOf(free);
      await new Promise((resolve) => free.close(resolve));
      await failsWith(/^(refused|handshake-timeout)$/, connect(transport, nobody));
    });
  });
}

describe('a plain TCP connection', () => {
  it('fails where the server sends no MQTT, closes, or says nothing', async () => {
    const answers: readonly [Buffer | null, string][] = [
      [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'protocol-violation'],
      [Buffer.from([0x00, 0x00]), 'protocol-violation'],
      [null, 'peer-finished'],
    ];
    for (const [answer, reason] of answers) {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => (answer ? socket.write(answer) : socket.end()));
      });
      await listening(server);
      await failsWith(reason, connect('tcp', portOf(server)));
    }
  });
});

type TcpLike = ReturnType<typeof createServer>;

async function listening(server: TcpLike): Promise<void> {
  server.on('connection', (socket) => cleanUps.push(() => socket.destroy()));
  await new Promise<void>((resolve) => server.listen({ ...LOOPBACK, port: 0 }, resolve));
  cleanUps.push(() => server.close());
}

/** Answers every datagram. */
async function udp(answer: (datagram: Buffer) => Buffer | null): Promise<{ host: string; port: number }> {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, from) => {
    const reply = answer(datagram);
    if (reply) socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind({ address: '127.0.0.1', port: 0 }, resolve));
  cleanUps.push(() => socket.close());
  return portOf(socket);
}

async function tcp(answer: Buffer | null): Promise<{ host: string; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (answer) socket.once('data', () => socket.end(answer));
  });
  await listening(server);
  return portOf(server);
}

async function otherProtocol(transport: Secure): Promise<{ host: string; port: number }> {
  const tls: ServerTls = { ...certificate, clientCaPem: null, keylogFile: null };
  if (transport === 'tls') {
    const server = createTlsServer({ key: tls.privateKeyPem, cert: tls.certificatePem, ALPNProtocols: ['h2'] });
    await listening(server);
    return portOf(server);
  }
  const quiche = await loadQuiche();
  const config = serverConfig(quiche, tls, 0);
  config.setApplicationProtos(['h3']);
  const server = new QuicServer({
    quiche,
    config,
    timeouts: TIMEOUTS,
    accepts: () => true,
    connection: () => assert.fail('the handshake cannot end'),
    crashed: (error) => {
      throw error;
    },
  });
  cleanUps.push(() => server.close());
  return server.listen({ ...LOOPBACK, port: 0 });
}

/** RFC 8446 §6: fatal alert 70 in a record; RFC 9000 §17.2.1: Version Negotiation with a version that nobody has. */
async function otherVersion(transport: Secure): Promise<{ host: string; port: number }> {
  if (transport === 'tls') return tcp(Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 70]));
  return udp((initial) => {
    const destination = initial.subarray(6, 6 + initial[5]!);
    const at = 6 + initial[5]!;
    const source = initial.subarray(at + 1, at + 1 + initial[at]!);
    const ids = [Buffer.from([source.length]), source, Buffer.from([destination.length]), destination];
    return Buffer.concat([Buffer.from([0x80, 0, 0, 0, 0]), ...ids, Buffer.from([0x0a, 0x1a, 0x2a, 0x3a])]);
  });
}

const garbage = (transport: Secure) => {
  const bytes = Buffer.from(Array.from({ length: 1_200 }, (_, index) => (index * 7 + 3) % 251));
  return transport === 'tls' ? tcp(bytes) : udp(() => bytes);
};

const silence = (transport: Secure) => (transport === 'tls' ? tcp(null) : udp(() => null));
