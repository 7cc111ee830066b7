/** A broker for any clients, without sockets: retained messages, wills, sessions, windows and queues, expiry. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBroker } from '../../engine/broker/machine.ts';
import { type ClientRules, OPEN_RULES } from '../../engine/broker/rules.ts';
import type { ConnectPacket } from '../../engine/broker/state.ts';
import {
  type BrokerOutput,
  type BrokerSettings,
  brokerProfile,
  createRng,
  DEFAULT_BROKER_SETTINGS,
  type Packet,
  type Qos,
} from '../../engine/index.ts';
import type { MessageContent, Will } from '../../engine/types.ts';

const SECOND = 1_000_000;
type Publish = Extract<Packet, { type: 'publish' }>;

const content = (payload: string, properties: MessageContent['properties'] = null): MessageContent => ({
  payload: Buffer.from(payload),
  properties,
});

function bench({ settings, rules }: { settings?: Partial<BrokerSettings>; rules?: Partial<ClientRules> } = {}) {
  const machine = createBroker({
    profile: brokerProfile('5.8.4').profile,
    settings: { ...DEFAULT_BROKER_SETTINGS, ...settings },
    rng: createRng(1, 'broker'),
    rules: { ...OPEN_RULES, ...rules },
  });
  let now = 0;
  let seq = 0;
  const outputs: BrokerOutput[] = [];
  const handle = (input: Parameters<typeof machine.handle>[1]): void => {
    outputs.push(...machine.handle(now, input));
  };
  const packet = (connection: number, sent: Packet): void =>
    handle({ kind: 'packet', connection, stream: 0, packet: sent });
  handle({ kind: 'start' });
  return {
    packet,
    connect(id: number, options: Partial<ConnectPacket> = {}): void {
      handle({ kind: 'accepted', connection: id, transport: 'tcp', peer: `127.0.0.1:${id}` });
      const base = { type: 'connect', clientId: `c${id}`, keepaliveS: 0, username: null, size: 20 } as const;
      packet(id, { ...base, cleanStart: true, protocol: 5, ...options });
    },
    subscribe: (id: number, topic: string, qos: Qos = 0): void =>
      packet(id, { type: 'subscribe', packetId: 1, filters: [{ topic, qos }], size: 10 }),
    publish(id: number, topic: string, payload: string, options: Partial<Publish> & { expiryS?: number } = {}): void {
      const { expiryS, ...rest } = options;
      const properties = expiryS === undefined ? null : { messageExpiryInterval: expiryS };
      // Fixed header, length of the topic, topic, no properties, payload.
      const size = 2 + 2 + topic.length + (options.qos ? 2 : 0) + 1 + payload.length;
      const base = { type: 'publish', topic, qos: 0, packetId: null, dup: false, retain: false, seq: seq++ } as const;
      packet(id, { ...base, content: content(payload, properties), size, ...rest });
    },
    vanish: (id: number): void => handle({ kind: 'closed', connection: id, cause: { kind: 'reset' } }),
    run(atS: number): void {
      for (let at = machine.nextDeadline(); at !== null && at <= atS * SECOND; at = machine.nextDeadline()) {
        now = at;
        handle({ kind: 'deadline' });
      }
      now = atS * SECOND;
    },
    /** Messages that went to a client: topic, payload, and `r` where RETAIN is set, `d` where DUP is. */
    got: (id: number): string[] =>
      outputs.flatMap((output) => {
        if (output.kind !== 'write' || output.connection !== id || output.packet.type !== 'publish') return [];
        const { topic, retain, dup } = output.packet;
        const flags = `${retain ? ' r' : ''}${dup ? ' d' : ''}`;
        return [`${topic} ${Buffer.from(output.message!.content!.payload).toString()}${flags}`];
      }),
    written: (id: number): Packet[] =>
      outputs.flatMap((output) => (output.kind === 'write' && output.connection === id ? [output.packet] : [])),
    lost: (): string[] => outputs.flatMap((output) => (output.kind === 'lost' ? [output.reason] : [])),
    properties: (id: number): unknown[] =>
      outputs.flatMap((output) =>
        output.kind === 'write' && output.connection === id && output.packet.type === 'publish'
          ? [output.message?.content?.properties]
          : [],
      ),
    logged: (event: string): number =>
      outputs.filter((output) => output.kind === 'log' && output.event === event).length,
  };
}

const puback = (packetId: number): Packet => ({ type: 'puback', packetId, reasonCode: 0, size: 4 });

