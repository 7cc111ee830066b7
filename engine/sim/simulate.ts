/** The simulated driver: both machines, the network between them and a virtual clock. */

import type { BridgeInput, BridgeMachine, BridgeOutput } from '../bridge/io.ts';
import { createBridge } from '../bridge/machine.ts';
import type { BrokerInput, BrokerMachine, BrokerOutput } from '../broker/io.ts';
import { createBroker } from '../broker/machine.ts';
import { createRng } from '../rng.ts';
import type { CloseCause, Endpoint, Micros, SimRecord, Stimulus } from '../types.ts';
import { Books } from './books.ts';
import { BrokerProcess } from './broker-process.ts';
import type { Chunk } from './chunk.ts';
import { Connection } from './connection.ts';
import { Dial } from './dial.ts';
import { EventQueue } from './event-queue.ts';
import { LINK_AT_START, Link } from './link.ts';
import type { SimOptions, SimSummary } from './options.ts';
import { TraceHash } from './trace-hash.ts';

/** Calls of `handle` before a run is stopped; about an hour at a thousand messages a second. */
export const EVENTS_MAX_DEFAULT = 50_000_000;
const STREAM_CANCELLED = 20;
const CONTROL_STREAM = 0;
const FIN_BYTES = 1;
/** Default of quic_max_ack_delay_ms. */
const MAX_ACK_DELAY_MS = 100;
/** A proxy that has to keep more than this drops it. */
const HELD_MAX = 100_000;
const FIRST_PORT = 40_000;
const PORTS = 20_000;
/** Coprime to the number of ports, so that ports repeat only after all were used. */
const PORT_STEP = 7_919;

/**
 * Runs bridge and broker against each other in virtual time and hands every log record to `sink` in order.
 *
 * Same options and seed, same trace. Times are µs from the start of the run.
 * @throws RangeError if stimuli are out of order, a message's `seq` repeats within a direction, or profile and settings
 *   name different transports.
 */
export function simulate(options: SimOptions, sink: (record: SimRecord) => void): SimSummary {
  return new Simulation(options, sink).run();
}

class Simulation {
  readonly #options: SimOptions;
  readonly #sink: (record: SimRecord) => void;
  readonly #queue = new EventQueue();
  readonly #link: Link;
  readonly #bridge: BridgeMachine;
  readonly #broker: BrokerMachine;
  readonly #up = new Books();
  readonly #down = new Books();
  readonly #hash = new TraceHash();
  readonly #connections = new Map<number, Connection>();
  readonly #maxEvents: number;
  /** Only a counter of bytes of the whole QUIC connection sees more than packets (emqx-keepalive-model §1.2). */
  readonly #countsTransportBytes: boolean;
  readonly #deadlines: Record<Endpoint, Micros | null> = { bridge: null, broker: null };
  /** Times of the entries in the queue that look at a machine's deadline, latest first. */
  readonly #wakes: Record<Endpoint, Micros[]> = { bridge: [], broker: [] };
  #stimuli: Iterator<Stimulus>;
  #nextStimulus: Stimulus | null = null;
  readonly #brokerProcess = new BrokerProcess();
  /** What a proxy keeps, in the order in which it came. */
  #held: (() => void)[] = [];
  #dial: Dial | null = null;
  /** Begun so far; the first one is no redial. */
  #dials = 0;
  /** The bridge's connection. */
  #current: Connection | null = null;
  #now: Micros = 0;
  #events = 0;
  #records = 0;
  #nextConnection = 1;

  constructor(options: SimOptions, sink: (record: SimRecord) => void) {
    const { bridge, broker, seed, choices } = options;
    this.#options = options;
    this.#sink = sink;
    this.#link = new Link(options.link ?? LINK_AT_START, createRng(seed, 'link'));
    const machine = createBridge({ ...bridge, rng: createRng(seed, 'bridge'), choices });
    this.#bridge = options.wrapBridge?.(machine) ?? machine;
    this.#broker = createBroker({ ...broker, rng: createRng(seed, 'broker') });
    this.#countsTransportBytes =
      broker.profile.counterScope === 'connection-bytes' && bridge.settings.transport === 'quic';
    this.#maxEvents = options.maxEvents ?? EVENTS_MAX_DEFAULT;
    this.#stimuli = options.stimuli[Symbol.iterator]();
  }

  run(): SimSummary {
    this.#queue.add(0, () => this.#toBroker({ kind: 'start' }));
    this.#queue.add(0, () => this.#toBridge({ kind: 'start' }));
    this.#scheduleStimuli();
    const stoppedBy = this.#loop();
    return {
      events: this.#events,
      endedAt: this.#now,
      stoppedBy,
      up: this.#up.summary(),
      down: this.#down.summary(),
      hash: this.#hash.digest(),
      records: this.#records,
      unaccounted: this.#unaccounted(),
    };
  }

