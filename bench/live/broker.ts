/** The broker machine behind a QUIC and a TCP listener, as `bridgetrace broker` has it; counts instead of printing. */

import { OPEN_RULES } from '../../engine/broker/rules.ts';
import { createCertificate } from '../../engine/live/certificate.ts';
import { serveBroker } from '../../engine/live/serve-broker.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS } from '../../engine/profiles/emqx.ts';
import { answerWith, fail } from './processes.ts';

export type BrokerQuestion = 'open' | 'state';

export interface BrokerState {
  readonly quicPort: number;
  readonly tcpPort: number;
  readonly certificatePem: string;
  /** Different messages that were routed, and those that came again. */
  readonly delivered: number;
  readonly duplicates: number;
  readonly records: number;
  /** After a garbage collection. */
  readonly rssBytes: number;
}

const CONNECTIONS_MAX = 2_000;
const HEADER_BYTES = 8;

let records = 0;
let duplicates = 0;
const seen = new Set<number>();
const certificate = createCertificate();
const server = await serveBroker({
  profile: brokerProfile('5.8.4').profile,
  settings: DEFAULT_BROKER_SETTINGS,
  rules: OPEN_RULES,
  listeners: [
    { transport: 'quic', port: 0 },
    { transport: 'tcp', port: 0 },
  ],
  tls: { ...certificate, clientCaPem: null, keylogFile: null },
  connectionsMax: CONNECTIONS_MAX,
  sink: () => {
    records++;
  },
  onPublished: ({ content }) => {
    const payload = Buffer.from(content!.payload);
    if (payload.length < HEADER_BYTES) return;
    const seq = payload.readUInt32BE(HEADER_BYTES / 2);
    if (seen.has(seq)) duplicates++;
    else seen.add(seq);
  },
  failed: fail,
});

answerWith<BrokerQuestion>(async (): Promise<BrokerState> => {
  globalThis.gc?.();
  return {
    quicPort: server.addresses[0]!.port,
    tcpPort: server.addresses[1]!.port,
    certificatePem: certificate.certificatePem,
    delivered: seen.size,
    duplicates,
    records,
    rssBytes: process.memoryUsage.rss(),
  };
});
