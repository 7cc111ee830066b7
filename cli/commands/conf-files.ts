/** Configuration files from disk or standard input, and the files that they include. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { LineIndex, parseNanomqConf, type SettingGroup, settingAt, settingsOf } from '../../parsers/index.ts';
import { InputError, UsageError } from '../../queries/errors.ts';
import type { LintInput } from '../../queries/lint/index.ts';

/** Larger files are no configuration. */
const BYTES_MAX = 4 * 1_048_576;

/** Throws InputError `not-found`, `not-a-file` or `too-large`. */
export function readConfText(file: string): LintInput {
  if (file === '-') return { name: file, text: readText(0, 'standard input') };
  const stat = statSync(file, { throwIfNoEntry: false });
  const hint = 'Name a nanomq.conf.';
  if (stat === undefined) throw new InputError('not-found', `${file}: there is no such file.`, { file, hint });
  if (stat.isDirectory()) throw new InputError('not-a-file', `${file} is a folder.`, { file, hint });
  if (stat.size > BYTES_MAX) throw new InputError('too-large', `${file} is no configuration file.`, { file, hint });
  return { name: file, text: readText(file, file) };
}

function readText(file: string | 0, name: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new InputError('not-found', `${name} cannot be read: ${String(error)}`, { file: name });
  }
  if (bytes.length > BYTES_MAX) throw new InputError('too-large', `${name} is no configuration file.`, { file: name });
  return bytes.toString('utf8');
}

/**
 * A file that another includes. NanoMQ opens the name as it stands, from the folder it was started in; here that is the working
 * folder, then the folder of the file that names it.
 */
export function readInclude(target: string, from: string, cwd: string): LintInput | { readonly why: string } {
  const places = [path.resolve(cwd, target), ...(from === '-' ? [] : [path.resolve(cwd, path.dirname(from), target)])];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) return { why: `${target} is not there` };
  try {
    return readConfText(path.isAbsolute(target) ? found : path.relative(cwd, found));
  } catch (error) {
    if (error instanceof InputError) return { why: error.message };
    throw error;
  }
}

/**
 * Settings of a file that is to be run with. Throws InputError as {@link readConfText} does, and `bad-conf` with the place of the
 * first mistake.
 */
export function readSettings(file: string, cwd: string): SettingGroup {
  const files: LintInput[] = [];
  const open = (input: LintInput) => {
    const document = parseNanomqConf(input.text, files.length);
    files.push(input);
    const [problem] = document.problems;
    if (problem === undefined) return document;
    const { line, column } = new LineIndex(input.text).placeOf(problem.span.offset);
    throw new InputError('bad-conf', `This is no nanomq.conf: ${problem.message}`, {
      file: input.name,
      line,
      column,
      hint: 'Mend that line; bridgetrace lint lists all mistakes.',
    });
  };
  return settingsOf(open(readConfText(file)), ({ target, span }) => {
    const input = readInclude(target, files[span.file]!.name, cwd);
    return 'text' in input ? open(input) : null;
  });
}

/** One bridge of a configuration: the named one, or the only one. Throws `no-bridge` or `which-bridge`. */
export function chooseBridge(conf: SettingGroup, file: string, name: string | undefined): SettingGroup {
  const all = settingAt(conf, 'bridges', 'mqtt')?.value;
  const bridges = new Map<string, SettingGroup>();
  if (all?.kind === 'group') {
    for (const { name: key, value } of all.entries.values()) {
      if (value?.kind === 'group' && value.entries.has('server')) bridges.set(key, value);
    }
  }
  const names = [...bridges.keys()];
  const bridge = bridges.get(name ?? (names.length === 1 ? names[0]! : ''));
  if (bridge !== undefined) return bridge;
  if (names.length === 0) throw new InputError('no-bridge', `${file} has no bridge under bridges.mqtt.`, { file });
  throw new UsageError('which-bridge', `${file} has the bridges ${names.join(', ')}.`, { hint: 'Choose one: --name.' });
}
