/** What the transports (QUIC, TCP, TLS) have in common: how an end is told what happens, and what it can do. */

import type { CloseCause, StreamIndex } from '../types.ts';
import type { OnTaken } from './stream-writer.ts';

/**
 * Why a connection could not be made or ended, for people and programs. `normal` is no failure.
 * QUIC codes are RFC 9000 §20.1, TLS alerts RFC 8446 §6.
 */
export type FailureReason =
  | 'normal' // closed without an error
  | 'application-closed' // the peer closed with an application code
  | 'refused' // nobody listens there
  | 'unreachable' // no route, or the name is unknown
  | 'handshake-timeout' // no answer within the handshake timeout
  | 'no-answer' // no acknowledgement within the disconnect timeout
  | 'idle-timeout'
  | 'reset' // TCP RST, or a QUIC error of the peer without a better name
  | 'peer-finished' // FIN of the peer
  | 'certificate-untrusted'
  | 'certificate-name-mismatch'
  | 'certificate-expired'
  | 'certificate-rejected' // other faults of a certificate; the peer rejects ours
  | 'client-certificate-required'
  | 'alpn-refused' // the peer does not speak `mqtt` on this port
  | 'tls-failed' // any other alert
  | 'version-unsupported' // no QUIC or TLS version in common
  | 'protocol-violation'; // the peer does not keep to QUIC, or sends no MQTT

export interface Failure {
  readonly reason: FailureReason;
  /** The words of the library or the peer; empty: none. */
  readonly detail: string;
}

/** What a connection tells; nothing comes after `closed`, and nothing at all after an own `close`. */
export interface TransportUser {
  established(): void;
  /** The bytes are the receiver's. TCP has the stream 0 only. */
  data(stream: StreamIndex, bytes: Buffer): void;
  /** FIN of the peer. Also told when the data right before it made us close. */
  finished(stream: StreamIndex): void;
  /** The peer reset the stream or wants no more of it. */
  streamAborted(stream: StreamIndex): void;
  closed(cause: CloseCause, failure: Failure): void;
}

/** Either end of an established or establishing connection. */
export interface TransportConnection {
  readonly isOpen: boolean;
  /** `onTaken(0)`: taken over by the transport; else an nng code. Never called once the connection has ended. */
  write(stream: StreamIndex, bytes: Uint8Array, onTaken: OnTaken): void;
  /** Finishes our direction after what was written. */
  finish(stream: StreamIndex): void;
  /** Ends the connection; `code` is QUIC's application code. */
  close(code: number): void;
  stats(): TransportStats | null;
  /** QUIC: gives up after so long without activity, real ms, if the handshake did not agree on less. TCP has no such timeout. */
  limitIdle?(idleMs: number): void;
}

/** The dialling end. */
export interface ClientTransport extends TransportConnection {
  /** The socket is closed. */
  readonly isDestroyed: boolean;
  resetStream(stream: StreamIndex): void;
  /** QUIC: the peer has answered nothing for so long, real ms, although it should have. */
  owesAnswer?(forMs: number): boolean;
  /** Nobody listens there, as someone else found out. */
  unreachable(): void;
  /** Closes the socket at once and without a word. */
  destroy(): void;
}

/** Of the active path, since the connection began. TCP of Node tells bytes only; the rest is null. */
export interface TransportStats {
  readonly rttMs: number | null;
  readonly cwndBytes: number | null;
  readonly sent: number | null; // datagrams
  readonly received: number | null;
  readonly lost: number | null;
  readonly retransmitted: number | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

const TLS_ALERTS: Readonly<Record<number, FailureReason>> = {
  40: 'tls-failed',
  42: 'certificate-name-mismatch', // BoringSSL: the name is not in the certificate
  43: 'certificate-rejected',
  44: 'certificate-rejected',
  45: 'certificate-expired',
  46: 'certificate-rejected',
  48: 'certificate-untrusted',
  70: 'version-unsupported',
  116: 'client-certificate-required',
  120: 'alpn-refused',
};

const CRYPTO_ERROR_FIRST = 0x100;
const CRYPTO_ERROR_LAST = 0x1ff;
const CONNECTION_REFUSED = 2;

/** A QUIC transport error code as a name. */
export function quicFailure(code: number, detail: string): Failure {
  if (code >= CRYPTO_ERROR_FIRST && code <= CRYPTO_ERROR_LAST) {
    return { reason: TLS_ALERTS[code - CRYPTO_ERROR_FIRST] ?? 'tls-failed', detail };
  }
  if (code === 0) return { reason: 'normal', detail };
  return { reason: code === CONNECTION_REFUSED ? 'refused' : 'protocol-violation', detail };
}

const SOCKET_ERRORS: Readonly<Record<string, FailureReason>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'no-answer',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate-untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate-untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate-untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate-untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate-untrusted',
  CERT_SIGNATURE_FAILURE: 'certificate-untrusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-name-mismatch',
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-expired',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'certificate-untrusted',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'client-certificate-required',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'certificate-rejected',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'alpn-refused',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version-unsupported',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'version-unsupported',
  ERR_SSL_WRONG_VERSION_NUMBER: 'protocol-violation',
};

/** An error of node:net or node:tls as a name. */
export function socketFailure(error: NodeJS.ErrnoException): Failure {
  const code = error.code ?? '';
  const reason = SOCKET_ERRORS[code] ?? (code.startsWith('ERR_SSL') ? 'tls-failed' : 'reset');
  return { reason, detail: error.message };
}

/** What the bridge machine learns of a failed or ended connection. */
export function causeOf(failure: Failure, established: boolean): CloseCause {
  switch (failure.reason) {
    case 'refused':
    case 'unreachable':
      return established ? { kind: 'reset' } : { kind: 'unreachable' };
    case 'handshake-timeout':
      return { kind: 'handshake-timeout' };
    case 'no-answer':
      return established ? { kind: 'timeout' } : { kind: 'handshake-timeout' };
    case 'idle-timeout':
      return { kind: 'idle' };
    case 'peer-finished':
    case 'normal':
      return { kind: 'peer-fin' };
    default:
      return { kind: 'reset' };
  }
}

const DESCRIPTIONS: Readonly<Record<FailureReason, string>> = {
  normal: 'the connection was closed',
  'application-closed': 'the peer closed the connection with an application code',
  refused: 'nobody listens there',
  unreachable: 'the host cannot be reached',
  'handshake-timeout': 'no answer within the handshake timeout',
  'no-answer': 'the peer stopped answering',
  'idle-timeout': 'the idle timeout passed',
  reset: 'the peer reset the connection',
  'peer-finished': 'the peer ended the connection',
  'certificate-untrusted': 'the certificate is not signed by a trusted authority',
  'certificate-name-mismatch': 'the certificate is not for this name',
  'certificate-expired': 'the certificate is not valid now',
  'certificate-rejected': 'a certificate was rejected',
  'client-certificate-required': 'the peer wants a client certificate',
  'alpn-refused': 'the peer does not speak MQTT on this port (ALPN)',
  'tls-failed': 'the TLS handshake failed',
  'version-unsupported': 'no version of the protocol in common',
  'protocol-violation': 'the peer does not keep to the protocol',
};

/** A sentence without its full stop, with the library's words if there are any. */
export function failureText({ reason, detail }: Failure): string {
  return detail === '' ? DESCRIPTIONS[reason] : `${DESCRIPTIONS[reason]} (${detail})`;
}
