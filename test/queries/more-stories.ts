/**
 * Incidents for the causes that are not keepalive cycles, in the shortest form that shows each. Lines are worded as real logs have
 * them; `subscribe-competition`, `keepalive-too-short` and `crash` were never seen in one and are printed after the sources.
 */
import { EmqxLog, NanomqLog, type NanomqOptions } from './log-writer.ts';
import { CLIENT, type Story } from './stories.ts';

const QUIC = 'nng/src/mqtt/protocol/mqtt/mqtt_quic_client.c';
const DIAL = 'nng/src/supplemental/quic/msquic_dial.c';
const CONF = 'nng/src/supplemental/nanolib/conf.c';
const BROKER = 'nanomq/apps/broker.c';

function begin(nanomq: NanomqOptions): Story {
  const client = new NanomqLog({ clientId: CLIENT, keepaliveS: 10, ...nanomq }).boot(0);
  const broker = new EmqxLog().boot(-5);
  broker.client('watcher', '10.0.0.9:40001').connect(-2, 3600).publishTo(-1);
  return { client, broker };
}

const peer = (number: number) => `10.0.0.7:${50_001 + number}`;

function every(stepS: number, from: number, to: number, write: (at: number) => void): void {
  for (let at = from; at < to; at += stepS) write(at);
}

function connect({ client, broker }: Story, number: number, at: number, keepaliveS = 10) {
  client.other(at - 0.1, 'INFO', `${DIAL}:1679`, 'Quic connecting... 10.0.0.1:14567').connected(at + 0.01);
  return broker.client(CLIENT, peer(number)).connect(at, keepaliveS);
}

function lose({ client }: Story, at: number): void {
  client
    .transportShutdown(at)
    .connectionTimeout(at)
    .disconnected(at + 0.01);
}

/** The broker refuses `times` connects; without them the bridge is simply kept waiting. */
export function authRefused(options: { readonly times?: number } = {}): Story {
  const story = begin({ release: '0.23.10' });
  for (let number = 0; number < (options.times ?? 4); number += 1) {
    const at = 2 + 3 * number;
    story.broker.client(CLIENT, peer(number)).refused(at);
    story.client.other(at - 0.1, 'INFO', `${DIAL}:1679`, 'Quic connecting... 10.0.0.1:14567').fin(at + 0.01);
  }
  connect(story, 99, 30).ping(38);
  return story;
}

/** The broker ends each connection after 9 s, with DISCONNECT 152 seen in a part of the cases. */
export function kicked(options: { readonly reason?: string; readonly code?: number } = {}): Story {
  const story = begin({ release: '0.23.10' });
  for (let number = 0; number < 4; number += 1) {
    const from = 1.4 + 11 * number;
    connect(story, number, from).close(from + 9, options.reason ?? 'kicked', options.code ?? 152);
    if (number % 2 === 0) story.client.disconnectPacket(from + 9.01, options.code ?? 152);
    else story.client.fin(from + 9.01);
    story.client.disconnected(from + 9.02);
  }
  return story;
}

/** Nothing is sent for the idle timeout; `quicKeepaliveS` says how often QUIC PINGs go. */
export function idleTimeout(options: { readonly quicKeepaliveS?: number } = {}): Story {
  const story = begin({ release: '0.23.10', keepaliveS: 60 });
  const key = (name: string) => `bridge.mqtt.emqx1.${name}:`.padEnd(43);
  story.client
    .other(0.1, 'INFO', `${CONF}:3718`, `${key('quic_keepalive')}  ${options.quicKeepaliveS ?? 120}`)
    .other(0.1, 'INFO', `${CONF}:3724`, `${key('qidle_timeout')}   15`);
  for (let number = 0; number < 3; number += 1) {
    const from = 1.4 + 20 * number;
    const connection = connect(story, number, from);
    story.client.idle(from + 15).disconnected(from + 15.02);
    connection.terminated(from + 18, number === 0 ? 'connection_idle' : 'discarded');
  }
  return story;
}

/** The link is gone for 30 s; the broker ends the client by its keepalive and goes on. */
export function linkLost(options: { readonly release?: NanomqOptions['release'] } = {}): Story {
  const story = begin({ release: options.release ?? '0.23.10' });
  const first = connect(story, 0, 1.4).ping(9);
  story.client.ping(9);
  first.close(29, 'keepalive_timeout', 141);
  lose(story, 31);
  connect(story, 1, 44).ping(52);
  story.client.ping(52);
  return story;
}

/** The broker logs nothing for 25 s, then goes on; or (`others`) it goes on with other clients. */
export function brokerHung(options: { readonly others?: boolean } = {}): Story {
  const story = begin({ release: '0.23.10' });
  const first = connect(story, 0, 1.4);
  const watcher = story.broker.client('watcher', '10.0.0.9:40001');
  every(1, 2, 20, (at) => first.publishTo(at));
  if (options.others) every(2, 20, 60, (at) => watcher.ping(at));
  lose(story, 40);
  every(1, 45.2, 60, (at) => watcher.ping(at));
  first.terminated(50, 'discarded');
  connect(story, 1, 50).ping(58);
  return story;
}

