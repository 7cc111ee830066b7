import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { BridgeInput, BridgeMachine, BridgeOutput } from '../../engine/bridge/io.ts';
import { createBroker } from '../../engine/broker/machine.ts';
import { BridgeSide } from '../../engine/live/bridge-side.ts';
import { BrokerSide } from '../../engine/live/broker-side.ts';
import { createCertificate } from '../../engine/live/certificate.ts';
import { RunClock } from '../../engine/live/clock.ts';
import { createDialler } from '../../engine/live/dialler.ts';
import { Ledger } from '../../engine/live/ledger.ts';
import { encodePacket } from '../../engine/live/packet-encoder.ts';
import { QuicClient } from '../../engine/live/quic-client.ts';
import type { QuicConnection } from '../../engine/live/quic-connection.ts';
import { loadQuiche, quicAvailable } from '../../engine/live/quic-library.ts';
import { QuicServer } from '../../engine/live/quic-server.ts';
import { clientConfig, type QuicTimeouts, serverConfig } from '../../engine/live/quic-settings.ts';
import type { RunControl } from '../../engine/live/run-control.ts';
import { type ServerTls, trusting } from '../../engine/live/tls-options.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS } from '../../engine/profiles/emqx.ts';
import { bridgeDefaults } from '../../engine/profiles/nanomq.ts';
import { createRng } from '../../engine/rng.ts';
import type { CloseCause, SimRecord } from '../../engine/types.ts';
import { skipReason, until } from './support.ts';

const skip = skipReason(await quicAvailable());
const certificate = createCertificate();
const tls: ServerTls = { ...certificate, clientCaPem: null, keylogFile: null };
const trust = trusting(certificate.certificatePem);
const LOOPBACK = '127.0.0.1';
const TIMEOUTS: QuicTimeouts = { handshakeMs: 3_000, disconnectMs: 3_000, idleMs: 0, keepaliveMs: 0 };
const CONNECT = encodePacket(
  { type: 'connect', clientId: 'x', keepaliveS: 0, cleanStart: true, protocol: 5, username: null, size: 0 },
  5,
);
/** Declares a body of 256 MiB. */
const HUGE = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]);

