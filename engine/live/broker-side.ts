/** The broker machine on a real socket: one UDP port on 127.0.0.1, which survives a stop and start. */

import type { BrokerInput, BrokerMachine, BrokerOutput, ConnectionId } from '../broker/io.ts';
import { seconds } from '../time.ts';
import type { BrokerSettings, CloseCause, StreamIndex } from '../types.ts';
import type { Certificate } from './certificate.ts';
import type { RunClock } from './clock.ts';
import { LiveError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { LiveLink } from './live-link.ts';
import { MachineLoop } from './machine-loop.ts';
import { PacketDecoder } from './packet-decoder.ts';
import { encodePacket } from './packet-encoder.ts';
import type { QuicConnection, QuicConnectionUser } from './quic-connection.ts';
import type { Quiche } from './quic-library.ts';
import { QuicServer } from './quic-server.ts';
import { type QuicTimeouts, serverConfig } from './quic-settings.ts';
import type { RunControl } from './run-control.ts';
import { LOOPBACK } from './udp-port.ts';

export interface BrokerSideOptions {
  readonly machine: BrokerMachine;
  readonly settings: BrokerSettings;
  readonly quiche: Quiche;
  readonly certificate: Certificate;
  readonly clock: RunClock;
  readonly link: LiveLink;
  readonly ledger: Ledger;
  readonly run: RunControl;
  /** Strangers on this machine are not let in: they would change the result. */
  readonly accepts: (clientPort: number) => boolean;
  /** What a dial meets while the broker is stopped. */
  readonly whileStopped: 'silent' | 'refused';
}

const CONTROL_STREAM = 0;
/** msquic's defaults, which EMQX leaves alone. */
const DISCONNECT_TIMEOUT_S = 16;
const HANDSHAKE_TIMEOUT_S = 10;
const NORMAL_CODE = 0;
const PROTOCOL_ERROR_CODE = 1;
/** nng code of a write on a stream that the bridge aborted; only the message is gone. */
const STREAM_CANCELLED = 20;
/** Time for the close frames to leave before a stopped broker's port is closed, real ms. */
const CLOSE_FRAMES_MS = 50;

interface Client {
  readonly id: ConnectionId;
  readonly connection: QuicConnection;
  readonly port: number;
  readonly decoders: Map<StreamIndex, PacketDecoder>;
}

export class BrokerSide {
  readonly #options: BrokerSideOptions;
  readonly #loop: MachineLoop<BrokerInput, BrokerOutput>;
  readonly #server: QuicServer;
  readonly #clients = new Map<ConnectionId, Client>();
  #port = 0;
  #isPortOpen = false;
  #closingPort: NodeJS.Timeout | null = null;
  #nextId: ConnectionId = 1;
  #stopped = false;

  constructor(options: BrokerSideOptions) {
    const { machine, settings, quiche, certificate, clock, link, run, accepts } = options;
    this.#options = options;
    const timeouts = timeoutsOf(settings, clock);
    this.#loop = new MachineLoop<BrokerInput, BrokerOutput>({
      machine,
      clock,
      deadline: { kind: 'deadline' },
      carryOut: (at, output) => this.#carryOut(at, output),
      ...run,
    });
    this.#server = new QuicServer({
      quiche,
      config: serverConfig(quiche, certificate, timeouts.idleMs),
      timeouts,
      link,
      accepts: (clientPort) => machine.listening() && accepts(clientPort),
      connection: (connection, clientPort) => this.#onConnection(connection, clientPort),
      crashed: run.crashed,
    });
  }

  /** Opens the port, the same one every time. @throws LiveError `port-taken` */
  async open(): Promise<number> {
    try {
      this.#port = await this.#server.listen(this.#port);
    } catch (error) {
      throw new LiveError(
        'port-taken',
        `The broker cannot open UDP port ${this.#port} on ${LOOPBACK}: ${String(error)}`,
        {
          hint: 'Another process took the port while the broker was stopped. Run it again: every run chooses a free one.',
          details: { port: this.#port },
          cause: error,
        },
      );
    }
    this.#isPortOpen = true;
    if (this.#stopped) this.#server.close();
    return this.#port;
  }

  feed(input: BrokerInput): void {
    this.#loop.feed(input);
  }

  /** The product is stopped: its connections end, its port closes or stays silent. */
  stopProduct(): void {
    this.feed({ kind: 'stop' });
    if (this.#options.whileStopped === 'silent') return;
    this.#closingPort = setTimeout(() => {
      this.#server.close();
      this.#isPortOpen = false;
    }, CLOSE_FRAMES_MS);
  }

  startProduct(): void {
    if (this.#closingPort) clearTimeout(this.#closingPort);
    if (this.#isPortOpen) this.feed({ kind: 'start' });
    else this.open().then(() => this.feed({ kind: 'start' }), this.#options.run.crashed);
  }

  /** Closes the socket at once. */
  stop(): void {
    this.#stopped = true;
    this.#loop.stop();
    if (this.#closingPort) clearTimeout(this.#closingPort);
    this.#server.close();
    this.#clients.clear();
  }

  #onConnection(connection: QuicConnection, port: number): QuicConnectionUser {
    const client: Client = { id: this.#nextId++, connection, port, decoders: new Map() };
    return {
      established: () => this.#onAccepted(client),
      data: (stream, bytes) => this.#receive(client, stream, bytes),
      finished: (stream) => this.#onControlStreamGone(client, stream, { kind: 'peer-fin' }),
      streamAborted: (stream) => this.#onControlStreamGone(client, stream, { kind: 'reset' }),
      closed: (cause) => this.#onClosed(client, cause),
    };
  }

  #onAccepted(client: Client): void {
    this.#clients.set(client.id, client);
    this.feed({ kind: 'accepted', connection: client.id, transport: 'quic', peer: `${LOOPBACK}:${client.port}` });
  }

  #receive(client: Client, stream: StreamIndex, bytes: Buffer): void {
    const decoder = this.#decoderOf(client, stream);
    if (!decoder) {
      this.#end(client, PROTOCOL_ERROR_CODE, { kind: 'local' });
      return;
    }
    const { packets, error } = decoder.push(bytes);
    for (const packet of packets) {
      if (!client.connection.isOpen) return;
      if (packet.type === 'publish') this.#options.ledger.arrived(client.port, 'bridge', packet.seq);
      this.feed({ kind: 'packet', connection: client.id, stream, packet });
    }
    if (error !== null && client.connection.isOpen) this.#end(client, PROTOCOL_ERROR_CODE, { kind: 'local' });
  }

  /** Null: a data stream speaks before the control stream has said which MQTT it is. */
  #decoderOf(client: Client, stream: StreamIndex): PacketDecoder | null {
    const known = client.decoders.get(stream);
    if (known) return known;
    const protocol = client.decoders.get(CONTROL_STREAM)?.protocol ?? null;
    if (stream !== CONTROL_STREAM && protocol === null) return null;
    const decoder = new PacketDecoder({ protocol, maxPacketBytes: this.#options.settings.maxPacketSize });
    client.decoders.set(stream, decoder);
    return decoder;
  }

  #onControlStreamGone(client: Client, stream: StreamIndex, cause: CloseCause): void {
    if (stream !== CONTROL_STREAM) client.decoders.delete(stream);
    else if (client.connection.isOpen) this.#end(client, NORMAL_CODE, cause);
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
    this.#options.ledger.ended(client.port);
  }

  #carryOut(at: number, output: BrokerOutput): void {
    const { ledger } = this.#options;
    switch (output.kind) {
      case 'write':
        this.#write(output);
        break;
      case 'finish':
        this.#clients.get(output.connection)?.connection.finish(CONTROL_STREAM);
        break;
      case 'close': {
        const client = this.#clients.get(output.connection);
        client?.connection.close(output.code);
        if (client) this.#forget(client);
        break;
      }
      case 'idle-timeout':
        // The QUIC library of a live run takes its idle timeout at the start of a connection only.
        break;
      case 'log': {
        const { severity, event, clientId, peer, fields } = output;
        ledger.record({ at, endpoint: 'broker', severity, event, clientId, peer, fields });
        break;
      }
      case 'deliver':
        ledger.delivered('up', output.message, at);
        break;
      case 'lost':
        ledger[output.direction ?? 'down'].lost(output.message, output.reason);
        break;
    }
  }

  #write({ connection: id, stream, packet, message }: Extract<BrokerOutput, { kind: 'write' }>): void {
    const client = this.#clients.get(id);
    if (!client) return;
    if (message) this.#options.ledger.wrote(client.port, 'broker', stream, message);
    const protocol = client.decoders.get(CONTROL_STREAM)?.protocol ?? 5;
    client.connection.write(stream, encodePacket(packet, protocol), (result) => {
      if (result === 0) return;
      if (result === STREAM_CANCELLED && message) this.#options.ledger.down.lost(message, 'connection-lost');
      // No room: the client does not read. Its connection ends, as a product under memory pressure ends it.
      else if (result !== STREAM_CANCELLED) this.#end(client, PROTOCOL_ERROR_CODE, { kind: 'local' });
    });
  }
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
