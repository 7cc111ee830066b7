/** The bridge machine on real sockets: a new QUIC connection, from a new UDP port, for every dial. */

import type { BridgeInput, BridgeMachine, BridgeOutput } from '../bridge/io.ts';
import { seconds } from '../time.ts';
import type { BridgeSettings, CloseCause, StreamIndex } from '../types.ts';
import type { RunClock } from './clock.ts';
import type { Ledger } from './ledger.ts';
import type { LiveLink } from './live-link.ts';
import { MachineLoop } from './machine-loop.ts';
import { PacketDecoder } from './packet-decoder.ts';
import { encodePacket } from './packet-encoder.ts';
import { QuicClient } from './quic-client.ts';
import type { Quiche } from './quic-library.ts';
import { clientConfig, type NativeConfig, type QuicTimeouts } from './quic-settings.ts';
import type { RunControl } from './run-control.ts';

export interface BridgeSideOptions {
  readonly machine: BridgeMachine;
  readonly settings: BridgeSettings;
  readonly quiche: Quiche;
  /** The broker's certificate; nothing else is trusted. */
  readonly authorityPem: string;
  readonly brokerPort: number;
  readonly clock: RunClock;
  readonly link: LiveLink;
  readonly ledger: Ledger;
  readonly run: RunControl;
}

const CONTROL_STREAM = 0;
/** Longest packet taken from the broker, bytes. */
const PACKET_BYTES_MAX = 16 * 1024 * 1024;
/** Application code towards a peer that does not speak MQTT. */
const PROTOCOL_ERROR_CODE = 1;

/** One dial and what becomes of it. */
interface Attempt {
  readonly client: QuicClient;
  readonly decoders: Map<StreamIndex, PacketDecoder>;
  /** Own UDP port; 0 until the socket is open. */
  port: number;
}

export class BridgeSide {
  readonly #options: BridgeSideOptions;
  readonly #loop: MachineLoop<BridgeInput, BridgeOutput>;
  readonly #config: NativeConfig;
  readonly #timeouts: QuicTimeouts;
  /** All whose socket may still be open: the current one and those that drain. */
  readonly #attempts = new Set<Attempt>();
  #current: Attempt | null = null;

