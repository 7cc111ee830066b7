/** The bridge machine on real sockets: a new QUIC connection, from a new UDP port, for every dial. */

import type { BridgeInput, BridgeMachine, BridgeOutput } from '../bridge/io.ts';
import { MILLISECOND, milliseconds, seconds } from '../time.ts';
import type { BridgeSettings, CloseCause, Fields, Micros, Packet, StreamIndex } from '../types.ts';
import type { RunClock } from './clock.ts';
import type { Dialler } from './dialler.ts';
import type { Journal } from './journal.ts';
import { MachineLoop } from './machine-loop.ts';
import { PacketDecoder } from './packet-decoder.ts';
import { encodePacket } from './packet-encoder.ts';
import type { QuicTimeouts } from './quic-settings.ts';
import type { RunControl } from './run-control.ts';
import type { ClientTransport, Failure } from './transport.ts';

export interface BridgeSideOptions {
  readonly machine: BridgeMachine;
  readonly settings: BridgeSettings;
  readonly dial: Dialler;
  readonly clock: RunClock;
  readonly journal: Journal;
  readonly run: RunControl;
  /** Redials whose wait is that of a log: it shows how they went, so they never meet a connection that is being shut. Default 0. */
  readonly observedRedials?: number;
  /** What the broker sends is numbered by this; absent: payloads carry their number. */
  readonly nextSeq?: () => number;
  /** What goes to the broker is changed by this first, such as a prefix before its topics; and back. */
  readonly outgoing?: (packet: Packet) => Packet;
  readonly incoming?: (packet: Packet) => Packet;
}

const CONTROL_STREAM = 0;
/** Longest packet taken from the broker, bytes. */
const PACKET_BYTES_MAX = 16 * 1024 * 1024;
/** Application code towards a peer that does not speak MQTT. */
const PROTOCOL_ERROR_CODE = 1;

/** One dial and what becomes of it. */
interface Attempt {
  readonly client: ClientTransport;
  readonly decoders: Map<StreamIndex, PacketDecoder>;
  /** Own port; 0 until the socket is open. */
  port: number;
  /** Machine time until which msquic would still be shutting it, see `shutDownTime`. */
  shutUntil: Micros;
}

/** RFC 9000 §10.2, as in the simulator: closing lasts three probe timeouts without an answer, draining two round trips. */
const CLOSING_PROBE_TIMEOUTS = 3;
const DRAINING_MIN: Micros = 15 * MILLISECOND;
/** RFC 9002 §6.2.1: max_ack_delay and the granularity of the timer. */
const PROBE_MARGIN: Micros = 26 * MILLISECOND;

export class BridgeSide {
  readonly #options: BridgeSideOptions;
  readonly #loop: MachineLoop<BridgeInput, BridgeOutput>;
  /** All whose socket may still be open: the current one and those that drain. */
  readonly #attempts = new Set<Attempt>();
  #current: Attempt | null = null;
  /** Begun so far; the first one is no redial. */
  #dials = 0;

  constructor(options: BridgeSideOptions) {
    const { machine, clock, run } = options;
    this.#options = options;
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

  /** A message of ours came out at the broker's other side. */
  noteArrived(seq: number): void {
    if (this.#current) this.#options.journal.arrived(this.#current.port, 'bridge', seq);
  }

  /** The proxy met nobody at the broker's port. */
  unreachable(port: number): void {
    if (this.ownsPort(port)) this.#current?.client.unreachable();
  }

  /** Records how the path is doing, for as long as there is a connection. */
  sampleStats(): void {
    const stats = this.#current?.client.isOpen ? this.#current.client.stats() : null;
    if (!stats) return;
    this.#record('live_transport_stats', {
      rtt_ms: stats.rttMs,
      cwnd_bytes: stats.cwndBytes,
      sent: stats.sent,
      received: stats.received,
      lost: stats.lost,
      retransmitted: stats.retransmitted,
      sent_bytes: stats.sentBytes,
      received_bytes: stats.receivedBytes,
    });
  }

