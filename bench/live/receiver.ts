/** The receiving end of a transport: reads MQTT packets, acknowledges QoS 1, says when all have come. No machine. */

import { createCertificate } from '../../engine/live/certificate.ts';
import { PacketDecoder } from '../../engine/live/packet-decoder.ts';
import { encodePacket } from '../../engine/live/packet-encoder.ts';
import { loadQuiche } from '../../engine/live/quic-library.ts';
import { QuicServer } from '../../engine/live/quic-server.ts';
import { serverConfig } from '../../engine/live/quic-settings.ts';
import { TcpServer } from '../../engine/live/tcp-server.ts';
import type { TransportConnection, TransportUser } from '../../engine/live/transport.ts';
import { ACK_SIZE, PING_SIZE } from '../../engine/packet-size.ts';
import { answerWith, fail } from './processes.ts';

export interface ReceiverQuestion {
  readonly transport: 'quic' | 'tcp';
}

export interface ReceiverAnswer {
  readonly port: number;
  readonly certificatePem: string;
}

const HOST = '127.0.0.1';
const TIMEOUTS = { handshakeMs: 10_000, disconnectMs: 16_000, idleMs: 0, keepaliveMs: 0 };
const PROTOCOL = 5;

function reader(connection: TransportConnection): TransportUser {
  const decoder = new PacketDecoder({ protocol: PROTOCOL, maxPacketBytes: 1_048_576 });
  const pong = encodePacket({ type: 'pingresp', size: PING_SIZE }, PROTOCOL);
  const ignore = (): void => {};
  return {
    established: ignore,
    data: (stream, bytes) => {
      const { packets, error } = decoder.push(bytes);
      if (error !== null) fail(new Error(error));
      for (const packet of packets) {
        if (packet.type === 'publish' && packet.qos > 0) {
          const ack = { type: 'puback', packetId: packet.packetId!, reasonCode: 0, size: ACK_SIZE } as const;
          connection.write(stream, encodePacket(ack, PROTOCOL), ignore);
        } else if (packet.type === 'pingreq') connection.write(stream, pong, ignore);
      }
    },
    finished: ignore,
    streamAborted: ignore,
    closed: ignore,
  };
}

answerWith<ReceiverQuestion>(async ({ transport }): Promise<ReceiverAnswer> => {
  const certificate = createCertificate();
  const tls = { ...certificate, clientCaPem: null, keylogFile: null };
  const common = { accepts: () => true, connection: reader, crashed: fail, connectionsMax: 64 };
  const quiche = await loadQuiche();
  const server =
    transport === 'quic'
      ? new QuicServer({ ...common, quiche, config: serverConfig(quiche, tls, 0), timeouts: TIMEOUTS })
      : new TcpServer({ ...common, tls: null, handshakeMs: TIMEOUTS.handshakeMs });
  const { port } = await server.listen({ host: HOST, port: 0 });
  return { port, certificatePem: certificate.certificatePem };
});
