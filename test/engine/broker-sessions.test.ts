/** EMQX's session side (emqx-keepalive-model §2.2, §3, §4): persistence, takeover, windows, streams, refusals. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBroker } from '../../engine/broker/machine.ts';
import {
  type BrokerMachine,
  type BrokerOutput,
  type BrokerSettings,
  brokerProfile,
  createRng,
  DEFAULT_BROKER_SETTINGS,
  type Packet,
  type Qos,
} from '../../engine/index.ts';

const SECOND = 1_000_000;

interface Client {
  readonly protocol?: 4 | 5;
  readonly cleanStart?: boolean;
  readonly sessionExpiryS?: number;
  readonly receiveMaximum?: number;
}

interface Bench {
  readonly broker: BrokerMachine;
  now: number;
  outputs: BrokerOutput[];
  handle(input: Parameters<BrokerMachine['handle']>[1]): readonly BrokerOutput[];
  /** Carries out deadlines up to `atS`. */
  run(atS: number): void;
  connect(id: number, client?: Client): void;
  packet(id: number, packet: Packet, stream?: number): readonly BrokerOutput[];
  downlink(seq: number, qos: Qos): readonly BrokerOutput[];
}

function bench(emqx: string, settings: Partial<BrokerSettings> = {}, seed = 1): Bench {
  const broker = createBroker({
    profile: brokerProfile(emqx).profile,
    settings: { ...DEFAULT_BROKER_SETTINGS, ...settings },
    rng: createRng(seed, 'broker'),
  });
  const self: Bench = {
    broker,
    now: 0,
    outputs: [],
    handle(input) {
      const outputs = broker.handle(self.now, input);
      self.outputs.push(...outputs);
      return outputs;
    },
    run(atS) {
      for (let at = broker.nextDeadline(); at !== null && at <= atS * SECOND; at = broker.nextDeadline()) {
        self.now = at;
        self.handle({ kind: 'deadline' });
      }
      self.now = atS * SECOND;
    },
    connect(id, { protocol = 5, cleanStart = true, sessionExpiryS, receiveMaximum } = {}) {
      self.handle({ kind: 'accepted', connection: id, transport: 'quic', peer: `127.0.0.1:${id}` });
      const base = { type: 'connect', clientId: 'c', keepaliveS: 10, username: null, size: 20 } as const;
      self.packet(id, { ...base, protocol, cleanStart, sessionExpiryS, receiveMaximum });
    },
    packet: (id, packet, stream = 0) => self.handle({ kind: 'packet', connection: id, stream, packet }),
    downlink: (seq, qos) => self.handle({ kind: 'downlink', message: { seq, topic: 'd', qos, size: 10 } }),
  };
  self.handle({ kind: 'start' });
  return self;
}

const subscribe = (qos: Qos): Packet => ({
  type: 'subscribe',
  packetId: 1,
  filters: [{ topic: 'd', qos }],
  size: 8,
});
const publish = (seq: number, qos: Qos, packetId: number | null): Packet => ({
  type: 'publish',
  topic: 'u',
  qos,
  packetId,
  dup: false,
  retain: false,
  seq,
  size: 12,
});
const ackOf = (type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', packetId: number): Packet => ({
  type,
  packetId,
  reasonCode: 0,
  size: 4,
});

/** Written packets as short texts, `1:publish#7 dup`. */
function written(outputs: readonly BrokerOutput[]): readonly string[] {
  return outputs.flatMap((output) => {
    if (output.kind !== 'write') return [];
    const { connection, packet } = output;
    const text = `${connection}:${packet.type}`;
    if (packet.type === 'publish') return [`${text}#${packet.seq}${packet.dup ? ' dup' : ''}`];
    if (packet.type === 'connack') return [`${text} ${packet.reasonCode}${packet.sessionPresent ? ' present' : ''}`];
    if (packet.type === 'disconnect') return [`${text} ${packet.reasonCode}`];
    return [text];
  });
}