describe('retained messages', () => {
  it('reach a later subscriber, the last one of each topic, until an empty one takes it away', () => {
    const b = bench();
    b.connect(1);
    b.publish(1, 's/a', 'old', { retain: true });
    b.publish(1, 's/a', 'new', { retain: true });
    b.publish(1, 's/b', 'x', { retain: true });
    b.publish(1, 's/b', '', { retain: true });
    b.publish(1, 's/c', 'not kept');
    b.connect(2);
    b.subscribe(2, 's/+');
    assert.deepEqual(b.got(2), ['s/a new r']);
  });

  it('are kept up to their number and bytes; what is there stays, and can be replaced', () => {
    const b = bench({ rules: { retainedMax: 2, retainedBytesMax: 10 } });
    b.connect(1);
    for (const topic of ['a', 'b', 'c']) b.publish(1, topic, '1', { retain: true });
    b.publish(1, 'a', '2345', { retain: true });
    b.publish(1, 'b', '0123456789', { retain: true });
    b.connect(2);
    b.subscribe(2, '#');
    assert.deepEqual(b.got(2), ['a 2345 r']);
    assert.equal(b.logged('retain_failed'), 2);
  });

  it('do not follow a shared subscription', () => {
    const b = bench();
    b.connect(1);
    b.publish(1, 'a', 'x', { retain: true });
    b.subscribe(1, '$share/g/a');
    assert.deepEqual(b.got(1), []);
  });
});

describe('message expiry', () => {
  it('takes what waited too long out of queue and retained messages, and tells what is left of the interval', () => {
    const b = bench();
    b.connect(1, { sessionExpiryS: 60 });
    b.subscribe(1, 'q', 1);
    b.vanish(1);
    b.connect(2);
    b.publish(2, 'q', 'short', { qos: 1, packetId: 1, expiryS: 5 });
    b.publish(2, 'q', 'long', { qos: 1, packetId: 2, expiryS: 20 });
    b.publish(2, 'r', 'short', { retain: true, expiryS: 5 });
    b.publish(2, 'r2', 'long', { retain: true, expiryS: 20 });
    b.run(12);
    b.connect(3, { clientId: 'c1', cleanStart: false, sessionExpiryS: 60 });
    assert.deepEqual(b.got(3), ['q long']);
    assert.deepEqual(b.lost(), ['expired']);
    b.connect(4);
    b.subscribe(4, '#');
    assert.deepEqual(b.got(4), ['r2 long r']);
    assert.deepEqual(
      [b.properties(3), b.properties(4)],
      [[{ messageExpiryInterval: 8 }], [{ messageExpiryInterval: 8 }]],
    );
  });

  it('applies to what waits for the window of a living connection', () => {
    const b = bench({ settings: { maxInflight: 1 } });
    b.connect(1);
    b.subscribe(1, 'q', 1);
    b.publish(1, 'q', '1', { qos: 1, packetId: 1 });
    b.publish(1, 'q', '2', { qos: 1, packetId: 2, expiryS: 1 });
    b.publish(1, 'q', '3', { qos: 1, packetId: 3, expiryS: 9 });
    b.run(2);
    b.packet(1, puback(1));
    assert.deepEqual(b.got(1), ['q 1', 'q 3']);
  });

  it('leaves messages without an interval alone', () => {
    const b = bench();
    b.connect(1);
    b.publish(1, 'r', 'x', { retain: true });
    b.run(100_000);
    b.subscribe(1, 'r');
    assert.deepEqual(b.got(1), ['r x r']);
  });
});

describe('wills', () => {
  const will = (delayS = 0, topic = 'will'): Will => ({
    topic,
    qos: 0,
    retain: false,
    delayS,
    seq: 99,
    content: content('gone'),
  });
  const disconnect = (reasonCode: number): Packet => ({ type: 'disconnect', reasonCode, size: 2 });

  function watched(rules: Partial<ClientRules> = {}) {
    const b = bench({ rules });
    b.connect(1);
    b.subscribe(1, '#');
    return b;
  }

  it('are published for who vanishes or asks for it, not for who says good-bye', () => {
    const b = watched();
    for (const id of [2, 3, 4]) b.connect(id, { will: will(0, `will/${id}`) });
    b.vanish(2);
    b.packet(3, disconnect(0));
    b.packet(4, disconnect(4));
    assert.deepEqual(b.got(1), ['will/2 gone', 'will/4 gone']);
  });

  it('wait for their delay or the end of the session, whichever comes first', () => {
    const b = watched();
    b.connect(2, { sessionExpiryS: 60, will: will(10, 'will/2') });
    b.connect(3, { sessionExpiryS: 5, will: will(10, 'will/3') });
    b.vanish(2);
    b.vanish(3);
    b.run(4);
    assert.deepEqual(b.got(1), []);
    b.run(6);
    assert.deepEqual(b.got(1), ['will/3 gone']);
    b.run(11);
    assert.deepEqual(b.got(1), ['will/3 gone', 'will/2 gone']);
  });

  it('are forgotten if the client is back within the delay', () => {
    const b = watched();
    b.connect(2, { sessionExpiryS: 60, will: will(10) });
    b.vanish(2);
    b.run(5);
    b.connect(3, { clientId: 'c2', cleanStart: false, sessionExpiryS: 60 });
    b.run(30);
    assert.deepEqual(b.got(1), []);
  });

  it('are not published where the client may not', () => {
    const b = watched({ acl: [{ allow: false, user: null, action: 'publish', filter: 'will/#' }] });
    b.connect(2, { will: will() });
    b.vanish(2);
    assert.deepEqual(b.got(1), []);
    assert.equal(b.logged('will_publish_denied'), 1);
  });
});

