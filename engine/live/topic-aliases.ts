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
