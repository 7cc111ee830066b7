/** The live driver: the bridge machine on real sockets and the real clock, against our own broker or another's. */

import type { BridgeMachine } from '../bridge/io.ts';
import { createBridge } from '../bridge/machine.ts';
import { createRng } from '../rng.ts';
import type { SimOptions, SimSummary } from '../sim/options.ts';
import { EVENTS_MAX_DEFAULT } from '../sim/simulate.ts';
import type { BridgeSettings, Message, Micros, SimRecord, Stimulus } from '../types.ts';
import { type Address, type BrokerAddress, LOOPBACK, resolveHost, type TransportKind } from './address.ts';
import { BridgeSide, bridgeTimeouts } from './bridge-side.ts';
import { createCertificate } from './certificate.ts';
import { RunClock } from './clock.ts';
import { createDialler } from './dialler.ts';
import { EmbeddedBroker } from './embedded-broker.ts';
import { LiveError } from './errors.ts';
import { ForeignBroker } from './foreign-broker.ts';
import { disguise, type Identity, undisguise } from './identity.ts';
import { createProxy } from './impairment-proxy.ts';
import type { Direction } from './journal.ts';
import { Ledger } from './ledger.ts';
import type { BrokerFacts, BrokerStimulus, LiveBroker } from './live-broker.ts';
import { LiveLink } from './live-link.ts';
import type { ImpairmentProxy } from './proxy.ts';
import { loadQuiche, type Quiche } from './quic-library.ts';
import type { QuicTimeouts } from './quic-settings.ts';
import type { RunControl } from './run-control.ts';
import { type ClientTls, trusting } from './tls-options.ts';
import { WakeUp } from './wake-up.ts';

export interface LiveProgress {
  readonly at: Micros;
  readonly durationUs: Micros;
}

/** A broker that is not ours. */
export interface ForeignTarget {
  readonly address: BrokerAddress;
  readonly tls: ClientTls;
  readonly identity: Identity;
  /** All that will happen, to be looked at before the run. */
  readonly plan: Iterable<Stimulus>;
  readonly onFacts?: (facts: BrokerFacts) => void;
}

export interface LiveOptions extends SimOptions {
  /** Absent: the broker of our own in this process. */
  readonly foreign?: ForeignTarget;
  /** Machine seconds per real second, more than 0 and at most {@link SPEED_MAX}. Default 1. */
  readonly speed?: number;
  /** Ends the run early; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** About twice a second. */
  readonly onProgress?: (progress: LiveProgress) => void;
}

/** Beyond it a millisecond of Node's timers would be too much of a keepalive. */
export const SPEED_MAX = 5;
/** Longest payload of a message, bytes: half of what a stream may hold back. */
export const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;
/** Messages of a direction whose way through a foreign broker is still noticed, the last ones; as many as the books know of settled ones. */
const OFFERED_MAX = 65_536;
const PROGRESS_MS = 500;
/**
 * Stimuli this close together are fed in one turn of Node's event loop, others in turns of their own, so that a write can
 * complete between them even when the process is late. The simulator completes a write after the same time.
 */
const BURST_SPAN: Micros = 100;

/**
 * Runs the bridge against a broker over QUIC, TCP or TLS and hands every log record to `sink` in order, as `simulate` does:
 * same machines, same records, times in µs of machine time from the start. Takes `durationUs` / `speed` of real time. A foreign
 * broker gives no records. Once a second of real time there is a `live_transport_stats` record, and a `live_transport_failure` for
 * every connection that ended. Sockets and timers are gone when the promise settles. Times differ from run to run, and so does `hash`.
 *
 * @throws LiveError, see its codes; RangeError as `simulate` does; the reason of `signal`.
 */
export async function runLive(options: LiveOptions, sink: (record: SimRecord) => void): Promise<SimSummary> {
  checkOptions(options);
  options.signal?.throwIfAborted();
  const quiche = options.bridge.settings.transport === 'quic' ? await loadQuiche() : null;
  options.signal?.throwIfAborted();
  const run = new LiveRun(options, quiche, sink);
  try {
    return await run.run();
  } finally {
    run.close();
  }
}