  constructor(options: BridgeSideOptions) {
    const { machine, settings, quiche, authorityPem, clock, run } = options;
    this.#options = options;
    this.#timeouts = timeoutsOf(settings, clock);
    this.#config = clientConfig(quiche, authorityPem, this.#timeouts.idleMs);
    this.#loop = new MachineLoop<BridgeInput, BridgeOutput>({
      machine,
      clock,
      deadline: { kind: 'deadline' },
      carryOut: (at, output) => this.#carryOut(at, output),
      ...run,
    });
  }

  feed(input: BridgeInput): void {
    this.#loop.feed(input);
  }

  /** Whether the embedded broker may take a client that sends from this port for the bridge. */
  ownsPort(port: number): boolean {
    return this.#current?.port === port;
  }

  /** Closes every socket at once. */
  stop(): void {
    this.#loop.stop();
    for (const { client } of this.#attempts) client.destroy();
    this.#attempts.clear();
  }

  #carryOut(at: number, output: BridgeOutput): void {
    const { ledger } = this.#options;
    switch (output.kind) {
      case 'dial':
        this.#dial();
        break;
      case 'write':
        this.#write(output);
        break;
      case 'reset-stream':
        this.#resetStream(output.stream);
        break;
      case 'close':
        this.#close(output.code);
        break;
      case 'log': {
        const { severity, event, fields } = output;
        ledger.record({ at, endpoint: 'bridge', severity, event, clientId: null, peer: null, fields });
        break;
      }
      case 'deliver':
        ledger.delivered('down', output.message, at);
        break;
      case 'lost':
        ledger[output.direction].lost(output.message, output.reason);
        break;
    }
  }

  #dial(): void {
    const { quiche, link, brokerPort, run, ledger } = this.#options;
    this.#forgetClosed();
    const ifCurrent = (then: () => void): void => {
      if (this.#current === attempt) then();
    };
    const client = new QuicClient({
      quiche,
      config: this.#config,
      timeouts: this.#timeouts,
      link,
      serverPort: brokerPort,
      onOpen: (port) => {
        attempt.port = port;
        ledger.opened(port);
      },
      user: {
        established: () => ifCurrent(() => this.feed({ kind: 'connected' })),
        data: (stream, bytes) => ifCurrent(() => this.#receive(attempt, stream, bytes)),
        finished: (stream) => ifCurrent(() => this.#onFinished(stream)),
        streamAborted: (stream) => ifCurrent(() => this.#onStreamAborted(stream)),
        closed: (cause) => ifCurrent(() => this.#onClosed(attempt, cause)),
      },
      crashed: run.crashed,
    });
    const attempt: Attempt = { client, decoders: new Map(), port: 0 };
    this.#current = attempt;
    this.#attempts.add(attempt);
  }

  #forgetClosed(): void {
    for (const attempt of this.#attempts) if (attempt.client.isDestroyed) this.#attempts.delete(attempt);
  }

  #receive(attempt: Attempt, stream: StreamIndex, bytes: Buffer): void {
    let decoder = attempt.decoders.get(stream);
    if (!decoder) {
      decoder = new PacketDecoder({ protocol: this.#options.settings.protocol, maxPacketBytes: PACKET_BYTES_MAX });
      attempt.decoders.set(stream, decoder);
    }
    const { packets, error } = decoder.push(bytes);
    for (const packet of packets) {
      // A packet can make the machine close the connection; nobody reads what came after it.
      if (!attempt.client.isOpen) return;
      if (packet.type === 'publish') this.#options.ledger.arrived(attempt.port, 'broker', packet.seq);
      this.feed({ kind: 'packet', stream, packet });
    }
    if (error === null || !attempt.client.isOpen) return;
    attempt.client.close(PROTOCOL_ERROR_CODE);
    this.#onClosed(attempt, { kind: 'local' });
  }

  #onFinished(stream: StreamIndex): void {
    if (stream === CONTROL_STREAM) this.feed({ kind: 'closed', cause: { kind: 'peer-fin' } });
    else this.#onStreamAborted(stream);
  }

  #onStreamAborted(stream: StreamIndex): void {
    this.feed({ kind: 'stream-cancelled', stream });
  }

  #onClosed(attempt: Attempt, cause: CloseCause): void {
    this.#options.ledger.ended(attempt.port);
    this.feed({ kind: 'closed', cause });
  }

  #write({ token, stream, packet, message }: Extract<BridgeOutput, { kind: 'write' }>): void {
    const attempt = this.#current;
    if (!attempt?.client.isOpen) return;
    if (message) this.#options.ledger.wrote(attempt.port, 'bridge', stream, message);
    attempt.client.write(stream, encodePacket(packet, this.#options.settings.protocol), (result) => {
      if (this.#current === attempt) this.feed({ kind: 'sent', token, result });
    });
  }

  #resetStream(stream: StreamIndex): void {
    const attempt = this.#current;
    if (!attempt?.client.isOpen) return;
    this.#options.ledger.streamAborted(attempt.port, stream);
    attempt.decoders.delete(stream);
    this.feed({ kind: 'stream-cancelled', stream });
    attempt.client.resetStream(stream);
  }

  #close(code: number): void {
    const attempt = this.#current;
    if (!attempt) return;
    attempt.client.close(code);
    this.#options.ledger.ended(attempt.port);
  }
}

function timeoutsOf(settings: BridgeSettings, clock: RunClock): QuicTimeouts {
  const realMs = (count: number): number => clock.realMs(seconds(count));
  return {
    handshakeMs: realMs(settings.quicHandshakeTimeoutS),
    disconnectMs: realMs(settings.quicDisconnectTimeoutS),
    idleMs: realMs(settings.quicIdleTimeoutS),
    keepaliveMs: realMs(settings.quicKeepaliveS),
  };
}
