/** The bridge machine on a real connection: so many QoS 1 messages a second for so long. */

import { createBridge } from '../../engine/bridge/machine.ts';
import { BridgeSide, bridgeTimeouts } from '../../engine/live/bridge-side.ts';
import { RunClock } from '../../engine/live/clock.ts';
import { createDialler } from '../../engine/live/dialler.ts';
import { logOnly } from '../../engine/live/journal.ts';
import { loadQuiche } from '../../engine/live/quic-library.ts';
import { trusting } from '../../engine/live/tls-options.ts';
import { bridgeDefaults, bridgeProfile } from '../../engine/profiles/nanomq.ts';
import { createRng } from '../../engine/rng.ts';
import type { BridgeSettings, Packet } from '../../engine/types.ts';
import { answerWith, fail } from './processes.ts';

export interface BridgeQuestion {
  readonly transport: 'quic' | 'tcp';
  readonly port: number;
  readonly certificatePem: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly payloadBytes: number;
}

export interface BridgeAnswer {
  readonly offered: number;
  /** Offered until the last PUBACK. */
  readonly seconds: number;
  readonly acked: number;
  /** By the machine's reason. */
  readonly lost: Readonly<Record<string, number>>;
  /** PUBLISH handed to the transport until its PUBACK came, of every message. */
  readonly roundTripsMs: readonly number[];
}

const RELEASE = '0.23.10';
const TICK_MS = 5;
/** After the last message. */
const DRAIN_MS = 5_000;

answerWith<BridgeQuestion>(run);

async function run(question: BridgeQuestion): Promise<BridgeAnswer> {
  const { transport, port, certificatePem } = question;
  const clock = new RunClock(1);
  const settings: BridgeSettings = {
    ...bridgeDefaults(RELEASE, transport),
    clientId: 'bench-bridge',
    parallel: 64,
    maxSendQueueLen: 2_048,
    keepaliveS: 60,
  };
  const sentAtMs = new Map<number, number>();
  const roundTripsMs: number[] = [];
  const lost: Record<string, number> = {};
  let connected = false;
  const bridge = new BridgeSide({
    machine: createBridge({
      profile: bridgeProfile(RELEASE, transport).profile,
      settings,
      rng: createRng(1, 'bridge'),
    }),
    settings,
    dial: createDialler({
      transport,
      server: { host: '127.0.0.1', port },
      tls: trusting(certificatePem),
      timeouts: bridgeTimeouts(settings, clock),
      quiche: transport === 'quic' ? await loadQuiche() : null,
      crashed: fail,
    }),
    clock,
    journal: logOnly(
      () => {},
      undefined,
      (_direction, _message, reason) => {
        lost[reason] = (lost[reason] ?? 0) + 1;
      },
    ),
    run: { mayHandle: () => true, overflow: () => fail(new Error('overloaded')), crashed: fail },
    outgoing: (packet) => {
      if (packet.type === 'publish') sentAtMs.set(packet.packetId!, performance.now());
      return packet;
    },
    incoming: (packet) => {
      if (packet.type === 'connack') connected = packet.reasonCode === 0;
      noteAck(packet);
      return packet;
    },
  });
  function noteAck(packet: Packet): void {
    const at = packet.type === 'puback' ? sentAtMs.get(packet.packetId) : undefined;
    if (at === undefined || packet.type !== 'puback') return;
    sentAtMs.delete(packet.packetId);
    roundTripsMs.push(performance.now() - at);
  }
  bridge.feed({ kind: 'start' });
  while (!connected) await sleep(TICK_MS);
  const startedAtMs = performance.now();
  const { offered } = await offerAll(bridge, question);
  const drainUntilMs = performance.now() + DRAIN_MS;
  while (roundTripsMs.length < offered && performance.now() < drainUntilMs) await sleep(TICK_MS);
  const seconds = (performance.now() - startedAtMs) / 1000;
  bridge.stop();
  return { offered, seconds, acked: roundTripsMs.length, lost, roundTripsMs };
}

/** What was due while the process had no processor comes in one go, as it would from clients that waited. */
function offerAll(
  bridge: BridgeSide,
  { perSecond, seconds, payloadBytes }: BridgeQuestion,
): Promise<{ offered: number }> {
  const total = perSecond * seconds;
  const startedAtMs = performance.now();
  let offered = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - startedAtMs) / 1000) * perSecond));
      for (; offered < due; offered++) {
        const message = { seq: offered, topic: 'bench/machines', qos: 1 as const, size: payloadBytes };
        bridge.feed({ kind: 'offer', message });
      }
      if (offered < total) return;
      clearInterval(timer);
      resolve({ offered });
    }, TICK_MS);
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
