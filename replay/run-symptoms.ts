/** What a run shows that is wrong, as stable words. */
import type { RunResult } from './run.ts';

/** A cycle is two disconnects of one kind that nothing from outside provoked. */
const MIN_CYCLES = 2;
/** From this share of messages lost over a working connection on, the loss is a symptom of its own. */
const LOSS_SHARE = 0.25;
/** Fewer offered messages than this say nothing about a share. */
const LOSS_MIN_OFFERED = 20;

/** What of a run is judged. */
export type Symptomatic = Pick<RunResult, 'unprovoked' | 'flows'>;

/** `cycle`, `stall up qos 0`, `loss up qos 0`. */
export function symptoms(result: Symptomatic): string[] {
  return [
    ...(result.unprovoked >= MIN_CYCLES ? ['cycle'] : []),
    ...result.flows.filter((flow) => flow.stalled).map((flow) => `stall ${flow.direction} qos ${flow.qos}`),
    ...result.flows
      .filter((flow) => flow.offeredConnected >= LOSS_MIN_OFFERED && flow.lostConnectedShare >= LOSS_SHARE)
      .map((flow) => `loss ${flow.direction} qos ${flow.qos}`),
  ];
}

export function lostMessages(result: Symptomatic): number {
  return result.flows.reduce((sum, flow) => sum + flow.offered - flow.delivered, 0);
}
