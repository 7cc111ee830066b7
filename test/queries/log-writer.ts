/**
 * Prints log lines as NanoMQ and EMQX print them, at given times, so that a test's fixture reads as the story it stands for.
 * The wording, the source lines of each release and the order of the fields are copied from real logs.
 */

/** Second 0 of every fixture: 2026-03-01 08:00:00 UTC. */
export const START_MS = Date.UTC(2026, 2, 1, 8, 0, 0);
/** That moment in µs, for expected values. */
export const START_US = START_MS * 1000;

export type NanomqRelease = '0.23.1' | '0.23.6' | '0.23.10';

interface Statement {
  readonly level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  readonly file: string;
  readonly line: { readonly [release in NanomqRelease]: number };
}

const QUIC_CLIENT = 'nng/src/mqtt/protocol/mqtt/mqtt_quic_client.c';
const DIAL = 'nng/src/supplemental/quic/msquic_dial.c';
const CONF = 'nng/src/supplemental/nanolib/conf.c';

const statement = (level: Statement['level'], file: string, at1: number, at6: number, at10: number): Statement => ({
  level,
  file,
  line: { '0.23.1': at1, '0.23.6': at6, '0.23.10': at10 },
});

const STATEMENTS = {
  confStarted: statement('INFO', CONF, 1292, 1345, 1354),
  confParallel: statement('INFO', CONF, 1322, 1375, 1384),
  confAddress: statement('INFO', CONF, 3291, 3654, 3682),
  confClientId: statement('INFO', CONF, 3295, 3658, 3686),
  confPassword: statement('INFO', CONF, 3301, 3664, 3692),
  confKeepalive: statement('INFO', CONF, 3303, 3666, 3694),
  confSubscription: statement('INFO', CONF, 3367, 3729, 3757),
  confRemoteTopic: statement('INFO', CONF, 3370, 3732, 3760),
  confQos: statement('INFO', CONF, 3376, 3738, 3766),
  quicConnected: statement('INFO', DIAL, 1236, 1237, 1237),
  connected: statement('INFO', 'nanomq/bridge.c', 866, 876, 995),
  tcpConnected: statement('INFO', 'nanomq/bridge.c', 1059, 1069, 1188),
  keepaliveSet: statement('INFO', QUIC_CLIENT, 556, 590, 613),
  suback: statement('INFO', 'nanomq/bridge.c', 312, 312, 427),
  disconnected: statement('WARN', 'nanomq/bridge.c', 911, 921, 1040),
  ping: statement('INFO', QUIC_CLIENT, 787, 829, 854),
  pingTimeout: statement('WARN', QUIC_CLIENT, 773, 815, 840),
  disconnectPacket: statement('INFO', QUIC_CLIENT, 708, 747, 772),
  fin: statement('WARN', DIAL, 1402, 1403, 1403),
  peerShutdown: statement('WARN', DIAL, 1270, 1271, 1271),
  connectionTimeout: statement('WARN', DIAL, 1256, 1257, 1257),
  idle: statement('WARN', DIAL, 1253, 1254, 1254),
  transportShutdown: statement('WARN', DIAL, 1246, 1247, 1247),
  busy: statement('WARN', 'nanomq/apps/broker.c', 287, 287, 287),
  overflow: statement('WARN', QUIC_CLIENT, 334, 360, 364),
  parked: statement('WARN', QUIC_CLIENT, 1370, 1456, 1493),
  forward: statement('DEBUG', 'nanomq/bridge.c', 291, 291, 406),
  write: statement('DEBUG', DIAL, 1015, 1016, 1016),
  received: statement('DEBUG', DIAL, 1397, 1398, 1398),
} satisfies { readonly [name: string]: Statement };

const LEVELS = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3 };

export interface NanomqOptions {
  readonly release?: NanomqRelease;
  readonly address?: string;
  readonly clientId?: string;
  readonly keepaliveS?: number;
  /** The machine's clock minus UTC, zone and error together, s. */
  readonly clockAheadS?: number;
  /** Lines below this level are left out. */
  readonly level?: Statement['level'];
  readonly layout?: 'file' | 'console';
}

/** Lines of one NanoMQ. Times are seconds of true time after START; the log prints whole seconds of its own clock. */
export class NanomqLog {
  private readonly options: Required<NanomqOptions>;
  private readonly lines: { at: number; text: string }[] = [];

  constructor(options: NanomqOptions = {}) {
    this.options = {
      release: '0.23.6',
      address: 'mqtt-quic://broker.example:14567',
      clientId: 'bridge-1',
      keepaliveS: 10,
      clockAheadS: 0,
      level: 'DEBUG',
      layout: 'file',
      ...options,
    };
  }

