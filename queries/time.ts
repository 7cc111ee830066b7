/** µs since the epoch as ISO 8601 with µs and offset: 2026-11-22T04:53:18.344901+00:00. Null stays null. */
export function isoTime(micros: number | null): string | null {
  if (micros === null) return null;
  const ms = Math.floor(micros / 1000);
  const rest = String(micros - ms * 1000).padStart(3, '0');
  const text = new Date(ms).toISOString();
  return `${text.slice(0, -1)}${rest}+00:00`;
}
