/** A TCP client that sends whatever bytes a test wants and reads MQTT. */

import { connect, type Socket } from 'node:net';
import { parser as createParser, type Packet } from 'mqtt-packet';
import { until } from './support.ts';

export interface RawClient {
  readonly socket: Socket;
  readonly packets: readonly Packet[];
  readonly isClosed: () => boolean;
  send(...bytes: (Buffer | readonly number[])[]): void;
  /** The first packet of that kind, waited for. */
  answer<Kind extends Packet['cmd']>(kind: Kind): Promise<Extract<Packet, { cmd: Kind }>>;
  closed(): Promise<void>;
}

export async function rawClient(port: number, protocolVersion: 4 | 5 = 5): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port });
  const packets: Packet[] = [];
  const parser = createParser({ protocolVersion });
  parser.on('packet', (packet) => packets.push(packet));
  let closed = false;
  socket.on('data', (bytes) => parser.parse(bytes as Buffer));
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return {
    socket,
    packets,
    isClosed: () => closed,
    send: (...bytes) => {
      socket.write(Buffer.concat(bytes.map((part) => Buffer.from(part))));
    },
    answer: async (kind) => {
      await until(() => packets.some(({ cmd }) => cmd === kind), `a ${kind}; there are ${JSON.stringify(packets)}`);
      return packets.find(({ cmd }) => cmd === kind) as never;
    },
    closed: () => until(() => closed, 'the end of the connection'),
  };
}

/** Fixed header with a remaining length of less than 128, and the rest. */
export const frame = (first: number, ...rest: (Buffer | readonly number[])[]): Buffer => {
  const body = Buffer.concat(rest.map((part) => Buffer.from(part)));
  if (body.length > 127) throw new RangeError('longer than one byte can say');
  return Buffer.concat([Buffer.from([first, body.length]), body]);
};

export const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from([value.length >> 8, value.length & 0xff]), Buffer.from(value)]);

/** MQTT 5.0 §3.1 with these properties, bytes. */
export const connectBytes = (clientId: string, properties: readonly number[] = [], version = 5): Buffer =>
  frame(
    0x10,
    text('MQTT'),
    [version, 0x02, 0, 60],
    version === 5 ? [properties.length, ...properties] : [],
    text(clientId),
  );
