/** `--broker` as a user runs it: at mosquitto over TCP and TLS, at our broker in another process over QUIC. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import mqtt, { type IPublishPacket } from 'mqtt';
import { createCertificate } from '../../engine/live/certificate.ts';
import { quicAvailable } from '../../engine/live/quic-library.ts';
import { Database } from '../../queries/index.ts';
import { type Cassette, type Entry, printCassette } from '../../replay/index.ts';
import { bridgetrace, MAIN, plainEnvironment } from '../cli/bridgetrace.ts';
import { skipReason, until } from '../live/support.ts';
import { exampleCassette } from '../replay/example.ts';
import { missing } from './broker-server.ts';

const SECONDS = 6;
/** A variant has to run for three times as long as a silent connection lives by its settings. */
const QUICK = {
  keepaliveS: 5,
  quicKeepaliveS: 1,
  quicIdleTimeoutS: 5,
  quicDisconnectTimeoutS: 2,
  quicHandshakeTimeoutS: 2,
};
const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-foreign-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => path.join(folder, name);
const certificate = createCertificate();
const noQuic = skipReason(await quicAvailable());

/** Thirty messages out and ten in, on the bridge of the example. */
async function cassette(name: string, ...more: Entry[]): Promise<string> {
  const { header } = await exampleCassette();
  const up = Array.from({ length: 30 }, (_, index) => ({
    at: 1e6 + index * 1e5,
    type: 'publish' as const,
    topic: 'up/a',
    qos: 1 as const,
  }));
  const down = Array.from({ length: 10 }, (_, index) => ({
    at: 1e6 + index * 3e5,
    type: 'downlink' as const,
    topic: 'down/a',
    qos: 1 as const,
  }));
  const entries = [...up, ...down].map((entry) => ({ ...entry, size: 40, origin: 'assumed' as const, why: 'a test' }));
  const made: Cassette = {
    header: {
      ...header,
      bridge: { ...header.bridge, settings: { ...header.bridge.settings, ...QUICK } },
      duration_us: SECONDS * 1e6,
    },
    entries: [...entries, ...more].sort((left, right) => left.at - right.at) as Entry[],
  };
  const target = file(name);
  writeFileSync(target, printCassette(made));
  return target;
}

