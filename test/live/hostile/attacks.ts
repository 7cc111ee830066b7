/** The attacks: each one client, which checks how the broker answers it and throws if that was wrong. */

import { createSocket } from 'node:dgram';
import { connect as connectTcp } from 'node:net';
import { clientConfig } from '../../../engine/live/quic-settings.ts';
import { trusting } from '../../../engine/live/tls-options.ts';
import type { Rng } from '../../../engine/types.ts';
import { connectBytes, damage, everyPacket, FAULTS, type Protocol, REASONS, randomBytes } from './packets.ts';
import { Peer } from './peer.ts';
import { LOOPBACK, type Target, type Way } from './target.ts';

export interface Attack {
  readonly name: string;
  /** How many of the sum of all weights. */
  readonly weight: number;
  run(target: Target, rng: Rng, clientId: string): Promise<void>;
}

const QUIC_FAULT_CODE = 1;
const CONNECTION_ID_BYTES = 20;
const DATAGRAM_BYTES = 1_350;
const WAYS: readonly Way[] = ['quic', 'tcp', 'tls'];

/** A known fault after CONNECT: a client of MQTT 5 is told which, one of 3.1.1 only closed. */
async function fault(target: Target, rng: Rng, clientId: string): Promise<void> {
  const protocol: Protocol = rng.int(0, 3) === 0 ? 4 : 5;
  const { name, bytes, reasonCode } = pick(rng, FAULTS);
  // What is malformed for its properties in MQTT 5 can be right in 3.1.1.
  const told = protocol === 5 ? bytes : Buffer.from('0000', 'hex');
  await withPeer(target, rng, protocol, async (peer, way) => {
    await peer.connect(clientId, protocol);
    peer.send(told);
    await peer.end();
    const expected = protocol === 5 ? reasonCode : null;
    if (peer.farewell !== expected) throw new Error(`${name}: DISCONNECT ${peer.farewell}, expected ${expected}`);
    await checkCode(peer, way);
  });
}

/** Damaged packets of all types: whatever becomes of it, an end without the fault's name is wrong. */
async function damaged(target: Target, rng: Rng, clientId: string): Promise<void> {
  const protocol: Protocol = rng.int(0, 1) === 0 ? 4 : 5;
  await withPeer(target, rng, protocol, async (peer) => {
    await peer.connect(clientId, protocol);
    for (let left = rng.int(1, 8); left > 0 && !peer.ended; left--) {
      peer.send(damage(rng, pick(rng, everyPacket(protocol, clientId))));
    }
    // Long enough a tail to complete what a damaged length still waits for, and then no packet at all.
    peer.send(Buffer.alloc(2_048, 0));
    peer.finish();
    await peer.end();
    const { farewell } = peer;
    if (farewell !== null && !REASONS.has(farewell)) throw new Error(`DISCONNECT with ${farewell}`);
  });
}

/** What a CONNECT of a version that is not served is told: 3.1.1 has a code of its own for it. */
const VERSION_REFUSED = [1, 132];

