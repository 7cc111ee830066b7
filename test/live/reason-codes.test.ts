import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { startBroker, type TestBroker } from '../interop/broker-server.ts';
import { connectBytes, frame, type RawClient, rawClient, text } from './raw-client.ts';
import { until } from './support.ts';

/** What EMQX's listener allows by default; a packet may not be longer. */
const MAX_PACKET_BYTES = 1_048_576;

describe('a client that breaks a rule is told which', () => {
  let broker: TestBroker;
  const clients: RawClient[] = [];
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await broker.stop();
  });

  async function dial(protocol: 4 | 5 = 5): Promise<RawClient> {
    const client = await rawClient(broker.port, protocol);
    clients.push(client);
    return client;
  }

  async function connected(properties: readonly number[] = []): Promise<RawClient> {
    const client = await dial();
    client.send(connectBytes(`c${clients.length}`, properties));
    assert.equal((await client.answer('connack')).reasonCode, 0);
    return client;
  }

  const cases: readonly [what: string, code: number, bytes: Buffer][] = [
    ['a packet type that is reserved', 0x81, Buffer.from([0x00, 0x00])],
    ['a remaining length of five bytes', 0x81, Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01])],
    ['SUBSCRIBE with wrong flags', 0x81, frame(0x80, [0, 1, 0], text('a'), [0])],
    ['a QoS of 3', 0x81, frame(0x36, text('a'), [0, 1, 0])],
    ['SUBSCRIBE without a filter', 0x82, frame(0x82, [0, 1, 0])],
    ['SUBSCRIBE with the packet id 0', 0x82, frame(0x82, [0, 0, 0], text('a'), [0])],
    ['PUBLISH of QoS 1 with the packet id 0', 0x82, frame(0x32, text('a'), [0, 0, 0])],
    ['PUBLISH with neither topic nor alias', 0x82, frame(0x30, text(''), [0])],
    ['a second CONNECT', 0x82, connectBytes('again')],
    ['AUTH without a method agreed on', 0x82, frame(0xf0, [0x18, 6, 0x15], text('SCR'))],
    ['PUBLISH to a topic with a wildcard', 0x90, frame(0x30, text('a/#'), [0])],
    ['PUBLISH to a topic with U+0000', 0x90, frame(0x30, text('a\u0000'), [0])],
    ['a topic alias of 0', 0x94, frame(0x30, text('a'), [3, 0x23, 0, 0])],
    ['a topic alias above what was announced', 0x94, frame(0x30, text('a'), [3, 0x23, 0xff, 0xff])],
    ['a topic alias that has no topic yet', 0x94, frame(0x30, text(''), [3, 0x23, 0, 5])],
    ['a packet that is too long, by its header', 0x95, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])],
  ];
  for (const [what, code, bytes] of cases) {
    it(`0x${code.toString(16)}: ${what}`, async () => {
      broker = await startBroker();
      const client = await connected();
      client.send(bytes);
      assert.equal((await client.answer('disconnect')).reasonCode, code);
      await client.closed();
    });
  }

  it('0x95 only above the limit, which CONNACK announces', async () => {
    broker = await startBroker();
    const client = await dial();
    client.send(connectBytes('limit'));
    const { properties } = await client.answer('connack');
    assert.equal(properties?.maximumPacketSize, MAX_PACKET_BYTES);
    // Four bytes of fixed header make it exactly as long as is allowed.
    const remaining = MAX_PACKET_BYTES - 4;
    const length = [(remaining & 0x7f) | 0x80, ((remaining >> 7) & 0x7f) | 0x80, remaining >> 14];
    const body = Buffer.concat([text('a'), Buffer.from([0])]);
    client.send([0x30, ...length], body, Buffer.alloc(remaining - body.length));
    client.send([0xc0, 0x00]);
    await client.answer('pingresp');
    assert.equal(client.isClosed(), false);
  });

  it('0x84 in CONNACK for a version to come, and 1 for MQTT 3.1', async () => {
    broker = await startBroker();
    const later = await dial();
    later.send(connectBytes('later', [], 6));
    assert.equal((await later.answer('connack')).reasonCode, 0x84);
    await later.closed();
    const old = await dial(4);
    old.send(frame(0x10, text('MQIsdp'), [3, 0x02, 0, 60], text('old')));
    assert.equal((await old.answer('connack')).returnCode, 1);
    await old.closed();
  });

  it('0x8c in CONNACK for enhanced authentication, which is not offered', async () => {
    broker = await startBroker();
    const client = await dial();
    client.send(connectBytes('scram', [0x15, ...text('SCRAM-SHA-256')]));
    assert.equal((await client.answer('connack')).reasonCode, 0x8c);
    await client.closed();
  });

  it('nothing, but a closed connection, before it has said CONNECT', async () => {
    broker = await startBroker();
    const client = await dial();
    client.send([0xc0, 0x00]);
    await client.closed();
    assert.deepEqual(client.packets, []);
  });

  it('nobody else: the others are served on', async () => {
    broker = await startBroker();
    const good = await connected();
    const bad = await connected();
    bad.send([0x00, 0x00]);
    await bad.closed();
    good.send([0xc0, 0x00]);
    await good.answer('pingresp');
  });

  it('uses as many topic aliases towards a client as it takes', async () => {
    broker = await startBroker();
    // Topic Alias Maximum 1.
    const taker = await connected([0x22, 0, 1]);
    taker.send(frame(0x82, [0, 1, 0], text('x/#'), [0]));
    await taker.answer('suback');
    const giver = await connected();
    for (const topic of ['x/1', 'x/1', 'x/2', 'x/2']) giver.send(frame(0x30, text(topic), [0], Buffer.from('!')));
    const publishes = () => taker.packets.filter((packet) => packet.cmd === 'publish');
    await until(() => publishes().length === 4, 'the messages');
    assert.deepEqual(
      publishes().map(({ topic, properties }) => [topic, properties?.topicAlias]),
      [
        ['x/1', 1],
        ['', 1],
        ['x/2', undefined],
        ['x/2', undefined],
      ],
    );
  });
});