describe('sessions', () => {
  const kept = { clientId: 'keeper', cleanStart: false, sessionExpiryS: 60 } as const;

  it('keep subscriptions and messages of QoS 0 to 2 until they expire', () => {
    for (const [awayS, expected] of [
      [59, ['k 0', 'k 1', 'k 2']],
      [61, []],
    ] as const) {
      const b = bench();
      b.connect(1, kept);
      b.subscribe(1, 'k', 2);
      b.vanish(1);
      b.connect(2);
      for (const qos of [0, 1, 2] as const) b.publish(2, 'k', String(qos), { qos, packetId: qos || null });
      b.run(awayS);
      b.connect(3, kept);
      assert.deepEqual(b.got(3), expected);
      const connack = b.written(3).find(({ type }) => type === 'connack');
      assert.equal(connack?.type === 'connack' && connack.sessionPresent, awayS < 60);
    }
  });

  it('send again, with DUP, what was not acknowledged, then what waited', () => {
    const b = bench({ settings: { maxInflight: 2 } });
    b.connect(1, kept);
    b.subscribe(1, 'k', 1);
    b.connect(2);
    for (let index = 1; index <= 4; index++) b.publish(2, 'k', String(index), { qos: 1, packetId: index });
    assert.deepEqual(b.got(1), ['k 1', 'k 2']);
    b.packet(1, puback(1));
    assert.deepEqual(b.got(1), ['k 1', 'k 2', 'k 3']);
    b.vanish(1);
    b.connect(3, kept);
    assert.deepEqual(b.got(3), ['k 2 d', 'k 3 d']);
    b.packet(3, puback(2));
    assert.deepEqual(b.got(3), ['k 2 d', 'k 3 d', 'k 4']);
  });

  it('end with a clean start, and without an expiry', () => {
    for (const [first, second] of [
      [kept, { ...kept, cleanStart: true }],
      [{ ...kept, sessionExpiryS: 0 }, kept],
    ]) {
      const b = bench();
      b.connect(1, first);
      b.subscribe(1, 'k', 1);
      b.vanish(1);
      b.connect(3, second);
      b.connect(2);
      b.publish(2, 'k', 'x');
      assert.deepEqual(b.got(3), []);
    }
  });

  it('give way to newer ones when there are too many without a connection', () => {
    const b = bench({ rules: { detachedMax: 2 } });
    for (const id of [1, 2, 3]) {
      b.connect(id, { sessionExpiryS: 600 });
      b.vanish(id);
    }
    const isThere = (id: number): boolean => {
      b.connect(id + 10, { clientId: `c${id}`, cleanStart: false });
      const connack = b.written(id + 10).find(({ type }) => type === 'connack');
      return connack?.type === 'connack' && connack.sessionPresent;
    };
    assert.deepEqual([1, 2, 3].map(isThere), [false, true, true]);
  });
});

describe('deliveries', () => {
  it("keep to the client's receive maximum; beyond the queue the oldest goes", () => {
    const b = bench({ settings: { maxMqueueLen: 2 } });
    b.connect(1, { receiveMaximum: 1 });
    b.subscribe(1, 'k', 1);
    b.connect(2);
    for (let index = 1; index <= 5; index++) b.publish(2, 'k', String(index), { qos: 1, packetId: index });
    assert.deepEqual(b.got(1), ['k 1']);
    assert.deepEqual(b.lost(), ['queue-full', 'queue-full']);
    b.packet(1, puback(1));
    b.packet(1, puback(2));
    assert.deepEqual(b.got(1), ['k 1', 'k 4', 'k 5']);
  });

  it("leave out what is above the client's maximum packet size [MQTT-3.1.2-24]", () => {
    const b = bench();
    b.connect(1, { maximumPacketSize: 30 });
    b.subscribe(1, 'k');
    b.connect(2);
    b.publish(2, 'k', 'x'.repeat(40));
    b.publish(2, 'k', 'ok');
    assert.deepEqual(b.got(1), ['k ok']);
    assert.deepEqual(b.lost(), ['too-large']);
  });

  it('have the smaller QoS of message and subscription', () => {
    const b = bench();
    b.connect(1);
    b.subscribe(1, 'k', 1);
    b.connect(2);
    for (const qos of [0, 1, 2] as const) b.publish(2, 'k', String(qos), { qos, packetId: qos || null });
    const publishes = b.written(1).filter((packet): packet is Publish => packet.type === 'publish');
    assert.deepEqual(
      publishes.map(({ qos }) => qos),
      [0, 1, 1],
    );
  });

  it('of QoS 2 are once per packet id until PUBREL [MQTT-4.3.3-10]', () => {
    const b = bench();
    b.connect(1);
    b.subscribe(1, 'k', 0);
    b.publish(1, 'k', 'x', { qos: 2, packetId: 7 });
    b.publish(1, 'k', 'x', { qos: 2, packetId: 7, dup: true });
    assert.deepEqual(b.got(1), ['k x']);
    b.packet(1, { type: 'pubrel', packetId: 7, reasonCode: 0, size: 4 });
    b.publish(1, 'k', 'y', { qos: 2, packetId: 7 });
    assert.deepEqual(b.got(1), ['k x', 'k y']);
  });
});
