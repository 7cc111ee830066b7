/** Where a broker is: `mqtt-quic://host:port` and its kin, as nanomq.conf writes it. */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { LiveError } from './errors.ts';

/** An end of a socket; `host` is an IP address once it was resolved. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export type TransportKind = 'quic' | 'tcp' | 'tls';

export interface BrokerAddress extends Address {
  readonly transport: TransportKind;
}

export const LOOPBACK = '127.0.0.1';
const PORT_MAX = 65_535;

const SCHEMES: Readonly<Record<string, { readonly transport: TransportKind; readonly port: number }>> = {
  'mqtt-quic': { transport: 'quic', port: 14_567 },
  'mqtt-tcp': { transport: 'tcp', port: 1_883 },
  mqtt: { transport: 'tcp', port: 1_883 },
  'mqtt-tls': { transport: 'tls', port: 8_883 },
  'tls+mqtt-tcp': { transport: 'tls', port: 8_883 },
  mqtts: { transport: 'tls', port: 8_883 },
};

/** @throws LiveError `bad-broker-url` */
export function parseBrokerUrl(text: string): BrokerAddress {
  const match = /^([a-z+-]+):\/\/(\[[0-9a-f:.]+\]|[^:/?#@\s]+)(?::(\d{1,5}))?\/?$/i.exec(text.trim());
  const scheme = SCHEMES[match?.[1]?.toLowerCase() ?? ''];
  const port = match?.[3] === undefined ? scheme?.port : Number(match[3]);
  if (!match || !scheme || port === undefined || port < 1 || port > PORT_MAX) {
    throw new LiveError('bad-broker-url', `${text} is not the address of a broker.`, {
      hint: 'Write mqtt-quic://host:port, mqtt-tcp://host:port or mqtt-tls://host:port.',
      details: { url: text },
    });
  }
  return { transport: scheme.transport, host: match[2]!.replace(/^\[|\]$/g, ''), port };
}

/** `host:port`, with brackets around an IPv6 address. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** The IP address of a host, IPv4 first. @throws LiveError `broker-unreachable` if the name is unknown */
export async function resolveHost({ host, port }: Address): Promise<Address> {
  if (isIP(host) !== 0) return { host, port };
  try {
    const found = await lookup(host, { verbatim: false });
    return { host: found.address, port };
  } catch (error) {
    throw new LiveError('broker-unreachable', `${host}: the host name is unknown.`, {
      hint: 'Check the address of the broker.',
      details: { host, reason: 'name-unknown' },
      cause: error,
    });
  }
}
