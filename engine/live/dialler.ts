/** Makes the connections of a bridge or a probe: the transport, the certificates and the timeouts are chosen once. */

import type { Address, TransportKind } from './address.ts';
import { QuicClient } from './quic-client.ts';
import type { Quiche } from './quic-library.ts';
import { clientConfig, type QuicTimeouts } from './quic-settings.ts';
import { TcpClient } from './tcp-client.ts';
import type { ClientTls } from './tls-options.ts';
import type { ClientTransport, TransportUser } from './transport.ts';

export interface DiallerOptions {
  readonly transport: TransportKind;
  readonly server: Address;
  readonly tls: ClientTls;
  readonly timeouts: QuicTimeouts;
  /** Null unless the transport is QUIC. */
  readonly quiche: Quiche | null;
  /** See `TcpClientOptions`. */
  readonly reached?: (localPort: number) => Promise<void>;
  readonly crashed: (error: unknown) => void;
}

export interface Dial {
  readonly user: TransportUser;
  /** The socket is open; called before anything is sent. */
  readonly onOpen?: (localPort: number) => void;
}

export type Dialler = (dial: Dial) => ClientTransport;

/** TCP of a bridge without a handshake timeout: the kernel gives up after about this long (Linux, 6 SYNs). */
const TCP_HANDSHAKE_MS = 127_000;

/** @throws LiveError `certificate-unreadable` */
export function createDialler(options: DiallerOptions): Dialler {
  const { transport, server, tls, timeouts, quiche, reached, crashed } = options;
  if (transport === 'quic') {
    if (!quiche) throw new TypeError('a QUIC dialler needs the QUIC library');
    const config = clientConfig(quiche, tls, timeouts.idleMs);
    return (dial) => new QuicClient({ quiche, config, tls, timeouts, server, crashed, ...dial });
  }
  const handshakeMs = timeouts.handshakeMs > 0 ? timeouts.handshakeMs : TCP_HANDSHAKE_MS;
  const security = transport === 'tls' ? tls : null;
  return (dial) => new TcpClient({ server, tls: security, handshakeMs, reached, crashed, ...dial });
}
