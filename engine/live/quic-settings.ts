/** What both ends of a QUIC connection agree on, and the limits of each. */

import { LiveError } from './errors.ts';
import type { Quiche } from './quic-library.ts';
import { authorities, type ClientTls, type ServerTls } from './tls-options.ts';

export type NativeConfig = ReturnType<Quiche['Config']['withBoringSslCtx']>;

/** Application protocol that EMQX and NanoMQ name. */
const ALPN = 'mqtt';
/** UDP payload bytes. Fits an Ethernet frame, as on a real path. */
export const DATAGRAM_BYTES = 1350;
/** RFC 9000 §14.1: a server discards an Initial in a smaller datagram. */
export const INITIAL_DATAGRAM_BYTES_MIN = 1200;
export const CONNECTION_ID_BYTES = 20;
/** Connections a server holds at a time unless it is told another number; further Initials are ignored. */
export const CONNECTIONS_MAX = 64;
/** Streams the client may have open at a time. NanoMQ has five and a new one for every stream it resets. */
export const STREAMS_MAX = 100;
/** Bytes written to a stream that the QUIC library has not yet taken; a write beyond them fails. */
export const PENDING_BYTES_MAX = 16 * 1024 * 1024;
/** First flow control windows; quiche moves them as it is read. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024;

/** Timeouts of one end in real milliseconds; 0: none. */
export interface QuicTimeouts {
  /** From the first datagram to the end of the handshake. */
  readonly handshakeMs: number;
  /** Without any answer to what was sent. */
  readonly disconnectMs: number;
  /** Without any traffic; the smaller one of the two ends counts. */
  readonly idleMs: number;
  /** A PING frame after this time without traffic. */
  readonly keepaliveMs: number;
  /** Dialling: the first try is repeated after three times this, then after twice as long each time. Absent: as quiche does. */
  readonly initialRttMs?: number;
}

export function serverConfig(quiche: Quiche, tls: ServerTls, idleMs: number): NativeConfig {
  const key = [Buffer.from(tls.privateKeyPem)];
  const chain = [Buffer.from(tls.certificatePem)];
  const clientCa = tls.clientCaPem === null ? null : Buffer.from(tls.clientCaPem);
  const config = withCertificates(() =>
    quiche.Config.withBoringSslCtx(clientCa !== null, false, clientCa, key, chain, null),
  );
  if (tls.keylogFile !== null) config.logKeys();
  return withLimits(config, idleMs);
}

/** Trusts the authorities of `tls` and nothing else, or anybody if it says so. */
export function clientConfig(quiche: Quiche, tls: ClientTls, idleMs: number): NativeConfig {
  const ca = tls.verify ? Buffer.from(authorities(tls)) : null;
  const key = tls.privateKeyPem === null ? null : [Buffer.from(tls.privateKeyPem)];
  const chain = tls.certificatePem === null ? null : [Buffer.from(tls.certificatePem)];
  const config = withCertificates(() => quiche.Config.withBoringSslCtx(tls.verify, false, ca, key, chain, null));
  if (tls.keylogFile !== null) config.logKeys();
  return withLimits(config, idleMs);
}

function withCertificates(create: () => NativeConfig): NativeConfig {
  try {
    return create();
  } catch (error) {
    throw new LiveError('certificate-unreadable', `A certificate or key cannot be used: ${String(error)}`, {
      hint: 'Give PEM files: the certificate with its chain, its private key without a passphrase, the CA.',
      cause: error,
    });
  }
}

function withLimits(config: NativeConfig, idleMs: number): NativeConfig {
  config.setApplicationProtos([ALPN]);
  config.setMaxIdleTimeout(Math.round(idleMs));
  config.setMaxRecvUdpPayloadSize(DATAGRAM_BYTES);
  config.setMaxSendUdpPayloadSize(DATAGRAM_BYTES);
  config.setInitialMaxData(CONNECTION_WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiLocal(STREAM_WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiRemote(STREAM_WINDOW_BYTES);
  config.setInitialMaxStreamsBidi(STREAMS_MAX);
  // MQTT over QUIC has bidirectional streams only.
  config.setInitialMaxStreamsUni(0);
  config.setDisableActiveMigration(true);
  return config;
}
