/** The live driver: both machines, real sockets on 127.0.0.1, the real clock. */

import type { BridgeMachine } from '../bridge/io.ts';
import { createBridge } from '../bridge/machine.ts';
import { createBroker } from '../broker/machine.ts';
import { createRng } from '../rng.ts';
import type { SimOptions, SimSummary } from '../sim/options.ts';
import { EVENTS_MAX_DEFAULT } from '../sim/simulate.ts';
import type { Micros, SimRecord, Stimulus } from '../types.ts';
import { BridgeSide } from './bridge-side.ts';
import { BrokerSide } from './broker-side.ts';
import { createCertificate } from './certificate.ts';
import { RunClock } from './clock.ts';
import { LiveError } from './errors.ts';
import { Ledger } from './ledger.ts';
import { LiveLink } from './live-link.ts';
import { loadQuiche, type Quiche } from './quic-library.ts';
import type { RunControl } from './run-control.ts';
import { WakeUp } from './wake-up.ts';

export interface LiveProgress {
  readonly at: Micros;
  readonly durationUs: Micros;
}

export interface LiveOptions extends SimOptions {
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
const PROGRESS_MS = 500;
/**
 * Stimuli this close together are fed in one turn of Node's event loop, others in turns of their own, so that a write can
 * complete between them even when the process is late. The simulator completes a write after the same time.
 */
const BURST_SPAN: Micros = 100;

/**
 * Runs bridge and broker against each other over QUIC and hands every log record to `sink` in order, as `simulate` does:
 * same machines, same records, times in µs of machine time from the start. Takes `durationUs` / `speed` of real time.
 * Sockets and timers are gone when the promise settles. Times differ from run to run, and so does `hash`.
 *
 * @throws LiveError `quic-unavailable`, `transport-unsupported` (TCP), `bad-speed`, `message-too-large`, `port-taken`;
 *   RangeError as `simulate` does; the reason of `signal`.
 */
export async function runLive(options: LiveOptions, sink: (record: SimRecord) => void): Promise<SimSummary> {
  checkOptions(options);
  options.signal?.throwIfAborted();
  const quiche = await loadQuiche();
  options.signal?.throwIfAborted();
  const run = new LiveRun(options, quiche, sink);
  try {
    return await run.run();
  } finally {
    run.close();
  }
}

function checkOptions({ speed = 1, bridge }: LiveOptions): void {
  if (!(speed > 0 && speed <= SPEED_MAX)) {
    throw new LiveError('bad-speed', `A live run cannot go at ${speed} times real time.`, {
      hint: `Choose a speed of at most ${SPEED_MAX}; the simulator (--mode sim) does hours in seconds.`,
      details: { speed, maximum: SPEED_MAX },
    });
  }
  if (bridge.settings.transport === 'quic') return;
  throw new LiveError('transport-unsupported', 'The live mode speaks MQTT over QUIC; this bridge uses TCP.', {
    hint: 'Use --mode sim for it, or set the transport to quic.',
    details: { transport: bridge.settings.transport },
  });
}

class LiveRun {
  readonly #options: LiveOptions;
  readonly #clock: RunClock;
  readonly #link: LiveLink;
  readonly #ledger: Ledger;
  readonly #bridgeMachine: BridgeMachine;
  readonly #broker: BrokerSide;
  readonly #quiche: Quiche;
  readonly #authorityPem: string;
  readonly #stimuli: Iterator<Stimulus>;
  readonly #feeder: WakeUp;
  readonly #ender: WakeUp;
  readonly #maxEvents: number;
  readonly #control: RunControl = {
    mayHandle: () => this.#mayHandle(),
    overflow: () => this.#finish('queue-full'),
    crashed: (error) => this.#fail(error),
  };
  #bridge: BridgeSide | null = null;
  #nextStimulus: Stimulus | null = null;
  #lastStimulusAt: Micros = 0;
  #progress: NodeJS.Timeout | null = null;
  #events = 0;
  #over = false;
  #settle: { resolve: (stoppedBy: SimSummary['stoppedBy']) => void; reject: (error: unknown) => void } | null = null;

