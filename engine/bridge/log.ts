/** Log outputs of the bridge. Pointers are made up: one a socket, connection, stream or message, stable within a run. */

import { SEVERITY_RANK } from '../severity.ts';
import type { Fields, Message, Severity } from '../types.ts';
import type { BridgeLossReason } from './io.ts';
import type { Bridge } from './state.ts';

export const SOCKET_POINTER = '0x7f0000001000';
export const NO_POINTER = '(nil)';
export const NNG_EBUSY = 4;
export const NNG_ECLOSED = 7;
export const NNG_ECONNABORTED = 18;
export const NNG_ECANCELED = 20;
/** What a downlink context's receive ends with when the pipe closes (nanomq-bridge-model §5). */
export const NNG_ECONNSHUT = 31;
const STREAMS = 5;
const STREAM_SLOTS = 8;
/** Connections of one bridge before the made-up pointers of two bridges could meet. */
const CONNECTIONS_APART = 1_000_000;

export function log(bridge: Bridge, severity: Severity, event: string, fields: Fields | null = null): void {
  if (SEVERITY_RANK[severity] < bridge.logRank) return;
  bridge.out.push({ kind: 'log', severity, event, fields });
}

/** Ask before putting the fields of a debug line together. */
export function logsDebug(bridge: Bridge): boolean {
  return bridge.logRank <= SEVERITY_RANK.debug;
}

export function lost(
  bridge: Bridge,
  message: Message,
  reason: BridgeLossReason,
  direction: 'up' | 'down' = 'up',
): void {
  bridge.out.push({ kind: 'lost', direction, message, reason });
}

/** The bridges of a process share the address space. */
function connectionNumber(bridge: Bridge): number {
  return bridge.index * CONNECTIONS_APART + bridge.connections;
}

export function connectionPointer(bridge: Bridge): string {
  return pointer(0x5500_0000_0000, connectionNumber(bridge));
}

export function streamPointer(bridge: Bridge, stream: number): string {
  if (bridge.streamPointersOf !== bridge.connections) nameStreams(bridge);
  return bridge.streamPointers[stream]!;
}

/** Once a connection: every write has such a pointer in its line. */
function nameStreams(bridge: Bridge): void {
  bridge.streamPointersOf = bridge.connections;
  bridge.streamPointers.length = 0;
  for (let stream = 0; stream < STREAMS; stream++) {
    bridge.streamPointers.push(pointer(0x7f10_0000_0000, connectionNumber(bridge) * STREAM_SLOTS + stream));
  }
}

export function messagePointer(sequence: number): string {
  return pointer(0x7f20_0000_0000, sequence);
}

export function aioPointer(bridge: Bridge, stream: number): string {
  return pointer(0x7f30_0000_0000, connectionNumber(bridge) * STREAM_SLOTS + stream);
}

export function address(bridge: Bridge): string {
  const { settings } = bridge;
  if (settings.address !== undefined) return settings.address;
  return settings.transport === 'quic' ? 'mqtt-quic://broker:14567' : 'mqtt-tcp://broker:1883';
}

/** `host:port` of the address. */
export function hostPort(bridge: Bridge): string {
  return address(bridge).replace(/^[^/]*\/\//, '');
}

/**
 * A number from 0 to 99 that decides only how many lines of a kind are written. Not from the machine's Rng: a line more must not
 * change what happens.
 */
export function linePercent(bridge: Bridge): number {
  return lineNoise(bridge) % 100;
}

/** The same from 0 to 999. */
export function linePermille(bridge: Bridge): number {
  return lineNoise(bridge) % 1000;
}

function lineNoise(bridge: Bridge): number {
  bridge.lineNoise = (Math.imul(bridge.lineNoise, 1_664_525) + 1_013_904_223) | 0;
  return bridge.lineNoise >>> 8;
}

function pointer(base: number, index: number): string {
  return `0x${(base + index * 0x100).toString(16)}`;
}
