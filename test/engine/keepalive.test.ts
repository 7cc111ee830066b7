import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBroker } from '../../engine/broker/machine.ts';
import { brokerProfile, createRng, DEFAULT_BROKER_SETTINGS, type Packet } from '../../engine/index.ts';

const SECOND = 1_000_000;
const CONTROL = 0;
const DATA = 3;

interface Sent {
  readonly atS: number;
  readonly stream: number;
  readonly packet: Packet;
}

/** Time of the keepalive decision in seconds after CONNACK, or null if there was none before `untilS`. */
function expiry(emqx: string, keepaliveS: number, sent: readonly Sent[], untilS: number): number | null {
  const broker = createBroker({
    profile: brokerProfile(emqx).profile,
    settings: DEFAULT_BROKER_SETTINGS,
    rng: createRng(1, 'broker'),
  });
  const connect: Packet = {
    type: 'connect',
    clientId: 'c',
    keepaliveS,
    cleanStart: true,
    protocol: 5,
    username: null,
    size: 20,
  };
  broker.handle(0, { kind: 'start' });
  broker.handle(0, { kind: 'accepted', connection: 1, transport: 'quic', peer: '127.0.0.1:1' });
  broker.handle(0, { kind: 'packet', connection: 1, stream: CONTROL, packet: connect });
  const pending = [...sent];
  for (;;) {
    const deadline = broker.nextDeadline() ?? Number.POSITIVE_INFINITY;
    const next = pending[0] ? Math.round(pending[0].atS * SECOND) : Number.POSITIVE_INFINITY;
    const now = Math.min(deadline, next);
    if (now > untilS * SECOND) return null;
    if (next < deadline) {
      const { stream, packet } = pending.shift()!;
      broker.handle(now, { kind: 'packet', connection: 1, stream, packet });
      continue;
    }
    const outputs = broker.handle(now, { kind: 'deadline' });
    if (outputs.some((output) => output.kind === 'log' && output.event === 'socket_force_closed')) return now / SECOND;
  }
}

const PINGREQ: Packet = { type: 'pingreq', size: 2 };
const SUBSCRIBE: Packet = { type: 'subscribe', packetId: 1, filters: [{ topic: 'd', qos: 0 }], size: 8 };
const PUBACK: Packet = { type: 'puback', packetId: 1, reasonCode: 0, size: 4 };
const PUBLISH: Packet = {
  type: 'publish',
  topic: 'u',
  qos: 0,
  packetId: null,
  dup: false,
  retain: false,
  seq: 1,
  size: 10,
};

function every(fromS: number, stepS: number, toS: number, stream: number, packet: Packet): Sent[] {
  const list: Sent[] = [];
  for (let index = 0; fromS + index * stepS <= toS; index++) list.push({ atS: fromS + index * stepS, stream, packet });
  return list;
}

const at = (atS: number, stream: number, packet: Packet): Sent => ({ atS, stream, packet });

