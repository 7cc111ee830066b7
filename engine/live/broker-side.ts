/** The broker machine on real sockets: one port a listener, which survives a stop and start. */

import type { BrokerInput, BrokerMachine, BrokerOutput, ConnectionId } from '../broker/io.ts';
import { seconds } from '../time.ts';
import type { BrokerSettings, CloseCause, StreamIndex } from '../types.ts';
import { type Address, addressText, type BrokerAddress, LOOPBACK, type TransportKind } from './address.ts';
import type { RunClock } from './clock.ts';
import { LiveError } from './errors.ts';
import type { Journal } from './journal.ts';
import { MachineLoop } from './machine-loop.ts';
import { PacketDecoder } from './packet-decoder.ts';
import { encodePacket } from './packet-encoder.ts';
import type { Quiche } from './quic-library.ts';
import { QuicServer } from './quic-server.ts';
import { CONNECTIONS_MAX, type QuicTimeouts, serverConfig } from './quic-settings.ts';
import type { RunControl } from './run-control.ts';
import { TcpServer } from './tcp-server.ts';
import type { ServerTls } from './tls-options.ts';
import { OutgoingAliases } from './topic-aliases.ts';
import type { TransportConnection, TransportUser } from './transport.ts';

export interface ListenerOptions {
  readonly transport: TransportKind;
  /** Default loopback. */
  readonly host?: string;
  /** 0: any. */
  readonly port: number;
}

export interface BrokerSideOptions {
  readonly machine: BrokerMachine;
  readonly settings: BrokerSettings;
  readonly listeners: readonly ListenerOptions[];
  /** Null if no listener is QUIC. */
  readonly quiche: Quiche | null;
  /** For QUIC and TLS. */
  readonly tls: ServerTls;
  readonly clock: RunClock;
  readonly journal: Journal;
  readonly run: RunControl;
  /** Connections a listener holds at a time. */
  readonly connectionsMax?: number;
  /** Strangers on this machine are not let in: they would change the result. Absent: everybody is. */
  readonly accepts?: (client: Address) => boolean;
  /** The port that the bridge knows itself by, where a proxy stands between. */
  readonly clientPort?: (port: number) => number;
  /** What a dial meets while the broker is stopped. */
  readonly whileStopped: 'silent' | 'refused';
  /** Messages of real clients are numbered by this; absent: payloads carry their number. */
  readonly nextSeq?: () => number;
  /** The keepalive counts the bytes of the whole QUIC connection: the machine is told of those that are no packets. */
  readonly countsTransportBytes?: boolean;
}

interface Server {
  listen(address: Address): Promise<Address>;
  pause(): void;
  resume(): void;
  close(): void;
}

interface Listener {
  readonly transport: TransportKind;
  readonly server: Server;
  address: Address;
}

const CONTROL_STREAM = 0;
/** msquic's defaults, which EMQX leaves alone. */
const DISCONNECT_TIMEOUT_S = 16;
const HANDSHAKE_TIMEOUT_S = 10;
const NORMAL_CODE = 0;
const PROTOCOL_ERROR_CODE = 1;
/** MQTT 5.0 §2.4 */
const PROTOCOL_ERROR = 0x82;
/** nng code of a write on a stream that the bridge aborted; only the message is gone. */
const STREAM_CANCELLED = 20;
/** Time for the close frames to leave before a stopped broker's port is closed, real ms. */
const CLOSE_FRAMES_MS = 50;

interface Client {
  readonly id: ConnectionId;
  readonly connection: TransportConnection;
  readonly port: number;
  readonly decoders: Map<StreamIndex, PacketDecoder>;
  /** Of MQTT 5 clients that take topic aliases. */
  readonly aliases: Map<StreamIndex, OutgoingAliases>;
  topicAliasMaximum: number;
  readonly transport: 'quic' | 'tcp';
  /** Bytes of its streams so far, and those of its datagrams beyond them of which the machine was told. */
  streamBytes: number;
  toldBytes: number;
  /** It sent no MQTT: its connection ends when it was told so. */
  faulty: boolean;
}

