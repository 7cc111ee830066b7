import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBroker } from '../../engine/broker/machine.ts';
import {
  type BrokerMachine,
  type BrokerOutput,
  brokerProfile,
  createRng,
  DEFAULT_BROKER_SETTINGS,
  type Packet,
} from '../../engine/index.ts';
import { restart, run } from './scenario.ts';

const SECOND = 1_000_000;
const CONTROL = 0;
const DATA = 3;

interface Sent {
  readonly atS: number;
  readonly stream: number;
  readonly packet: Packet;
}

const CONNECT: Extract<Packet, { type: 'connect' }> = {
  type: 'connect',
  clientId: 'c',
  keepaliveS: 10,
  cleanStart: true,
  protocol: 5,
  username: null,
  size: 20,
};

/** A broker with one client, CONNACK sent at time 0. */
function connected(emqx: string, keepaliveS: number, connect: Packet = CONNECT): BrokerMachine {
  const broker = createBroker({
    profile: brokerProfile(emqx).profile,
    settings: DEFAULT_BROKER_SETTINGS,
    rng: createRng(1, 'broker'),
  });
  broker.handle(0, { kind: 'start' });
  broker.handle(0, { kind: 'accepted', connection: 1, transport: 'quic', peer: '127.0.0.1:1' });
  const packet = { ...connect, keepaliveS } as Packet;
  broker.handle(0, { kind: 'packet', connection: 1, stream: CONTROL, packet });
  return broker;
}

function written(outputs: readonly BrokerOutput[]): readonly string[] {
  return outputs.flatMap((output) => (output.kind === 'write' ? [output.packet.type] : []));
}

