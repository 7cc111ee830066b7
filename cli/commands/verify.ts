/** `bridgetrace verify`: does a change remove the symptom? The answer is the exit code. */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command, OptionValues } from '@commander-js/extra-typings';
import type { Command as UntypedCommand } from 'commander';
import { InputError, UsageError } from '../../queries/index.ts';
import { type Verification, verify } from '../../replay/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { ExitCode } from '../exit-codes.ts';
import { colours } from '../output/colour.ts';
import { Progress } from '../output/progress.ts';
import { terminalWidth } from '../output/width.ts';
import { verificationJunit } from '../text/verification-junit.ts';
import { verificationMarkdown } from '../text/verification-markdown.ts';
import { type VerifiedCassette, verificationText } from '../text/verification-text.ts';
import { parseThreads, readCassette } from './cassette-input.ts';
import { parseCount, print, printJson } from './common.ts';
import { addLiveOptions, liveRequest, randomWord } from './live-target.ts';
import { readVariants, type VariantFlags } from './variant-input.ts';

type Flags = VariantFlags & {
  readonly seeds: string;
  readonly threads?: string | undefined;
  readonly gate?: string | undefined;
  readonly junit?: string | undefined;
  readonly markdown?: string | undefined;
};

const CASSETTE_NAME = /\.(cassette|ndjson)$/;

export const register: RegisterCommand = (program, context) => {
  const command = addVerifyOptions(
    program
      .command('verify')
      .description(
        'replay the incident as it was and with each fix; exit code 0 if all fix it, 1 if one does not, 3 if undecided',
      )
      .argument('[cassette]', 'made by bridgetrace rebuild'),
  );
  withExample(
    command,
    'bridgetrace verify incident.cassette --fix nanomq=0.23.10 --fix keepalive=30s,quic_qos_priority=false',
    'bridgetrace verify incident.cassette --conf new.conf --junit verdict.xml',
    'bridgetrace verify --gate incidents/ --fix nanomq=0.25.3',
  );
  addLiveOptions(addCommonOptions(command)).action(
    exitingWith(context, async (file, options) => {
      const files = cassetteFiles(file, options.gate);
      const variants = readVariants(options, context.cwd);
      const seeds = parseCount('--seeds', options.seeds, 1, 1000);
      const threads = parseThreads(options.threads);
      const verified: VerifiedCassette[] = [];
      for (const one of files) {
        const cassette = await readCassette(one);
        const clientId = cassette.header.bridge.settings.clientId ?? '';
        const live = liveRequest(context, options, randomWord(), clientId);
        const progress = new Progress({
          stream: context.stderr,
          label: files.length > 1 ? path.basename(one) : 'replaying',
          total: seeds * (variants.length + 1),
          unit: 'runs',
        });
        try {
          const result = await verify(cassette, {
            variants,
            seeds,
            threads,
            ...(live ? { live } : {}),
            signal: context.signal,
            onProgress: (done) => progress.update(done),
          });
          verified.push({ cassette: one, result });
        } finally {
          progress.clear();
        }
      }
      if (options.junit !== undefined) writeFileSync(options.junit, verificationJunit(verified));
      if (options.markdown !== undefined) writeFileSync(options.markdown, verificationMarkdown(verified));
      const codes = verified.map(({ result }) => verdictCode(result));
      if (options.json) printJson(context, options.gate === undefined ? verified[0]!.result : gateJson(verified));
      else {
        const look = { width: terminalWidth(context.stdout) ?? 100, colours: colours(context.stdout, context.env) };
        for (const { cassette, result } of verified)
          print(context, [
            ...(options.gate === undefined ? [] : [look.colours.bold(cassette)]),
            ...verificationText(result, look),
            ...(options.gate === undefined ? [] : ['']),
          ]);
        if (options.gate !== undefined) print(context, [gateText(codes)]);
      }
      return gateCode(codes);
    }),
  );
};

/** As for the live options, the types of so many options in a row are stated. */
function addVerifyOptions<Args extends unknown[], Opts extends OptionValues, Globals extends OptionValues>(
  command: Command<Args, Opts, Globals>,
): Command<Args, Opts & Flags, Globals> {
  const untyped = command as unknown as UntypedCommand;
  const several = (one: string, others: string[]) => [...others, one];
  untyped.option(
    '--fix <changes>',
    'a fix to try: nanomq=0.23.10, or several changes joined by commas; may be given again',
    several,
    [],
  );
  untyped.option('--conf <file>', 'try the bridge of this nanomq.conf; may be given again', several, []);
  untyped.option('--name <bridge>', 'which bridge of --conf, if it has several');
  untyped.option('--variants <file>', 'more fixes to try, one a line');
  untyped.option('--gate <folder>', 'try the fixes on every cassette of this folder; all must be fixed');
  untyped.option('--seeds <n>', 'runs of the baseline and of each fix', '10');
  untyped.option('--threads <n>', 'runs at a time, 0 for none beside the main thread (default: one a core)');
  untyped.option('--junit <file>', 'also write the verdicts as JUnit XML');
  untyped.option('--markdown <file>', 'also write the verdicts as Markdown, for the summary of a CI job');
  return command as unknown as Command<Args, Opts & Flags, Globals>;
}

function cassetteFiles(file: string | undefined, gate: string | undefined): string[] {
  if (gate === undefined) {
    if (file !== undefined) return [file];
    throw new UsageError('no-cassette', 'There is no cassette to verify.', {
      hint: 'Name one, or a folder of them with --gate.',
    });
  }
  if (file !== undefined)
    throw new UsageError('cassette-and-gate', '--gate takes the place of the cassette.', {
      hint: 'Leave one of them out.',
    });
  let names: string[];
  try {
    names = readdirSync(gate).filter((name) => CASSETTE_NAME.test(name));
  } catch {
    throw new InputError('not-found', `There is no folder ${gate}.`, {
      file: gate,
      hint: 'Name a folder of cassettes.',
    });
  }
  if (names.length === 0)
    throw new InputError('no-cassettes', `${gate} holds no cassette (*.cassette or *.ndjson).`, {
      file: gate,
      hint: 'Make them with bridgetrace rebuild -o FILE.cassette.',
    });
  return names.sort().map((name) => path.join(gate, name));
}

/** 0 if every fix works, 1 if one does not, else 3. */
export function verdictCode(result: Verification): ExitCode {
  if (result.variants.every((variant) => variant.verdict === 'fixed')) return ExitCode.clean;
  return result.variants.some((variant) => variant.verdict === 'not-fixed') ? ExitCode.findings : ExitCode.inconclusive;
}

function gateCode(codes: readonly ExitCode[]): ExitCode {
  if (codes.every((code) => code === ExitCode.clean)) return ExitCode.clean;
  return codes.includes(ExitCode.findings) ? ExitCode.findings : ExitCode.inconclusive;
}

const GATE_WORD: { readonly [code: number]: string } = {
  [ExitCode.clean]: 'passed',
  [ExitCode.findings]: 'failed',
  [ExitCode.inconclusive]: 'undecided',
};

function gateText(codes: readonly ExitCode[]): string {
  const fixed = codes.filter((code) => code === ExitCode.clean).length;
  return `Gate ${GATE_WORD[gateCode(codes)]}: ${fixed} of ${codes.length} incidents fixed by every change.`;
}

function gateJson(verified: readonly VerifiedCassette[]) {
  return {
    schema: 1,
    gate: GATE_WORD[gateCode(verified.map(({ result }) => verdictCode(result)))],
    incidents: verified.map(({ cassette, result }) => ({ cassette, ...result })),
  };
}
