/** The impairment proxy by itself: what of datagrams and of TCP bytes comes out at the other side. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { RunClock } from '../../engine/live/clock.ts';
import { createProxy } from '../../engine/live/impairment-proxy.ts';
import { LiveLink } from '../../engine/live/live-link.ts';
import type { ImpairmentProxy } from '../../engine/live/proxy.ts';
import { createRng } from '../../engine/rng.ts';
import type { NetworkChange } from '../../engine/types.ts';
import { until } from './support.ts';

const LOOPBACK = '127.0.0.1';
/** Time in which what was to be lost would have come. */
const SETTLE_MS = 150;
const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Path {
  readonly link: LiveLink;
  readonly proxy: ImpairmentProxy;
  readonly port: number;
}

async function pathTo(kind: 'udp' | 'tcp', port: number, accepts = true): Promise<Path> {
  const link = new LiveLink(undefined, createRng(3, 'link'), new RunClock(1));
  const proxy = createProxy(kind, {
    target: { host: LOOPBACK, port },
    link,
    speed: 1,
    accepts: () => accepts,
    refused: () => {},
    crashed: (error) => {
      throw error;
    },
  });
  cleanUps.push(() => {
    proxy.close();
    link.close();
  });
  return { link, proxy, port: (await proxy.listen()).port };
}

describe('proxy for datagrams', () => {
  /** A server that keeps what it gets and echoes it, and a client before the proxy. */
  async function pair(change: NetworkChange = {}, accepts = true) {
    const got: string[] = [];
    const ports = new Set<number>();
    const server = createSocket('udp4');
    server.on('message', (datagram, from) => {
      got.push(datagram.toString().trimEnd());
      ports.add(from.port);
      server.send(datagram, from.port, from.address);
    });
    await new Promise<void>((resolve) => server.bind(0, LOOPBACK, resolve));
    const path = await pathTo('udp', server.address().port, accepts);
    const client = createSocket('udp4');
    const echoes: string[] = [];
    client.on('message', (datagram) => echoes.push(datagram.toString().trimEnd()));
    await new Promise<void>((resolve) => client.bind(0, LOOPBACK, resolve));
    cleanUps.push(
      () => server.close(),
      () => client.close(),
    );
    const send = (text: string, bytes = text.length): void => client.send(text.padEnd(bytes), path.port, LOOPBACK);
    if (accepts) {
      send('first');
      await until(() => echoes.length === 1, 'the way to be open');
    }
    got.length = 0;
    echoes.length = 0;
    path.link.change(change);
    return { ...path, got, echoes, ports, send };
  }

  const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

  it('changes their order by jitter, and loses none', async () => {
    const { got, send } = await pair({ delayMs: 40, jitterMs: 40 });
    for (const text of numbers(50)) send(text);
    await until(() => got.length === 50, 'all');
    assert.notDeepEqual(got, numbers(50));
    assert.deepEqual(
      [...got].sort((a, b) => Number(a) - Number(b)),
      numbers(50),
    );
  });

  it('loses its share, the same ones for the same seed', async () => {
    const survivors: string[][] = [];
    for (let run = 0; run < 2; run++) {
      const { got, send } = await pair({ from: 'bridge', loss: 0.5 });
      for (const text of numbers(100)) send(text);
      await settle();
      survivors.push([...got]);
    }
    assert.ok(survivors[0]!.length > 25 && survivors[0]!.length < 75, String(survivors[0]!.length));
    assert.deepEqual(survivors[0], survivors[1]);
  });

  it('lets through what fits the queue of a limited rate, in order, and drops the rest', async () => {
    const { got, send } = await pair({ from: 'bridge', rateBytesPerS: 50_000, queueBytes: 5_000 });
    for (const text of numbers(100)) send(text, 100);
    await until(() => got.length >= 50, 'what fits');
    await settle();
    assert.ok(got.length < 90, `${got.length} of 100`);
    assert.deepEqual(got.slice(0, 50), numbers(50));
  });

  for (const [what, change, atServer, atClient] of [
    ['from the client', { from: 'bridge', down: true }, 0, 0],
    ['from the server', { from: 'broker', down: true }, 5, 0],
    ['both', { down: true }, 0, 0],
  ] as const) {
    it(`swallows a direction that is down: ${what}; afterwards it passes again`, async () => {
      const { got, echoes, send, link } = await pair(change);
      for (const text of numbers(5)) send(text);
      await settle();
      assert.deepEqual([got.length, echoes.length], [atServer, atClient]);
      link.change({ down: false });
      send('after');
      await until(() => echoes.includes('after'), 'the echo');
    });
  }

  it('takes another source port on a rebinding, and both ways go on', async () => {
    const { proxy, echoes, ports, send } = await pair();
    proxy.rebind();
    await until(() => {
      send('x');
      return ports.size === 2;
    }, 'the new port');
    echoes.length = 0;
    send('back');
    await until(() => echoes.includes('back'), 'the echo');
  });

  it('does not let strangers through', async () => {
    const { got, send } = await pair({}, false);
    send('hello');
    await settle();
    assert.deepEqual(got, []);
  });
});