  /** The settings printed at boot, as far as they matter here; `password` as 0.23.5 and older print it. */
  boot(at: number, password?: string): this {
    const key = (name: string) => `bridge.mqtt.emqx1.${name}:`.padEnd(43);
    const { address, clientId, keepaliveS } = this.options;
    this.say('confStarted', at, 'This NanoMQ instance configured as:');
    this.say('confParallel', at, 'parallel:                 4');
    this.say('confAddress', at, `${key('address')} ${address}`);
    this.say('confClientId', at, `${key('clientid')} ${clientId}`);
    if (password !== undefined) this.say('confPassword', at, `${key('password')} ${password}`);
    this.say('confKeepalive', at, `${key('keepalive')} ${keepaliveS}`);
    this.say('confSubscription', at, 'bridge.mqtt.emqx1.subscription: ');
    this.say('confRemoteTopic', at, '\t[1] remote topic:        down/#');
    return this.say('confQos', at, '\t[1] qos:          1');
  }

  /** The lines of a connect that succeeds, SUBACK 5 ms later. */
  connected(at: number): this {
    const { address, keepaliveS } = this.options;
    if (address.startsWith('mqtt-tcp')) this.say('tcpConnected', at, `Bridge [${address}] connected! RC [0]`);
    else {
      this.say('quicConnected', at, '[conn][0x55d19d8249a0] is Connected. Resumed Session 0');
      this.say('connected', at, 'Bridge client connected! RC [0]');
      this.say('keepaliveSet', at, `Update keepalive to ${keepaliveS * 1000}ms`);
    }
    return this.say('suback', at + 0.005, 'bridge: suback code 0 ');
  }

  disconnected(at: number): this {
    return this.say('disconnected', at, 'bridge client disconnected! RC [0] \n');
  }

  ping(at: number): this {
    return this.say('ping', at, `Send pingreq (sock0x55d19d732318)(${this.options.keepaliveS * 1000}ms)`);
  }

  pingTimeout(at: number): this {
    return this.say('pingTimeout', at, 'MQTT Timeout and disconnect');
  }

  /** The broker's DISCONNECT packet. */
  disconnectPacket(at: number, code: number): this {
    return this.say('disconnectPacket', at, ` Disconnect received from Broker ${code}`);
  }

  fin(at: number, stream = 0): this {
    return this.say('fin', at, `[sid${stream}] FIN received in QUIC stream`);
  }

  peerShutdown(at: number, code: number): this {
    return this.say(
      'peerShutdown',
      at,
      `[conn][0x55d19d8249a0] QUIC_CONNECTION_EVENT_SHUTDOWN_INITIATED_BY_PEER, 0x${code.toString(16)}\n`,
    );
  }

  connectionTimeout(at: number): this {
    return this.say('connectionTimeout', at, '[conn][0x55d19d8249a0] Shutdown on CONNECTION_TIMEOUT.');
  }

  idle(at: number): this {
    return this.say('idle', at, '[conn][0x55d19d8249a0] Connection shutdown on idle.');
  }

  transportShutdown(at: number): this {
    return this.say('transportShutdown', at, '[conn][0x55d19d8249a0] Shutdown by transport, 0x6e, Error Code 1\n');
  }

  /** A message that met a busy send context and was dropped. */
  busy(at: number, context = 3): this {
    return this.say('busy', at, `bridging to ${this.options.address} aio busy! msg lost! Ctx: ${context}`);
  }

  overflow(at: number): this {
    return this.say('overflow', at, 'Cached Message lost! pipe is busy and lmq is full\n');
  }

  /** A message parked while the bridge is down. */
  parked(at: number): this {
    return this.say('parked', at, 'client sending msg while disconnected! cached');
  }

  forward(at: number): this {
    return this.say('forward', at, "bridge: publish to 'up/t1'");
  }

  write(at: number, stream: number): this {
    return this.say('write', at, `[quic dowrite][sid${stream}] start 0x7fb550000b70`);
  }

  received(at: number): this {
    return this.say('received', at, '[sid0][0x7fb550000b70] Data received Flag: 0');
  }

  /** Any other line; `place` is file:line below the source tree, as the release prints it. */
  other(at: number, level: Statement['level'], place: string, message: string): this {
    return this.add(at, level, place, message);
  }

  text(): string {
    return print(this.lines);
  }

  private say(name: keyof typeof STATEMENTS, at: number, message: string): this {
    const { level, file, line } = STATEMENTS[name];
    return this.add(at, level, `${file}:${line[this.options.release]}`, message);
  }

