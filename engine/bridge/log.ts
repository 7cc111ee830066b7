/** Log outputs of the bridge. Pointers are made up: one a socket, connection, stream or message, stable within a run. */

import type { Fields, Message, Severity } from '../types.ts';
import type { BridgeLossReason } from './io.ts';
import type { Bridge } from './state.ts';

export const SOCKET_POINTER = '0x7f0000001000';
export const NNG_ECLOSED = 7;
export const NNG_EBUSY = 4;
export const NNG_ECANCELED = 20;
export const NNG_ECONNABORTED = 18;
/** What a downlink context's receive ends with when the pipe closes (nanomq-bridge-model §5). */
export const NNG_ECONNSHUT = 31;

export function log(bridge: Bridge, severity: Severity, event: string, fields: Fields | null = null): void {
  bridge.out.push({ kind: 'log', severity, event, fields });
}

export function lost(
  bridge: Bridge,
  message: Message,
  reason: BridgeLossReason,
  direction: 'up' | 'down' = 'up',
): void {
  bridge.out.push({ kind: 'lost', direction, message, reason });
}

export function connectionPointer(bridge: Bridge): string {
  return pointer(0x5500_0000_0000, bridge.connections);
}

export function streamPointer(bridge: Bridge, stream: number): string {
  return pointer(0x7f10_0000_0000, bridge.connections * 8 + stream);
}

export function messagePointer(sequence: number): string {
  return pointer(0x7f20_0000_0000, sequence);
}

export function address(bridge: Bridge): string {
  const { settings } = bridge;
  if (settings.address !== undefined) return settings.address;
  return settings.transport === 'quic' ? 'mqtt-quic://broker:14567' : 'mqtt-tcp://broker:1883';
}

function pointer(base: number, index: number): string {
  return `0x${(base + index * 0x100).toString(16)}`;
}
