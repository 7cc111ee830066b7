import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PacketDecoder } from '../../engine/live/packet-decoder.ts';
import { encodePacket } from '../../engine/live/packet-encoder.ts';
import { decodePayload, encodePayload, FOREIGN_SEQ } from '../../engine/live/packet-payload.ts';
import { ACK_SIZE, connectSize, filtersSize, PING_SIZE, publishSize } from '../../engine/packet-size.ts';
import type { Packet } from '../../engine/types.ts';

const ROOMY = 1_048_576;

function publish(topic: string, qos: 0 | 1 | 2, payload: number, seq: number, protocol: 4 | 5): Packet {
  const packetId = qos === 0 ? null : 65_535;
  const size = publishSize(topic, qos, payload, protocol);
  return { type: 'publish', topic, qos, packetId, dup: qos > 0, retain: false, seq, size };
}

/** One of each that a machine can send. Sizes are those of the wire, so that they come back unchanged. */
function packets(protocol: 4 | 5): Packet[] {
  const ack = 4;
  return [
    {
      type: 'connect',
      clientId: 'bridge-ü',
      keepaliveS: 60,
      cleanStart: true,
      protocol,
      username: 'user',
      size: connectSize('bridge-ü', 'user', protocol),
    },
    publish('a/b', 0, 100, 0, protocol),
    publish('a/ü', 1, 20_000, 7, protocol),
    publish('a', 2, 8, 2 ** 48 - 1, protocol),
    publish('short', 1, 3, 12, protocol),
    publish('empty', 0, 0, 13, protocol),
    { type: 'puback', packetId: 1, reasonCode: 0, size: ack },
    { type: 'pubrec', packetId: 2, reasonCode: 0, size: ack },
    { type: 'pubrel', packetId: 3, reasonCode: 0, size: ack },
    { type: 'pubcomp', packetId: 65_535, reasonCode: 0, size: ack },
    {
      type: 'subscribe',
      packetId: 9,
      filters: [
        { topic: 'down/#', qos: 1 },
        { topic: '+', qos: 0 },
      ],
      size: filtersSize(['down/#', '+'], 1, protocol),
    },
    { type: 'suback', packetId: 9, reasonCodes: [1, 0], size: protocol === 5 ? 7 : 6 },
    { type: 'unsubscribe', packetId: 10, filters: ['down/#'], size: filtersSize(['down/#'], 0, protocol) },
    { type: 'unsuback', packetId: 10, size: protocol === 5 ? 6 : ACK_SIZE },
    { type: 'pingreq', size: PING_SIZE },
    { type: 'pingresp', size: PING_SIZE },
    { type: 'disconnect', reasonCode: protocol === 5 ? 141 : 0, size: protocol === 5 ? 4 : 2 },
  ];
}

describe('packet codec', () => {
  for (const protocol of [4, 5] as const) {
    const sent = packets(protocol);
    const bytes = Buffer.concat(sent.map((packet) => encodePacket(packet, protocol)));

    it(`gives every packet of protocol ${protocol} back as it was`, () => {
      const { packets: received, error } = new PacketDecoder({ protocol: null, maxPacketBytes: ROOMY }).push(bytes);
      assert.equal(error, null);
      assert.deepEqual(received, sent);
    });

    it(`does so when protocol ${protocol} comes one byte at a time`, () => {
      const decoder = new PacketDecoder({ protocol: null, maxPacketBytes: ROOMY });
      const received: Packet[] = [];
      for (const byte of bytes) received.push(...decoder.push(Buffer.from([byte])).packets);
      assert.deepEqual(received, sent);
      assert.equal(decoder.protocol, protocol);
    });

    it(`carries CONNACK of protocol ${protocol}`, () => {
      const extras = protocol === 5 ? { serverKeepaliveS: 30, maximumPacketSize: 1_048_576 } : {};
      const connack: Packet = {
        type: 'connack',
        reasonCode: 0,
        sessionPresent: true,
        serverKeepaliveS: null,
        maximumPacketSize: null,
        ...extras,
        size: protocol === 5 ? 13 : 4,
      };
      const decoder = new PacketDecoder({ protocol, maxPacketBytes: ROOMY });
      assert.deepEqual(decoder.push(encodePacket(connack, protocol)).packets, [connack]);
    });
  }

  it('refuses a declared length above the limit before the bytes come', () => {
    const decoder = new PacketDecoder({ protocol: 5, maxPacketBytes: 1_000 });
    const { packets: none, error } = decoder.push(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    assert.deepEqual(none, []);
    assert.match(error!, /268435460 bytes, 1000 are allowed/);
  });

  it('refuses a packet above the limit that comes in one piece', () => {
    const decoder = new PacketDecoder({ protocol: 5, maxPacketBytes: 100 });
    const fits = encodePacket(publish('t', 0, 90, 1, 5), 5);
    const tooLarge = encodePacket(publish('t', 0, 200, 2, 5), 5);
    const { packets: received, error } = decoder.push(Buffer.concat([fits, tooLarge, fits]));
    assert.equal(received.length, 1);
    assert.match(error!, /are allowed/);
  });

  const malformed: readonly [string, number[]][] = [
    ['a length of five bytes', [0x30, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['packet type 0', [0x00, 0x00]],
    ['QoS 3', [0x36, 0x05, 0x00, 0x01, 0x61, 0x00, 0x01]],
    ['flags that PINGREQ does not have', [0xc1, 0x00]],
    ['an empty topic', [0x30, 0x03, 0x00, 0x00, 0x00]],
    ['a topic with a wildcard', [0x30, 0x04, 0x00, 0x01, 0x23, 0x00]],
    ['a topic longer than the packet', [0x30, 0x02, 0xff, 0xff]],
    ['packet id 0', [0x40, 0x02, 0x00, 0x00]],
    ['AUTH', [0xf0, 0x02, 0x18, 0x00]],
    ['CONNECT of another protocol', [0x10, 0x06, 0x00, 0x04, 0x48, 0x54, 0x54, 0x50]],
  ];
  for (const [what, bytes] of malformed) {
    it(`ends at ${what} and stays ended`, () => {
      const decoder = new PacketDecoder({ protocol: 5, maxPacketBytes: ROOMY });
      const first = decoder.push(Buffer.from(bytes));
      assert.notEqual(first.error, null);
      assert.deepEqual(first.packets, []);
      assert.deepEqual(decoder.push(Buffer.from([0xc0, 0x00])), {
        packets: [],
        error: first.error,
        reasonCode: first.reasonCode,
      });
    });
  }

  it('never throws, whatever the bytes', () => {
    let state = 12_345;
    for (let round = 0; round < 3_000; round++) {
      const decoder = new PacketDecoder({ protocol: round % 2 === 0 ? 4 : 5, maxPacketBytes: 256 });
      const noise = Buffer.alloc(40);
      for (let index = 0; index < noise.length; index++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        noise[index] = state >>> 24;
      }
      // A plausible header, so that the noise gets past it.
      noise[0] = ((round % 15) + 1) << 4;
      noise[1] = 30;
      decoder.push(noise);
    }
  });

  it('knows a payload of somebody else', () => {
    assert.deepEqual(decodePayload(Buffer.from('hi')), { seq: FOREIGN_SEQ, size: 2 });
    assert.deepEqual(decodePayload(Buffer.from('temperature=21')), { seq: FOREIGN_SEQ, size: 14 });
    assert.throws(() => encodePayload(2 ** 48, 10), RangeError);
  });
});