/** A sub-stream dies; the receive is not armed again, and each send fails or is repeated (`recovers`: it goes on). */
export function receiverDead(
  options: { readonly release?: '0.23.6' | '0.23.10'; readonly recovers?: boolean } = {},
): Story {
  const release = options.release ?? '0.23.6';
  const story = begin({ release });
  connect(story, 0, 1.4);
  story.client
    .other(12, 'WARN', `${DIAL}:234`, '[sid4] close stream actively due to timeout9721.')
    .other(12, 'WARN', `${QUIC}:${release === '0.23.6' ? 479 : 500}`, 'MQTT client recv error 20!');
  every(5, 17, 90, (at) => {
    if (release === '0.23.6') story.client.other(at, 'INFO', `${QUIC}:850`, 'msg id 120 resend start');
    story.client.busy(at + 1);
    if (options.recovers) story.client.disconnected(at + 0.1).connected(at + 0.3);
  });
  return story;
}

/** As receiverDead with the main stream gone too: every send fails with 7, and no dial follows (`dials`: one does). */
export function stoppedRetrying(options: { readonly dials?: boolean } = {}): Story {
  const story = begin({ release: '0.23.6' });
  connect(story, 0, 1.4);
  story.client
    .peerShutdown(15, 0)
    .other(15, 'INFO', 'nng/src/mqtt/transport/quic/mqtt_quic.c:1109', 'Main stream aborted! Connection closed!');
  every(5, 20, 150, (at) => story.client.other(at, 'WARN', `${QUIC}:397`, 'fail to send on aio 0x7fe908007998 rv 7'));
  if (options.dials)
    every(10, 20, 150, (at) => story.client.other(at, 'INFO', `${DIAL}:1679`, 'Quic connecting... 10.0.0.1:14567'));
  return story;
}

/** A message above the broker's maximum leaves the pipe busy; the broker ends the connection 20 s later. */
export function sendError(options: { readonly code?: number; readonly release?: '0.23.6' | '0.23.10' } = {}): Story {
  const story = begin({ release: options.release ?? '0.23.10' });
  for (let number = 0; number < 3; number += 1) {
    const from = 1.4 + 32 * number;
    const connection = connect(story, number, from);
    every(1, from + 1, from + 9, (at) => story.client.forward(at).write(at, 3));
    story.client
      .other(from + 9, 'WARN', `${QUIC}:410`, `fail to send on aio 0x7f8a480015a8 rv ${options.code ?? 128}`)
      .other(from + 9, 'WARN', `${QUIC}:426`, `send msg on closed pipe failed ${options.code ?? 128}`);
    connection.close(from + 29, 'keepalive_timeout', 141);
    story.client.fin(from + 29.01).disconnected(from + 29.02);
  }
  return story;
}

/** Down for 20 s, and `rate` lines a second all the while, as 0.24.11 prints them. */
export function offlineLoop(options: { readonly rate?: number } = {}): Story {
  const client = new NanomqLog()
    .other(1.3, 'INFO', `${DIAL}:1679`, 'Quic connecting... 10.0.0.1:14567')
    .other(1.4, 'INFO', 'nanomq/bridge.c:911', 'Bridge client connected! RC [0]')
    .other(20, 'WARN', 'nanomq/bridge.c:956', 'bridge client disconnected! RC [0] \n');
  every(1 / (options.rate ?? 200), 20.5, 30.5, (at) =>
    client.other(at, 'DEBUG', 'nanomq/bridge.c:1433', 'resending cached msg at resend cb'),
  );
  const broker = new EmqxLog().boot(-5);
  broker.client(CLIENT, peer(0)).connect(1.4).ping(9).terminated(20, 'normal');
  return { client, broker };
}

/** Two QUIC bridges; the second connects and never subscribes (`subscribes`: it does). */
export function secondBridge(options: { readonly subscribes?: boolean } = {}): Story {
  const story = begin({ release: '0.23.6' });
  const key = (name: string) => `bridge.mqtt.emqx2.${name}:`.padEnd(43);
  story.client
    .other(0.2, 'INFO', `${CONF}:3654`, `${key('address')} mqtt-quic://broker.example:24567`)
    .other(0.2, 'INFO', `${CONF}:3658`, `${key('clientid')} bridge-2`)
    .other(0.2, 'INFO', `${CONF}:3666`, `${key('keepalive')} 10`)
    .other(0.2, 'INFO', `${CONF}:3729`, 'bridge.mqtt.emqx2.subscription: ')
    .other(0.2, 'INFO', `${CONF}:3732`, '\t[1] remote topic:        down/#')
    .other(0.2, 'INFO', `${CONF}:3738`, '\t[1] qos:          1');
  connect(story, 0, 1.4);
  story.client.other(1.42, 'INFO', `${DIAL}:1237`, '[conn][0x55db2991a250] is Connected. Resumed Session 0');
  const second = story.broker.client('bridge-2', '10.0.0.7:50009');
  if (options.subscribes) second.connect(1.42);
  else second.connectOnly(1.42);
  every(8, 9, 60, (at) => second.ping(at));
  return story;
}

