/** `bridgetrace explain`: what a log line, a code, an event or a finding id means. */

import { UsageError } from '../../queries/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { escapeControls } from '../output/escape.ts';
import { terminalWidth } from '../output/width.ts';
import { type Explanation, explain } from '../text/explanations.ts';
import { wrap } from '../text/wrap.ts';
import { print, printJson } from './common.ts';

export const register: RegisterCommand = (program, context) => {
  const command = program
    .command('explain')
    .description('say what a log line, reason code, nng or QUIC code, event name or finding id means')
    .argument('<text...>', 'the line, code, name or id');
  withExample(command, 'bridgetrace explain 141', 'bridgetrace explain stuck-busy', 'bridgetrace explain aio_busy');
  addCommonOptions(command).action(
    exitingWith(context, (words, options) => {
      const text = words.join(' ');
      const found = explain(text);
      if (found.length === 0)
        throw new UsageError('nothing-known', `Nothing is known of ${JSON.stringify(text)}.`, {
          hint: 'Give a whole log line, a number, an event (bridgetrace query events), or a finding id (bridgetrace analyze).',
        });
      if (options.json) printJson(context, { schema: 1, text, meanings: found });
      else
        print(
          context,
          found.flatMap((one, index) => lines(one, index > 0, terminalWidth(context.stdout) ?? 100)),
        );
      return undefined;
    }),
  );
};

function lines(one: Explanation, later: boolean, width: number): string[] {
  return [
    ...(later ? [''] : []),
    escapeControls(`${one.kind}: ${one.name}`),
    ...one.text.flatMap((text) => wrap(escapeControls(`  ${text}`), width, '  ')),
  ];
}