export class BrokerSide {
  readonly #options: BrokerSideOptions;
  readonly #loop: MachineLoop<BrokerInput, BrokerOutput>;
  readonly #listeners: readonly Listener[];
  readonly #clients = new Map<ConnectionId, Client>();
  #isPortOpen = false;
  #closingPort: NodeJS.Timeout | null = null;
  #nextId: ConnectionId = 1;
  #stopped = false;

  constructor(options: BrokerSideOptions) {
    const { machine, clock, run, listeners } = options;
    this.#options = options;
    this.#loop = new MachineLoop<BrokerInput, BrokerOutput>({
      machine,
      clock,
      deadline: { kind: 'deadline' },
      ...(options.countsTransportBytes ? { beforeDeadline: () => this.#transportBytes() } : {}),
      carryOut: (at, output) => this.#carryOut(at, output),
      ...run,
    });
    this.#listeners = listeners.map(({ transport, host = LOOPBACK, port }) => ({
      transport,
      server: transport === 'quic' ? this.#quicServer() : this.#tcpServer(transport),
      address: { host, port },
    }));
  }

  #quicServer(): QuicServer {
    const { settings, quiche, tls, clock, run, connectionsMax } = this.#options;
    if (!quiche) throw new TypeError('a QUIC listener needs the QUIC library');
    const timeouts = timeoutsOf(settings, clock);
    return new QuicServer({
      quiche,
      config: serverConfig(quiche, tls, timeouts.idleMs),
      timeouts,
      keylogFile: tls.keylogFile,
      connectionsMax,
      accepts: (client) => this.#accepts(client),
      connection: (connection, client) => this.#onConnection(connection, 'quic', client),
      crashed: run.crashed,
    });
  }

  #tcpServer(transport: TransportKind): TcpServer {
    const { tls, run, connectionsMax = CONNECTIONS_MAX } = this.#options;
    return new TcpServer({
      tls: transport === 'tls' ? tls : null,
      connectionsMax,
      handshakeMs: HANDSHAKE_TIMEOUT_S * 1000,
      accepts: (client) => this.#accepts(client),
      connection: (connection, client) => this.#onConnection(connection, 'tcp', client),
      crashed: run.crashed,
    });
  }

  #accepts(client: Address): boolean {
    return this.#options.machine.listening() && (this.#options.accepts?.(client) ?? true);
  }

  /** Opens the ports, the same ones every time. @throws LiveError `port-taken`, `address-unusable` */
  async open(): Promise<readonly BrokerAddress[]> {
    for (const listener of this.#listeners) {
      try {
        listener.address = await listener.server.listen(listener.address);
      } catch (error) {
        for (const { server } of this.#listeners) server.close();
        throw portError(listener, error as NodeJS.ErrnoException);
      }
    }
    this.#isPortOpen = true;
    if (this.#stopped) for (const { server } of this.#listeners) server.close();
    return this.#listeners.map(({ transport, address }) => ({ transport, ...address }));
  }

  feed(input: BrokerInput): void {
    this.#loop.feed(input);
  }

  /** The product is stopped: its connections end, its port closes or stays silent. */
  stopProduct(): void {
    this.feed({ kind: 'stop' });
    if (this.#options.whileStopped === 'silent') return;
    this.#closingPort = setTimeout(() => this.#closePorts(), CLOSE_FRAMES_MS);
  }

  /** The product is killed: its ports are gone at once and nobody gets a word, TCP's RST apart. */
  killProduct(): void {
    for (const { server } of this.#listeners) {
      if (server instanceof TcpServer) server.abort();
    }
    this.#closePorts();
    this.#clients.clear();
    this.feed({ kind: 'stop' });
  }

  #closePorts(): void {
    for (const { server } of this.#listeners) server.close();
    this.#isPortOpen = false;
  }

  startProduct(): void {
    if (this.#closingPort) clearTimeout(this.#closingPort);
    if (this.#isPortOpen) this.feed({ kind: 'start' });
    else this.open().then(() => this.feed({ kind: 'start' }), this.#options.run.crashed);
  }

  /** The process stands still: what arrives waits, no timer runs. */
  pauseProduct(): void {
    this.#loop.pause();
    for (const { server } of this.#listeners) server.pause();
  }

  resumeProduct(): void {
    for (const { server } of this.#listeners) server.resume();
    this.#loop.resume();
  }

  /** Closes the sockets at once. */
  stop(): void {
    this.#stopped = true;
    this.#loop.stop();
    if (this.#closingPort) clearTimeout(this.#closingPort);
    for (const { server } of this.#listeners) server.close();
    this.#clients.clear();
  }

  #onConnection(connection: TransportConnection, transport: 'quic' | 'tcp', address: Address): TransportUser {
    const port = this.#options.clientPort?.(address.port) ?? address.port;
    const client: Client = {
      id: this.#nextId++,
      connection,
      port,
      transport,
      decoders: new Map(),
      aliases: new Map(),
      topicAliasMaximum: 0,
      streamBytes: 0,
      toldBytes: 0,
      faulty: false,
    };
    return {
      established: () => this.#onAccepted(client, transport, address),
      data: (stream, bytes) => this.#receive(client, stream, bytes),
      finished: (stream) => this.#onControlStreamGone(client, stream, { kind: 'peer-fin' }),
      streamAborted: (stream) => this.#onControlStreamGone(client, stream, { kind: 'reset' }),
      closed: (cause) => this.#onClosed(client, cause),
    };
  }

  /** The broker looks at its counters at deadlines only. */
  #transportBytes(): BrokerInput[] {
    const inputs: BrokerInput[] = [];
    for (const client of this.#clients.values()) {
      if (client.transport !== 'quic') continue;
      const total = connectionBytes(client);
      const bytes = total - client.toldBytes;
      if (bytes <= 0) continue;
      client.toldBytes = total;
      inputs.push({ kind: 'transport-bytes', connection: client.id, bytes });
    }
    return inputs;
  }

  #onAccepted(client: Client, transport: 'quic' | 'tcp', address: Address): void {
    this.#clients.set(client.id, client);
    // The handshake was before the connection of MQTT.
    client.toldBytes = connectionBytes(client);
    this.feed({ kind: 'accepted', connection: client.id, transport, peer: addressText(address) });
  }

  #receive(client: Client, stream: StreamIndex, bytes: Buffer): void {
    if (client.faulty) return;
    client.streamBytes += bytes.length;
    const decoder = this.#decoderOf(client, stream);
    if (!decoder) {
      this.#onFault(client, stream, PROTOCOL_ERROR, 'a data stream before CONNECT');
      return;
    }
    const { packets, error, reasonCode } = decoder.push(bytes);
    for (const packet of packets) {
      if (!client.connection.isOpen) return;
      if (packet.type === 'connect') client.topicAliasMaximum = packet.topicAliasMaximum ?? 0;
      if (packet.type === 'publish') this.#options.journal.arrived(client.port, 'bridge', packet.seq);
      this.feed({ kind: 'packet', connection: client.id, stream, packet });
    }
    if (error !== null && client.connection.isOpen) this.#onFault(client, stream, reasonCode, error);
  }

  /** The machine says it to the client and closes; `#carryOut` lets the DISCONNECT leave first. */
  #onFault(client: Client, stream: StreamIndex, reasonCode: number, text: string): void {
    client.faulty = true;
    this.feed({ kind: 'malformed', connection: client.id, stream, reasonCode, text });
  }

  /** Null: a data stream speaks before the control stream has said which MQTT it is. */
  #decoderOf(client: Client, stream: StreamIndex): PacketDecoder | null {
    const known = client.decoders.get(stream);
    if (known) return known;
    const protocol = client.decoders.get(CONTROL_STREAM)?.protocol ?? null;
    if (stream !== CONTROL_STREAM && protocol === null) return null;
    const decoder = new PacketDecoder({
      protocol,
      maxPacketBytes: this.#options.settings.maxPacketSize,
      nextSeq: this.#options.nextSeq,
    });
    client.decoders.set(stream, decoder);
    return decoder;
  }

  #onControlStreamGone(client: Client, stream: StreamIndex, cause: CloseCause): void {
    if (stream !== CONTROL_STREAM) {
      client.decoders.delete(stream);
      client.aliases.delete(stream);
    } else if (client.connection.isOpen) this.#end(client, NORMAL_CODE, cause);
  }

  /** We end it because of what the client did. */
  #end(client: Client, code: number, cause: CloseCause): void {
    client.connection.close(code);
    this.#onClosed(client, cause);
  }

  #onClosed(client: Client, cause: CloseCause): void {
    this.#forget(client);
    this.feed({ kind: 'closed', connection: client.id, cause });
  }

  #forget(client: Client): void {
    this.#clients.delete(client.id);
    this.#options.journal.ended(client.port);
  }

  #carryOut(at: number, output: BrokerOutput): void {
    const { journal } = this.#options;
    switch (output.kind) {
      case 'write':
        this.#write(output);
        break;
      case 'finish':
        this.#clients.get(output.connection)?.connection.finish(CONTROL_STREAM);
        break;
      case 'close': {
        const client = this.#clients.get(output.connection);
        if (!client) break;
        // QUIC drops what was not sent when it closes; the turn that sends it comes before this.
        if (client.faulty) setImmediate(() => client.connection.close(output.code));
        else client.connection.close(output.code);
        this.#forget(client);
        break;
      }
      case 'idle-timeout':
        this.#clients.get(output.connection)?.connection.limitIdle?.(this.#options.clock.realMs(output.us));
        break;
      case 'log': {
        const { severity, event, clientId, peer, fields } = output;
        journal.record({ at, endpoint: 'broker', severity, event, clientId, peer, fields });
        break;
      }
      case 'deliver':
        journal.delivered('up', output.message, at);
        break;
      case 'lost':
        journal.lost(output.direction ?? 'down', output.message, output.reason);
        break;
    }
  }

  #write({ connection: id, stream, packet, message }: Extract<BrokerOutput, { kind: 'write' }>): void {
    const client = this.#clients.get(id);
    if (!client) return;
    if (message) this.#options.journal.wrote(client.port, 'broker', stream, message);
    const protocol = client.decoders.get(CONTROL_STREAM)?.protocol ?? 5;
    const bytes = encodePacket(packet, protocol, message?.content, aliasesOf(client, stream));
    client.connection.write(stream, bytes, (result) => {
      if (result === 0) return;
      if (result === STREAM_CANCELLED && message) this.#options.journal.lost('down', message, 'connection-lost');
      // No room: the client does not read. Its connection ends, as a product under memory pressure ends it.
      else if (result !== STREAM_CANCELLED) this.#end(client, PROTOCOL_ERROR_CODE, { kind: 'local' });
    });
  }
}