  private add(at: number, own: Statement['level'], source: string, message: string): this {
    const { clockAheadS, level, layout } = this.options;
    if (LEVELS[own] < LEVELS[level]) return this;
    const stamp = new Date(START_MS + Math.floor(at + clockAheadS) * 1000).toISOString();
    const place = `/build/nanomq/${source}`;
    this.lines.push({
      at,
      text: `${stamp.slice(0, 10)} ${stamp.slice(11, 19)} [16801] ${own.padEnd(5)} ${place}${layout === 'console' ? ' some_function' : ''}: ${message}`,
    });
    return this;
  }
}

interface BrokerEvent {
  readonly at: number;
  readonly level: 'debug' | 'info' | 'notice' | 'warning';
  readonly tag: string | null;
  readonly msg: string;
  readonly client: { readonly id: string; readonly peer: string } | null;
  readonly fields: readonly (readonly [name: string, value: string | number])[];
}

/** µs by which the same event's stamp differs between the handlers: each formats it for itself. */
const HANDLER_DELAY_US = { text: 24, json: 24, trace: 0 };

/** From 5.8.2 on EMQX says how a payload is printed. */
export type EmqxRelease = '5.8.1' | '5.8.2';

/** Lines of one EMQX, printed as its text log, its JSON log or a trace by client id. Times as in NanomqLog. */
export class EmqxLog {
  private readonly release: EmqxRelease;
  private readonly events: BrokerEvent[] = [];

  constructor(release: EmqxRelease = '5.8.2') {
    this.release = release;
  }

  boot(at: number): this {
    return this.add(at, 'info', null, 'gen_rpc_dispatcher_start', null, []);
  }

  /** A connection of a client; `peer` is its address and port. */
  client(id: string, peer: string): BrokerConnection {
    const say: Say = (at, level, tag, msg, fields) => void this.add(at, level, tag, msg, { id, peer }, fields);
    return new BrokerConnection(say, id, this.release === '5.8.1' ? 'Payload=x' : 'Payload(text)=x');
  }

  /** A message that came in on a QUIC data stream: EMQX routes it without naming a client. */
  routedUnnamed(at: number): this {
    const encode = this.release === '5.8.1' ? [] : [['payload_encode', 'text'] as const];
    return this.add(at, 'debug', 'PUBLISH', 'publish_to', null, [['topic', 'up/t1'], ['payload', 'x'], ...encode]);
  }

  text(): string {
    return this.print((event) => {
      const { tag, client, msg, fields } = event;
      const pairs = [
        ...(tag === null ? [] : [`tag: ${tag}`]),
        ...(client === null ? [] : [`clientid: ${client.id}`]),
        `msg: ${msg}`,
        ...(client === null ? [] : [`peername: ${client.peer}`]),
        ...fields.map(([name, value]) => `${name}: ${value}`),
      ];
      return `${isoStamp(event.at, HANDLER_DELAY_US.text)} [${event.level}] ${pairs.join(', ')}`;
    });
  }

  json(): string {
    return this.print(({ at, level, msg, tag, client, fields }) =>
      JSON.stringify({
        time: micros(at) + HANDLER_DELAY_US.json,
        level,
        msg,
        ...Object.fromEntries(fields),
        ...(tag === null ? {} : { tag }),
        pid: '<0.904.0>',
        line: 650,
        ...(client === null ? {} : { peername: client.peer, clientid: client.id }),
      }),
    );
  }

  /** A trace by client id shows the lines of that client only. */
  trace(clientId: string): string {
    return this.print(
      ({ at, level, tag, client, msg, fields }) => {
        const pairs = fields.map(([name, value]) => `${name}: ${value}`).join(', ');
        const stamp = isoStamp(at, HANDLER_DELAY_US.trace);
        return tag === null
          ? `${stamp} [${level}] clientid: ${client!.id}, msg: ${msg}, peername: ${client!.peer}, ${pairs}`
          : `${stamp} [${tag}] ${client!.id}@${client!.peer} msg: ${msg}, ${pairs}`;
      },
      (event) => event.client?.id === clientId,
    );
  }

  private print(line: (event: BrokerEvent) => string, wanted: (event: BrokerEvent) => boolean = () => true): string {
    return print(this.events.filter(wanted).map((event) => ({ at: event.at, text: line(event) })));
  }

  private add(
    at: number,
    level: BrokerEvent['level'],
    tag: string | null,
    msg: string,
    client: BrokerEvent['client'],
    fields: BrokerEvent['fields'],
  ): this {
    this.events.push({ at, level, tag, msg, client, fields });
    return this;
  }
}

