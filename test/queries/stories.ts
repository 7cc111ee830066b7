/**
 * Incidents as both ends would log them, one for each cause, in the shortest form that shows it. The options change one thing at a
 * time, so that a test can say which thing a finding rests on.
 */
import { EmqxLog, type EmqxRelease, NanomqLog, type NanomqOptions } from './log-writer.ts';

export const CLIENT = 'bridge-1';
const KEEPALIVE_S = 10;
/** EMQX ends a connection this long after the last packet it counts. */
const SILENCE_S = 20;
const REDIAL_S = 2.3;

export interface Story {
  readonly client: NanomqLog;
  readonly broker: EmqxLog;
}

/** Broker and watcher up, bridge booted. */
function begin(nanomq: NanomqOptions, emqx?: EmqxRelease): Story {
  const client = new NanomqLog({ clientId: CLIENT, keepaliveS: KEEPALIVE_S, ...nanomq }).boot(0);
  const broker = new EmqxLog(emqx).boot(-5);
  broker.client('watcher', '10.0.0.9:40001').connect(-2, 3600).publishTo(-1);
  return { client, broker };
}

const peer = (number: number) => `10.0.0.7:${50_001 + number}`;

/** Starts of connections that each last SILENCE_S; uneven, as redials are. */
const starts = (cycles: number, first = 1.4) =>
  Array.from({ length: cycles }, (_, number) => first + number * (SILENCE_S + REDIAL_S) + (number % 3) * 0.7);

function everySecond(from: number, to: number, write: (at: number) => void): void {
  for (let at = from; at < to; at += 1) write(at);
}

function keepaliveEnd({ client, broker }: Story, number: number, at: number): void {
  broker.client(CLIENT, peer(number)).close(at, 'keepalive_timeout', 141);
  if (number % 2 === 0) client.disconnectPacket(at + 0.002, 141);
  else client.fin(at + 0.002);
  client.disconnected(at + 0.01);
}

interface CycleOptions {
  readonly nanomq?: NanomqOptions;
  readonly emqx?: EmqxRelease;
  readonly cycles?: number;
  /** PINGREQ goes out (and is answered) all along. */
  readonly pings?: boolean;
}

function pings({ client, broker }: Story, number: number, from: number, to: number): void {
  for (let at = from + 7; at < to; at += 7) {
    client.ping(at);
    broker.client(CLIENT, peer(number)).ping(at + 0.01);
  }
}

/** Messages come down each second, nothing goes up, and the broker's keepalive ends it. */
export function receiveReset(options: CycleOptions & { readonly downlink?: boolean } = {}): Story {
  const story = begin({ release: '0.23.1', ...options.nanomq }, options.emqx);
  starts(options.cycles ?? 3).forEach((from, number) => {
    const end = from + SILENCE_S;
    const connection = story.broker.client(CLIENT, peer(number)).connect(from);
    story.client.connected(from + 0.01);
    if (options.downlink !== false)
      everySecond(from + 1, end, (at) => {
        connection.publishTo(at);
        story.client.received(at + 0.002);
      });
    if (options.pings) pings(story, number, from, end);
    keepaliveEnd(story, number, end);
  });
  story.client.ping(200); // the line by which the release is known
  return story;
}

/** Messages go up on data streams each second, no PINGREQ, and the broker ends the connection as silent. */
export function controlStream(options: CycleOptions & { readonly stream?: number } = {}): Story {
  const story = begin({ release: '0.23.10', ...options.nanomq }, options.emqx ?? '5.8.1');
  const stream = options.stream ?? 3;
  starts(options.cycles ?? 3).forEach((from, number) => {
    const end = from + SILENCE_S;
    story.broker.client(CLIENT, peer(number)).connect(from);
    story.client.connected(from + 0.01);
    everySecond(from + 1, end, (at) => {
      story.client.forward(at).write(at, stream);
      if (stream > 0) story.broker.routedUnnamed(at + 0.004);
    });
    if (options.pings) pings(story, number, from, end);
    keepaliveEnd(story, number, end);
  });
  return story;
}

/** The link fails, messages are parked, and after the reconnect everything is dropped and nothing sent. */
export function stuckBusy(
  options: CycleOptions & { readonly parked?: number; readonly dropForS?: number } = {},
): Story {
  const story = begin({ release: '0.23.6', ...options.nanomq }, options.emqx);
  story.broker.client(CLIENT, peer(100)).connect(1.4).ping(9).terminated(40, 'connection_idle');
  story.client.connected(1.41).ping(9).transportShutdown(36).connectionTimeout(36).disconnected(36.01);
  for (let message = 0; message < (options.parked ?? 4); message += 1) story.client.parked(37 + message / 10);
  everySecond(38, 43, (at) => story.client.busy(at));
  starts(options.cycles ?? 3, 43.6).forEach((from, number) => {
    const end = from + SILENCE_S;
    story.broker.client(CLIENT, peer(number)).connect(from);
    story.client.connected(from + 0.01);
    everySecond(from + 1, Math.min(end, from + (options.dropForS ?? SILENCE_S)), (at) =>
      story.client.busy(at).overflow(at + 0.3),
    );
    if (options.pings) pings(story, number, from, end);
    keepaliveEnd(story, number, end);
  });
  return story;
}

