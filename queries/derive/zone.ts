/** Time zones as the user writes them: IANA names (Asia/Shanghai) or offsets (+08:00, +0530, Z). */
import { UsageError } from '../errors.ts';

const MINUTE_US = 60_000_000;

/** Local time minus UTC in µs at a moment (µs since the epoch). Throws UsageError for a name that is no zone. */
export function zoneOffsetUs(zone: string, atUs: number): number {
  if (/^(z|utc|gmt)$/i.test(zone)) return 0;
  const literal = /^([+-])(\d{1,2}):?(\d{2})?$/.exec(zone);
  if (literal) {
    const minutes = Number(literal[2]) * 60 + Number(literal[3] ?? 0);
    if (minutes > 14 * 60 || Number(literal[3] ?? 0) > 59) throw unknownZone(zone);
    return (literal[1] === '-' ? -1 : 1) * minutes * MINUTE_US;
  }
  try {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(
      atUs / 1000,
    );
    const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
    return name === 'GMT' ? 0 : zoneOffsetUs(name.slice(3), atUs);
  } catch {
    throw unknownZone(zone);
  }
}

function unknownZone(zone: string): UsageError {
  return new UsageError('unknown-zone', `${zone} is not a time zone.`, {
    hint: 'Use a name such as Asia/Shanghai or an offset such as +08:00.',
  });
}

/** An offset in µs as `±HH:MM`. */
export function zoneName(offsetUs: number): string {
  const minutes = Math.round(Math.abs(offsetUs) / MINUTE_US);
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0');
  return `${offsetUs < 0 ? '-' : '+'}${hours}:${String(minutes % 60).padStart(2, '0')}`;
}