/** Time of the keepalive decision in seconds after CONNACK, or null if there was none before `untilS`. */
function expiry(emqx: string, keepaliveS: number, sent: readonly Sent[], untilS: number): number | null {
  const broker = connected(emqx, keepaliveS);
  let index = 0;
  for (;;) {
    const deadline = broker.nextDeadline() ?? Number.POSITIVE_INFINITY;
    const pending = sent[index];
    const next = pending ? Math.round(pending.atS * SECOND) : Number.POSITIVE_INFINITY;
    const now = Math.min(deadline, next);
    if (now > untilS * SECOND) return null;
    if (next < deadline) {
      const { stream, packet } = pending!;
      index++;
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

/** First and last release of each column of the table, and two releases that it leaves out. */
const COLUMNS = {
  A1: ['4.0.0', '4.4.19'],
  A2: ['5.0.0', '5.0.4'],
  A3: ['5.0.5', '5.0.25'],
  B: ['5.0.26', '5.3.2', '5.7.1'],
  C: ['5.7.2', '5.8.1'],
  D: ['5.8.2', '5.8.3', '5.8.9', 'e5.10.3', '6.2.2'],
} as const;

type Column = keyof typeof COLUMNS;

/** emqx-keepalive-model §5, K = 10, seconds after CONNACK; null: stays up. S8 is undefined from generation C on. */
const ORACLE: readonly {
  readonly name: string;
  readonly sent: readonly Sent[];
  readonly expected: Readonly<Partial<Record<Column, number | null>>>;
}[] = [
  { name: 'S1 silence', sent: [], expected: { A1: 22.5, A2: 15, A3: 22.5, B: 15, C: 15, D: 15 } },
  {
    name: 'S2 SUBSCRIBE on the control stream, then receive-only',
    sent: [at(1, CONTROL, SUBSCRIBE)],
    expected: { A3: 22.5, B: 30, C: 20, D: 20 },
  },
  {
    name: 'S3 SUBSCRIBE and PUBLISH on data streams only',
    sent: [at(1, 1, SUBSCRIBE), ...every(1.5, 1, 100, DATA, PUBLISH)],
    expected: { A3: 22.5, B: 15, C: 15, D: null },
  },
  {
    name: 'S4 PINGREQ until 20.1 s, then data-stream PUBLISH',
    sent: [...every(0.1, 10, 20.1, CONTROL, PINGREQ), ...every(20.2, 1, 100, DATA, PUBLISH)],
    expected: { A3: 37.5, B: 45, C: 35.1, D: null },
  },
  {
    name: 'S5 PINGREQ every 10 s',
    sent: every(0.1, 10, 100, CONTROL, PINGREQ),
    expected: { A1: null, A2: null, A3: null, B: null, C: null, D: null },
  },
  {
    name: 'S6 QoS 1 receive-only, PUBACK on the data stream every second',
    sent: every(1, 1, 100, 1, PUBACK),
    expected: { A3: 22.5, B: 15, C: 15, D: null },
  },
  {
    name: 'S7 QoS 0 receive-only, SUBSCRIBE on a data stream at 1 s',
    sent: [at(1, 1, SUBSCRIBE)],
    expected: { A3: 22.5, B: 15, C: 15, D: 20 },
  },
  {
    name: 'S8 PINGREQ on a data stream only',
    sent: every(1, 5, 100, DATA, PINGREQ),
    expected: { A3: 22.5, B: 15 },
  },
];

/** The stated tolerance is +60 ms / −5 ms for real timers; virtual ones have none. */
describe('keepalive check of the broker (S1–S8)', () => {
  for (const { name, sent, expected } of ORACLE) {
    for (const [column, seconds] of Object.entries(expected) as [Column, number | null][]) {
      it(`${name}: generation ${column} ${seconds === null ? 'stays up' : `disconnects at ${seconds} s`}`, () => {
        for (const emqx of COLUMNS[column]) assert.equal(expiry(emqx, 10, sent, 100), seconds, emqx);
      });
    }
  }

  it('S8: no generation answers a PINGREQ on a data stream', () => {
    for (const emqx of Object.values(COLUMNS).flat()) {
      const broker = connected(emqx, 10);
      const outputs = broker.handle(SECOND, { kind: 'packet', connection: 1, stream: DATA, packet: PINGREQ });
      assert.deepEqual(written(outputs), [], emqx);
    }
  });

  it('A2 counts bytes of the whole connection, packets or not', () => {
    const broker = connected('5.0.4', 10);
    for (let now = SECOND; now < 60 * SECOND; now += SECOND) {
      broker.handle(now, { kind: 'transport-bytes', connection: 1, bytes: 30 });
      if ((broker.nextDeadline() ?? 0) > now) continue;
      assert.deepEqual(written(broker.handle(now, { kind: 'deadline' })), []);
    }
  });

  it('a PINGREQ every 9.999 s for an hour keeps every generation up', () => {
    for (const emqx of Object.values(COLUMNS).flat()) {
      assert.equal(expiry(emqx, 10, every(1, 9.999, 3600, CONTROL, PINGREQ), 3590), null, emqx);
    }
  });

  it('keepalive 0 is never checked', () => {
    assert.equal(expiry('5.8.2', 0, [], 1000), null);
  });
});

/** emqx-keepalive-model §7: seconds from CONNACK to the shutdown of the QUIC connection by the broker; null: never. */
const CLOSES: readonly (readonly [string, number | null])[] = [
  ['5.0.26', null],
  ['5.3.2', null],
  ['5.5.1', 18],
  ['5.6.1', 18],
  ['5.7.2', 18],
  ['5.8.1', 18],
  ['5.8.2', 18],
  ['5.8.9', 18],
  ['e5.10.3', 18],
  ['6.0.0', 18],
  ['6.2.0', 18],
];

describe('the end of a silent QUIC client (measured on brokers built from source)', () => {
  for (const [emqx, closesAtS] of CLOSES) {
    it(`${emqx}: DISCONNECT 141 and FIN at 15 s, QUIC ${closesAtS === null ? 'left open' : `closed at ${closesAtS} s`}`, () => {
      const broker = connected(emqx, 10);
      const events: string[] = [];
      for (let now = broker.nextDeadline(); now !== null && now < 100 * SECOND; now = broker.nextDeadline()) {
        for (const output of broker.handle(now, { kind: 'deadline' })) {
          if (output.kind === 'write' && output.packet.type === 'disconnect') {
            events.push(`${now / SECOND} disconnect ${output.packet.reasonCode}`);
          }
          if (output.kind === 'finish') events.push(`${now / SECOND} fin`);
          if (output.kind === 'close') events.push(`${now / SECOND} close ${output.code}`);
        }
      }
      const closed = closesAtS === null ? [] : [`${closesAtS} close 1`];
      assert.deepEqual(events, ['15 disconnect 141', '15 fin', ...closed]);
    });
  }

  it('MQTT 3.1.1 gets a FIN without DISCONNECT', () => {
    const broker = connected('5.8.2', 10, { ...CONNECT, protocol: 4 });
    broker.handle(5 * SECOND, { kind: 'deadline' });
    broker.handle(10 * SECOND, { kind: 'deadline' });
    const outputs = broker.handle(15 * SECOND, { kind: 'deadline' });
    assert.deepEqual(written(outputs), []);
    assert.ok(outputs.some(({ kind }) => kind === 'finish'));
  });
});

describe('QUIC idle timeout from the keepalive (§2.4-5)', () => {
  function idleTimeoutsS(emqx: string, keepaliveS: number, keepaliveMultiplier: number): readonly number[] {
    const broker = createBroker({
      profile: brokerProfile(emqx).profile,
      settings: { ...DEFAULT_BROKER_SETTINGS, keepaliveMultiplier },
      rng: createRng(1, 'broker'),
    });
    broker.handle(0, { kind: 'start' });
    broker.handle(0, { kind: 'accepted', connection: 1, transport: 'quic', peer: '127.0.0.1:1' });
    const packet = { ...CONNECT, keepaliveS };
    return broker
      .handle(0, { kind: 'packet', connection: 1, stream: CONTROL, packet })
      .flatMap((output) => (output.kind === 'idle-timeout' ? [output.us / SECOND] : []));
  }

  it('from 5.8.2 on an integer multiplier sets it, the default one does not', () => {
    assert.deepEqual(idleTimeoutsS('5.8.2', 10, 2), [20]);
    assert.deepEqual(idleTimeoutsS('6.2.2', 60, 1), [60]);
    assert.deepEqual(idleTimeoutsS('5.8.2', 10, 1.5), []);
    assert.deepEqual(idleTimeoutsS('5.8.2', 0, 2), []);
    assert.deepEqual(idleTimeoutsS('5.8.1', 10, 2), []);
  });

  it('then a connection that nothing uses goes idle before the keepalive ends it', () => {
    const reasons = [2, 1.5].map((keepaliveMultiplier) => {
      const { records } = run({
        nanomq: '0.23.6',
        emqx: '5.8.2',
        broker: { keepaliveMultiplier },
        bridge: { quicInitialRttMs: 100 },
        up: { hz: 10, fromS: 2, toS: 118 },
        faults: restart(10, 14),
        durationS: 120,
      });
      const ends = records.filter(({ event }) => event === 'connection_terminate_info');
      return [...new Set(ends.map(({ fields }) => fields?.reason))];
    });
    assert.deepEqual(reasons, [['connection_idle'], ['keepalive_timeout']]);
  });
});