type Say = (
  at: number,
  level: BrokerEvent['level'],
  tag: string | null,
  msg: string,
  fields: BrokerEvent['fields'],
) => void;

export class BrokerConnection {
  private readonly say: Say;
  private readonly id: string;
  private readonly payload: string;

  constructor(say: Say, id: string, payload: string) {
    this.say = say;
    this.id = id;
    this.payload = payload;
  }

  /** CONNECT and CONNACK 0, SUBSCRIBE and SUBACK, within 4 ms. */
  connect(at: number, keepaliveS = 10): this {
    this.received(
      at,
      `CONNECT(Q0, R0, D0, ClientId=${this.id}, ProtoName=MQTT, ProtoVsn=5, CleanStart=true, KeepAlive=${keepaliveS}, Username=undefined, Password=)`,
    );
    this.sent(at + 0.001, 'CONNACK(Q0, R0, D0, AckFlags=0, ReasonCode=0)');
    this.received(
      at + 0.002,
      'SUBSCRIBE(Q1, R0, D0, PacketId=1 TopicFilters=[down/#(#{nl => 1,qos => 0,rap => 0,rh => 0})])',
    );
    return this.sent(at + 0.004, 'SUBACK(Q0, R0, D0, PacketId=1, ReasonCodes=[0])');
  }

  /** CONNECT that the broker refuses. */
  refused(at: number): this {
    this.received(
      at,
      `CONNECT(Q0, R0, D0, ClientId=${this.id}, ProtoName=MQTT, ProtoVsn=5, CleanStart=true, KeepAlive=10, Username=undefined, Password=)`,
    );
    this.say(at + 0.001, 'warning', 'AUTHN', 'authentication_failure', [['reason', 'not_authorized']]);
    this.sent(at + 0.002, 'CONNACK(Q0, R0, D0, AckFlags=0, ReasonCode=135)');
    return this.terminated(at + 0.003, 'not_authorized');
  }

  /** CONNECT and CONNACK 0 without a SUBSCRIBE. */
  connectOnly(at: number): this {
    this.received(
      at,
      `CONNECT(Q0, R0, D0, ClientId=${this.id}, ProtoName=MQTT, ProtoVsn=5, CleanStart=true, KeepAlive=10, Username=undefined, Password=)`,
    );
    return this.sent(at + 0.001, 'CONNACK(Q0, R0, D0, AckFlags=0, ReasonCode=0)');
  }

  ping(at: number): this {
    return this.received(at, 'PINGREQ(Q0, R0, D0)').sent(at + 0.0001, 'PINGRESP(Q0, R0, D0)');
  }

  publishTo(at: number): this {
    return this.sent(at, `PUBLISH(Q0, R0, D0, Topic=down/t1, PacketId=undefined, ${this.payload})`);
  }

  publishFrom(at: number): this {
    return this.received(at, `PUBLISH(Q0, R0, D0, Topic=up/t1, PacketId=undefined, ${this.payload})`);
  }

  /** The broker ends it: DISCONNECT with a code, then the lines of the end 3 ms later. */
  close(at: number, reason: string, code: number): this {
    this.sent(at, `DISCONNECT(Q0, R0, D0, ReasonCode=${code})`);
    if (reason === 'keepalive_timeout')
      this.say(at + 0.0005, 'debug', 'SOCKET', 'socket_force_closed', [['reason', reason]]);
    return this.terminated(at + 0.003, reason);
  }

  terminated(at: number, reason: string): this {
    this.say(at, 'debug', 'SOCKET', 'emqx_connection_terminated', [['reason', `{shutdown,${reason}}`]]);
    this.say(at + 0.0002, 'info', null, 'terminate', [['reason', `{shutdown,${reason}}`]]);
    return this;
  }

  received(at: number, packet: string): this {
    this.say(at, 'debug', 'MQTT', 'mqtt_packet_received', [['packet', packet]]);
    return this;
  }

  sent(at: number, packet: string): this {
    this.say(at, 'debug', 'MQTT', 'mqtt_packet_sent', [['packet', packet]]);
    return this;
  }
}

function print(lines: readonly { at: number; text: string }[]): string {
  return lines
    .toSorted((a, b) => a.at - b.at)
    .map((line) => `${line.text}\n`)
    .join('');
}

function micros(at: number): number {
  return START_US + Math.round(at * 1e6);
}

function isoStamp(at: number, delayUs: number): string {
  const time = micros(at) + delayUs;
  const text = new Date(Math.floor(time / 1000)).toISOString();
  return `${text.slice(0, -1)}${String(time % 1000).padStart(3, '0')}+00:00`;
}
