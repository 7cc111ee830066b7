/** Wraps a bridge machine and checks what only its inputs and outputs show. */

import type { BridgeInput, BridgeMachine, BridgeOutput, WriteToken } from '../bridge/io.ts';
import type { Micros, Packet } from '../types.ts';
import { TraceCheckError } from './trace.ts';

const OUTPUTS_PER_CALL_MAX = 100_000;

/**
 * @param priority with `quic_qos_priority` QoS > 0 and SUBSCRIBE bypass the busy slot and are not counted.
 * @returns a machine that throws {@link TraceCheckError} when two ordinary sends are in flight, a packet id is in use twice,
 *   outputs of one call run away, or a deadline lies in the past for ever.
 */
export function checkedBridge(machine: BridgeMachine, priority: boolean): BridgeMachine {
  const ordinary = new Set<WriteToken>();
  const idsInUse = new Map<number, number>();

  function onWrite(now: Micros, token: WriteToken, packet: Packet, stream: number): void {
    if (isOrdinary(packet, stream, priority)) {
      ordinary.add(token);
      if (ordinary.size > 1) throw new TraceCheckError('one-ordinary-send', now, `${ordinary.size} in flight`);
    }
    if (packet.type !== 'publish' || packet.packetId === null) return;
    const seq = idsInUse.get(packet.packetId);
    if (seq !== undefined && seq !== packet.seq && isUnacked(machine, seq)) {
      throw new TraceCheckError('packet-id-unique', now, `id ${packet.packetId} of message ${seq} reused`);
    }
    idsInUse.set(packet.packetId, packet.seq);
  }

  function onOutput(now: Micros, output: BridgeOutput): void {
    if (output.kind === 'write') onWrite(now, output.token, output.packet, output.stream);
    if (output.kind === 'dial' || output.kind === 'close') ordinary.clear();
  }

  return {
    ...machine,
    handle(now: Micros, input: BridgeInput): readonly BridgeOutput[] {
      if (input.kind === 'sent') ordinary.delete(input.token);
      if (input.kind === 'closed') ordinary.clear();
      const { kind } = input;
      const outputs = machine.handle(now, input);
      if (outputs.length > OUTPUTS_PER_CALL_MAX) throw new TraceCheckError('bounded-outputs', now, kind);
      for (const output of outputs) onOutput(now, output);
      releaseIds(machine, idsInUse);
      return outputs;
    },
  };
}

/** A conflict is sound if the machine gave up the older message for it. */
function isUnacked(machine: BridgeMachine, seq: number): boolean {
  return machine.held().unacked.some((message) => message.seq === seq);
}

/** An id is free once its message is no longer among the unacknowledged. */
function releaseIds(machine: BridgeMachine, idsInUse: Map<number, number>): void {
  if (idsInUse.size === 0) return;
  const unacked = new Set(machine.held().unacked.map((message) => message.seq));
  for (const [packetId, seq] of idsInUse) if (!unacked.has(seq)) idsInUse.delete(packetId);
}

function isOrdinary(packet: Packet, stream: number, priority: boolean): boolean {
  if (packet.type === 'pingreq') return true;
  if (packet.type !== 'publish' && packet.type !== 'subscribe') return false;
  const bypasses = priority && stream === 0 && (packet.type === 'subscribe' || packet.qos > 0);
  return !bypasses;
}