function events(outputs: readonly BrokerOutput[]): readonly string[] {
  return outputs.flatMap((output) => (output.kind === 'log' ? [output.event] : []));
}

function terminations(outputs: readonly BrokerOutput[]): readonly unknown[] {
  return outputs.flatMap((output) =>
    output.kind === 'log' && output.event === 'connection_terminate_info' ? [output.fields?.reason_term] : [],
  );
}

describe('sessions that outlive their connection', () => {
  const persistent: Client = { cleanStart: false, sessionExpiryS: 60 };

  it('a keepalive timeout leaves no terminate line and keeps the QUIC connection open', () => {
    const emqx = bench('5.8.2');
    emqx.connect(1, persistent);
    emqx.run(20);
    assert.ok(events(emqx.outputs).includes('socket_force_closed'));
    assert.deepEqual(terminations(emqx.outputs), []);
    assert.ok(!emqx.outputs.some(({ kind }) => kind === 'close'));
  });

  it('expires after Session Expiry Interval, and says so', () => {
    const emqx = bench('5.8.2');
    emqx.connect(1, persistent);
    emqx.run(18.1);
    emqx.outputs = [];
    // 15 s of silence, 3 s of waiting for the peer, 60 s.
    emqx.run(77.9);
    assert.deepEqual(terminations(emqx.outputs), []);
    emqx.run(78.1);
    assert.deepEqual(terminations(emqx.outputs), ['{shutdown,expired}']);
  });

  it('MQTT 3.1.1 with clean_session 0 lives for two hours', () => {
    const emqx = bench('5.8.2');
    emqx.connect(1, { protocol: 4, cleanStart: false });
    emqx.handle({ kind: 'closed', connection: 1, cause: { kind: 'timeout' } });
    emqx.run(7_199);
    assert.deepEqual(terminations(emqx.outputs), []);
    emqx.run(7_201);
    assert.deepEqual(terminations(emqx.outputs), ['{shutdown,expired}']);
  });

  it('queues while detached and replays after CONNACK: in flight with DUP first, then the queue', () => {
    const emqx = bench('5.8.2');
    emqx.connect(1, persistent);
    emqx.packet(1, subscribe(1));
    emqx.downlink(1, 1);
    emqx.handle({ kind: 'closed', connection: 1, cause: { kind: 'timeout' } });
    emqx.downlink(2, 1);
    emqx.downlink(3, 0);
    emqx.outputs = [];
    emqx.connect(2, persistent);
    assert.deepEqual(written(emqx.outputs), ['2:connack 0 present', '2:publish#1 dup', '2:publish#2', '2:publish#3']);
  });

  it('a subscription made on a data stream does not survive', () => {
    const emqx = bench('5.8.2');
    emqx.connect(1, persistent);
    emqx.packet(1, subscribe(1), 1);
    emqx.handle({ kind: 'closed', connection: 1, cause: { kind: 'timeout' } });
    const outputs = emqx.downlink(1, 1);
    assert.ok(outputs.some((output) => output.kind === 'lost' && output.reason === 'no-subscriber'));
  });

  it('the queue of a detached session drops its oldest beyond max_mqueue_len', () => {
    const emqx = bench('5.8.2', { maxMqueueLen: 3 });
    emqx.connect(1, persistent);
    emqx.packet(1, subscribe(1));
    emqx.handle({ kind: 'closed', connection: 1, cause: { kind: 'timeout' } });
    for (let seq = 1; seq <= 5; seq++) emqx.downlink(seq, 1);
    const lost = emqx.outputs.flatMap((output) => (output.kind === 'lost' ? [output.message.seq] : []));
    assert.deepEqual(lost, [1, 2]);
    assert.equal(events(emqx.outputs).filter((event) => event === 'delivery_dropped_queue_full').length, 2);
  });
});

