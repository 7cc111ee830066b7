/** Which bridgetrace this is. */
import { readFileSync } from 'node:fs';

/** The version in package.json, which lies one folder up in the sources and two in the build. */
export function packageVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'));
      if (name === 'bridgetrace' && typeof version === 'string') return version;
    } catch {
      // not here: the next place
    }
  }
  return 'unknown';
}
