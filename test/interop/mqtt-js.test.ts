import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { until } from '../live/support.ts';
import { startBroker, type TestBroker } from './broker-server.ts';

/** MQTT.js, an independent client, against our broker. */
for (const protocolVersion of [4, 5] as const) {
  describe(`MQTT.js with protocol ${protocolVersion} against our broker`, () => {
    let broker: TestBroker;
    const clients: MqttClient[] = [];

    afterEach(async () => {
      await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
      await broker.stop();
    });

    async function connect(options: IClientOptions = {}): Promise<MqttClient> {
      const url = `mqtt://127.0.0.1:${broker.port}`;
      const client = await mqtt.connectAsync(url, { protocolVersion, reconnectPeriod: 0, ...options });
      clients.push(client);
      return client;
    }

    function inbox(client: MqttClient): { topic: string; text: string; packet: IPublishPacket }[] {
      const messages: { topic: string; text: string; packet: IPublishPacket }[] = [];
      client.on('message', (topic, payload, packet) => messages.push({ topic, text: payload.toString(), packet }));
      return messages;
    }

    it('carries messages of every QoS, in order and once', async () => {
      broker = await startBroker();
      const [from, to] = [await connect(), await connect()];
      const messages = inbox(to);
      await to.subscribeAsync('a/+/c', { qos: 2 });
      for (const qos of [0, 1, 2] as const) {
        for (let index = 0; index < 50; index++) await from.publishAsync('a/b/c', `${qos}-${index}`, { qos });
      }
      await until(() => messages.length === 150, 'all messages');
      const expected = [0, 1, 2].flatMap((qos) => Array.from({ length: 50 }, (_, index) => `${qos}-${index}`));
      assert.deepEqual(
        messages.map(({ text }) => text),
        expected,
      );
      assert.deepEqual(
        messages.map(({ packet }) => packet.qos),
        [0, 1, 2].flatMap((qos) => new Array(50).fill(qos)),
      );
    });

    it('keeps retained messages until an empty one', async () => {
      broker = await startBroker();
      const from = await connect();
      await from.publishAsync('state/a', 'on', { qos: 1, retain: true });
      await from.publishAsync('state/b', 'off', { qos: 1, retain: true });
      await from.publishAsync('state/b', '', { qos: 1, retain: true });
      const to = await connect();
      const messages = inbox(to);
      await to.subscribeAsync('state/#', { qos: 1 });
      await from.publishAsync('state/c', 'live', { qos: 1 });
      await until(() => messages.length === 2, 'both');
      assert.deepEqual(
        messages.map(({ topic, text, packet }) => [topic, text, packet.retain]),
        [
          ['state/a', 'on', true],
          ['state/c', 'live', false],
        ],
      );
    });

    it('publishes the will of a client that vanishes, and not of one that says good-bye', async () => {
      broker = await startBroker();
      const watcher = await connect();
      const messages = inbox(watcher);
      await watcher.subscribeAsync('will/#', { qos: 1 });
      const will = (name: string) => ({
        will: { topic: `will/${name}`, payload: Buffer.from(name), qos: 1 as const, retain: false },
      });
      const polite = await connect(will('polite'));
      const lost = await connect(will('lost'));
      await polite.endAsync();
      lost.stream.destroy();
      await until(() => messages.length > 0, 'the will');
      assert.deepEqual(
        messages.map(({ text }) => text),
        ['lost'],
      );
    });

    it('keeps a session: what came meanwhile is delivered on return', async () => {
      broker = await startBroker();
      const session: IClientOptions = {
        clientId: 'keeper',
        clean: false,
        ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
      };
      const first = await connect(session);
      await first.subscribeAsync('kept/#', { qos: 1 });
      await first.endAsync();
      const from = await connect();
      for (let index = 0; index < 5; index++) await from.publishAsync('kept/x', String(index), { qos: 1 });
      const second = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, {
        protocolVersion,
        reconnectPeriod: 0,
        ...session,
      });
      clients.push(second);
      const messages = inbox(second);
      const connack = await new Promise<{ sessionPresent: boolean }>((resolve) => second.once('connect', resolve));
      assert.equal(connack.sessionPresent, true);
      await until(() => messages.length === 5, 'the kept messages');
      assert.deepEqual(
        messages.map(({ text }) => text),
        ['0', '1', '2', '3', '4'],
      );
    });

    it('ends the older one of two connections with the same client id', async () => {
      broker = await startBroker();
      const older = await connect({ clientId: 'twin' });
      const closed = new Promise<void>((resolve) => older.once('close', () => resolve()));
      const newer = await connect({ clientId: 'twin' });
      await closed;
      assert.equal(newer.connected, true);
    });

    it('gives each message of a shared subscription to one of the group', async () => {
      broker = await startBroker();
      const members = [await connect(), await connect()];
      const boxes = members.map(inbox);
      for (const member of members) await member.subscribeAsync('$share/g/job/#', { qos: 1 });
      const from = await connect();
      for (let index = 0; index < 10; index++) await from.publishAsync('job/x', String(index), { qos: 1 });
      await until(() => boxes[0]!.length + boxes[1]!.length === 10, 'the jobs');
      assert.deepEqual(
        boxes.map(({ length }) => length),
        [5, 5],
      );
    });

    it('lets in users with their password only, and keeps them to their rules', async () => {
      broker = await startBroker({
        rules: {
          users: new Map([['ann', 'secret']]),
          acl: [{ allow: false, user: 'ann', action: 'all', filter: 'admin/#' }],
        },
      });
      await assert.rejects(connect({ username: 'ann', password: 'wrong' }));
      await assert.rejects(connect());
      const ann = await connect({ username: 'ann', password: 'secret' });
      const messages = inbox(ann);
      const granted = await ann
        .subscribeAsync(['admin/x', 'free/x'], { qos: 1 })
        .catch((error: unknown) => String(error));
      assert.ok(typeof granted === 'string' || granted.some(({ qos }) => qos >= 128));
      await ann.subscribeAsync('free/x', { qos: 1 });
      await ann.publishAsync('admin/x', 'no', { qos: 1 }).catch(() => {});
      await ann.publishAsync('free/x', 'yes', { qos: 1 });
      await until(() => messages.length > 0, 'the allowed message');
      assert.deepEqual(
        messages.map(({ text }) => text),
        ['yes'],
      );
    });

    it('takes a large message', async () => {
      broker = await startBroker();
      const client = await connect();
      const messages = inbox(client);
      await client.subscribeAsync('large', { qos: 1 });
      const text = 'x'.repeat(1_000_000);
      await client.publishAsync('large', text, { qos: 1 });
      await until(() => messages.length === 1, 'the message');
      assert.equal(messages[0]!.text.length, text.length);
    });

    if (protocolVersion === 5) {
      it('honours No Local, Retain As Published, Retain Handling and subscription identifiers', async () => {
        broker = await startBroker();
        const client = await connect();
        const messages = inbox(client);
        await client.publishAsync('r/x', 'old', { qos: 1, retain: true });
        await client.subscribeAsync('own/#', { qos: 1, nl: true });
        await client.subscribeAsync('r/#', { qos: 1, rap: true, rh: 2, properties: { subscriptionIdentifier: 7 } });
        await client.publishAsync('own/x', 'mine', { qos: 1 }).catch(() => {});
        await client.publishAsync('r/x', 'new', { qos: 1, retain: true });
        await until(() => messages.length > 0, 'the message');
        assert.deepEqual(
          messages.map(({ text, packet }) => [text, packet.retain, packet.properties?.subscriptionIdentifier]),
          [['new', true, 7]],
        );
      });

      it('carries properties, topic aliases and a small receive maximum', async () => {
        broker = await startBroker();
        const to = await connect({ properties: { receiveMaximum: 2 } });
        const messages = inbox(to);
        await to.subscribeAsync('alias/#', { qos: 1 });
        const from = await connect({ autoUseTopicAlias: true });
        const properties = { contentType: 'text/plain', userProperties: { k: 'v' }, correlationData: Buffer.from('c') };
        for (let index = 0; index < 20; index++)
          await from.publishAsync('alias/x', String(index), { qos: 1, properties });
        await until(() => messages.length === 20, 'all messages');
        assert.deepEqual(
          messages.map(({ topic, text }) => [topic, text]),
          Array.from({ length: 20 }, (_, index) => ['alias/x', String(index)]),
        );
        const last = messages[19]!.packet.properties;
        assert.equal(last?.contentType, 'text/plain');
        assert.deepEqual({ ...last?.userProperties }, { k: 'v' });
      });

      it('has no more than the receive maximum on the way to a client', async () => {
        broker = await startBroker();
        const to = await connect({ properties: { receiveMaximum: 3 } });
        // MQTT.js looks at one message at a time; what is behind it counts at the broker.
        let release: (() => void) | null = null;
        let arrived = 0;
        let isHeld = true;
        to.handleMessage = (_packet, acknowledge) => {
          arrived++;
          if (isHeld) release = acknowledge;
          else acknowledge();
        };
        await to.subscribeAsync('slow', { qos: 1 });
        const from = await connect();
        for (let index = 0; index < 10; index++) await from.publishAsync('slow', String(index), { qos: 1 });
        const sent = (): number =>
          broker.records.filter(({ event, fields }) => event === 'mqtt_packet_sent' && fields?.packet === 'PUBLISH')
            .length;
        await until(() => release !== null, 'the first message');
        assert.equal(sent(), 3);
        isHeld = false;
        release!();
        await until(() => arrived === 10, 'the others');
        assert.equal(sent(), 10);
      });

      it('uses topic aliases towards a client that takes them', async () => {
        broker = await startBroker();
        const to = await connect({ properties: { topicAliasMaximum: 2 } });
        const messages = inbox(to);
        await to.subscribeAsync('alias/#', { qos: 1 });
        const from = await connect();
        const topics = ['alias/1', 'alias/2', 'alias/3', 'alias/1', 'alias/2', 'alias/3'];
        for (const topic of topics) await from.publishAsync(topic, 'x', { qos: 1 });
        await until(() => messages.length === 6, 'all messages');
        assert.deepEqual(
          messages.map(({ topic, packet }) => [topic, packet.properties?.topicAlias]),
          topics.map((topic) => [topic, topic === 'alias/3' ? undefined : Number(topic.at(-1))]),
        );
      });

      it('drops expired messages, and tells what is left of the interval of others', async () => {
        broker = await startBroker();
        const from = await connect();
        const expiring = (messageExpiryInterval: number) => ({
          qos: 1 as const,
          retain: true,
          properties: { messageExpiryInterval },
        });
        await from.publishAsync('news/old', 'old', expiring(1));
        await from.publishAsync('news/new', 'new', expiring(100));
        await new Promise((resolve) => setTimeout(resolve, 1_200));
        const to = await connect();
        const messages = inbox(to);
        await to.subscribeAsync('news/#', { qos: 1 });
        await until(() => messages.length > 0, 'the message');
        assert.deepEqual(
          messages.map(({ text }) => text),
          ['new'],
        );
        const left = Number(messages[0]!.packet.properties?.messageExpiryInterval);
        assert.ok(left > 0 && left < 100, String(left));
      });

      it('refuses enhanced authentication with its reason code', async () => {
        broker = await startBroker();
        const attempt = connect({
          properties: { authenticationMethod: 'SCRAM-SHA-1', authenticationData: Buffer.from('n') },
        });
        await assert.rejects(attempt, { code: 140 });
      });

      it('waits with the will for its delay, and forgets it if the client comes back', async () => {
        broker = await startBroker();
        const watcher = await connect();
        const messages = inbox(watcher);
        await watcher.subscribeAsync('will/#', { qos: 1 });
        const options = (name: string): IClientOptions => ({
          clientId: name,
          clean: false,
          properties: { sessionExpiryInterval: 60 },
          will: {
            topic: `will/${name}`,
            payload: Buffer.from(name),
            qos: 1,
            retain: false,
            properties: { willDelayInterval: 1 },
          },
        });
        const gone = await connect(options('gone'));
        const back = await connect(options('back'));
        gone.stream.destroy();
        back.stream.destroy();
        await connect(options('back'));
        await until(() => messages.length > 0, 'the delayed will');
        assert.deepEqual(
          messages.map(({ text }) => text),
          ['gone'],
        );
      });
    }
  });
}