describe('takeover and discard', () => {
  it('clean start 0 takes a living session over: 142 to the old client, CONNACK before its terminate line', () => {
    for (const [emqx, reason] of [
      ['5.8.2', '{shutdown,takenover}'],
      ['4.4.19', '{shutdown,takeovered}'],
    ] as const) {
      const broker = bench(emqx);
      broker.connect(1, { cleanStart: false });
      broker.packet(1, subscribe(1));
      broker.outputs = [];
      broker.connect(2, { cleanStart: false });
      assert.deepEqual(written(broker.outputs), ['1:disconnect 142', '2:connack 0 present']);
      broker.handle({ kind: 'closed', connection: 1, cause: { kind: 'peer', code: 0 } });
      assert.deepEqual(terminations(broker.outputs), [reason]);
      assert.deepEqual(written(broker.downlink(1, 1)), ['2:publish#1']);
    }
  });

  it('clean start 1 discards a living session and waits for its end', () => {
    const emqx = bench('5.8.9');
    emqx.connect(1);
    emqx.outputs = [];
    emqx.connect(2);
    assert.deepEqual(written(emqx.outputs), ['1:disconnect 142', '2:connack 0']);
    assert.deepEqual(terminations(emqx.outputs), ['{shutdown,discarded}']);
  });

  const waits: readonly (readonly [string, number])[] = [
    ['5.5.1', 0],
    ['5.6.1', 5],
    ['5.8.2', 5],
    ['5.8.3', 3],
    ['5.8.5', 0],
  ];
  for (const [emqx, waitS] of waits) {
    it(`${emqx}: a dead old client delays the CONNACK by ${waitS} s`, () => {
      const broker = bench(emqx);
      broker.connect(1);
      broker.outputs = [];
      broker.connect(2);
      if (waitS > 0) {
        broker.run(waitS - 0.001);
        assert.ok(!written(broker.outputs).includes('2:connack 0'));
        broker.run(waitS);
      }
      assert.ok(written(broker.outputs).includes('2:connack 0'));
      // The call that asks the old session to step down times out after 5 s (03g).
      assert.equal(events(broker.outputs).includes('session_stepdown_timeout'), waitS === 5);
    });
  }

  it('5.8.2: the old process is killed as its own wait ends, so its last lines come both, one or none (03g, 09, 20)', () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 60; seed++) {
      const broker = bench('5.8.2', {}, seed);
      broker.connect(1);
      broker.outputs = [];
      broker.connect(2);
      broker.run(5);
      const lines = events(broker.outputs).filter((event) => /^connection_terminate|stepdown/.test(event));
      seen.add(lines.join(' '));
      assert.ok(events(broker.outputs).includes('channel_cleaned'));
    }
    assert.deepEqual([...seen].sort(), [
      'connection_terminated connection_terminate_info session_stepdown_timeout',
      'connection_terminated session_stepdown_timeout',
      'session_stepdown_timeout',
    ]);
  });

  it('a session that is only waiting for its expiry is discarded at once, without DISCONNECT', () => {
    const emqx = bench('5.8.2');
    emqx.connect(1, { cleanStart: false, sessionExpiryS: 600 });
    emqx.handle({ kind: 'closed', connection: 1, cause: { kind: 'timeout' } });
    emqx.outputs = [];
    emqx.connect(2);
    assert.deepEqual(written(emqx.outputs), ['2:connack 0']);
    assert.deepEqual(terminations(emqx.outputs), ['{shutdown,discarded}']);
  });

  it('a kick ends a persistent session too', () => {
    const emqx = bench('5.8.9');
    emqx.connect(1, { cleanStart: false, sessionExpiryS: 600 });
    emqx.handle({ kind: 'kick' });
    assert.deepEqual(terminations(emqx.outputs), ['{shutdown,kicked}']);
    const detached = bench('5.8.9');
    detached.connect(1, { cleanStart: false, sessionExpiryS: 600 });
    detached.handle({ kind: 'closed', connection: 1, cause: { kind: 'timeout' } });
    detached.handle({ kind: 'kick' });
    assert.deepEqual(terminations(detached.outputs), ['{shutdown,kicked}']);
  });
});