function checkOptions({ speed = 1, bridge, foreign }: LiveOptions): void {
  const fastest = foreign ? 1 : SPEED_MAX;
  if (!(speed > 0 && speed <= fastest)) {
    throw new LiveError('bad-speed', `A live run cannot go at ${speed} times real time.`, {
      hint: foreign
        ? 'A broker that is not ours never gets more than the incident had: leave out --speed.'
        : `Choose a speed of at most ${SPEED_MAX}; the simulator (--mode sim) does hours in seconds.`,
      details: { speed, maximum: fastest },
    });
  }
  const { transport } = bridge.settings;
  if (!foreign || (foreign.address.transport === 'quic') === (transport === 'quic')) return;
  throw new LiveError(
    'transport-unsupported',
    `The bridge uses ${transport}, the broker's address is one for ${foreign.address.transport}.`,
    {
      hint: `Add --set transport=${transport === 'quic' ? 'tcp' : 'quic'}, or give another address.`,
      details: { bridge: transport, broker: foreign.address.transport },
    },
  );
}

/** How often the path is looked at. */
const STATS_MS = 1_000;

class LiveRun {
  readonly #options: LiveOptions;
  readonly #clock: RunClock;
  readonly #link: LiveLink;
  readonly #ledger: Ledger;
  readonly #bridgeMachine: BridgeMachine;
  readonly #broker: LiveBroker;
  readonly #quiche: Quiche | null;
  readonly #transport: TransportKind;
  readonly #tls: ClientTls;
  readonly #stimuli: Iterator<Stimulus>;
  readonly #feeder: WakeUp;
  readonly #ender: WakeUp;
  readonly #maxEvents: number;
  readonly #control: RunControl = {
    mayHandle: () => this.#mayHandle(),
    overflow: () => this.#finish('queue-full'),
    crashed: (error) => this.#fail(error),
  };
  /** What was offered to a foreign broker, by direction and number: it tells of less when it delivers. */
  readonly #offered: Readonly<Record<Direction, Map<number, Message>>> = { up: new Map(), down: new Map() };
  #bridge: BridgeSide | null = null;
  #proxy: ImpairmentProxy | null = null;
  #nextStimulus: Stimulus | null = null;
  #lastStimulusAt: Micros = 0;
  readonly #intervals: NodeJS.Timeout[] = [];
  #events = 0;
  #over = false;
  #settle: { resolve: (stoppedBy: SimSummary['stoppedBy']) => void; reject: (error: unknown) => void } | null = null;

  constructor(options: LiveOptions, quiche: Quiche | null, sink: (record: SimRecord) => void) {
    const { bridge, seed, choices, link, wrapBridge, foreign } = options;
    const machine = createBridge({ ...bridge, rng: createRng(seed, 'bridge'), choices });
    this.#options = options;
    this.#quiche = quiche;
    this.#clock = new RunClock(options.speed ?? 1);
    this.#link = new LiveLink(link, createRng(seed, 'link'), this.#clock);
    this.#ledger = new Ledger(
      sink,
      options.onDelivery,
      options.durationUs,
      (direction, message) => this.#offered[direction].get(message.seq) ?? message,
    );
    this.#bridgeMachine = wrapBridge?.(machine) ?? machine;
    this.#maxEvents = options.maxEvents ?? EVENTS_MAX_DEFAULT;
    this.#stimuli = options.stimuli[Symbol.iterator]();
    this.#feeder = new WakeUp(this.#clock, () => this.#guard(() => this.#feedStimuli()));
    this.#ender = new WakeUp(this.#clock, () => this.#checkDuration());
    this.#transport = foreign?.address.transport ?? bridge.settings.transport;
    const certificate = createCertificate();
    this.#tls = foreign?.tls ?? trusting(certificate.certificatePem);
    this.#broker = foreign ? this.#foreignBroker(foreign) : this.#embeddedBroker(certificate);
  }

  #embeddedBroker(certificate: ReturnType<typeof createCertificate>): EmbeddedBroker {
    const { broker, seed, link } = this.#options;
    return new EmbeddedBroker({
      ...broker,
      transport: this.#transport,
      seed,
      quiche: this.#quiche,
      certificate,
      clock: this.#clock,
      journal: this.#ledger,
      run: this.#control,
      accepts: ({ port }) => this.#proxy?.clientPortOf(port) !== null,
      clientPort: (port) => this.#proxy?.clientPortOf(port) ?? port,
      whileStopped: link?.brokerDown ?? 'silent',
    });
  }

  #foreignBroker({ address, tls, identity, plan, onFacts = () => {} }: ForeignTarget): ForeignBroker {
    const { settings } = this.#options.bridge;
    return new ForeignBroker({
      address,
      dial: createDialler({
        transport: address.transport,
        server: address,
        tls,
        timeouts: timeoutsFor(settings, address.transport, this.#clock),
        quiche: this.#quiche,
        crashed: this.#control.crashed,
      }),
      bridge: settings,
      identity,
      plan,
      onFacts,
      onUplink: (seq) => this.#onForeignUplink(seq),
      failed: (error) => this.#fail(error),
    });
  }

  #onForeignUplink(seq: number): void {
    const message = this.#offered.up.get(seq);
    if (!message || this.#over) return;
    this.#bridge?.noteArrived(seq);
    this.#ledger.delivered('up', message, this.#clock.now());
  }

  async run(): Promise<SimSummary> {
    const { signal } = this.#options;
    const outcome = new Promise<SimSummary['stoppedBy']>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    outcome.catch(() => {}); // It is awaited below, unless the preparation failed before.
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    const target = await Promise.race([this.#broker.open(), outcome]);
    if (typeof target !== 'string') this.#start(target, await this.#openProxy(target));
    return this.#summary(await outcome);
  }

  async #openProxy(target: BrokerAddress): Promise<Address> {
    const resolved = await resolveHost(target);
    this.#proxy = createProxy(this.#transport === 'quic' ? 'udp' : 'tcp', {
      target: resolved,
      link: this.#link,
      speed: this.#options.speed ?? 1,
      accepts: (port) => this.#bridge?.ownsPort(port) ?? false,
      refused: (port) => this.#bridge?.unreachable(port),
      crashed: this.#control.crashed,
    });
    const address = await this.#proxy.listen();
    if (this.#over) this.#proxy.close();
    return address;
  }

  #start(target: BrokerAddress, proxy: Address): void {
    if (this.#over) return;
    const { onProgress, durationUs, bridge, foreign } = this.#options;
    const { settings } = bridge;
    // The name is the broker's, although the proxy stands before it.
    const serverName = this.#tls.serverName ?? (foreign ? target.host : 'localhost');
    const bridgeSide = new BridgeSide({
      machine: this.#bridgeMachine,
      settings,
      dial: createDialler({
        transport: this.#transport,
        server: { host: LOOPBACK, port: proxy.port },
        tls: { ...this.#tls, serverName },
        timeouts: timeoutsFor(settings, this.#transport, this.#clock),
        quiche: this.#quiche,
        reached: (port) => this.#proxy!.reached(port),
        crashed: this.#control.crashed,
      }),
      clock: this.#clock,
      journal: this.#ledger,
      run: this.#control,
      observedRedials: this.#options.choices?.redialMs?.length,
      ...(foreign
        ? {
            outgoing: (packet) => disguise(packet, foreign.identity),
            incoming: (packet) => undisguise(packet, foreign.identity),
          }
        : {}),
    });
    this.#bridge = bridgeSide;
    if (onProgress) this.#every(PROGRESS_MS, () => onProgress({ at: this.#clock.now(), durationUs }));
    this.#every(STATS_MS, () => bridgeSide.sampleStats());
    this.#clock.restart();
    this.#ender.set(durationUs);
    this.#broker.start();
    bridgeSide.feed({ kind: 'start' });
    this.#guard(() => this.#feedStimuli());
  }

  #every(ms: number, run: () => void): void {
    const tick = (): void => {
      if (!this.#over && this.#clock.now() <= this.#options.durationUs) run();
    };
    this.#intervals.push(setInterval(() => this.#guard(tick), ms));
  }

  /** No socket, timer or listener is left. */
  close(): void {
    this.#over = true;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    for (const interval of this.#intervals) clearInterval(interval);
    this.#feeder.cancel();
    this.#ender.cancel();
    this.#bridge?.stop();
    this.#broker.stop();
    this.#proxy?.close();
    this.#link.close();
    this.#stimuli.return?.();
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal?.reason);

  #mayHandle(): boolean {
    if (this.#over) return false;
    if (this.#clock.now() > this.#options.durationUs) {
      this.#finish('duration');
      return false;
    }
    if (this.#events >= this.#maxEvents) {
      this.#finish('max-events');
      return false;
    }
    this.#events++;
    return true;
  }

  #checkDuration(): void {
    const { durationUs } = this.#options;
    if (this.#clock.now() > durationUs) this.#finish('duration');
    else this.#ender.set(durationUs + 1);
  }

  #finish(stoppedBy: SimSummary['stoppedBy']): void {
    this.#over = true;
    this.#settle?.resolve(stoppedBy);
  }

  #fail(error: unknown): void {
    this.#over = true;
    this.#settle?.reject(error);
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(error);
    }
  }

  #feedStimuli(): void {
    const first = this.#peekStimulus();
    if (first && first.at <= this.#clock.now()) {
      const until = Math.min(first.at + BURST_SPAN, this.#clock.now());
      for (let next: Stimulus | null = first; next && next.at <= until && !this.#over; next = this.#peekStimulus()) {
        this.#nextStimulus = null;
        this.#apply(next);
      }
    }
    if (!this.#over) this.#feeder.set(this.#peekStimulus()?.at ?? null);
  }

  #peekStimulus(): Stimulus | null {
    if (this.#nextStimulus) return this.#nextStimulus;
    const { value, done } = this.#stimuli.next();
    if (done) return null;
    if (value.at < this.#lastStimulusAt) {
      throw new RangeError(`stimulus at ${value.at} µs comes after one at ${this.#lastStimulusAt} µs`);
    }
    this.#lastStimulusAt = value.at;
    this.#nextStimulus = value;
    return value;
  }

  #apply(stimulus: Stimulus): void {
    switch (stimulus.kind) {
      case 'publish':
        checkMessage(stimulus.message.size);
        this.#ledger.up.offered(stimulus.message);
        this.#rememberOffered('up', stimulus.message);
        this.#bridge?.feed({ kind: 'offer', message: stimulus.message });
        break;
      case 'downlink':
        checkMessage(stimulus.message.size);
        this.#ledger.down.offered(stimulus.message);
        this.#rememberOffered('down', stimulus.message);
        this.#broker.apply(stimulus);
        break;
      case 'network':
        this.#link.change(stimulus);
        break;
      case 'nat-rebind':
        this.#proxy?.rebind();
        break;
      default:
        this.#broker.apply(stimulus satisfies BrokerStimulus);
    }
  }

  #rememberOffered(direction: Direction, message: Message): void {
    if (!this.#options.foreign) return;
    const offered = this.#offered[direction];
    offered.set(message.seq, message);
    if (offered.size > OFFERED_MAX) offered.delete(offered.keys().next().value!);
  }

  #summary(stoppedBy: SimSummary['stoppedBy']): SimSummary {
    return {
      events: this.#events,
      endedAt: Math.min(this.#clock.now(), this.#options.durationUs),
      stoppedBy,
      up: this.#ledger.up.summary(),
      down: this.#ledger.down.summary(),
      hash: this.#ledger.hash,
      records: this.#ledger.records,
      unaccounted: this.#unaccounted(),
    };
  }

  #unaccounted(): number {
    const { sendQueue, parked, ctxMsgs, unacked, inFlight } = this.#bridgeMachine.held();
    const known = this.#ledger.uplinkInFlight();
    for (const list of [sendQueue, parked, ctxMsgs, unacked, inFlight]) for (const { seq } of list) known.add(seq);
    return this.#ledger.up.held().filter((seq) => !known.has(seq)).length;
  }
}

/** NanoMQ's TCP transport has no handshake timeout of its own; the kernel's counts. */
function timeoutsFor(settings: BridgeSettings, transport: TransportKind, clock: RunClock): QuicTimeouts {
  const timeouts = bridgeTimeouts(settings, clock);
  return transport === 'quic' ? timeouts : { ...timeouts, handshakeMs: 0 };
}

function checkMessage(size: number): void {
  if (size <= MESSAGE_BYTES_MAX) return;
  throw new LiveError('message-too-large', `A live run cannot carry a message of ${size} bytes.`, {
    hint: `At most ${MESSAGE_BYTES_MAX} bytes; the simulator (--mode sim) has no such limit.`,
    details: { size, maximum: MESSAGE_BYTES_MAX },
  });
}
