/** What the grammar could not make sense of, and what its form hides. */
import type { ConfScalar, ConfSpan, SettingValue } from '../../../parsers/index.ts';
import type { FileRule, LintHit } from '../rule.ts';
import { shownName } from '../secrets.ts';

export const syntaxRules: readonly FileRule[] = [
  {
    id: 'syntax',
    title: 'The text is no well-formed configuration',
    level: 'error',
    scope: 'file',
    leadsTo: null,
    source: 'NanoNNG scanner.l, parser.y',
    advice: 'Mend it: NanoMQ refuses the whole file, or silently reads something else.',
    check: ({ document }) =>
      document.problems.map(({ span, message, related }) => ({
        span,
        message,
        ...(related === null ? {} : { related: [{ span: related, message: 'It had to be closed by here.' }] }),
      })),
  },
  {
    id: 'duplicate-key',
    title: 'A key is given twice',
    level: 'warning',
    scope: 'file',
    leadsTo: null,
    source: 'HOCON: later values replace earlier ones; NanoNNG hocon.c',
    advice: 'Keep one of the two.',
    check: ({ keys }) =>
      keys.flatMap(({ setting }) =>
        setting.earlier.length === 0
          ? []
          : [
              {
                span: setting.keySpan,
                message: `${shownName(setting.name)} is given more than once; this value replaces the earlier one.`,
                related: setting.earlier.map((span) => ({ span, message: 'Without effect.' })),
              },
            ],
      ),
  },
  {
    id: 'value-cut-by-comment',
    title: 'A # or // without quotes cuts a value',
    level: 'error',
    scope: 'file',
    leadsTo: null,
    source: 'NanoNNG scanner.l: a comment starts anywhere outside of quotes',
    advice: 'Put the value in quotes.',
    check: ({ root }) => {
      const hits: LintHit[] = [];
      visitScalars(root, (scalar) => {
        if (scalar.cutByComment && !scalar.quoted) hits.push(cutHit(scalar.span));
      });
      return hits;
    },
  },
  {
    id: 'variable-not-replaced',
    title: 'A variable is not replaced',
    level: 'warning',
    scope: 'file',
    leadsTo: null,
    source: 'NanoNNG scanner.l: a variable is printed and dropped',
    advice: 'Write the value itself.',
    check: ({ root }) => {
      const hits: LintHit[] = [];
      visitScalars(root, ({ variable, span }) => {
        if (variable) hits.push({ span, message: 'NanoMQ knows no variables: this one is not replaced.' });
      });
      return hits;
    },
  },
];

function cutHit(span: ConfSpan): LintHit {
  const end = { ...span, offset: span.offset + span.length, length: 1 };
  return { span: end, message: 'A comment starts here: the value ends before it.' };
}

function visitScalars(value: SettingValue | null, visit: (scalar: ConfScalar) => void): void {
  if (value === null) return;
  if (value.kind === 'scalar') visit(value);
  else if (value.kind === 'list') for (const item of value.items) visitScalars(item, visit);
  else for (const entry of value.entries.values()) visitScalars(entry.value, visit);
}
