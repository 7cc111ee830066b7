/** Runs a random incident and holds it to what every trace must keep. */
import { checkedBridge, checkTrace, type SimRecord, type SimSummary, simulate } from '../../engine/index.ts';
import type { RandomCase } from './random-case.ts';

/** A packet that counts was logged by the bridge up to so much before it reached the broker. */
const TRAVEL_US = 1_000_000;

/** @throws TraceCheckError, or an Error if the run never ended */
export function checkCase({ options, freezes }: RandomCase): SimSummary {
  const { settings } = options.bridge;
  const records: SimRecord[] = [];
  const summary = simulate(
    {
      ...options,
      wrapBridge: (machine) => checkedBridge(machine, settings.transport === 'quic' && settings.quicQosPriority),
    },
    (record) => records.push(record),
  );
  if (summary.stoppedBy !== 'duration') throw new Error(`ended by ${summary.stoppedBy} at ${summary.endedAt} µs`);
  const { profile, settings: brokerSettings } = options.broker;
  checkTrace(records, summary, {
    // A frozen process looks at its clock when it goes on.
    keepalive: freezes
      ? undefined
      : { transport: settings.transport, profile, settings: brokerSettings, late: TRAVEL_US },
    qos2Uplink: true,
  });
  return summary;
}
