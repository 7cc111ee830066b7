/** `bridgetrace completion`: a script that makes a shell complete commands and options. */
import { UsageError } from '../../queries/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { completionScript, SHELLS, type Shell } from '../text/completion.ts';
import { printJson } from './common.ts';

export const register: RegisterCommand = (program, context) => {
  const command = program
    .command('completion')
    .description('print a script that completes commands and options in bash, zsh or fish')
    .argument('<shell>', SHELLS.join(', '));
  withExample(command, 'bridgetrace completion bash');
  addCommonOptions(command).action(
    exitingWith(context, (shell, options) => {
      if (!(SHELLS as readonly string[]).includes(shell))
        throw new UsageError('unknown-shell', `There is no completion for ${shell}.`, {
          hint: `There is one for ${SHELLS.join(', ')}.`,
        });
      const script = completionScript(program, shell as Shell);
      if (options.json) printJson(context, { schema: 1, shell, script });
      else context.stdout.write(script);
      return undefined;
    }),
  );
};
