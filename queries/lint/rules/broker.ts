/** Sections of the broker that bear on a bridge's incidents: the log above all. */
import { settingAt } from '../../../parsers/index.ts';
import type { LintRule } from '../rule.ts';
import { scalarAt, spanAt } from '../scope.ts';

const TARGETS = ['file', 'console', 'syslog', 'uds'];
const QUIET = ['warn', 'error', 'fatal'];
/** Less holds no incident: a bridge at info writes some 100 bytes a line, hundreds of lines a second in a storm. */
const MIN_LOG_BYTES = 1_048_576;

export const brokerRules: readonly LintRule[] = [
  {
    id: 'log-target-unknown',
    title: 'A log target that NanoMQ does not know',
    level: 'error',
    scope: 'file',
    leadsTo: null,
    source: 'nanomq-logs §3.3: "Unsupport log to"',
    advice: 'Choose among file, console and syslog.',
    check: ({ root }) => {
      const to = settingAt(root, 'log', 'to')?.value;
      if (to?.kind !== 'list') return [];
      return to.items.flatMap((item) =>
        item.kind === 'scalar' && !TARGETS.includes(String(item.value))
          ? [{ span: item.span, message: `${JSON.stringify(item.value)} is none of ${TARGETS.join(', ')}.` }]
          : [],
      );
    },
  },
  {
    id: 'log-target-uds',
    title: 'The log target uds does nothing',
    level: 'note',
    scope: 'file',
    leadsTo: null,
    source: 'nanomq-logs §3.3: not wired',
    advice: 'Choose among file, console and syslog.',
    check: ({ root }) => {
      const to = settingAt(root, 'log', 'to')?.value;
      if (to?.kind !== 'list') return [];
      return to.items.flatMap((item) =>
        item.kind === 'scalar' && item.value === 'uds'
          ? [{ span: item.span, message: 'Nothing is written to uds.' }]
          : [],
      );
    },
  },
  {
    id: 'log-too-quiet',
    title: 'The log will not show why a bridge reconnects',
    level: 'note',
    scope: 'bridge',
    leadsTo: 'keepalive-cycle-undetermined',
    source: 'nanomq-logs §2.6; docs/ACCURACY.md: at warn most causes look alike',
    advice: 'log.level = info, with a file of 100MB or more.',
    check: (bridge, { root }) => {
      const level = scalarAt(root, 'log', 'level');
      const word = level === null ? 'warn' : String(level.value).toLowerCase();
      if (!QUIET.includes(word)) return [];
      const where = level?.span ?? settingAt(root, 'log')?.keySpan ?? spanAt(bridge);
      return [
        {
          span: where,
          message: `The log level is ${word}${level === null ? ', the default' : ''}: PINGREQs and connects are logged at info.`,
        },
      ];
    },
  },
  {
    id: 'log-small',
    title: 'The log file is too small for an incident',
    level: 'note',
    scope: 'file',
    leadsTo: null,
    source: 'nanomq-logs §3.3: 10 KiB and 5 files without the keys',
    advice: 'log.rotation { size = 100MB, count = 5 }.',
    check: ({ root }) => {
      const log = settingAt(root, 'log');
      const to = settingAt(root, 'log', 'to')?.value;
      if (log === undefined || to?.kind !== 'list') return [];
      if (!to.items.some((item) => item.kind === 'scalar' && item.value === 'file')) return [];
      const size = scalarAt(root, 'log', 'rotation', 'size');
      const bytes = size === null ? 10_240 : bytesOf(size.value);
      return bytes !== null && bytes < MIN_LOG_BYTES
        ? [
            {
              span: size?.span ?? log.keySpan,
              message: `A log file holds ${bytes} bytes${size === null ? ', the default' : ''}: some seconds of a bridge in trouble.`,
            },
          ]
        : [];
    },
  },
  {
    id: 'password-in-log',
    title: 'The release writes the password into its log',
    level: 'warning',
    scope: 'bridge',
    leadsTo: null,
    source: 'nanomq-logs §2.5: removed in 0.23.6',
    to: '0.23.5',
    advice: 'nanomq=0.23.6 or later; until then treat the log as a secret.',
    check: (bridge, { root }) => {
      const level = String(scalarAt(root, 'log', 'level')?.value ?? 'warn').toLowerCase();
      const password = bridge.group.entries.get('password');
      return password !== undefined && !QUIET.includes(level)
        ? [
            {
              span: password.keySpan,
              message: `At the level ${level} this release prints the settings of the bridge at its start, the password among them.`,
            },
          ]
        : [];
    },
  },
  {
    id: 'include-not-read',
    title: 'An included file cannot be read',
    level: 'note',
    scope: 'file',
    leadsTo: null,
    source: 'NanoNNG scanner.l: "File … is not exist!", and reading goes on without it',
    advice: 'NanoMQ opens the name as it stands, from the folder it was started in: write the whole path.',
    check: ({ missingIncludes }) =>
      missingIncludes.map(({ span, why }) => ({ span, message: `The included file is not read: ${why}.` })),
  },
];

function bytesOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  const [, count, unit] = /^(\d+)\s*([kmg])b$/i.exec(String(value)) ?? [];
  return count === undefined ? null : Number(count) * 1024 ** ('kmg'.indexOf(unit!.toLowerCase()) + 1);
}
