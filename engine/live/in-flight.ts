/** Messages that were written to a connection and have not come out at its other end. */

import type { Endpoint, Message, StreamIndex } from '../types.ts';

interface Entry {
  readonly stream: StreamIndex;
  readonly message: Message;
}

/** One connection between the two machines; both ends of it are in this process. */
export class InFlight {
  readonly #from: Readonly<Record<Endpoint, Map<number, Entry>>> = { bridge: new Map(), broker: new Map() };

  wrote(from: Endpoint, stream: StreamIndex, message: Message): void {
    this.#from[from].set(message.seq, { stream, message });
  }

  arrived(from: Endpoint, seq: number): void {
    this.#from[from].delete(seq);
  }

  *messages(from: Endpoint): Generator<Message> {
    for (const { message } of this.#from[from].values()) yield message;
  }

  /** What can no longer arrive, removed: all of it, or what went to one stream. */
  takeLeft(from: Endpoint, stream?: StreamIndex): Message[] {
    const left: Message[] = [];
    for (const [seq, entry] of this.#from[from]) {
      if (stream !== undefined && entry.stream !== stream) continue;
      left.push(entry.message);
      this.#from[from].delete(seq);
    }
    return left;
  }
}