/** The broker ends connection after connection by keepalive; at warn level nothing else is seen of the bridge. */
export function undetermined(options: { readonly cycles?: number; readonly linkLost?: boolean } = {}): Story {
  const story = begin({ level: options.linkLost ? 'INFO' : 'WARN' });
  starts(options.cycles ?? 3).forEach((from, number) => {
    const end = from + SILENCE_S;
    story.broker.client(CLIENT, peer(number)).connect(from).close(end, 'keepalive_timeout', 141);
    story.client.connected(from + 0.01);
    if (options.linkLost) story.client.transportShutdown(end).connectionTimeout(end);
    story.client.disconnected(end + 0.01);
  });
  return story;
}

/** A second client with the bridge's id comes every 15 s; or (`ownLoss`) the bridge itself had lost the link and came back. */
export function idClash(
  options: { readonly rounds?: number; readonly ownLoss?: boolean; readonly rivalStays?: boolean } = {},
): Story {
  const story = begin({ release: '0.23.10' });
  for (let round = 0; round < (options.rounds ?? 3); round += 1) {
    const from = 1.4 + round * 15 + (round % 2);
    const taken = from + 9.2 + round * 1.3;
    const back = taken + 2.5;
    story.client.connected(from + 0.01).ping(from + 8);
    story.broker
      .client(CLIENT, peer(round))
      .connect(from)
      .ping(from + 8.01);
    if (options.ownLoss) {
      story.client
        .transportShutdown(taken)
        .connectionTimeout(taken)
        .disconnected(taken + 0.01);
      story.broker.client(CLIENT, peer(round)).terminated(back, 'discarded');
    } else {
      story.client.disconnectPacket(taken + 0.002, 142).disconnected(taken + 0.01);
      story.broker.client(CLIENT, peer(round)).close(taken, 'discarded', 142);
      const rival = story.broker.client(CLIENT, `10.0.0.66:${45_000 + round}`);
      rival.connect(taken + 0.001, 60);
      if (!options.rivalStays) rival.close(from + 15, 'discarded', 142);
    }
  }
  return story;
}

/** The broker is stopped and boots again, `times` times. With `code` 1 it only closed the connection. */
export function brokerRestart(
  options: { readonly times?: number; readonly code?: number; readonly boots?: boolean } = {},
): Story {
  const story = begin({ release: '0.23.10' });
  const times = options.times ?? 2;
  for (let number = 0; number <= times; number += 1) {
    const from = 1.4 + number * 25 + (number % 2);
    const connection = story.broker.client(CLIENT, peer(number)).connect(from);
    story.client.connected(from + 0.01);
    pings(story, number, from, from + 18);
    if (number === times) break;
    story.client.peerShutdown(from + 19, options.code ?? 0).disconnected(from + 19.01);
    if (options.boots === false) connection.terminated(from + 19, 'normal');
    else story.broker.boot(from + 21);
  }
  return story;
}

/** Messages go both ways, PINGREQ goes out, nothing ends. */
export function healthy(): Story {
  const story = begin({ release: '0.23.10' });
  const connection = story.broker.client(CLIENT, peer(0)).connect(1.4);
  story.client.connected(1.41);
  everySecond(2, 120, (at) => {
    story.client
      .forward(at)
      .write(at, 0)
      .received(at + 0.4);
    connection.publishFrom(at + 0.01).publishTo(at + 0.3);
  });
  pings(story, 0, 1.4, 120);
  return story;
}

/** Messages are offered faster than contexts come free: `share` of them dropped, for `forS` seconds. */
export function load(
  options: { readonly share?: number; readonly forS?: number; readonly keepaliveEnds?: boolean } = {},
): Story {
  const story = begin({ release: '0.23.6' });
  const forS = options.forS ?? 60;
  const end = 70;
  story.broker.client(CLIENT, peer(0)).connect(1.4);
  story.client.connected(1.41);
  let dropped = 0;
  for (let message = 0; message < end * 4; message += 1) {
    const at = 2 + message / 4;
    story.client.forward(at);
    if (at > 2 + forS || dropped >= (message + 1) * (options.share ?? 0.7)) story.client.write(at, 3);
    else {
      dropped += 1;
      story.client.busy(at, 1 + (message % 4));
    }
  }
  if (options.keepaliveEnds) keepaliveEnd(story, 0, end);
  else pings(story, 0, 1.4, end);
  return story;
}
