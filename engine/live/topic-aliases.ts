/** Topic aliases of one direction of a connection (MQTT 5.0 §3.3.2.3.4). */

/** What CONNACK announces; also the bound on what is kept. */
import { TOPIC_ALIAS_MAX } from '../broker/connect.ts';

export class TopicAliases {
  readonly #topics = new Map<number, string>();

  /** @returns the topic of a PUBLISH, which is empty if it has neither; null: the alias is not valid. */
  resolve(topic: string, alias: number | undefined): string | null {
    if (alias === undefined) return topic;
    if (alias < 1 || alias > TOPIC_ALIAS_MAX) return null;
    if (topic !== '') {
      this.#topics.set(alias, topic);
      return topic;
    }
    return this.#topics.get(alias) ?? null;
  }
}

/** What we send: the topics that come first get the aliases, as many as the receiver takes [MQTT-3.1.2-26]. */
export class OutgoingAliases {
  readonly #max: number;
  readonly #aliases = new Map<string, number>();

  /** @param offered Topic Alias Maximum of the receiver */
  constructor(offered: number) {
    this.#max = Math.min(offered, TOPIC_ALIAS_MAX);
  }

  /** @returns what the PUBLISH carries; alias null: the topic alone */
  use(topic: string): { readonly topic: string; readonly alias: number | null } {
    const known = this.#aliases.get(topic);
    if (known !== undefined) return { topic: '', alias: known };
    if (this.#aliases.size >= this.#max) return { topic, alias: null };
    const alias = this.#aliases.size + 1;
    this.#aliases.set(topic, alias);
    return { topic, alias };
  }
}