/** emqx-keepalive-model §5, K = 10; null: stays up. S8 is undefined from generation C on. */
const ORACLE: readonly {
  readonly name: string;
  readonly sent: readonly Sent[];
  readonly expected: Readonly<Record<string, number | null>>;
}[] = [
  { name: 'S1 silence', sent: [], expected: { '5.0.14': 22.5, '5.3.2': 15, '5.8.1': 15, '5.8.2': 15 } },
  {
    name: 'S2 SUBSCRIBE on the control stream, then receive-only',
    sent: [at(1, CONTROL, SUBSCRIBE)],
    expected: { '5.0.14': 22.5, '5.3.2': 30, '5.8.1': 20, '5.8.2': 20 },
  },
  {
    name: 'S3 SUBSCRIBE and PUBLISH on data streams only',
    sent: [at(1, 1, SUBSCRIBE), ...every(1.5, 1, 100, DATA, PUBLISH)],
    expected: { '5.0.14': 22.5, '5.3.2': 15, '5.8.1': 15, '5.8.2': null },
  },
  {
    name: 'S4 PINGREQ until 20.1 s, then data-stream PUBLISH',
    sent: [...every(0.1, 10, 20.1, CONTROL, PINGREQ), ...every(20.2, 1, 100, DATA, PUBLISH)],
    expected: { '5.0.14': 37.5, '5.3.2': 45, '5.8.1': 35.1, '5.8.2': null },
  },
  {
    name: 'S5 PINGREQ every 10 s',
    sent: every(0.1, 10, 100, CONTROL, PINGREQ),
    expected: { '5.0.14': null, '5.3.2': null, '5.8.1': null, '5.8.2': null },
  },
  {
    name: 'S6 QoS 1 receive-only, PUBACK on the data stream every second',
    sent: every(1, 1, 100, 1, PUBACK),
    expected: { '5.0.14': 22.5, '5.3.2': 15, '5.8.1': 15, '5.8.2': null },
  },
  {
    name: 'S7 QoS 0 receive-only, SUBSCRIBE on a data stream at 1 s',
    sent: [at(1, 1, SUBSCRIBE)],
    expected: { '5.0.14': 22.5, '5.3.2': 15, '5.8.1': 15, '5.8.2': 20 },
  },
  {
    name: 'S8 PINGREQ on a data stream only',
    sent: every(1, 5, 100, DATA, PINGREQ),
    expected: { '5.0.14': 22.5, '5.3.2': 15 },
  },
];

describe('keepalive check of the broker', () => {
  for (const { name, sent, expected } of ORACLE) {
    for (const [emqx, seconds] of Object.entries(expected)) {
      it(`${name}: EMQX ${emqx} ${seconds === null ? 'stays up' : `disconnects at ${seconds} s`}`, () => {
        const actual = expiry(emqx, 10, sent, 100);
        if (seconds === null) return assert.equal(actual, null);
        assert.ok(actual !== null && actual >= seconds - 0.005 && actual <= seconds + 0.06, `${actual}`);
      });
    }
  }

  it('generation B: every K from 1 to 120 ends in [1.5 K, 3 K) after the last packet', () => {
    for (let keepaliveS = 1; keepaliveS <= 120; keepaliveS++) {
      for (const lastS of [0.4, keepaliveS * 0.5, keepaliveS * 1.49]) {
        const end = expiry('5.3.2', keepaliveS, [at(lastS, CONTROL, SUBSCRIBE)], keepaliveS * 10)!;
        const idle = end - lastS;
        assert.ok(
          idle >= 1.5 * keepaliveS - 1e-6 && idle < 3 * keepaliveS,
          `K=${keepaliveS} last=${lastS} idle=${idle}`,
        );
      }
    }
  });

  for (const emqx of ['5.8.1', '5.8.9']) {
    it(`generations C and D (${emqx}): every K ends in [N·I, (N+1)·I), exactly N·I after a PINGREQ`, () => {
      for (let keepaliveS = 1; keepaliveS <= 120; keepaliveS++) {
        const interval = Math.min(30, Math.max(Math.floor(keepaliveS * 500) / 1000, 1));
        const bound = Math.ceil((keepaliveS * 1.5) / interval) * interval;
        for (const lastS of [0.1, interval * 0.5, interval * 1.3]) {
          const idle = expiry(emqx, keepaliveS, [at(lastS, CONTROL, SUBSCRIBE)], keepaliveS * 10 + 10)! - lastS;
          assert.ok(idle >= bound - 1e-6 && idle < bound + interval, `K=${keepaliveS} last=${lastS} idle=${idle}`);
        }
        const afterPing = expiry(emqx, keepaliveS, [at(0.7, CONTROL, PINGREQ)], keepaliveS * 10 + 10)! - 0.7;
        assert.ok(Math.abs(afterPing - bound) < 1e-6, `K=${keepaliveS} after PINGREQ ${afterPing}`);
      }
    });
  }

  it('keepalive 0 is never checked', () => {
    assert.equal(expiry('5.8.2', 0, [], 1000), null);
  });
});
