/**
 * Stalls and losses of a run, watched while it goes (cycles come from the same view as for an incident).
 *
 * A stall: messages of a direction and QoS are offered and none is delivered for longer than 3 × the incident's keepalive plus the
 * time a reconnect may take, not counting time in which the link or the broker was down by the cassette. A loss: share of messages
 * offered while the bridge was connected and the link up that never arrived.
 */
import type { Message, Micros, Qos } from '../engine/index.ts';

export interface StallRule {
  readonly stallUs: number;
}

export interface FlowSummary {
  readonly direction: 'up' | 'down';
  readonly qos: Qos;
  readonly offered: number;
  readonly delivered: number;
  readonly stalled: boolean;
  /** Offered while connected over a working link, and share of those that never arrived. */
  readonly offeredConnected: number;
  readonly lostConnectedShare: number;
}

interface Flow {
  offered: number;
  delivered: number;
  waitingSince: Micros | null; // first offer after the last delivery, or when the link came back
  stalled: boolean;
  connected: Set<number>; // seqs offered while connected and not yet delivered, oldest first
  lost: number; // those given up as too old to follow
  offeredConnected: number;
}

/** Undelivered messages whose fate is followed; beyond it the oldest count as lost, which they are by then. */
const MAX_FOLLOWED = 200_000;

export class SymptomWatch {
  private readonly rule: StallRule;
  private readonly flows = new Map<string, Flow>();
  private isReachable = true;
  private connected = false;

  constructor(rule: StallRule) {
    this.rule = rule;
  }

  /** Whether the surroundings let a message arrive from here on. */
  reachable(at: Micros, yes: boolean): void {
    this.isReachable = yes;
    for (const flow of this.flows.values()) if (flow.waitingSince !== null) flow.waitingSince = at;
  }

  bridge(connected: boolean): void {
    this.connected = connected;
  }

  offered(at: Micros, direction: 'up' | 'down', message: Message): void {
    const flow = this.flow(direction, message.qos);
    flow.offered += 1;
    if (!this.isReachable) return;
    flow.waitingSince ??= at;
    if (at - flow.waitingSince > this.rule.stallUs) flow.stalled = true;
    if (!this.connected) return;
    flow.offeredConnected += 1;
    flow.connected.add(message.seq);
    if (flow.connected.size <= MAX_FOLLOWED) return;
    for (const oldest of flow.connected) {
      flow.connected.delete(oldest);
      flow.lost += 1;
      break;
    }
  }

  delivered(direction: 'up' | 'down', message: Message): void {
    const flow = this.flow(direction, message.qos);
    flow.delivered += 1;
    flow.waitingSince = null;
    flow.connected.delete(message.seq);
  }

  /** `held`: messages still on their way at the end are not lost. */
  summary(held: { readonly up: number; readonly down: number }): FlowSummary[] {
    return [...this.flows].map(([key, flow]) => {
      const [direction, qos] = key.split(' ');
      const lost = flow.lost + Math.max(0, flow.connected.size - held[direction as 'up' | 'down']);
      return {
        direction: direction as 'up' | 'down',
        qos: Number(qos) as Qos,
        offered: flow.offered,
        delivered: flow.delivered,
        stalled: flow.stalled,
        offeredConnected: flow.offeredConnected,
        lostConnectedShare: flow.offeredConnected === 0 ? 0 : lost / flow.offeredConnected,
      };
    });
  }

  private flow(direction: 'up' | 'down', qos: Qos): Flow {
    const key = `${direction} ${qos}`;
    const known = this.flows.get(key);
    if (known) return known;
    const flow: Flow = {
      offered: 0,
      delivered: 0,
      waitingSince: null,
      stalled: false,
      connected: new Set(),
      lost: 0,
      offeredConnected: 0,
    };
    this.flows.set(key, flow);
    return flow;
  }
}