/** Anything but a good CONNECT as the first bytes: closed, and QUIC says that it was a fault. Only another version is answered. */
async function wrongStart(target: Target, rng: Rng, clientId: string): Promise<void> {
  const protocol: Protocol = rng.int(0, 1) === 0 ? 4 : 5;
  const starts: readonly (() => Buffer)[] = [
    () => pick(rng, everyPacket(protocol, clientId).slice(1)),
    // Long enough for the PUBACK of 69 bytes that "GE" begins.
    () => Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${'x'.repeat(80)}\r\n\r\n`),
    () => Buffer.concat([Buffer.from([0, 0]), randomBytes(rng, rng.int(1, 200))]),
    () => Buffer.from('10ffffff7f00044d515454', 'hex'), // CONNECT of 256 MiB
  ];
  const versions = [
    Buffer.from('100d00044d51545409020000000161', 'hex'), // version 9
    Buffer.from('100d00044d51585805020000000161', 'hex'), // MQXX
  ];
  const start = rng.int(0, starts.length + versions.length - 1);
  await withPeer(target, rng, protocol, async (peer, way) => {
    await peer.opened();
    peer.send(starts[start]?.() ?? versions[start - starts.length]!);
    await peer.end();
    const connack = peer.packets.find((packet) => packet.type === 'connack');
    if (start < starts.length) {
      if (connack !== undefined) throw new Error('CONNACK for no CONNECT');
    } else if (!VERSION_REFUSED.includes(connack?.reasonCode ?? 0)) {
      throw new Error(`another version got CONNACK ${connack?.reasonCode ?? 'not at all'}`);
    }
    await checkCode(peer, way);
  });
}

/** A CONNECT that never ends, a byte at a time; the client gives up before the broker does. */
async function slow(target: Target, rng: Rng, clientId: string): Promise<void> {
  await withPeer(target, rng, 5, async (peer) => {
    await peer.opened();
    const bytes = connectBytes(clientId, 5);
    const last = rng.int(1, bytes.length - 1);
    for (const byte of bytes.subarray(0, last)) {
      peer.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (peer.packets.length > 0) throw new Error('an answer to half a CONNECT');
  });
}

/** Streams of QUIC: data before CONNECT, aborted in a packet, ended, many at once. */
async function streams(target: Target, rng: Rng, clientId: string): Promise<void> {
  const peer = new Peer(target.dials.quic, 5);
  try {
    await peer.opened();
    if (rng.int(0, 3) === 0) {
      peer.send(everyPacket(5, clientId)[2]!, rng.int(1, 90));
      await peer.end();
      await checkCode(peer, 'quic');
      return;
    }
    await peer.connect(clientId, 5);
    for (let left = rng.int(1, 40); left > 0; left--) {
      const stream = rng.int(1, 60);
      peer.send(damage(rng, everyPacket(5, clientId)[2]!), stream);
      const then = rng.int(0, 2);
      if (then === 0) peer.resetStream(stream);
      if (then === 1) peer.finish(stream);
      if (rng.int(0, 3) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    peer.finish();
    await peer.end();
  } finally {
    peer.leave();
  }
}

/** Datagrams that are no QUIC, no QUIC of ours, or a handshake that nobody goes on with. */
async function datagrams({ quiche, ports, certificatePem }: Target, rng: Rng): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  const { port } = socket.address();
  const config = clientConfig(quiche, trusting(certificatePem), 0);
  const initial = (): Buffer => {
    const from = { host: LOOPBACK, port };
    const to = { host: LOOPBACK, port: ports.quic };
    const native = quiche.Connection.connect('localhost', randomBytes(rng, CONNECTION_ID_BYTES), from, to, config);
    const datagram = Buffer.alloc(DATAGRAM_BYTES);
    return datagram.subarray(0, native.send(datagram)![0]);
  };
  const kinds: readonly (() => Buffer)[] = [
    () => randomBytes(rng, rng.int(1, DATAGRAM_BYTES)),
    () => Buffer.concat([Buffer.from([0xc0, 0, 0, 0, 1]), randomBytes(rng, 1_300)]),
    () => Buffer.concat([Buffer.from([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8]), randomBytes(rng, 1_300)]),
    () => damage(rng, initial()).subarray(0, DATAGRAM_BYTES),
    initial,
  ];
  try {
    for (let left = rng.int(1, 10); left > 0; left--) {
      const datagram = pick(rng, kinds)();
      await new Promise((resolve) => socket.send(datagram, ports.quic, LOOPBACK, resolve));
    }
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

/** Bytes that are no TLS, or stop in the middle of it: the broker closes, or the client does. */
async function brokenTls({ ports }: Target, rng: Rng): Promise<void> {
  const waits = rng.int(0, 1) === 0;
  // A record that says it is a handshake of 200 bytes and brings fewer; or none at all.
  const bytes = waits ? Buffer.from('16030100c8010000c4', 'hex') : randomBytes(rng, rng.int(20, 400));
  if (!waits) bytes[0] = 0x7f;
  await rawTcp(ports.tls, bytes, !waits);
}

/** Connections that say nothing and vanish, with a FIN or a RST. */
async function silent({ ports }: Target, rng: Rng): Promise<void> {
  await rawTcp(rng.int(0, 1) === 0 ? ports.tcp : ports.tls, Buffer.alloc(0), false, rng.int(0, 1) === 0);
}

export const ATTACKS: readonly Attack[] = [
  { name: 'a fault after CONNECT', weight: 30, run: fault },
  { name: 'damaged packets', weight: 25, run: damaged },
  { name: 'a wrong start', weight: 15, run: wrongStart },
  { name: 'a byte at a time', weight: 5, run: slow },
  { name: 'streams', weight: 10, run: streams },
  { name: 'datagrams', weight: 5, run: datagrams },
  { name: 'broken TLS', weight: 5, run: brokenTls },
  { name: 'a silent connection', weight: 5, run: silent },
];

function pick<Value>(rng: Rng, values: readonly Value[]): Value {
  return values[rng.int(0, values.length - 1)]!;
}

async function withPeer(
  target: Target,
  rng: Rng,
  protocol: Protocol,
  run: (peer: Peer, way: Way) => Promise<void>,
): Promise<void> {
  const way = pick(rng, WAYS);
  const peer = new Peer(target.dials[way], protocol);
  try {
    await run(peer, way);
  } catch (error) {
    throw new Error(`over ${way}, MQTT ${protocol}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    peer.leave();
  }
}

/** TCP has no code; in QUIC the FIN of the control stream can come before it. */
async function checkCode(peer: Peer, way: Way): Promise<void> {
  if (way !== 'quic') return;
  await peer.closed();
  const { cause } = peer;
  if (cause?.kind !== 'peer' || cause.code !== QUIC_FAULT_CODE) {
    throw new Error(`QUIC ended with ${JSON.stringify(cause)}, expected code ${QUIC_FAULT_CODE}`);
  }
}

function rawTcp(port: number, bytes: Buffer, brokerCloses: boolean, abrupt = false): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: LOOPBACK, port });
    socket.resume();
    socket.on('error', () => {}); // A RST of the broker.
    socket.once('close', () => resolve());
    socket.once('connect', () => {
      if (bytes.length > 0) socket.write(bytes);
      if (brokerCloses) socket.setTimeout(20_000, () => reject(new Error('the broker left it open')));
      else setImmediate(() => (abrupt ? socket.resetAndDestroy() : socket.end()));
    });
  });
}