function aliasesOf({ aliases, topicAliasMaximum }: Client, stream: StreamIndex): OutgoingAliases | undefined {
  if (topicAliasMaximum === 0) return undefined;
  const known = aliases.get(stream);
  if (known) return known;
  const made = new OutgoingAliases(topicAliasMaximum);
  aliases.set(stream, made);
  return made;
}

/** Received besides what was in streams. */
function connectionBytes({ connection, streamBytes }: Client): number {
  return (connection.stats()?.receivedBytes ?? 0) - streamBytes;
}

function portError({ transport, address }: Listener, error: NodeJS.ErrnoException): LiveError {
  const where = `${transport === 'quic' ? 'UDP' : 'TCP'} port ${address.port} on ${address.host}`;
  const details = { ...address, transport, errno: error.code ?? null };
  if (error.code === 'EADDRINUSE') {
    const hint = 'Another process has it. Stop that, or choose another port (0: any free one).';
    return new LiveError('port-taken', `The broker cannot open ${where}: it is taken.`, {
      hint,
      details,
      cause: error,
    });
  }
  const hint = 'Choose an address of this machine and a port that you may open (1024 and above without privileges).';
  return new LiveError('address-unusable', `The broker cannot open ${where}: ${error.message}`, {
    hint,
    details,
    cause: error,
  });
}

function timeoutsOf(settings: BrokerSettings, clock: RunClock): QuicTimeouts {
  const realMs = (count: number): number => clock.realMs(seconds(count));
  return {
    handshakeMs: realMs(HANDSHAKE_TIMEOUT_S),
    disconnectMs: realMs(DISCONNECT_TIMEOUT_S),
    idleMs: realMs(settings.quicIdleTimeoutS),
    keepaliveMs: 0,
  };
}