describe('a broker that is not ours', () => {
  const cleanUps: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  async function mosquitto(): Promise<{ tcp: number; tls: number }> {
    const [tcp, tls] = [await freePort(), await freePort()];
    writeFileSync(file('cert.pem'), certificate.certificatePem);
    writeFileSync(file('key.pem'), certificate.privateKeyPem);
    const listeners = `listener ${tcp} 127.0.0.1\nlistener ${tls} 127.0.0.1\ncertfile ${file('cert.pem')}\nkeyfile ${file('key.pem')}\n`;
    // It gives up root's rights and could not read the key then.
    writeFileSync(file('mosquitto.conf'), `user root\n${listeners}allow_anonymous true\npersistence false\n`);
    const child = spawn('mosquitto', ['-c', file('mosquitto.conf')], { stdio: 'ignore' });
    cleanUps.push(() => child.kill());
    for (let attempt = 0; attempt < 100; attempt++) {
      const answers = await mqtt
        .connectAsync(`mqtt://127.0.0.1:${tcp}`, { reconnectPeriod: 0, connectTimeout: 500 })
        .then((client) => client.endAsync(true).then(() => true))
        .catch(() => false);
      if (answers) return { tcp, tls };
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('mosquitto does not answer');
  }

  /** `bridgetrace broker` as a process, on QUIC and TCP. */
  async function ownBroker(): Promise<{ child: ChildProcess; quic: number; tcp: number }> {
    const child = spawn(process.execPath, [MAIN, 'broker', '--quic', '0', '--tcp', '0', '--write-ca', file('ca.pem')], {
      env: plainEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    cleanUps.push(() => child.kill('SIGKILL'));
    let err = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const portOf = (scheme: string): number =>
      Number(new RegExp(`mqtt-${scheme}://127.0.0.1:(\\d+)\n`).exec(err)?.[1] ?? 0);
    await until(() => portOf('quic') > 0 && portOf('tcp') > 0, `the broker's ports, ${err}`, 20_000);
    return { child, quic: portOf('quic'), tcp: portOf('tcp') };
  }

  /** All that goes through the broker, as another client of it sees it. */
  async function spy(port: number) {
    const seen: { topic: string; retain: boolean; at: number }[] = [];
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, clientId: 'spy' });
    cleanUps.push(() => client.endAsync(true));
    client.on('message', (topic: string, _payload: Buffer, { retain }: IPublishPacket) =>
      seen.push({ topic, retain: retain === true, at: performance.now() }),
    );
    await client.subscribeAsync('#', { qos: 0 });
    return seen;
  }

  const delivered = (out: string): string[] => out.split('\n').filter((line) => line.includes(' delivered'));
  const ALL = ['uplink QoS 1: 30 of 30 delivered', 'downlink QoS 1: 10 of 10 delivered'];

  it('gets the replay over TCP and TLS, under names of its own, nothing retained, not faster than it was', {
    skip: missing('mosquitto'),
  }, async () => {
    const ports = await mosquitto();
    const tape = await cassette('mosquitto.cassette');
    const seen = await spy(ports.tcp);
    const live = ['replay', tape, '--mode', 'live', '--set', 'transport=tcp', '--broker'];
    const plain = await bridgetrace(...live, `mqtt-tcp://127.0.0.1:${ports.tcp}`);
    assert.deepEqual(delivered(plain.out), ALL, plain.err);
    assert.match(plain.err, /broker tcp 127\.0\.0\.1:\d+: version mosquitto/);
    assert.ok(seen.length >= 40);
    assert.deepEqual(
      [...new Set(seen.map(({ topic }) => topic.replace(/^bridgetrace\/[0-9a-f]{8}\//, '<prefix>/')))].sort(),
      ['<prefix>/down/a', '<prefix>/up/a'],
    );
    assert.ok(seen.every(({ retain }) => !retain));
    const ups = seen.filter(({ topic }) => topic.endsWith('/up/a'));
    assert.equal(ups.length, 30, 'each message once');
    const address = `mqtt-tls://localhost:${ports.tls}`;
    const tls = await bridgetrace(...live, address, '--ca', file('cert.pem'));
    assert.deepEqual(delivered(tls.out), ALL, tls.err);
    const distrusted = await bridgetrace(...live, address);
    assert.equal(distrusted.code, 5);
    assert.match(distrusted.err, /not signed by a trusted authority/);
    const fast = await bridgetrace(...live, `mqtt-tcp://127.0.0.1:${ports.tcp}`, '--speed', '2');
    assert.equal(fast.code, 2);
    assert.match(fast.err, /cannot go at 2 times real time/);
  });

  it('is verified against over QUIC; --keep-identity says what it takes over, and takes it over', {
    skip: noQuic,
  }, async () => {
    const broker = await ownBroker();
    const tape = await cassette('quic.cassette');
    const seen = await spy(broker.tcp);
    const clientId = (await exampleCassette()).header.bridge.settings.clientId!;
    const double = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.tcp}`, { reconnectPeriod: 0, clientId });
    cleanUps.push(() => double.endAsync(true));
    const target = ['--mode', 'live', '--broker', `mqtt-quic://localhost:${broker.quic}`, '--ca', file('ca.pem')];
    const verified = await bridgetrace('verify', tape, '--fix', 'nanomq=0.23.10', '--seeds', '1', ...target);
    assert.equal(verified.code, 3, verified.err);
    assert.match(verified.out, /inconclusive/);
    assert.ok(seen.length > 0 && seen.every(({ topic }) => topic.startsWith('bridgetrace/')));
    assert.equal(double.connected, true, 'the client of that name is left alone');
    seen.length = 0;
    const kept = await bridgetrace('replay', tape, ...target, '--keep-identity');
    assert.match(kept.err, new RegExp(`--keep-identity: a client ${clientId} at .* loses its session`));
    assert.deepEqual(delivered(kept.out), ALL, kept.err);
    assert.deepEqual([...new Set(seen.map(({ topic }) => topic))].sort(), ['down/a', 'up/a']);
    assert.equal(double.connected, false);
  });

  it('that dies in mid-run ends the replay with a reason; what was recorded is kept', { skip: noQuic }, async () => {
    const broker = await ownBroker();
    const tape = await cassette('killed.cassette');
    const seen = await spy(broker.tcp);
    const target = ['--mode', 'live', '--broker', `mqtt-tcp://127.0.0.1:${broker.tcp}`, '--set', 'transport=tcp'];
    const replay = bridgetrace('replay', tape, ...target, '--db', file('killed.duckdb'));
    await until(() => seen.length > 5, 'the first messages');
    broker.child.kill('SIGKILL');
    const { code, err } = await replay;
    assert.equal(code, 5);
    assert.match(err, /ended the connection that watches the run/);
    const database = await Database.open(file('killed.duckdb'), 'read');
    try {
      const [row] = await database.all<{ label: string; n: number }>(
        "SELECT label, count(*)::INTEGER AS n FROM records JOIN sources USING (source_id) JOIN endpoints USING (endpoint_id) JOIN runs USING (run_id) WHERE run_id LIKE 'replay-%' AND event = 'bridge_connected' GROUP BY label",
      );
      assert.equal(row?.n, 1);
      assert.match(row.label, /\(interrupted\)$/);
    } finally {
      database.close();
    }
  });

  it('is not touched by a cassette that would restart or kick', { skip: noQuic }, async () => {
    const broker = await ownBroker();
    const seen = await spy(broker.tcp);
    const target = ['--mode', 'live', '--set', 'transport=tcp', '--broker', `mqtt-tcp://127.0.0.1:${broker.tcp}`];
    for (const type of ['broker-stop', 'broker-kill', 'kick'] as const) {
      const tape = await cassette(`${type}.cassette`, { at: 3e6, type, origin: 'assumed', why: 'a test' } as Entry);
      const { code, err } = await bridgetrace('replay', tape, ...target);
      assert.equal(code, 2);
      assert.match(err, new RegExp(`does '${type}' to the broker, and this broker is not ours`));
    }
    assert.deepEqual(seen, []);
  });
});
