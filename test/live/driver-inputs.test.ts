/** Inputs that only a driver can make: a dial while the last connection is being shut, bytes that are no packets. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { BridgeInput, BridgeMachine } from '../../engine/bridge/io.ts';
import type { BrokerInput } from '../../engine/broker/io.ts';
import { createBroker } from '../../engine/broker/machine.ts';
import { BridgeSide } from '../../engine/live/bridge-side.ts';
import { BrokerSide } from '../../engine/live/broker-side.ts';
import { createCertificate } from '../../engine/live/certificate.ts';
import { RunClock } from '../../engine/live/clock.ts';
import { createDialler } from '../../engine/live/dialler.ts';
import { Ledger } from '../../engine/live/ledger.ts';
import { PlainClient } from '../../engine/live/plain-client.ts';
import { loadQuiche, quicAvailable } from '../../engine/live/quic-library.ts';
import { trusting } from '../../engine/live/tls-options.ts';
import type { ClientTransport, TransportUser } from '../../engine/live/transport.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS } from '../../engine/profiles/emqx.ts';
import { bridgeDefaults } from '../../engine/profiles/nanomq.ts';
import { createRng } from '../../engine/rng.ts';
import { skipReason, until } from './support.ts';

const crashed = (error: unknown): never => {
  throw error;
};
const run = { mayHandle: () => true, overflow: () => crashed(new Error('overflow')), crashed };
const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

describe('a dial right after the end of a connection', () => {
  /** Far more than a test takes. */
  const ROUND_TRIP_MS = 10_000;

  /** The machine closes what it has got, or is closed on, and dials again at once. */
  function redial(
    endedBy: 'bridge' | 'peer' | 'timeout',
    options: { rttMs?: number; observed?: number; transport?: 'quic' | 'tcp' } = {},
  ) {
    const { rttMs = ROUND_TRIP_MS, observed = 0, transport = 'quic' } = options;
    const users: TransportUser[] = [];
    const inputs: string[] = [];
    const stats = {
      rttMs,
      cwndBytes: null,
      sent: 0,
      received: 0,
      lost: 0,
      retransmitted: 0,
      sentBytes: 0,
      receivedBytes: 0,
    };
    const dial = ({ user }: { readonly user: TransportUser }): ClientTransport => {
      users.push(user);
      const client = {
        isOpen: true,
        isDestroyed: false,
        write() {},
        finish() {},
        close() {},
        resetStream() {},
        unreachable() {},
        destroy() {},
      };
      return { ...client, stats: () => stats };
    };
    const machine: BridgeMachine = {
      handle: (_now, input: BridgeInput) => {
        inputs.push(input.kind);
        if (input.kind === 'start') return [{ kind: 'dial' }];
        if (input.kind === 'connected' && inputs.length === 2 && endedBy === 'bridge')
          return [{ kind: 'close', code: 0 }, { kind: 'dial' }];
        return input.kind === 'closed' ? [{ kind: 'dial' }] : [];
      },
      nextDeadline: () => null,
      held: () => ({ sendQueue: [], parked: [], ctxMsgs: [], unacked: [], inFlight: [] }),
    };
    const settings = bridgeDefaults('0.23.10', transport);
    const journal = new Ledger(() => {});
    const side = new BridgeSide({
      machine,
      settings,
      dial,
      clock: new RunClock(1),
      journal,
      run,
      observedRedials: observed,
    });
    cleanUps.push(() => side.stop());
    side.feed({ kind: 'start' });
    users[0]!.established();
    if (endedBy === 'peer') users[0]!.closed({ kind: 'peer', code: 0 }, { reason: 'application-closed', detail: '' });
    if (endedBy === 'timeout') users[0]!.closed({ kind: 'timeout' }, { reason: 'no-answer', detail: '' });
    return { inputs, dials: users.length };
  }

  it('is refused while the old one is closing or draining', () => {
    assert.deepEqual(redial('bridge'), { inputs: ['start', 'connected', 'dial-busy'], dials: 1 });
    assert.deepEqual(redial('peer'), { inputs: ['start', 'connected', 'closed', 'dial-busy'], dials: 1 });
  });

  it('goes out if nothing is left of the old one', () => {
    assert.equal(redial('timeout').dials, 2);
    assert.equal(redial('bridge', { rttMs: 0 }).dials, 2);
    assert.equal(redial('bridge', { transport: 'tcp' }).dials, 2);
  });

  it('goes out if its wait is that of a log', () => {
    assert.equal(redial('bridge', { observed: 1 }).dials, 2);
  });
});

const skip = skipReason(await quicAvailable());

describe('bytes of a QUIC connection that are no packets', { skip }, () => {
  it('are told before each look at the deadlines, and not twice', async () => {
    const quiche = await loadQuiche();
    const certificate = createCertificate();
    const settings = { ...DEFAULT_BROKER_SETTINGS, keepaliveMultiplier: 1.5 };
    const machine = createBroker({ profile: brokerProfile('5.0.9').profile, settings, rng: createRng(1, 'broker') });
    const inputs: BrokerInput[] = [];
    const broker = new BrokerSide({
      machine: {
        ...machine,
        handle: (now, input) => {
          inputs.push(input);
          return machine.handle(now, input);
        },
      },
      settings,
      listeners: [{ transport: 'quic', port: 0 }],
      quiche,
      tls: { ...certificate, clientCaPem: null, keylogFile: null },
      clock: new RunClock(5),
      journal: new Ledger(() => {}),
      run,
      whileStopped: 'silent',
      countsTransportBytes: true,
    });
    cleanUps.push(() => broker.stop());
    const { port } = (await broker.open())[0]!;
    broker.feed({ kind: 'start' });
    const timeouts = { handshakeMs: 3_000, disconnectMs: 3_000, idleMs: 0, keepaliveMs: 0 };
    const tls = trusting(certificate.certificatePem);
    const server = { host: '127.0.0.1', port };
    const client = new PlainClient({
      dial: createDialler({ transport: 'quic', server, tls, timeouts, quiche, crashed }),
      protocol: 5,
      clientId: 'c',
      username: null,
      password: null,
      keepaliveS: 3,
    });
    cleanUps.push(() => client.destroy());
    await client.connect();
    const checks = (): number => inputs.filter(({ kind }) => kind === 'deadline').length;
    await until(() => checks() >= 2, 'two looks');
    const told = inputs.filter((input) => input.kind === 'transport-bytes');
    assert.ok(told.length >= 1);
    // Acknowledgements and headers of a handful of packets; the handshake of some thousand bytes is not among them.
    const bytes = told.reduce((sum, input) => sum + input.bytes, 0);
    assert.ok(bytes > 0 && bytes < 2_000, String(bytes));
    for (const input of told) assert.equal(inputs[inputs.indexOf(input) + 1]?.kind, 'deadline');
  });
});
