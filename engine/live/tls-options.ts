/** Certificates and names of both ends, for QUIC and TLS alike. PEM texts, not files. */

import { isIP } from 'node:net';
import { rootCertificates } from 'node:tls';

export interface ClientTls {
  /** False only by an explicit wish of the user: encrypted, but with anybody. */
  readonly verify: boolean;
  /** Authorities to trust; null: those that come with Node. */
  readonly caPem: string | null;
  readonly certificatePem: string | null;
  readonly privateKeyPem: string | null;
  /** Null: the host of the address; for an IP address `localhost`, as BoringSSL matches DNS names only. */
  readonly serverName: string | null;
  /** Secrets are appended to this file, in the NSS key log format. */
  readonly keylogFile: string | null;
}

export interface ServerTls {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Clients must show a certificate of this authority; null: they need none. */
  readonly clientCaPem: string | null;
  readonly keylogFile: string | null;
}

export const VERIFY_WITH_SYSTEM: ClientTls = {
  verify: true,
  caPem: null,
  certificatePem: null,
  privateKeyPem: null,
  serverName: null,
  keylogFile: null,
};

/** Trusts one authority only, as the replays against the embedded broker do. */
export function trusting(caPem: string): ClientTls {
  return { ...VERIFY_WITH_SYSTEM, caPem };
}

export function authorities({ caPem }: ClientTls): string {
  return caPem ?? rootCertificates.join('\n');
}

export function serverNameFor(tls: ClientTls, host: string): string {
  return tls.serverName ?? (isIP(host) === 0 ? host : 'localhost');
}
