/** Loads the QUIC library, which is optional: everything but the live driver works without it. */

import type { native } from '@matrixai/quic';
import { LiveError } from './errors.ts';

/** The binding to quiche (RFC 9000 protocol machine without sockets). */
export type Quiche = typeof native.quiche;

type QuicModule = { readonly native: { readonly quiche: Quiche } };

export type QuicAvailability =
  | { readonly available: true }
  | { readonly available: false; readonly reason: string /* the loader's own words, first line */ };

const importLibrary = (): Promise<QuicModule> => import('@matrixai/quic');

/**
 * @param load only tests pass another one
 * @throws LiveError `quic-unavailable`
 */
export async function loadQuiche(load: () => Promise<QuicModule> = importLibrary): Promise<Quiche> {
  try {
    return (await load()).native.quiche;
  } catch (error) {
    const reason = firstLine(error);
    throw new LiveError('quic-unavailable', `The QUIC library @matrixai/quic cannot be loaded here: ${reason}`, {
      hint: 'Everything but the live mode works without it: use --mode sim, which runs the same machines in virtual time.',
      details: { platform: process.platform, arch: process.arch, reason },
      cause: error,
    });
  }
}

/** Whether the live mode can run on this machine. Never throws. */
export async function quicAvailable(load?: () => Promise<QuicModule>): Promise<QuicAvailability> {
  try {
    await loadQuiche(load);
    return { available: true };
  } catch (error) {
    const reason = error instanceof LiveError ? error.details.reason : firstLine(error);
    return { available: false, reason: String(reason) };
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]!;
}