describe('windows and queues', () => {
  it('the window is the smaller of the client’s Receive Maximum and max_inflight', () => {
    for (const [receiveMaximum, window] of [
      [undefined, 32],
      [5, 5],
      [100, 32],
    ] as const) {
      const emqx = bench('5.8.2');
      emqx.connect(1, { receiveMaximum });
      emqx.packet(1, subscribe(1));
      emqx.outputs = [];
      for (let seq = 1; seq <= 40; seq++) emqx.downlink(seq, 1);
      assert.equal(written(emqx.outputs).length, window);
      assert.deepEqual(written(emqx.packet(1, ackOf('puback', 1))), [`1:publish#${window + 1}`]);
    }
  });

  it('a data stream has a window and packet ids of its own', () => {
    const emqx = bench('5.8.2', { maxInflight: 1 });
    emqx.connect(1);
    emqx.packet(1, { ...subscribe(1), filters: [{ topic: 'd', qos: 1 }] } as Packet, 1);
    const [first] = emqx.downlink(1, 1).filter((output) => output.kind === 'write');
    assert.ok(first?.kind === 'write' && first.stream === 1 && first.packet.type === 'publish');
    assert.equal(first.packet.packetId, 1);
    assert.deepEqual(written(emqx.downlink(2, 1)), []);
    // An acknowledgement on the wrong stream opens nothing.
    assert.deepEqual(written(emqx.packet(1, ackOf('puback', 1), 0)), []);
    assert.deepEqual(written(emqx.packet(1, ackOf('puback', 1), 1)), ['1:publish#2']);
  });

  it('QoS 2 frees the window with PUBCOMP, and PUBREL is what is sent again', () => {
    const emqx = bench('5.7.2', { maxInflight: 1 });
    emqx.connect(1);
    emqx.packet(1, subscribe(2));
    emqx.downlink(1, 2);
    emqx.downlink(2, 2);
    assert.deepEqual(written(emqx.packet(1, ackOf('pubrec', 1))), ['1:pubrel']);
    for (let at = 5; at < 30; at += 5) {
      emqx.run(at);
      emqx.packet(1, { type: 'pingreq', size: 2 });
    }
    emqx.outputs = [];
    emqx.run(30);
    assert.deepEqual(written(emqx.outputs), ['1:pubrel']);
    assert.deepEqual(written(emqx.packet(1, ackOf('pubcomp', 1))), ['1:publish#2']);
  });

  it('up to 5.7 an unacknowledged delivery is sent again after 30 s, from 5.8.0 never', () => {
    for (const [emqx, again] of [
      ['4.4.19', true],
      ['5.7.2', true],
      ['5.8.0', false],
      ['5.8.9', false],
    ] as const) {
      const broker = bench(emqx);
      broker.connect(1);
      broker.packet(1, subscribe(1));
      broker.downlink(1, 1);
      broker.outputs = [];
      for (let at = 5; at <= 65; at += 5) {
        broker.run(at);
        broker.packet(1, { type: 'pingreq', size: 2 });
      }
      const resent = written(broker.outputs).filter((text) => text === '1:publish#1 dup');
      assert.equal(resent.length, again ? 2 : 0, emqx);
    }
  });

  it('at most max_awaiting_rel QoS 2 messages wait for PUBREL; one more gets 147 and is lost', () => {
    const emqx = bench('5.8.2', { maxAwaitingRel: 2 });
    emqx.connect(1);
    emqx.packet(1, publish(1, 2, 1), 3);
    emqx.packet(1, publish(2, 2, 2), 3);
    // The same id again is no third one.
    emqx.packet(1, publish(2, 2, 2), 3);
    const refused = emqx.packet(1, publish(3, 2, 3), 3);
    const pubrec = refused.find((output) => output.kind === 'write');
    assert.ok(pubrec?.kind === 'write' && pubrec.packet.type === 'pubrec' && pubrec.packet.reasonCode === 147);
    assert.ok(refused.some((output) => output.kind === 'lost' && output.direction === 'up'));
    emqx.packet(1, ackOf('pubrel', 1), 3);
    assert.ok(emqx.packet(1, publish(4, 2, 4), 3).some(({ kind }) => kind === 'deliver'));
  });

  it('CONNACK carries Receive Maximum from 5.6.0 on, and Server Keep Alive to MQTT 5 only', () => {
    const connack = (emqx: string, client: Client) => {
      const broker = bench(emqx, { serverKeepaliveS: 20 });
      broker.connect(1, client);
      const output = broker.outputs.find((candidate) => candidate.kind === 'write');
      assert.ok(output?.kind === 'write' && output.packet.type === 'connack');
      return [output.packet.receiveMaximum, output.packet.serverKeepaliveS];
    };
    assert.deepEqual(connack('5.5.1', {}), [null, 20]);
    assert.deepEqual(connack('5.6.0', {}), [32, 20]);
    assert.deepEqual(connack('5.6.0', { protocol: 4 }), [null, null]);
  });
});