/** No room in the send queue (`lost`: messages that did not get in). */
export function queueZero(options: { readonly lost?: number } = {}): Story {
  const story = begin({ release: '0.23.10' });
  connect(story, 0, 1.4);
  for (let number = 0; number < (options.lost ?? 20); number += 1)
    story.client.other(5 + 3 * number, 'WARN', `${QUIC}:385`, 'Message lost while enqueing').busy(6 + 3 * number);
  return story;
}

/** The link is lost with messages unacknowledged; after the reconnect contexts come back one a tick. `cancelled`: cancel timers are set. */
export function backlog(options: { readonly cancelled?: boolean; readonly resends?: number } = {}): Story {
  const story = begin({ release: '0.23.10' });
  const key = (name: string) => `bridge.mqtt.emqx1.${name}:`.padEnd(43);
  story.client.other(0.1, 'INFO', `${CONF}:3706`, `${key('cancel_timeout')}  8000`);
  const first = connect(story, 0, 1.4);
  every(1, 10, 30, (at) => story.client.busy(at));
  if (options.cancelled)
    every(2, 12, 20, (at) =>
      story.client.other(at, 'WARN', `${QUIC}:172`, 'Warning : QoS action of msg 132 is canceled due to timeout!'),
    );
  first.close(28, 'keepalive_timeout', 141);
  lose(story, 31);
  const second = connect(story, 1, 55);
  every(0.5, 55.5, 75, (at) => story.client.busy(at));
  for (let number = 0; number < (options.resends ?? 4); number += 1)
    story.client.other(
      60 + 5 * number,
      'INFO',
      `${QUIC}:877`,
      'msg packetid132 resend start, sent: qos 1 acked 131 qos 0 135',
    );
  every(8, 62, 110, (at) => {
    story.client.ping(at);
    second.ping(at + 0.01);
  });
  return story;
}

/** SUBSCRIBE is asked for; its SUBACK comes `waitS` later, resends in between. After the sources: no real log shows it yet. */
export function subscribeWaits(options: { readonly waitS?: number } = {}): Story {
  const story = begin({ release: '0.23.10' });
  const waitS = options.waitS ?? 15;
  story.client
    .other(1.3, 'INFO', `${DIAL}:1679`, 'Quic connecting... 10.0.0.1:14567')
    .other(1.4, 'INFO', 'nanomq/bridge.c:995', 'Bridge client connected! RC [0]')
    .other(1.4, 'INFO', 'nanomq/bridge.c:1009', 'Quic bridge client subscribe to topic (QoS 0)down/#.')
    .other(6, 'INFO', `${QUIC}:877`, 'msg packetid1 resend start, sent: qos 0 acked 0 qos 0 35')
    .other(1.4 + waitS, 'INFO', 'nanomq/bridge.c:427', 'bridge: suback code 0 ');
  story.broker.client(CLIENT, peer(0)).connect(1.4).ping(30);
  story.client.ping(30);
  return story;
}

/** PINGREQ each tick, and still the broker's keepalive ends it. After the sources: no real log shows it yet. */
export function shortKeepalive(options: { readonly keepaliveS?: number } = {}): Story {
  const keepaliveS = options.keepaliveS ?? 5;
  const story = begin({ release: '0.23.10', keepaliveS });
  for (let number = 0; number < 3; number += 1) {
    const from = 1.4 + 24 * number;
    const connection = connect(story, number, from, keepaliveS);
    every(5, from + 5, from + 16, (at) => story.client.ping(at));
    connection.close(from + 20, 'keepalive_timeout', 141);
    story.client.fin(from + 20.01).disconnected(from + 20.02);
  }
  return story;
}

/** NanoMQ boots again, with (`stopped`) or without a signal before. After the sources: no real log shows it yet. */
export function crashed(options: { readonly stopped?: boolean } = {}): Story {
  const story = begin({ release: '0.23.10' });
  connect(story, 0, 1.4).terminated(30, 'closed');
  if (options.stopped) story.client.other(29, 'ERROR', `${BROKER}:108`, 'signal signumber: 15 received!\n');
  story.client.boot(40);
  connect(story, 1, 42).ping(50);
  return story;
}

/** Four messages are parked while the link is down. */
export function parked(options: { readonly release?: '0.23.6' | '0.23.10' } = {}): Story {
  const story = begin({ release: options.release ?? '0.23.6' });
  connect(story, 0, 1.4).ping(9).terminated(25, 'normal');
  story.client.ping(9).disconnected(25.2);
  every(0.5, 26, 28, (at) => story.client.parked(at));
  connect(story, 1, 29);
  every(8, 36, 60, (at) => {
    story.client.ping(at);
    story.broker.client(CLIENT, peer(1)).ping(at + 0.01);
  });
  return story;
}
