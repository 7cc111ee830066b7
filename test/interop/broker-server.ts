/** Our broker for the interoperability tests, and what they need of the machine. */

import { spawnSync } from 'node:child_process';
import { type ClientRules, OPEN_RULES } from '../../engine/broker/rules.ts';
import { createCertificate } from '../../engine/live/certificate.ts';
import { type BrokerServer, serveBroker } from '../../engine/live/serve-broker.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS } from '../../engine/profiles/emqx.ts';
import type { BrokerSettings, SimRecord } from '../../engine/types.ts';

export interface TestBroker extends BrokerServer {
  readonly port: number;
  readonly records: SimRecord[];
}

export const certificate = createCertificate();

export async function startBroker({
  settings,
  rules,
  transports = ['tcp'],
}: {
  readonly settings?: Partial<BrokerSettings>;
  readonly rules?: Partial<ClientRules>;
  readonly transports?: readonly ('quic' | 'tcp' | 'tls')[];
} = {}): Promise<TestBroker> {
  const records: SimRecord[] = [];
  const server = await serveBroker({
    profile: brokerProfile('5.8.4').profile,
    settings: { ...DEFAULT_BROKER_SETTINGS, ...settings },
    rules: { ...OPEN_RULES, ...rules },
    listeners: transports.map((transport) => ({ transport, port: 0 })),
    tls: { ...certificate, clientCaPem: null, keylogFile: null },
    connectionsMax: 2_000,
    sink: (record) => records.push(record),
    failed: (error) => {
      throw error;
    },
  });
  return { ...server, port: server.addresses[0]!.port, records };
}

/** Value for `skip`: false, or why the program is missed. */
export function missing(program: string): string | false {
  const found = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  return found ? false : `${program} is not installed here`;
}
