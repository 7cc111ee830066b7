/** MQTT topic filters. [MQTT-4.7.1-2] `#` is last and also matches the parent; [MQTT-4.7.1-3] `+` is one level; [MQTT-4.7.2-1] `$` topics need a literal first level. */
export function topicMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && (wanted[0] === '#' || wanted[0] === '+')) return false;
  for (let index = 0; index < wanted.length; index += 1) {
    if (wanted[index] === '#') return true;
    if (index >= levels.length) return false;
    if (wanted[index] !== '+' && wanted[index] !== levels[index]) return false;
  }
  return wanted.length === levels.length;
}
