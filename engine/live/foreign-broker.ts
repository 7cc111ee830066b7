/**
 * A broker that is not ours. A companion client publishes the downlink and counts what arrives of the uplink. What would hurt the
 * broker or its other clients is refused before anything is sent.
 */

import { publishSize } from '../packet-size.ts';
import type { BridgeSettings, Stimulus } from '../types.ts';
import { addressText, type BrokerAddress } from './address.ts';
import type { Dialler } from './dialler.ts';
import { LiveError } from './errors.ts';
import type { Identity } from './identity.ts';
import type { BrokerFacts, BrokerStimulus, LiveBroker } from './live-broker.ts';
import { PlainClient } from './plain-client.ts';

export interface ForeignBrokerOptions {
  readonly address: BrokerAddress;
  readonly dial: Dialler;
  readonly bridge: BridgeSettings;
  readonly identity: Identity;
  /** What the run will do, all of it: looked at before the run. */
  readonly plan: Iterable<Stimulus>;
  readonly onFacts: (facts: BrokerFacts) => void;
  /** An uplink message arrived at the broker. */
  readonly onUplink: (seq: number) => void;
  /** The companion lost its connection: the run cannot be judged any more. */
  readonly failed: (error: LiveError) => void;
}

/** Versions come as retained messages; a broker that tells none is not waited for longer. */
const VERSION_WAIT_MS = 500;
const VERSION_TOPICS = ['$SYS/broker/version', '$SYS/brokers/+/version'];
const FIRST_FAILURE = 0x80;
/** Topics of the uplink that are watched one by one. */
const TOPICS_MAX = 1_000;
const COMPANION_KEEPALIVE_S = 30;
/** What a foreign broker must not suffer. */
const NEEDS_OUR_OWN: ReadonlySet<string> = new Set([
  'broker-stop',
  'broker-kill',
  'broker-start',
  'broker-pause',
  'broker-resume',
  'kick',
  'refuse',
]);

interface Plan {
  readonly uplinkTopics: ReadonlySet<string>;
  readonly largest: number; // bytes of the longest PUBLISH
}

export class ForeignBroker implements LiveBroker {
  readonly #options: ForeignBrokerOptions;
  readonly #plan: Plan;
  readonly #companion: PlainClient;
  readonly #rivals: PlainClient[] = [];
  /** Downlink messages that come back to the companion because it watches their topic. */
  readonly #echoes = new Set<string>();
  #version: string | null = null;

