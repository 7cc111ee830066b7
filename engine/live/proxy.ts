/** What the impairment proxies for datagrams and for TCP have in common. */

import type { Address } from './address.ts';
import type { LiveLink } from './live-link.ts';

export interface ProxyOptions {
  readonly target: Address;
  readonly link: LiveLink;
  /** Machine seconds per real second, for what the link does not count itself (retransmission timers). */
  readonly speed: number;
  /** UDP: strangers are not let through. TCP: only those who ask by `reached` are. */
  readonly accepts: (clientPort: number) => boolean;
  /** Nobody listens at the target; the client cannot hear it from the kernel. */
  readonly refused: (clientPort: number) => void;
  readonly crashed: (error: unknown) => void;
}

export interface ImpairmentProxy {
  /** @returns its address on loopback. Rejects with the system's error. */
  listen(): Promise<Address>;
  /** The client whose traffic leaves from this port; null: none. */
  clientPortOf(upstreamPort: number): number | null;
  /** The owner of this client wants it through: settles when it has reached the target, rejects if it cannot. UDP: at once. */
  reached(clientPort: number): Promise<void>;
  /** From here on traffic comes from another port. TCP: what was connected hears nothing any more. */
  rebind(): void;
  close(): void;
}
