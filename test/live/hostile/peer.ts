/** A connection that sends whatever bytes it is told to, and notes how the broker ends it. */

import type { Dialler } from '../../../engine/live/dialler.ts';
import { PacketDecoder } from '../../../engine/live/packet-decoder.ts';
import type { ClientTransport } from '../../../engine/live/transport.ts';
import type { CloseCause, Packet } from '../../../engine/types.ts';
import { until } from '../support.ts';
import { connectBytes, type Protocol } from './packets.ts';

/** A loaded machine; nothing here takes long by itself. */
const PATIENCE_MS = 10_000;

export class Peer {
  readonly packets: Packet[] = [];
  connected = false;
  /** FIN of the broker on the control stream, or the end of the connection. */
  ended = false;
  cause: CloseCause | null = null;
  readonly #client: ClientTransport;
  readonly #decoder: PacketDecoder;

  constructor(dial: Dialler, protocol: Protocol) {
    this.#decoder = new PacketDecoder({ protocol, maxPacketBytes: 1_048_576, keepContent: true });
    this.#client = dial({
      user: {
        established: () => {
          this.connected = true;
        },
        data: (_stream, bytes) => {
          this.packets.push(...this.#decoder.push(bytes).packets);
        },
        finished: (stream) => {
          this.ended ||= stream === 0;
        },
        streamAborted: () => {},
        closed: (cause) => {
          this.cause = cause;
          this.ended = true;
        },
      },
    });
  }

  async opened(): Promise<void> {
    await until(() => this.connected || this.ended, 'the handshake', PATIENCE_MS);
    if (!this.connected) throw new Error(`the handshake failed: ${JSON.stringify(this.cause)}`);
  }

  async connect(clientId: string, protocol: Protocol): Promise<void> {
    await this.opened();
    this.send(connectBytes(clientId, protocol));
    const connack = await this.answer('connack');
    if (connack.reasonCode !== 0) throw new Error(`CONNACK with ${connack.reasonCode}`);
  }

  send(bytes: Uint8Array, stream = 0): void {
    this.#client.write(stream, bytes, () => {});
  }

  resetStream(stream: number): void {
    this.#client.resetStream(stream);
  }

  finish(stream = 0): void {
    this.#client.finish(stream);
  }

  async answer<Type extends Packet['type']>(type: Type): Promise<Extract<Packet, { type: Type }>> {
    const find = () => this.packets.find((packet) => packet.type === type);
    await until(() => find() !== undefined || this.ended, type, PATIENCE_MS);
    const found = find();
    if (!found) throw new Error(`closed instead of ${type}`);
    return found as Extract<Packet, { type: Type }>;
  }

  async end(): Promise<void> {
    await until(() => this.ended, 'the broker to close the connection', PATIENCE_MS);
  }

  async closed(): Promise<void> {
    await until(() => this.cause !== null, 'the end of the connection', PATIENCE_MS);
  }

  /** What DISCONNECT said; null: there was none. */
  get farewell(): number | null {
    const found = this.packets.find((packet) => packet.type === 'disconnect');
    return found?.type === 'disconnect' ? found.reasonCode : null;
  }

  /** Leaves without a word of MQTT. */
  leave(): void {
    this.#client.destroy();
  }
}
