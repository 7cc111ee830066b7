/** A text as a configuration, in whichever of the two forms it is. */
import { parseHocon } from './grammar.ts';
import { isOldFormat, parseOldFormat } from './old-format.ts';
import type { ConfDocument } from './tree.ts';

/**
 * Never throws; what is wrong is among the problems of the document.
 *
 * @param file index for the places, 0 for the file that was named
 * @param syntax null: told by the text. NanoMQ itself is told by its command line, `--conf` or `--old_conf`
 */
export function parseNanomqConf(text: string, file = 0, syntax: 'hocon' | 'old' | null = null): ConfDocument {
  const chosen = syntax ?? (isOldFormat(text) ? 'old' : 'hocon');
  return chosen === 'old' ? parseOldFormat(text, file) : parseHocon(text, file);
}