describe('proxy for TCP', () => {
  async function server() {
    const received: Buffer[] = [];
    const sockets: Socket[] = [];
    const listener = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        received.push(bytes);
        socket.write(bytes);
      });
      sockets.push(socket);
    });
    await new Promise<void>((resolve) => listener.listen(0, LOOPBACK, resolve));
    cleanUps.push(() => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    });
    const path = await pathTo('tcp', (listener.address() as { port: number }).port);
    return { ...path, sockets, bytes: () => Buffer.concat(received) };
  }

  async function client({ port, proxy }: Path, waits = true) {
    const socket = connect({ host: LOOPBACK, port });
    const echoes: Buffer[] = [];
    socket.on('error', () => {});
    socket.on('data', (bytes) => echoes.push(bytes));
    cleanUps.push(() => socket.destroy());
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    const reached = proxy.reached(socket.localPort!);
    reached.catch(() => {});
    if (waits) await reached;
    return { socket, reached, echoed: () => Buffer.concat(echoes) };
  }

  const text = Buffer.from(Array.from({ length: 20_000 }, (_, index) => String(index)).join(' '));

  for (const [what, change] of [
    ['a limited rate', { rateBytesPerS: 400_000, queueBytes: 1_000_000 }],
    ['delay and jitter', { delayMs: 20, jitterMs: 20 }],
    ['loss', { loss: 0.3 }],
  ] as const) {
    it(`keeps all bytes in order in spite of ${what}`, async () => {
      const path = await server();
      const { socket, echoed } = await client(path);
      path.link.change(change);
      for (let at = 0; at < text.length; at += 10_000) socket.write(text.subarray(at, at + 10_000));
      await until(() => echoed().length === text.length, 'all bytes');
      assert.equal(path.bytes().equals(text), true);
      assert.equal(echoed().equals(text), true);
    });
  }

  for (const [what, on, off] of [
    ['held', { hold: true }, { hold: false }],
    ['down', { down: true }, { down: false }],
  ] as const) {
    it(`passes on, when it ends, what came while the link was ${what}`, async () => {
      const path = await server();
      const { socket, echoed } = await client(path);
      path.link.change(on);
      socket.write('early');
      await settle();
      assert.equal(path.bytes().length, 0);
      path.link.change(off);
      await until(() => echoed().toString() === 'early', 'the bytes');
    });

    it(`reaches the target only when the link is not ${what} any more`, async () => {
      const path = await server();
      path.link.change(on);
      const { reached } = await client(path, false);
      await settle();
      assert.equal(path.sockets.length, 0);
      path.link.change(off);
      await reached;
      await until(() => path.sockets.length === 1, 'the connection');
    });
  }

  it('cuts off what is connected on a rebinding; a new connection comes from another port', async () => {
    const path = await server();
    const old = await client(path);
    old.socket.write('1');
    await until(() => old.echoed().length === 1, 'the echo');
    path.proxy.rebind();
    old.socket.write('2');
    path.sockets[0]!.write('3');
    await settle();
    assert.equal(path.bytes().toString(), '1');
    assert.equal(old.echoed().toString(), '1');
    const fresh = await client(path);
    fresh.socket.write('4');
    await until(() => fresh.echoed().toString() === '4', 'the echo of the new one');
    assert.notEqual(path.sockets[0]!.remotePort, path.sockets[1]!.remotePort);
  });

  it('keeps the FIN of either end behind the bytes before it', async () => {
    const path = await server();
    const { socket, echoed } = await client(path);
    path.link.change({ delayMs: 30 });
    socket.end(text);
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    assert.equal(echoed().equals(text), true);
  });
});
