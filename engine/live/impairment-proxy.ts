/**
 * Stands between a bridge and a broker, on a port of its own, and plays the network: delay, jitter, loss, rate, outages of either
 * direction, and a new source port as a NAT gives one. What passes is the link's to say; the order of TCP bytes is kept.
 */

import type { ImpairmentProxy, ProxyOptions } from './proxy.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { UdpProxy } from './udp-proxy.ts';

export function createProxy(transport: 'udp' | 'tcp', options: ProxyOptions): ImpairmentProxy {
  return transport === 'udp' ? new UdpProxy(options) : new TcpProxy(options);
}