  #unaccounted(): number {
    const known = new Set<number>();
    const { sendQueue, parked, ctxMsgs, unacked, inFlight } = this.#bridge.held();
    for (const list of [sendQueue, parked, ctxMsgs, unacked, inFlight]) for (const { seq } of list) known.add(seq);
    for (const connection of this.#connections.values()) {
      for (const { message } of connection.flow('bridge').outstanding()) if (message) known.add(message.seq);
    }
    return this.#up.held().filter((seq) => !known.has(seq)).length;
  }

  #loop(): SimSummary['stoppedBy'] {
    for (;;) {
      const at = this.#queue.peekTime();
      if (at === null || at > this.#options.durationUs) {
        this.#now = this.#options.durationUs;
        return 'duration';
      }
      if (this.#events >= this.#maxEvents) return 'max-events';
      if (this.#queue.full) return 'queue-full';
      if (at < this.#now) throw new RangeError(`an event at ${at} µs was added at ${this.#now} µs`);
      this.#now = at;
      this.#queue.take()!.run();
    }
  }

  /** The state of the network at 0 is there before the bridge's first dial. */
  #scheduleStimuli(): void {
    let next = this.#stimuli.next();
    for (; !next.done && next.value.at === 0 && next.value.kind === 'network'; next = this.#stimuli.next()) {
      this.#link.change(next.value);
    }
    this.#schedule(next);
  }

  #schedule({ value, done }: IteratorResult<Stimulus>): void {
    if (done) return;
    if (value.at < this.#now) throw new RangeError(`stimulus at ${value.at} µs comes after one at ${this.#now} µs`);
    this.#nextStimulus = value;
    this.#queue.add(value.at, this.#applyNext);
  }

  readonly #applyNext = (): void => {
    this.#apply(this.#nextStimulus!);
    this.#schedule(this.#stimuli.next());
  };

  #apply(stimulus: Stimulus): void {
    switch (stimulus.kind) {
      case 'publish':
        this.#up.offered(stimulus.message);
        this.#toBridge({ kind: 'offer', message: stimulus.message });
        return;
      case 'downlink':
        this.#down.offered(stimulus.message);
        this.#toBroker({ kind: 'downlink', message: stimulus.message });
        return;
      case 'network':
        this.#link.change(stimulus);
        if (!this.#link.isHolding) this.#passOnHeld();
        return;
      case 'nat-rebind':
        this.#current?.rebind();
        return;
      case 'broker-kill':
        this.#killBroker();
        return;
      case 'broker-pause':
        this.#brokerProcess.pause();
        return;
      case 'broker-resume':
        this.#brokerProcess.resume();
        return;
      case 'broker-stop':
        this.#toBroker({ kind: 'stop' });
        return;
      case 'broker-start':
        this.#toBroker({ kind: 'start' });
        return;
      case 'rival-connect':
      case 'kick':
        this.#toBroker({ kind: stimulus.kind });
        return;
      case 'refuse':
        this.#toBroker({ kind: 'refuse', reasonCode: stimulus.reasonCode });
        return;
    }
  }

  #toBridge(input: BridgeInput): void {
    this.#events++;
    for (const output of this.#bridge.handle(this.#now, input)) this.#carryOutBridge(output);
    this.#scheduleDeadline('bridge', this.#bridge.nextDeadline());
  }

  #toBroker(input: BrokerInput): void {
    if (this.#brokerProcess.isPaused) {
      this.#brokerProcess.run(0, () => this.#toBroker(input));
      return;
    }
    this.#events++;
    for (const output of this.#broker.handle(this.#now, input)) this.#carryOutBroker(output);
    this.#scheduleDeadline('broker', this.#broker.nextDeadline());
  }

  #scheduleDeadline(endpoint: Endpoint, at: Micros | null): void {
    if (at === this.#deadlines[endpoint]) return;
    this.#deadlines[endpoint] = at;
    if (at !== null) this.#wakeBy(endpoint, at);
  }

  /**
   * A machine's deadline goes to and fro with every message, so an entry is added to the queue only if none comes before it; one
   * that comes too early looks again. Entries of one machine are on a stack, since each is earlier than those before it.
   */
  #wakeBy(endpoint: Endpoint, at: Micros): void {
    const wakes = this.#wakes[endpoint];
    const next = wakes[wakes.length - 1];
    if (next !== undefined && next <= at) return;
    wakes.push(at);
    this.#queue.add(Math.max(at, this.#now), endpoint === 'bridge' ? this.#wakeBridge : this.#wakeBroker);
  }

  readonly #wakeBridge = (): void => {
    this.#wakes.bridge.pop();
    this.#lookAtDeadline('bridge');
  };

  readonly #wakeBroker = (): void => {
    this.#wakes.broker.pop();
    this.#brokerProcess.run(0, () => this.#lookAtDeadline('broker'));
  };

  #lookAtDeadline(endpoint: Endpoint): void {
    const at = this.#deadlines[endpoint];
    if (at === null) return;
    if (at > this.#now) {
      this.#wakeBy(endpoint, at);
      return;
    }
    this.#deadlines[endpoint] = null;
    if (endpoint === 'bridge') this.#toBridge({ kind: 'deadline' });
    else {
      if (this.#countsTransportBytes) this.#reportTransportBytes();
      this.#toBroker({ kind: 'deadline' });
    }
  }

  /** The broker looks at its counters at deadlines only. */
  #reportTransportBytes(): void {
    for (const [connection, ends] of this.#connections) {
      const bytes = ends.takeOverhead('broker');
      if (bytes > 0) this.#toBroker({ kind: 'transport-bytes', connection, bytes });
    }
  }

  #passOnHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const run of held) run();
  }

  /** A killed process logs and sends nothing; whatever its machine would have done is dropped. */
  #killBroker(): void {
    this.#brokerProcess.kill();
    this.#events++;
    for (const output of this.#broker.handle(this.#now, { kind: 'stop' })) {
      if (output.kind === 'lost') this.#carryOutBroker(output);
    }
    this.#deadlines.broker = null;
    for (const [id, connection] of this.#connections) {
      connection.vanish('broker');
      this.#forgetIfOver(id);
    }
  }

  #carryOutBridge(output: BridgeOutput): void {
    switch (output.kind) {
      case 'dial':
        this.#startDial();
        return;
      case 'write':
        this.#writeFromBridge(output);
        return;
      case 'reset-stream':
        this.#resetStream(output.stream);
        return;
      case 'close':
        this.#closeBridge(output.code);
        return;
      case 'log': {
        const { severity, event, fields } = output;
        this.#record({ at: this.#now, endpoint: 'bridge', severity, event, clientId: null, peer: null, fields });
        return;
      }
      case 'deliver':
        this.#down.delivered(output.message);
        this.#options.onDelivery?.('down', output.message, this.#now);
        return;
      case 'lost':
        (output.direction === 'up' ? this.#up : this.#down).lost(output.message, output.reason);
        return;
    }
  }

  #carryOutBroker(output: BrokerOutput): void {
    switch (output.kind) {
      case 'write': {
        const { stream, packet, message } = output;
        const connection = this.#connections.get(output.connection);
        connection?.send('broker', (flow) => flow.send(stream, packet.size, { packet, message }));
        return;
      }
      case 'finish':
        this.#connections
          .get(output.connection)
          ?.send('broker', (flow) => flow.send(CONTROL_STREAM, FIN_BYTES, { fin: true }));
        return;
      case 'close':
        this.#connections.get(output.connection)?.close('broker', output.code);
        return;
      case 'idle-timeout':
        this.#connections.get(output.connection)?.limitIdle('broker', output.us);
        return;
      case 'log': {
        const { severity, event, clientId, peer, fields } = output;
        this.#record({ at: this.#now, endpoint: 'broker', severity, event, clientId, peer, fields });
        return;
      }
      case 'deliver':
        this.#up.delivered(output.message);
        this.#options.onDelivery?.('up', output.message, this.#now);
        return;
      case 'lost':
        (output.direction === 'up' ? this.#up : this.#down).lost(output.message, output.reason);
        return;
    }
  }

  #record(record: SimRecord): void {
    this.#records++;
    this.#hash.add(record);
    this.#sink(record);
  }

  #startDial(): void {
    const { settings } = this.#options.bridge;
    if (this.#isDialBusy()) {
      this.#queue.add(this.#now, () => this.#toBridge({ kind: 'dial-busy' }));
      return;
    }
    const whileDown = this.#options.link?.brokerDown ?? (settings.transport === 'quic' ? 'silent' : 'refused');
    this.#dial = new Dial(
      settings,
      {
        now: () => this.#now,
        broker: () => (this.#broker.listening() ? 'listening' : whileDown),
        atBroker: (arrival) => this.#brokerProcess.run(0, arrival),
        connected: () => this.#onConnected(),
        failed: (cause) => this.#toBridge({ kind: 'closed', cause }),
      },
      this.#queue,
      this.#link,
    );
  }

  /**
   * msquic is still shutting the old connection down (nanomq-bridge-model §3.3). Dials whose wait is that of a log are not: the log
   * shows how they went.
   */
  #isDialBusy(): boolean {
    const observed = this.#options.choices?.redialMs?.length ?? 0;
    return this.#dials++ > observed && (this.#current?.isShuttingDown('bridge') ?? false);
  }

  #onConnected(): void {
    const { transport } = this.#options.bridge.settings;
    const id = this.#nextConnection++;
    const connection = new Connection(id, this.#connectionSettings(), this.#userOf(id), this.#queue, this.#link);
    this.#connections.set(id, connection);
    this.#current = connection;
    const peer = `127.0.0.1:${FIRST_PORT + ((id * PORT_STEP) % PORTS)}`;
    const accept = (): void => this.#toBroker({ kind: 'accepted', connection: id, transport, peer });
    if (transport === 'tcp' && this.#link.isHolding) this.#hold(accept);
    else accept();
    this.#toBridge({ kind: 'connected' });
  }

  #connectionSettings() {
    const { settings } = this.#options.bridge;
    const idle = [settings.quicIdleTimeoutS, this.#options.broker.settings.quicIdleTimeoutS].filter(
      (value) => value > 0,
    );
    return {
      transport: settings.transport,
      disconnectTimeoutS: settings.quicDisconnectTimeoutS,
      keepaliveS: { bridge: settings.quicKeepaliveS, broker: this.#options.broker.settings.quicKeepaliveS ?? 0 },
      maxAckDelayMs: settings.quicMaxAckDelayMs ?? MAX_ACK_DELAY_MS,
      idleTimeoutS: idle.length === 0 ? 0 : Math.min(...idle),
    };
  }

  #hold(run: () => void): void {
    if (this.#held.length < HELD_MAX) this.#held.push(run);
  }

  #userOf(id: number) {
    return {
      now: () => this.#now,
      brokerDefers: (bytes: number, run: () => void) => this.#brokerProcess.defers(bytes, run),
      hold: (run: () => void) => this.#hold(run),
      deliver: (to: Endpoint, chunk: Chunk) => this.#deliver(id, to, chunk),
      closed: (at: Endpoint, cause: CloseCause) => this.#onClosed(id, at, cause),
      abandoned: (from: Endpoint, chunk: Chunk) => this.#onAbandoned(from, chunk),
    };
  }

  #deliver(id: number, to: Endpoint, chunk: Chunk): void {
    const { stream } = chunk;
    const packet = chunk.packet!;
    if (to === 'broker') {
      this.#toBroker({ kind: 'packet', connection: id, stream, packet });
      return;
    }
    if (this.#current?.id === id) this.#toBridge({ kind: 'packet', stream, packet });
  }

  #onClosed(id: number, at: Endpoint, cause: CloseCause): void {
    if (at === 'broker') {
      this.#toBroker({ kind: 'closed', connection: id, cause });
    } else if (this.#current?.id === id) {
      this.#toBridge({ kind: 'closed', cause });
    }
    this.#forgetIfOver(id);
  }

  #forgetIfOver(id: number): void {
    const connection = this.#connections.get(id);
    if (connection && !connection.isOpen('bridge') && !connection.isOpen('broker')) this.#connections.delete(id);
  }

  /** QoS > 0 towards the broker stays with the bridge, which resends it; everything else dies with the connection. */
  #onAbandoned(from: Endpoint, chunk: Chunk): void {
    if (!chunk.message) return;
    if (from === 'broker') {
      this.#down.lost(chunk.message, 'connection-lost');
      return;
    }
    if (chunk.message.qos === 0) this.#up.lost(chunk.message, 'connection-lost');
  }

  #writeFromBridge({ token, stream, packet, message }: Extract<BridgeOutput, { kind: 'write' }>): void {
    const connection = this.#current;
    if (!connection) return;
    const onComplete = (result: number): void => {
      if (this.#current === connection) this.#toBridge({ kind: 'sent', token, result });
    };
    connection.send('bridge', (flow) => flow.send(stream, packet.size, { packet, message }, onComplete));
  }

  #resetStream(stream: number): void {
    const connection = this.#current;
    if (!connection?.isOpen('bridge')) return;
    for (const chunk of connection.flow('bridge').outstanding()) {
      if (chunk.stream === stream && !chunk.delivered) this.#onAbandoned('bridge', chunk);
    }
    connection.flow('bridge').resetStream(stream, STREAM_CANCELLED);
    this.#queue.add(this.#now, () => {
      if (this.#current === connection && connection.isOpen('bridge'))
        this.#toBridge({ kind: 'stream-cancelled', stream });
    });
  }

  #closeBridge(code: number): void {
    this.#dial?.cancel();
    const connection = this.#current;
    if (!connection) return;
    connection.close('bridge', code);
    this.#forgetIfOver(connection.id);
  }
}