describe('streams', () => {
  it('a data stream that was opened before CONNECT is read only from CONNACK on', () => {
    const emqx = bench('5.8.2');
    emqx.handle({ kind: 'accepted', connection: 1, transport: 'quic', peer: '127.0.0.1:1' });
    assert.deepEqual(emqx.packet(1, publish(1, 1, 1), 3), []);
    const base = { type: 'connect', clientId: 'c', keepaliveS: 10, username: null, size: 20 } as const;
    const outputs = emqx.packet(1, { ...base, protocol: 5, cleanStart: true });
    assert.deepEqual(written(outputs), ['1:connack 0', '1:puback']);
  });

  it('up to 5.0.17 data streams are not read at all', () => {
    for (const [emqx, reads] of [
      ['5.0.17', false],
      ['5.0.18', true],
    ] as const) {
      const broker = bench(emqx);
      broker.connect(1);
      const outputs = broker.packet(1, publish(1, 0, null), 3);
      assert.equal(
        outputs.some(({ kind }) => kind === 'deliver'),
        reads,
      );
      assert.equal(
        outputs.some((output) => output.kind === 'lost' && output.reason === 'not-read'),
        !reads,
      );
    }
  });

  it('CONNECT or DISCONNECT on a data stream ends that stream, not the connection', () => {
    for (const packet of [
      { type: 'disconnect', reasonCode: 0, size: 2 } as Packet,
      {
        type: 'connect',
        clientId: 'c',
        keepaliveS: 1,
        cleanStart: true,
        protocol: 5,
        username: null,
        size: 9,
      } as Packet,
    ]) {
      const emqx = bench('5.8.2');
      emqx.connect(1);
      const crash = events(emqx.packet(1, packet, 3)).includes('quic_data_stream_exit');
      assert.equal(crash, packet.type === 'disconnect');
      assert.ok(emqx.packet(1, publish(1, 0, null), 3).some(({ kind }) => kind === 'lost'));
      assert.ok(emqx.packet(1, publish(2, 0, null), 4).some(({ kind }) => kind === 'deliver'));
      assert.deepEqual(written(emqx.packet(1, { type: 'pingreq', size: 2 })), ['1:pingresp']);
    }
  });

  it('a second CONNECT on the control stream is a protocol error', () => {
    const emqx = bench('5.8.2');
    emqx.connect(1);
    emqx.outputs = [];
    const base = { type: 'connect', clientId: 'c', keepaliveS: 10, username: null, size: 20 } as const;
    emqx.packet(1, { ...base, protocol: 5, cleanStart: true });
    assert.deepEqual(written(emqx.outputs), ['1:disconnect 130']);
  });

  it('what a data stream receives is in no trace, what it sends names no client', () => {
    const emqx = bench('5.8.2');
    emqx.connect(1);
    emqx.outputs = [];
    emqx.packet(1, publish(1, 1, 1), 3);
    const lines = emqx.outputs.flatMap((output) => (output.kind === 'log' ? [output] : []));
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['quic_data_stream_ready', 'authorization_allowed', 'publish_routed', 'quic_data_stream_packets_sent'],
    );
    assert.ok(lines.every(({ clientId, peer }) => clientId === null && peer === null));
  });

  it('from 5.5 on a topic that is allowed has a line a minute, before none (02c, 01d)', () => {
    for (const [emqx, lines] of [
      ['5.3.2', 0],
      ['5.5.1', 3],
    ] as const) {
      const broker = bench(emqx);
      broker.connect(1);
      for (let at = 1; at <= 130; at++) {
        broker.run(at);
        broker.packet(1, publish(at, 0, null));
      }
      assert.equal(events(broker.outputs).filter((event) => event === 'authorization_allowed').length, lines);
    }
  });

  it('what a SUBSCRIBE was allowed is remembered too; 5.8.9 and later say so at debug (08b)', () => {
    for (const [emqx, severity] of [
      ['5.8.2', 'info'],
      ['5.8.9', 'debug'],
      ['6.2.0', 'debug'],
    ] as const) {
      const broker = bench(emqx);
      broker.connect(1);
      for (const at of [1, 2, 70]) {
        broker.run(at);
        broker.packet(1, subscribe(0));
        broker.packet(1, { type: 'pingreq', size: 2 });
      }
      const lines = broker.outputs.flatMap((output) =>
        output.kind === 'log' && output.event === 'authorization_allowed' ? [output.severity] : [],
      );
      // The keepalive ended the connection at some 17 s; the third SUBSCRIBE finds nobody.
      assert.deepEqual(lines, [severity]);
    }
  });

  it('without CONNECT a connection ends after 15 s', () => {
    const emqx = bench('5.8.2');
    emqx.handle({ kind: 'accepted', connection: 1, transport: 'quic', peer: '127.0.0.1:1' });
    emqx.run(14.9);
    assert.ok(!emqx.outputs.some(({ kind }) => kind === 'close'));
    emqx.run(15);
    assert.ok(emqx.outputs.some(({ kind }) => kind === 'close'));
  });
});