  #record(event: string, fields: Fields): void {
    const at = this.#options.clock.now();
    this.#options.journal.record({
      at,
      endpoint: 'bridge',
      severity: 'debug',
      event,
      clientId: null,
      peer: null,
      fields,
    });
  }

  /** Closes every socket at once. */
  stop(): void {
    this.#loop.stop();
    for (const { client } of this.#attempts) client.destroy();
    this.#attempts.clear();
  }

  #carryOut(at: number, output: BridgeOutput): void {
    const { journal } = this.#options;
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
        journal.record({ at, endpoint: 'bridge', severity, event, clientId: null, peer: null, fields });
        break;
      }
      case 'deliver':
        journal.delivered('down', output.message, at);
        break;
      case 'lost':
        journal.lost(output.direction, output.message, output.reason);
        break;
    }
  }

  /** msquic refuses a dial while it is still shutting the connection before (nanomq-bridge-model §3.3). */
  #isDialBusy(): boolean {
    const { observedRedials = 0, clock } = this.#options;
    return this.#dials++ > observedRedials && clock.now() < (this.#current?.shutUntil ?? 0);
  }

  #dial(): void {
    if (this.#isDialBusy()) {
      this.feed({ kind: 'dial-busy' });
      return;
    }
    this.#forgetClosed();
    const ifCurrent = (then: () => void): void => {
      if (this.#current === attempt) then();
    };
    const client = this.#options.dial({
      onOpen: (port) => {
        attempt.port = port;
        this.#options.journal.opened(port);
      },
      user: {
        established: () => ifCurrent(() => this.feed({ kind: 'connected' })),
        data: (stream, bytes) => ifCurrent(() => this.#receive(attempt, stream, bytes)),
        finished: (stream) => ifCurrent(() => this.#onFinished(stream)),
        streamAborted: (stream) => ifCurrent(() => this.#onStreamAborted(stream)),
        closed: (cause, failure) => ifCurrent(() => this.#onClosed(attempt, cause, failure)),
      },
    });
    const attempt: Attempt = { client, decoders: new Map(), port: 0, shutUntil: 0 };
    this.#current = attempt;
    this.#attempts.add(attempt);
  }

  #forgetClosed(): void {
    for (const attempt of this.#attempts) if (attempt.client.isDestroyed) this.#attempts.delete(attempt);
  }

  #receive(attempt: Attempt, stream: StreamIndex, bytes: Buffer): void {
    let decoder = attempt.decoders.get(stream);
    if (!decoder) {
      decoder = new PacketDecoder({
        protocol: this.#options.settings.protocol,
        maxPacketBytes: PACKET_BYTES_MAX,
        nextSeq: this.#options.nextSeq,
      });
      attempt.decoders.set(stream, decoder);
    }
    const { packets, error } = decoder.push(bytes);
    for (const received of packets) {
      const packet = this.#options.incoming?.(received) ?? received;
      // A packet can make the machine close the connection; nobody reads what came after it.
      if (!attempt.client.isOpen) return;
      if (packet.type === 'publish') this.#options.journal.arrived(attempt.port, 'broker', packet.seq);
      this.feed({ kind: 'packet', stream, packet });
    }
    if (error === null || !attempt.client.isOpen) return;
    attempt.client.close(PROTOCOL_ERROR_CODE);
    this.#onClosed(attempt, { kind: 'local' }, { reason: 'protocol-violation', detail: error });
  }

  #onFinished(stream: StreamIndex): void {
    if (stream === CONTROL_STREAM) this.feed({ kind: 'closed', cause: { kind: 'peer-fin' } });
    else this.#onStreamAborted(stream);
  }

  #onStreamAborted(stream: StreamIndex): void {
    this.feed({ kind: 'stream-cancelled', stream });
  }

  #onClosed(attempt: Attempt, cause: CloseCause, { reason, detail }: Failure): void {
    this.#record('live_transport_failure', { reason, detail });
    this.#options.journal.ended(attempt.port);
    if (cause.kind === 'peer') this.#shutFor(attempt, Math.max(DRAINING_MIN, 2 * this.#roundTrip(attempt)));
    this.feed({ kind: 'closed', cause });
  }

  #shutFor(attempt: Attempt, span: Micros): void {
    if (this.#options.settings.transport === 'quic') attempt.shutUntil = this.#options.clock.now() + span;
  }

  #roundTrip({ client }: Attempt): Micros {
    return this.#options.clock.span(client.stats()?.rttMs ?? 0);
  }

  /**
   * How long the close of ours takes: a round trip if the peer answers, as msquic's does and quiche's does not, else three probe
   * timeouts. Whether it answers is taken from how it has done.
   */
  #closingTime(attempt: Attempt): Micros {
    const probeTimeout = this.#roundTrip(attempt) + PROBE_MARGIN;
    const isDeaf = attempt.client.owesAnswer?.(this.#options.clock.realMs(probeTimeout)) ?? false;
    return isDeaf ? CLOSING_PROBE_TIMEOUTS * probeTimeout : this.#roundTrip(attempt);
  }

  #write({ token, stream, packet, message }: Extract<BridgeOutput, { kind: 'write' }>): void {
    const attempt = this.#current;
    if (!attempt?.client.isOpen) return;
    if (message) this.#options.journal.wrote(attempt.port, 'bridge', stream, message);
    const sent = this.#options.outgoing?.(packet) ?? packet;
    const bytes = encodePacket(sent, this.#options.settings.protocol, message?.content);
    attempt.client.write(stream, bytes, (result) => {
      if (this.#current === attempt) this.feed({ kind: 'sent', token, result });
    });
  }

  #resetStream(stream: StreamIndex): void {
    const attempt = this.#current;
    if (!attempt?.client.isOpen) return;
    this.#options.journal.streamAborted(attempt.port, stream);
    attempt.decoders.delete(stream);
    this.feed({ kind: 'stream-cancelled', stream });
    attempt.client.resetStream(stream);
  }

  #close(code: number): void {
    const attempt = this.#current;
    if (!attempt) return;
    if (attempt.client.isOpen) this.#shutFor(attempt, this.#closingTime(attempt));
    attempt.client.close(code);
    this.#options.journal.ended(attempt.port);
  }
}

/** Of the bridge's settings, in real time. */
export function bridgeTimeouts(settings: BridgeSettings, clock: RunClock): QuicTimeouts {
  const realMs = (count: number): number => clock.realMs(seconds(count));
  return {
    handshakeMs: realMs(settings.quicHandshakeTimeoutS),
    disconnectMs: realMs(settings.quicDisconnectTimeoutS),
    idleMs: realMs(settings.quicIdleTimeoutS),
    keepaliveMs: realMs(settings.quicKeepaliveS),
    initialRttMs: clock.realMs(milliseconds(settings.quicInitialRttMs)),
  };
}
