/** The one error class of the live driver. */

/**
 * What went wrong, for programs:
 * - `quic-unavailable`: `@matrixai/quic` or its binary is not installed for this platform
 * - `transport-unsupported`: bridge and broker do not speak the same transport
 * - `bad-speed`, `message-too-large`: the run was asked for in a way that cannot be carried out
 * - `unsupported-stimulus`: something is to happen to the broker that only the simulator can do
 * - `port-taken`, `address-unusable`: a port could not be opened (again)
 * - `bad-broker-url`, `broker-unreachable`, `broker-refused`, `broker-unsuitable`: a broker that is not ours
 * - `certificate-unreadable`: a PEM text that is none
 * - `overloaded`: inputs pile up faster than they are handled
 */
export type LiveErrorCode =
  | 'quic-unavailable'
  | 'transport-unsupported'
  | 'bad-speed'
  | 'message-too-large'
  | 'unsupported-stimulus'
  | 'port-taken'
  | 'address-unusable'
  | 'bad-broker-url'
  | 'broker-unreachable'
  | 'broker-refused'
  | 'broker-unsuitable'
  | 'certificate-unreadable'
  | 'overloaded';

export interface LiveErrorOptions {
  /** What to do next, a whole sentence. */
  readonly hint?: string;
  /** The facts for a program. */
  readonly details?: { readonly [name: string]: unknown };
  readonly cause?: unknown;
}

export class LiveError extends Error {
  readonly code: LiveErrorCode;
  readonly hint: string | null;
  readonly details: { readonly [name: string]: unknown };

  constructor(code: LiveErrorCode, message: string, options: LiveErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LiveError';
    this.code = code;
    this.hint = options.hint ?? null;
    this.details = options.details ?? {};
  }
}
