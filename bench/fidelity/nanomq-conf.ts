/** The keys of one bridge in a nanomq.conf as it stands in the corpus; what they mean to a release is the engine's to say. */
import type { BridgeConf, ConfValue } from '../../engine/index.ts';

/** The text of each bridge, in the order of the file. */
export function bridgeBlocks(conf: string): readonly string[] {
  return conf.split(/^(?=bridges\.mqtt\.)/m).slice(1);
}

/** All `key = value` lines of a text; lists are not among them. */
export function readKeys(text: string): BridgeConf {
  return Object.fromEntries(
    Array.from(text.matchAll(/^\s*(\w+)\s*=\s*("[^"\n]*"|[\w.]+)\s*$/gm), ([, key, value]) => [
      key!,
      confValue(value!),
    ]),
  );
}

function confValue(text: string): ConfValue {
  if (text.startsWith('"')) return text.slice(1, -1);
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}
