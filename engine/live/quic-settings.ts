/** What both ends of a QUIC connection agree on, and the limits of each. */

import type { Certificate } from './certificate.ts';
import type { Quiche } from './quic-library.ts';

export type NativeConfig = ReturnType<Quiche['Config']['withBoringSslCtx']>;

/** Application protocol that EMQX and NanoMQ name. */
const ALPN = 'mqtt';
/** UDP payload bytes. Fits an Ethernet frame, as on a real path. */
export const DATAGRAM_BYTES = 1350;
/** RFC 9000 §14.1: a server discards an Initial in a smaller datagram. */
export const INITIAL_DATAGRAM_BYTES_MIN = 1200;
export const CONNECTION_ID_BYTES = 20;
/** Connections a server holds at a time; further Initials are ignored. */
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
}

export function serverConfig(quiche: Quiche, certificate: Certificate, idleMs: number): NativeConfig {
  const key = [Buffer.from(certificate.privateKeyPem)];
  const chain = [Buffer.from(certificate.certificatePem)];
  return withLimits(quiche.Config.withBoringSslCtx(false, false, null, key, chain, null), idleMs);
}

/** Trusts `authorityPem` and nothing else. */
export function clientConfig(quiche: Quiche, authorityPem: string, idleMs: number): NativeConfig {
  const authority = Buffer.from(authorityPem);
  return withLimits(quiche.Config.withBoringSslCtx(true, false, authority, null, null, null), idleMs);
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