describe('refused CONNECTs', () => {
  const cases: readonly (readonly [number, 4 | 5, number, string, boolean])[] = [
    [135, 5, 135, '{shutdown,not_authorized}', true],
    [135, 4, 5, '{shutdown,not_authorized}', true],
    [138, 5, 138, '{shutdown,banned}', false],
    [136, 4, 3, '{shutdown,server_unavailable}', false],
  ];
  for (const [reasonCode, protocol, sent, reason, failure] of cases) {
    it(`${reasonCode} to MQTT ${protocol} is CONNACK ${sent} and ${reason} (08a, 08b)`, () => {
      const emqx = bench('5.8.2');
      emqx.handle({ kind: 'refuse', reasonCode });
      emqx.connect(1, { protocol });
      assert.deepEqual(written(emqx.outputs), [`1:connack ${sent}`]);
      assert.equal(events(emqx.outputs).includes('authentication_failure'), failure);
      assert.equal(events(emqx.outputs).includes('mqtt_packet_received'), reasonCode !== 138);
      emqx.handle({ kind: 'closed', connection: 1, cause: { kind: 'peer', code: 0 } });
      assert.deepEqual(terminations(emqx.outputs), [reason]);
      emqx.handle({ kind: 'refuse', reasonCode: null });
      emqx.outputs = [];
      emqx.connect(2, { protocol });
      assert.deepEqual(written(emqx.outputs), ['2:connack 0']);
    });
  }
});

describe('log level', () => {
  it('at info a keepalive timeout leaves one line, at warning none (emqx-keepalive-model §7)', () => {
    for (const [logLevel, lines] of [
      ['info', ['connection_terminate_info']],
      ['warn', []],
    ] as const) {
      const emqx = bench('5.8.2', { logLevel });
      emqx.connect(1);
      emqx.outputs = [];
      emqx.run(20);
      assert.deepEqual(events(emqx.outputs), lines);
    }
  });
});