describe('a peer that does not keep to the protocol', { skip }, () => {
  const cleanUps: (() => void)[] = [];
  afterEach(() => {
    for (const cleanUp of cleanUps.splice(0)) cleanUp();
  });

  const crashed = (error: unknown): never => {
    throw error;
  };
  const control: RunControl = { mayHandle: () => true, overflow: () => crashed(new Error('overflow')), crashed };

  async function startBroker() {
    const quiche = await loadQuiche();
    const clock = new RunClock(1);
    const records: SimRecord[] = [];
    const broker = new BrokerSide({
      machine: createBroker({
        profile: brokerProfile('5.8.2').profile,
        settings: DEFAULT_BROKER_SETTINGS,
        rng: createRng(1, 'broker'),
      }),
      settings: DEFAULT_BROKER_SETTINGS,
      listeners: [{ transport: 'quic', port: 0 }],
      quiche,
      tls,
      clock,
      journal: new Ledger((record) => records.push(record)),
      run: control,
      whileStopped: 'silent',
    });
    cleanUps.push(() => broker.stop());
    const { port } = (await broker.open())[0]!;
    broker.feed({ kind: 'start' });
    return { quiche, port, records };
  }

  type Broker = Awaited<ReturnType<typeof startBroker>>;

  function dial({ quiche, port }: Broker) {
    const state = { connected: false, received: 0, cause: null as CloseCause | null };
    const client = new QuicClient({
      quiche,
      config: clientConfig(quiche, trust, 0),
      tls: trust,
      timeouts: TIMEOUTS,
      server: { host: LOOPBACK, port },
      user: {
        established: () => {
          state.connected = true;
        },
        data: (_stream, bytes) => {
          state.received += bytes.length;
        },
        finished: () => {},
        streamAborted: () => {},
        closed: (cause) => {
          state.cause = cause;
        },
      },
      crashed,
    });
    cleanUps.push(() => client.destroy());
    return { client, state };
  }

  const cases: readonly [string, number, Buffer][] = [
    ['malformed bytes on the control stream', 0, Buffer.from([0x00, 0x00])],
    ['a packet above the maximum size', 0, Buffer.concat([CONNECT, HUGE])],
    ['a data stream before CONNECT', 1, Buffer.from([0xc0, 0x00])],
  ];
  for (const [what, stream, bytes] of cases) {
    it(`is closed with code 1 for ${what}, and the broker serves the next one`, async () => {
      const broker = await startBroker();
      const bad = dial(broker);
      await until(() => bad.state.connected, 'the handshake');
      bad.client.write(stream, bytes, () => {});
      await until(() => bad.state.cause !== null, 'the close');
      assert.deepEqual(bad.state.cause, { kind: 'peer', code: 1 });

      const good = dial(broker);
      await until(() => good.state.connected, 'the second handshake');
      good.client.write(0, CONNECT, () => {});
      await until(() => good.state.received > 0, 'CONNACK');
    });
  }

  it('is closed when it ends its control stream', async () => {
    const broker = await startBroker();
    const { client, state } = dial(broker);
    await until(() => state.connected, 'the handshake');
    client.write(0, CONNECT, () => {});
    await until(() => state.received > 0, 'CONNACK');
    client.finish(0);
    await until(() => state.cause !== null, 'the close');
    assert.deepEqual(state.cause, { kind: 'peer', code: 0 });
    assert.ok(broker.records.some((record) => record.event === 'connection_terminated'));
  });

  it('is left by the bridge when it answers nonsense', async () => {
    const quiche = await loadQuiche();
    const clock = new RunClock(1);
    let closedAtServer: CloseCause | null = null;
    const server = new QuicServer({
      quiche,
      config: serverConfig(quiche, tls, 0),
      timeouts: TIMEOUTS,
      accepts: () => true,
      connection: (connection: QuicConnection) => ({
        established: () => {},
        data: (stream) => connection.write(stream, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), () => {}),
        finished: () => {},
        streamAborted: () => {},
        closed: (cause) => {
          closedAtServer = cause;
        },
      }),
      crashed,
    });
    cleanUps.push(() => server.close());
    const address = await server.listen({ host: LOOPBACK, port: 0 });

    const inputs: BridgeInput[] = [];
    const machine: BridgeMachine = {
      handle: (_now, input): BridgeOutput[] => {
        inputs.push(input);
        if (input.kind === 'start') return [{ kind: 'dial' }];
        const ping = { type: 'pingreq', size: 2 } as const;
        if (input.kind === 'connected') return [{ kind: 'write', token: 1, stream: 0, packet: ping, message: null }];
        return [];
      },
      nextDeadline: () => null,
      held: () => ({ sendQueue: [], parked: [], ctxMsgs: [], unacked: [], inFlight: [] }),
    };
    const bridge = new BridgeSide({
      machine,
      settings: bridgeDefaults('0.23.10', 'quic'),
      dial: createDialler({ transport: 'quic', server: address, tls: trust, timeouts: TIMEOUTS, quiche, crashed }),
      clock,
      journal: new Ledger(() => {}),
      run: control,
    });
    cleanUps.push(() => bridge.stop());
    bridge.feed({ kind: 'start' });
    await until(() => inputs.some((input) => input.kind === 'closed'), 'the end of the connection');
    assert.deepEqual(
      inputs.find((input) => input.kind === 'closed'),
      { kind: 'closed', cause: { kind: 'local' } },
    );
    await until(() => closedAtServer !== null, 'the close at the server');
    assert.deepEqual(closedAtServer, { kind: 'peer', code: 1 });
    assert.ok(inputs.some((input) => input.kind === 'sent' && input.result === 0));
  });
});
