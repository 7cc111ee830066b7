/** The one error class of the live driver. */

/**
 * What went wrong, for programs:
 * - `quic-unavailable`: `@matrixai/quic` or its binary is not installed for this platform
 * - `transport-unsupported`: the live driver speaks MQTT over QUIC only
 * - `bad-speed`, `message-too-large`: the run was asked for in a way that cannot be carried out
 * - `unsupported-stimulus`: something is to happen to the broker that only the simulator can do
 * - `port-taken`: the broker's UDP port could not be opened (again)
 */
export type LiveErrorCode =
  | 'quic-unavailable'
  | 'transport-unsupported'
  | 'bad-speed'
  | 'message-too-large'
  | 'unsupported-stimulus'
  | 'port-taken';

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
