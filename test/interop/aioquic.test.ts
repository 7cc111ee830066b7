/** Against aioquic, a QUIC of its own making (not quiche, not msquic): our bridge with its server, its client with our broker. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import { OPEN_RULES } from '../../engine/broker/rules.ts';
import { quicAvailable } from '../../engine/live/quic-library.ts';
import { serveBridge } from '../../engine/live/serve-bridge.ts';
import { trusting } from '../../engine/live/tls-options.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS } from '../../engine/profiles/emqx.ts';
import { bridgeDefaults, bridgeProfile } from '../../engine/profiles/nanomq.ts';
import type { SimRecord } from '../../engine/types.ts';
import { skipReason, until } from '../live/support.ts';
import { certificate, startBroker } from './broker-server.ts';

/** The scripts are not compiled; they lie beside this test's source. */
const SCRIPTS = fileURLToPath(new URL('../../../test/interop/aioquic/', import.meta.url));
const LARGE_BYTES = 200_000;

function noAioquic(): string | false {
  const found = spawnSync('python3', ['-c', 'import aioquic']);
  return found.status === 0 ? false : 'no aioquic here: pip install aioquic';
}

const skip = skipReason(await quicAvailable()) || noAioquic();

describe('aioquic', { skip }, () => {
  const cleanUps: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  function certificateFiles(): { folder: string; cert: string; key: string } {
    const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-aioquic-'));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
    writeFileSync(cert, certificate.certificatePem);
    writeFileSync(key, certificate.privateKeyPem);
    return { folder, cert, key };
  }

  /** The lines that a script prints, as they come. */
  function python(script: string, ...args: string[]) {
    const child = spawn('python3', [path.join(SCRIPTS, script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    cleanUps.push(() => child.kill());
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    return { lines: () => out.split('\n').slice(0, -1), errors: () => err, ended };
  }

  it('as server carries what our bridge sends, on several streams and in pieces, and sees it close', async () => {
    const { cert, key } = certificateFiles();
    const server = python('server.py', cert, key);
    await until(() => server.lines().length > 0, 'the port');
    const port = Number(server.lines()[0]!.split(' ')[1]);
    const records: SimRecord[] = [];
    const settings = {
      ...bridgeDefaults('0.23.10', 'quic'),
      protocol: 5 as const,
      clientId: 'edge',
      keepaliveS: 5,
      quicQosPriority: true,
      maxSendQueueLen: 64,
      subscriptions: [{ topic: 'down/#', qos: 1 as const }],
    };
    const bridge = await serveBridge({
      profile: bridgeProfile('0.23.10', 'quic').profile,
      settings,
      password: null,
      forwards: [{ local: 'up/#', remote: null, qos: null }],
      target: { transport: 'quic', host: '127.0.0.1', port },
      tls: trusting(certificate.certificatePem),
      local: {
        profile: brokerProfile('5.8.4').profile,
        settings: DEFAULT_BROKER_SETTINGS,
        rules: OPEN_RULES,
        listeners: [{ transport: 'tcp', port: 0 }],
        tls: { ...certificate, clientCaPem: null, keylogFile: null },
        connectionsMax: 10,
      },
      sink: (record) => records.push(record),
      failed: (error) => {
        throw error;
      },
    });
    cleanUps.push(() => bridge.stop());
    await until(() => records.some(({ event }) => event === 'bridge_connected'), 'the connection');
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${bridge.addresses[0]!.port}`, { reconnectPeriod: 0 });
    cleanUps.push(() => client.endAsync(true));
    await client.publishAsync('up/a', 'x'.repeat(LARGE_BYTES), { qos: 1 });
    for (let index = 0; index < 20; index++)
      await client.publishAsync('up/b', 'small', { qos: (index % 3) as 0 | 1 | 2 });
    const publishes = () => server.lines().filter((line) => line.startsWith('publish'));
    // As in NanoMQ, one of QoS 0 is lost where its context is busy.
    const acknowledged = () => publishes().filter((line) => line.split(' ')[2] !== '0');
    await until(() => acknowledged().length >= 14, `all messages: ${server.lines().join('; ')} ${server.errors()}`);
    assert.ok(publishes().some((line) => line.startsWith(`publish up/a 1 ${LARGE_BYTES} `)));
    const streams = new Set(publishes().map((line) => line.split(' ').at(-1)));
    assert.ok(streams.size > 1, 'data streams are used');
    await until(() => server.lines().includes('packet 12 stream 0'), 'PINGREQ');
    assert.ok(
      server.lines().some((line) => line.startsWith('packet 8 ')),
      'SUBSCRIBE',
    );
    assert.equal(records.filter(({ event }) => event === 'bridge_disconnected').length, 0);
    assert.equal(server.errors(), '');
  });

  it('as client is served by our broker: bytes one at a time, a large message, data streams', async () => {
    const { cert } = certificateFiles();
    const broker = await startBroker({ transports: ['quic'] });
    cleanUps.push(() => broker.stop());
    const client = python('client.py', String(broker.port), cert);
    assert.equal(await client.ended, 0, client.errors());
    assert.deepEqual(client.lines(), [
      'connack 0',
      'suback 1',
      'publish a/small 1 hello',
      'publish a/large 1 300000 True',
      'pingresp',
    ]);
  });
});
