/** What the machines carry on real sockets, and what held connections cost. */

import { markdownTable, median } from '../measure.ts';
import type { BridgeAnswer } from './bridge.ts';
import type { BrokerState } from './broker.ts';
import type { HolderAnswer } from './holder.ts';
import { startEnd } from './processes.ts';
import { quantile } from './transports.ts';

const TRANSPORTS = ['tcp', 'quic'] as const;
const PER_SECOND = 2_000;
const PAYLOAD_BYTES = 100;
const HELD = 1_000;
const MB = 1e6;

/** Bridge machine to broker machine, QoS 1; one run a transport, as long as it says. */
export async function throughMachines(_rounds: number, seconds: number): Promise<string> {
  const rows: string[][] = [];
  for (const transport of TRANSPORTS) {
    const broker = startEnd('broker');
    const bridge = startEnd('bridge');
    try {
      const { quicPort, tcpPort, certificatePem } = await broker.ask<BrokerState>('open');
      const port = transport === 'quic' ? quicPort : tcpPort;
      const load = { perSecond: PER_SECOND, seconds, payloadBytes: PAYLOAD_BYTES };
      const told = await bridge.ask<BridgeAnswer>({ transport, port, certificatePem, ...load });
      const { delivered, duplicates } = await broker.ask<BrokerState>('state');
      rows.push([
        transport.toUpperCase(),
        told.offered.toLocaleString('en'),
        delivered.toLocaleString('en'),
        (told.offered - delivered).toLocaleString('en'),
        duplicates.toLocaleString('en'),
        Math.round(told.acked / told.seconds).toLocaleString('en'),
        quantile(told.roundTripsMs, 0.5).toFixed(2),
        quantile(told.roundTripsMs, 0.99).toFixed(2),
      ]);
      for (const [reason, count] of Object.entries(told.lost))
        process.stderr.write(`${transport}: ${count} ${reason}\n`);
    } finally {
      await Promise.all([bridge.stop(), broker.stop()]);
    }
  }
  const head = ['through both machines', 'offered', 'arrived', 'missing', 'twice', 'acked /s', 'p50 ms', 'p99 ms'];
  return markdownTable(head, rows);
}

/** Resident memory of the broker's process, before and with all connections. */
export async function heldConnections(rounds: number): Promise<string> {
  const rows: string[][] = [];
  for (const transport of TRANSPORTS) {
    const before: number[] = [];
    const after: number[] = [];
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const broker = startEnd('broker');
      const holder = startEnd('holder');
      try {
        const { quicPort, tcpPort, certificatePem, rssBytes } = await broker.ask<BrokerState>('open');
        const port = transport === 'quic' ? quicPort : tcpPort;
        const held = await holder.ask<HolderAnswer>({ transport, port, certificatePem, clients: HELD });
        before.push(rssBytes / MB);
        after.push((await broker.ask<BrokerState>('state')).rssBytes / MB);
        seconds.push(held.seconds);
      } finally {
        await Promise.all([holder.stop(), broker.stop()]);
      }
    }
    rows.push([
      transport.toUpperCase(),
      median(before).toFixed(0),
      median(after).toFixed(0),
      median(seconds).toFixed(1),
    ]);
  }
  return markdownTable([`${HELD.toLocaleString('en')} connections`, 'MB before', 'MB with them', 'made in s'], rows);
}
