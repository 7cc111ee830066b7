/** Lines from docker and compose: `logs`, `logs -t`, and the files of the json-file driver. */
import { parseRfc3339 } from '../date-time.ts';
import type { Unwrapped, Wrapper } from './wrapper.ts';

/** Optional blank at the end, because editors and mail programs cut it. */
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))(?: |$)/;
/** EMQX's own lines start with such a stamp too; a level or a trace tag follows. */
const OWN_STAMP_FOLLOWED_BY = /^\[[A-Za-z_-]{2,24}\]/;

/** `docker logs -t`, `kubectl logs --timestamps`: `TIME text`. */
export const dockerStamps: Wrapper = {
  title: 'the stamps of docker logs -t',
  objects: false,
  indents: false,
  mayHoldStamps: false,
  unwrap(text) {
    const found = STAMP.exec(text);
    if (found === null) return null;
    const rest = text.slice(found[0].length);
    const ts = parseRfc3339(found[1]!);
    if (ts === null || OWN_STAMP_FOLLOWED_BY.test(rest)) return null;
    return { text: rest, envelope: { collector: 'docker', ts }, partial: false, prefixLength: found[0].length };
  },
};

/** Compose 2 writes `NAME  | `, compose 1 `NAME  |`, swarm `NAME.1.ID@NODE  | `; with colour the code is reset behind the bar. */
const COMPOSE = /^(?:\x1b\[[\d;]*m)*(\w[\w.@-]{0,199}) *(?:\x1b\[[\d;]*m)*\|(?: \x1b\[0?m|\x1b\[0?m ?| |$)/;

/** `docker compose logs`: `NAME-1  | text`, with or without colour; with -t a stamp follows the bar. */
export const compose: Wrapper = {
  title: "docker compose's prefix",
  objects: false,
  indents: false,
  mayHoldStamps: true,
  unwrap(text) {
    const found = COMPOSE.exec(text);
    if (found === null) return null;
    return {
      text: text.slice(found[0].length),
      envelope: { collector: 'compose', service: found[1]! },
      partial: false,
      prefixLength: found[0].length,
    };
  },
};

/** A file of the json-file driver: `{"log":"text\n","stream":"stdout","time":"…"}`; longer lines come in parts of 16 KiB. */
export const dockerJson: Wrapper = {
  title: "docker's JSON log file",
  objects: true,
  indents: false,
  mayHoldStamps: false,
  unwrap(text): Unwrapped | null {
    if (text.charCodeAt(0) !== 0x7b || !text.includes('"log":')) return null;
    const entry = parseEntry(text);
    if (entry === null || typeof entry.log !== 'string') return null;
    const { log } = entry;
    const ts = typeof entry.time === 'string' ? parseRfc3339(entry.time) : null;
    const tag = typeof entry.attrs === 'object' && entry.attrs !== null ? (entry.attrs as { tag?: unknown }).tag : null;
    const partial = !log.endsWith('\n');
    return {
      text: partial ? log : log.slice(0, log.endsWith('\r\n') ? -2 : -1),
      envelope: {
        collector: 'docker-json',
        ...(ts === null ? {} : { ts }),
        ...(typeof tag === 'string' ? { service: tag } : {}),
        ...(typeof entry.stream === 'string' ? { stream: entry.stream } : {}),
      },
      partial,
      prefixLength: 0,
    };
  },
};

function parseEntry(text: string): { readonly [key: string]: unknown } | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
