/** QUIC beside TCP, without machines: the same MQTT packets, the same encoder and decoder, in the same minute. */

import { markdownTable, median } from '../measure.ts';
import { startEnd } from './processes.ts';
import type { ReceiverAnswer } from './receiver.ts';
import type { SenderAnswer, SenderQuestion } from './sender.ts';

type Transport = 'tcp' | 'quic';

interface Load {
  readonly payloadBytes: number;
  readonly qos: 0 | 1;
  readonly messages: number;
}

/** A second or two each. */
const LOADS: readonly Load[] = [
  { payloadBytes: 100, qos: 0, messages: 200_000 },
  { payloadBytes: 100, qos: 1, messages: 100_000 },
  { payloadBytes: 1_000, qos: 0, messages: 60_000 },
  { payloadBytes: 1_000, qos: 1, messages: 40_000 },
];
const WINDOW = 1_000;
const ROUND_TRIPS = 5_000;

async function runOnce(
  transport: Transport,
  question: Omit<SenderQuestion, 'transport' | 'port' | 'certificatePem'>,
): Promise<SenderAnswer> {
  const receiver = startEnd('receiver');
  const sender = startEnd('sender');
  try {
    const where = await receiver.ask<ReceiverAnswer>({ transport });
    return await sender.ask<SenderAnswer>({ transport, ...where, ...question });
  } finally {
    await Promise.all([sender.stop(), receiver.stop()]);
  }
}

/** Messages a second; the ratio is the median of those of the rounds, in which the two follow each other. */
export async function compareTransports(rounds: number): Promise<string> {
  const rows: string[][] = [];
  for (const load of LOADS) {
    const rates: Record<Transport, number[]> = { tcp: [], quic: [] };
    for (let round = 0; round < rounds; round++) {
      for (const transport of ['tcp', 'quic'] as const) {
        const { seconds } = await runOnce(transport, { ...load, window: WINDOW, timed: false });
        rates[transport].push(load.messages / seconds);
      }
    }
    const ratio = median(rates.quic.map((rate, round) => rate / rates.tcp[round]!));
    rows.push([
      `${load.payloadBytes} B, QoS ${load.qos}`,
      perSecond(median(rates.tcp)),
      perSecond(median(rates.quic)),
      `${perSecond(Math.min(...rates.quic))} to ${perSecond(Math.max(...rates.quic))}`,
      ratio.toFixed(2),
    ]);
  }
  return markdownTable(['transport alone', 'TCP /s', 'QUIC /s', 'QUIC, least to most', 'QUIC : TCP'], rows);
}

/** One QoS 1 message at a time. */
export async function compareRoundTrips(rounds: number): Promise<string> {
  const load = { payloadBytes: 100, qos: 1, messages: ROUND_TRIPS, window: 1, timed: true } as const;
  const rows: string[][] = [];
  for (const transport of ['tcp', 'quic'] as const) {
    const p50: number[] = [];
    const p99: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { roundTripsMs } = await runOnce(transport, load);
      p50.push(quantile(roundTripsMs, 0.5));
      p99.push(quantile(roundTripsMs, 0.99));
    }
    rows.push([transport.toUpperCase(), median(p50).toFixed(2), median(p99).toFixed(2)]);
  }
  return markdownTable(['QoS 1, one at a time', 'p50 ms', 'p99 ms'], rows);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function perSecond(rate: number): string {
  return Math.round(rate).toLocaleString('en');
}