  constructor(options: LiveOptions, quiche: Quiche, sink: (record: SimRecord) => void) {
    const { bridge, broker, seed, choices, link, wrapBridge } = options;
    const certificate = createCertificate();
    const machine = createBridge({ ...bridge, rng: createRng(seed, 'bridge'), choices });
    this.#options = options;
    this.#quiche = quiche;
    this.#authorityPem = certificate.certificatePem;
    this.#clock = new RunClock(options.speed ?? 1);
    this.#link = new LiveLink(link, createRng(seed, 'link'), this.#clock);
    this.#ledger = new Ledger(sink, options.onDelivery);
    this.#bridgeMachine = wrapBridge?.(machine) ?? machine;
    this.#maxEvents = options.maxEvents ?? EVENTS_MAX_DEFAULT;
    this.#stimuli = options.stimuli[Symbol.iterator]();
    this.#feeder = new WakeUp(this.#clock, () => this.#guard(() => this.#feedStimuli()));
    this.#ender = new WakeUp(this.#clock, () => this.#checkDuration());
    this.#broker = new BrokerSide({
      machine: createBroker({ ...broker, rng: createRng(seed, 'broker') }),
      settings: broker.settings,
      quiche,
      certificate,
      clock: this.#clock,
      link: this.#link,
      ledger: this.#ledger,
      run: this.#control,
      accepts: (port) => this.#bridge?.ownsPort(port) ?? false,
      whileStopped: link?.brokerDown ?? 'silent',
    });
  }

  async run(): Promise<SimSummary> {
    const brokerPort = await this.#broker.open();
    this.#options.signal?.throwIfAborted();
    const outcome = new Promise<SimSummary['stoppedBy']>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#start(brokerPort);
    const stoppedBy = await outcome;
    return this.#summary(stoppedBy);
  }

  #start(brokerPort: number): void {
    const { signal, onProgress, durationUs, bridge } = this.#options;
    const bridgeSide = new BridgeSide({
      machine: this.#bridgeMachine,
      settings: bridge.settings,
      quiche: this.#quiche,
      authorityPem: this.#authorityPem,
      brokerPort,
      clock: this.#clock,
      link: this.#link,
      ledger: this.#ledger,
      run: this.#control,
    });
    this.#bridge = bridgeSide;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (onProgress) {
      this.#progress = setInterval(
        () => this.#guard(() => onProgress({ at: this.#clock.now(), durationUs })),
        PROGRESS_MS,
      );
    }
    this.#clock.restart();
    this.#ender.set(durationUs);
    this.#broker.feed({ kind: 'start' });
    bridgeSide.feed({ kind: 'start' });
    this.#guard(() => this.#feedStimuli());
  }

  /** No socket, timer or listener is left. */
  close(): void {
    this.#over = true;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    if (this.#progress) clearInterval(this.#progress);
    this.#feeder.cancel();
    this.#ender.cancel();
    this.#bridge?.stop();
    this.#broker.stop();
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
        this.#bridge?.feed({ kind: 'offer', message: stimulus.message });
        break;
      case 'downlink':
        checkMessage(stimulus.message.size);
        this.#ledger.down.offered(stimulus.message);
        this.#broker.feed({ kind: 'downlink', message: stimulus.message });
        break;
      case 'network':
        this.#link.change(stimulus);
        break;
      case 'broker-stop':
        this.#broker.stopProduct();
        break;
      case 'broker-start':
        this.#broker.startProduct();
        break;
      case 'rival-connect':
      case 'kick':
        this.#broker.feed({ kind: stimulus.kind });
        break;
      case 'refuse':
        this.#broker.feed({ kind: 'refuse', reasonCode: stimulus.reasonCode });
        break;
      default:
        throw new LiveError('unsupported-stimulus', `A live run cannot do '${stimulus.kind}'.`, {
          hint: 'The simulator (--mode sim) can.',
        });
    }
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

function checkMessage(size: number): void {
  if (size <= MESSAGE_BYTES_MAX) return;
  throw new LiveError('message-too-large', `A live run cannot carry a message of ${size} bytes.`, {
    hint: `At most ${MESSAGE_BYTES_MAX} bytes; the simulator (--mode sim) has no such limit.`,
    details: { size, maximum: MESSAGE_BYTES_MAX },
  });
}
