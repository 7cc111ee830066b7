/** Topic filter matching (MQTT 5.0 §4.7). */

/** `a/+/c`, `a/#`, `$share/group/filter`. [MQTT-4.7.2-1]: a leading wildcard does not match a topic that starts with `$`. */
export function matchesTopic(filter: string, topic: string): boolean {
  const levels = withoutShare(filter).split('/');
  const names = topic.split('/');
  if (topic.startsWith('$') && (levels[0] === '#' || levels[0] === '+')) return false;
  for (let index = 0; index < levels.length; index++) {
    const level = levels[index];
    if (level === '#') return true;
    if (index >= names.length) return false;
    if (level !== '+' && level !== names[index]) return false;
  }
  return levels.length === names.length;
}

function withoutShare(filter: string): string {
  const match = /^\$share\/[^/]+\/(.+)$/.exec(filter);
  return match ? match[1]! : filter;
}
