/** Topic filters (MQTT 5.0 §4.7, §4.8.2). */

export interface SharedFilter {
  /** Name of the group of a shared subscription; null: an ordinary one. */
  readonly group: string | null;
  readonly filter: string;
}

/** `a/+/c`, `a/#`, `$share/group/filter`. [MQTT-4.7.2-1]: a leading wildcard does not match a topic that starts with `$`. */
export function matchesTopic(filter: string, topic: string): boolean {
  return matchesLevels(splitShare(filter).filter.split('/'), topic.split('/'));
}

/** The same for a filter without its share and a topic, both split at `/`. */
export function matchesLevels(levels: readonly string[], names: readonly string[]): boolean {
  if (names[0]!.startsWith('$') && (levels[0] === '#' || levels[0] === '+')) return false;
  for (let index = 0; index < levels.length; index++) {
    const level = levels[index];
    if (level === '#') return true;
    if (index >= names.length) return false;
    if (level !== '+' && level !== names[index]) return false;
  }
  return levels.length === names.length;
}

export function splitShare(filter: string): SharedFilter {
  const match = /^\$share\/([^/]+)\/(.+)$/s.exec(filter);
  return match ? { group: match[1]!, filter: match[2]! } : { group: null, filter };
}

/** Levels beyond which EMQX refuses a filter (`mqtt.max_topic_levels`). */
const LEVELS_MAX = 128;

/** [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1], [MQTT-4.8.2-1], [MQTT-4.8.2-2] */
export function isValidFilter(text: string): boolean {
  if (text.includes('\u0000')) return false;
  const { group, filter } = splitShare(text);
  if (group === null && text.startsWith('$share/')) return false;
  if (group !== null && /[+#]/.test(group)) return false;
  if (filter === '') return false;
  const levels = filter.split('/');
  if (levels.length > LEVELS_MAX) return false;
  return levels.every((level, index) => {
    if (level === '#') return index === levels.length - 1;
    return level === '+' || !/[+#]/.test(level);
  });
}