  constructor(options: ForeignBrokerOptions) {
    this.#options = options;
    this.#plan = readPlan(options);
    this.#companion = this.#client('companion', (why) =>
      options.failed(
        new LiveError('broker-unreachable', `The broker ended the connection that watches the run: ${why}.`, {
          hint: 'What was recorded until then is kept.',
          details: { reason: why },
        }),
      ),
    );
  }

  #client(role: string, onEnded?: (why: string) => void): PlainClient {
    const { dial, bridge, identity } = this.#options;
    return new PlainClient({
      dial,
      protocol: bridge.protocol,
      clientId: role === 'rival' ? identity.clientId(bridge.clientId) : `${identity.clientId(bridge.clientId)}-${role}`,
      username: identity.username,
      password: identity.password,
      keepaliveS: COMPANION_KEEPALIVE_S,
      onMessage: (packet) => this.#onMessage(packet.topic, packet.seq, packet.content?.payload),
      onEnded,
    });
  }

  /** Pre-flight. @throws LiveError `broker-unreachable`, `broker-refused`, `broker-unsuitable` */
  async open(): Promise<BrokerAddress> {
    const { address, identity, onFacts } = this.#options;
    const connack = await this.#companion.connect();
    await this.#companion.subscribe(VERSION_TOPICS, 0).catch(() => []);
    await new Promise((resolve) => setTimeout(resolve, VERSION_WAIT_MS));
    const facts: BrokerFacts = {
      address,
      version: this.#version,
      serverKeepaliveS: connack.serverKeepaliveS,
      maximumPacketSize: connack.maximumPacketSize,
      receiveMaximum: connack.receiveMaximum ?? null,
    };
    onFacts(facts);
    this.#checkFit(facts);
    const filters = identity.topicPrefix === '' ? [...this.#plan.uplinkTopics] : [`${identity.topicPrefix}#`];
    for (let first = 0; first < filters.length; first += 100) {
      const codes = await this.#companion.subscribe(filters.slice(first, first + 100), 1);
      const refused = codes.findIndex((code) => code >= FIRST_FAILURE);
      if (refused >= 0) throw unsuitable(address, `it does not let us subscribe to ${filters[first + refused]}`);
    }
    return address;
  }

  #checkFit({ address, maximumPacketSize }: BrokerFacts): void {
    const { largest } = this.#plan;
    if (maximumPacketSize !== null && largest > maximumPacketSize) {
      throw unsuitable(address, `it takes packets of ${maximumPacketSize} bytes, the cassette has one of ${largest}`);
    }
  }

  #onMessage(topic: string, seq: number, payload: Uint8Array | undefined): void {
    if (topic.startsWith('$SYS/')) {
      this.#version ??= payload ? Buffer.from(payload).toString('utf8') : 'told';
      return;
    }
    const { identity, onUplink } = this.#options;
    if (!topic.startsWith(identity.topicPrefix) || seq < 0) return;
    const name = topic.slice(identity.topicPrefix.length);
    if (this.#echoes.delete(`${seq} ${name}`)) return;
    onUplink(seq);
  }

  start(): void {}

  apply(stimulus: BrokerStimulus): void {
    const { identity } = this.#options;
    switch (stimulus.kind) {
      case 'downlink': {
        const { topic, seq } = stimulus.message;
        if (identity.topicPrefix !== '' || this.#plan.uplinkTopics.has(topic)) this.#echoes.add(`${seq} ${topic}`);
        this.#companion.publish({ ...stimulus.message, topic: identity.topicPrefix + topic });
        return;
      }
      case 'rival-connect': {
        const rival = this.#client('rival');
        this.#rivals.push(rival);
        // Whether it gets in or not, the bridge's connection is what is looked at.
        rival.connect().catch(() => {});
        return;
      }
      default:
        throw needsOurOwn(stimulus.kind);
    }
  }

  stop(): void {
    for (const client of [this.#companion, ...this.#rivals]) {
      client.close();
      setTimeout(() => client.destroy(), 100);
    }
  }
}

function readPlan({ plan, bridge, address }: ForeignBrokerOptions): Plan {
  const uplinkTopics = new Set<string>();
  let largest = 0;
  for (const stimulus of plan) {
    if (NEEDS_OUR_OWN.has(stimulus.kind)) throw needsOurOwn(stimulus.kind);
    if (stimulus.kind !== 'publish' && stimulus.kind !== 'downlink') continue;
    const { topic, qos, size } = stimulus.message;
    largest = Math.max(largest, publishSize(topic, qos, size, bridge.protocol));
    if (stimulus.kind === 'publish') uplinkTopics.add(topic);
    if (uplinkTopics.size > TOPICS_MAX) throw unsuitable(address, `the cassette has more than ${TOPICS_MAX} topics`);
  }
  return { uplinkTopics, largest };
}

function needsOurOwn(kind: string): LiveError {
  return new LiveError(
    'unsupported-stimulus',
    `The cassette does '${kind}' to the broker, and this broker is not ours.`,
    {
      hint: 'Leave out --broker: the embedded broker, or the simulator, can do that.',
      details: { stimulus: kind },
    },
  );
}

function unsuitable(address: BrokerAddress, why: string): LiveError {
  return new LiveError('broker-unsuitable', `The broker ${addressText(address)} does not fit: ${why}.`, {
    details: { ...address },
  });
}
