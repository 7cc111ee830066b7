/** Options and errors that the commands with real sockets share. */
import { readFileSync } from 'node:fs';
import type { LiveError } from '../../engine/live/errors.ts';
import type { ClientTls } from '../../engine/live/tls-options.ts';
import { EnvironmentError, InputError, UsageError } from '../../queries/index.ts';

/** What of the command's user, not of the machine, was wrong. */
const USAGE: ReadonlySet<string> = new Set([
  'bad-broker-url',
  'bad-speed',
  'message-too-large',
  'transport-unsupported',
  'unsupported-stimulus',
]);

/** Turns a LiveError into one that the CLI knows; others pass. */
export function rethrow(error: unknown): never {
  if (!(error instanceof Error) || error.name !== 'LiveError') throw error;
  const { code, hint, details } = error as LiveError;
  const settings = { hint: hint ?? undefined, details, cause: error };
  if (USAGE.has(code)) throw new UsageError(code, error.message, settings);
  throw new EnvironmentError(code, error.message, settings);
}

/** Throws InputError `not-found` */
export function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError('not-found', `${file} cannot be read: ${String(error)}`, {
      file,
      hint: 'Name a PEM file.',
      cause: error,
    });
  }
}

export interface TlsFlags {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly insecure?: true;
  readonly keylog?: string;
}

export function clientTls(flags: TlsFlags): ClientTls {
  if (flags.insecure && flags.ca !== undefined) {
    throw new UsageError('ca-and-insecure', '--ca and --insecure exclude each other.', { hint: 'Leave out one.' });
  }
  return {
    verify: !flags.insecure,
    caPem: flags.ca === undefined ? null : readPem(flags.ca),
    certificatePem: flags.cert === undefined ? null : readPem(flags.cert),
    privateKeyPem: flags.key === undefined ? null : readPem(flags.key),
    serverName: flags.serverName ?? null,
    keylogFile: flags.keylog ?? null,
  };
}

/** Resolves at the first Ctrl-C (the context's signal), rejects with what `failed` is told. */
export function untilStopped(signal: AbortSignal): { stopped: Promise<void>; failed: (error: unknown) => void } {
  let failed: (error: unknown) => void = () => {};
  const stopped = new Promise<void>((resolve, reject) => {
    failed = reject;
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  stopped.catch(() => {}); // Awaited later.
  return { stopped, failed };
}
