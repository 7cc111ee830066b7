import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { foreignIdentity } from '../../engine/live/identity.ts';
import { runLive } from '../../engine/live/run-live.ts';
import { VERIFY_WITH_SYSTEM } from '../../engine/live/tls-options.ts';
import { SECOND } from '../../engine/time.ts';
import type { Qos, SimRecord } from '../../engine/types.ts';
import { downlinks, inOrder, optionsOf, publishes } from '../live/run-setup.ts';
import { missing, startBroker, type TestBroker } from './broker-server.ts';

const STIMULI = inOrder(
  publishes(30, SECOND, SECOND / 20, (index) => (index % 3) as Qos),
  downlinks(10, SECOND, SECOND / 10, 1),
);

/** Replays a short cassette at a broker that is not ours, and watches with MQTT.js whether anything leaves its prefix. */
async function replayAt(port: number, protocol: 4 | 5) {
  const records: SimRecord[] = [];
  const spy = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
  const topics: string[] = [];
  spy.on('message', (topic, _payload, packet) => topics.push(packet.retain ? `retained ${topic}` : topic));
  await spy.subscribeAsync('#', { qos: 0 });
  const options = optionsOf({
    nanomq: '0.23.10',
    emqx: '5.8.4',
    bridge: { transport: 'tcp', keepaliveS: 5, parallel: 8, protocol },
    stimuli: STIMULI,
    seconds: 6,
  });
  const summary = await runLive(
    {
      ...options,
      foreign: {
        address: { transport: 'tcp', host: '127.0.0.1', port },
        tls: VERIFY_WITH_SYSTEM,
        identity: foreignIdentity('t1', null, null),
        plan: STIMULI,
      },
    },
    (record) => records.push(record),
  );
  await spy.endAsync(true);
  return { summary, records, topics };
}

function assertCarried({ summary, topics }: Awaited<ReturnType<typeof replayAt>>): void {
  assert.deepEqual(summary.up.delivered, { 0: 10, 1: 10, 2: 10 });
  assert.deepEqual(summary.down.delivered, { 0: 0, 1: 10, 2: 0 });
  assert.ok(topics.length >= 40);
  assert.deepEqual(
    topics.filter((topic) => !topic.startsWith('bridgetrace/t1/')),
    [],
  );
}

describe('our bridge over TCP', () => {
  const cleanUps: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  });

  async function freePort(): Promise<number> {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  async function mosquitto(): Promise<number> {
    const port = await freePort();
    const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-mosquitto-'));
    const conf = path.join(folder, 'mosquitto.conf');
    writeFileSync(conf, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
    const child: ChildProcess = spawn('mosquitto', ['-c', conf], { stdio: 'ignore' });
    cleanUps.push(() => {
      child.kill();
      rmSync(folder, { recursive: true });
    });
    for (let attempt = 0; attempt < 50; attempt++) {
      const client = await mqtt
        .connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, connectTimeout: 500 })
        .catch(() => null);
      if (client) {
        await client.endAsync(true);
        return port;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('mosquitto does not answer');
  }

  for (const protocol of [4, 5] as const) {
    it(`replays at mosquitto with protocol ${protocol}`, { skip: missing('mosquitto') }, async () => {
      assertCarried(await replayAt(await mosquitto(), protocol));
    });
  }

  it('replays at aedes', async () => {
    const aedes = await Aedes.createBroker();
    const server = createServer(aedes.handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(
      () => new Promise<void>((resolve) => aedes.close(resolve)),
      () => new Promise((resolve) => server.close(resolve)),
    );
    assertCarried(await replayAt((server.address() as { port: number }).port, 4));
  });

  it('replays at a broker of ours in the place of a foreign one', async () => {
    const broker: TestBroker = await startBroker();
    cleanUps.push(() => broker.stop());
    assertCarried(await replayAt(broker.port, 5));
  });

  const refusals: readonly [string, Parameters<typeof startBroker>[0], string][] = [
    ['it wants a password', { rules: { users: new Map([['a', 'b']]) } }, 'broker-refused'],
    ['its packets are too small', { settings: { maxPacketSize: 300 } }, 'broker-unsuitable'],
    [
      'it does not let us subscribe',
      { rules: { acl: [{ allow: false, user: null, action: 'subscribe', filter: 'bridgetrace/#' }] } },
      'broker-unsuitable',
    ],
  ];
  for (const [what, options, code] of refusals) {
    it(`is not started against a broker if ${what}`, async () => {
      const broker = await startBroker(options);
      cleanUps.push(() => broker.stop());
      await assert.rejects(replayOnly(broker.port, STIMULI), { code });
    });
  }

  it('is not started where nobody listens, nor if the cassette stops the broker', async () => {
    const port = await freePort();
    await assert.rejects(replayOnly(port, STIMULI), { code: 'broker-unreachable' });
    await assert.rejects(replayOnly(port, [{ at: 0, kind: 'broker-stop' }]), { code: 'unsupported-stimulus' });
  });

  async function replayOnly(port: number, plan: typeof STIMULI): Promise<unknown> {
    const options = optionsOf({
      nanomq: '0.23.10',
      emqx: '5.8.4',
      bridge: { transport: 'tcp' },
      stimuli: plan,
      seconds: 2,
    });
    const foreign = {
      address: { transport: 'tcp' as const, host: '127.0.0.1', port },
      tls: VERIFY_WITH_SYSTEM,
      identity: foreignIdentity('t2', null, null),
      plan,
    };
    return runLive({ ...options, foreign }, () => {});
  }
});
