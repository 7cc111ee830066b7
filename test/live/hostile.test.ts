import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadQuiche, quicAvailable } from '../../engine/live/quic-library.ts';
import { createRng } from '../../engine/rng.ts';
import { ATTACKS as KINDS } from './hostile/attacks.ts';
import { attack } from './hostile/campaign.ts';
import { FAULTS } from './hostile/packets.ts';
import { Peer } from './hostile/peer.ts';
import { startTarget } from './hostile/target.ts';
import { skipReason } from './support.ts';

const skip = skipReason(await quicAvailable());
const SEED = 11;
const ATTACKS = 300;
const ATTACKS_BY_NAME = new Map(KINDS.map((kind) => [kind.name, kind]));

describe('hostile clients', { skip }, () => {
  it(`are each closed as they must be, and good ones are served after them (seed ${SEED}; more: dist/scripts/hostile.js)`, async () => {
    const { failures, counts } = await attack(await loadQuiche(), ATTACKS, SEED);
    assert.deepEqual(failures, []);
    assert.equal(
      Object.values(counts).reduce((sum, count) => sum + count),
      ATTACKS,
    );
  });

  it('are told in MQTT 5 what was wrong, each fault by its reason code', async () => {
    const target = await startTarget(await loadQuiche());
    try {
      const told = await Promise.all(
        FAULTS.map(async ({ name, bytes }, index) => {
          const peer = new Peer(target.dials.tcp, 5);
          await peer.connect(`fault-${index}`, 5);
          peer.send(bytes);
          await peer.end();
          peer.leave();
          return [name, peer.farewell];
        }),
      );
      assert.deepEqual(
        told,
        FAULTS.map(({ name, reasonCode }) => [name, reasonCode]),
      );
    } finally {
      await target.server.stop();
    }
  });

  it('cannot keep others out with handshakes that they do not go on with', async () => {
    const quiche = await loadQuiche();
    const target = await startTarget(quiche, 5);
    const datagrams = ATTACKS_BY_NAME.get('datagrams')!;
    const peer = new Peer(target.dials.quic, 5);
    try {
      for (let index = 0; index < 10; index++) await datagrams.run(target, createRng(SEED, `flood ${index}`), '');
      await peer.connect('good', 5);
    } finally {
      peer.leave();
      await target.server.stop();
    }
  });

  for (const way of ['tcp', 'tls', 'quic'] as const) {
    it(`a large message in pieces of one byte arrives whole over ${way}`, async () => {
      const target = await startTarget(await loadQuiche());
      const peer = new Peer(target.dials[way], 5);
      try {
        await peer.connect('pieces', 5);
        peer.send(Buffer.from('820700020000016101', 'hex')); // SUBSCRIBE to `a`
        await peer.answer('suback');
        const payload = Buffer.from(Array.from({ length: 20_000 }, (_, index) => index % 251));
        // Remaining length 20,006: topic `a`, packet id 1, no properties.
        const publish = Buffer.concat([Buffer.from('32a69c010001610001 00'.replace(' ', ''), 'hex'), payload]);
        for (const byte of publish) {
          peer.send(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
        const { packetId } = await peer.answer('puback');
        const back = await peer.answer('publish');
        assert.equal(packetId, 1);
        assert.deepEqual(Buffer.from(back.content!.payload), payload);
      } finally {
        peer.leave();
        await target.server.stop();
      }
    });
  }
});
