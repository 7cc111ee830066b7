/** Values of the wrong type, unit or range: what NanoMQ's readers make of them (nanomq-logs §3.1). */
import type { ConfPlain, ConfScalar, SettingValue } from '../../../parsers/index.ts';
import type { KeyRow } from '../keys.ts';
import type { FileRule, LintHit } from '../rule.ts';
import type { FileScope } from '../scope.ts';
import { HIDDEN, isSecretName } from '../secrets.ts';

const READER = 'nanomq-logs §3.1; NanoNNG conf_ver2.c';

interface Valued {
  readonly name: string;
  readonly row: KeyRow;
  readonly scalar: ConfScalar;
  readonly value: ConfPlain;
}

type Judge = (found: Valued, file: FileScope) => string | { message: string; suggestion: string } | null;

/** A rule over every value of the file whose key is known. */
function valueRule(rule: Omit<FileRule, 'scope' | 'check'>, judge: Judge): FileRule {
  return {
    ...rule,
    scope: 'file',
    check: (file) =>
      file.keys.flatMap(({ setting, row }): LintHit[] => {
        if (row === null || setting.value?.kind !== 'scalar') return [];
        const scalar = setting.value;
        const said = judge({ name: setting.name, row, scalar, value: scalar.value }, file);
        if (said === null) return [];
        return [{ span: scalar.span, ...(typeof said === 'string' ? { message: said } : said) }];
      }),
  };
}

const isNewForm = (file: FileScope): boolean => file.document.syntax === 'hocon';
const shown = (name: string, value: ConfPlain): string => (isSecretName(name) ? HIDDEN : String(value));
const isTimed = ({ type }: KeyRow): boolean => type === 'time' || type === 'milliseconds';

export const valueRules: readonly FileRule[] = [
  valueRule(
    {
      id: 'bare-number-as-time',
      title: 'A duration without a unit is passed over',
      level: 'error',
      leadsTo: null,
      source: READER,
      advice: 'Write the unit: s, m or h.',
    },
    ({ name, row, value }, file) =>
      isNewForm(file) && isTimed(row) && typeof value === 'number'
        ? {
            message: `${name} = ${value} is passed over, and the default stays: a duration needs a unit.`,
            suggestion: row.type === 'milliseconds' ? `${value}ms` : `${value}s`,
          }
        : null,
  ),
  valueRule(
    {
      id: 'time-without-unit',
      title: 'A number in quotes for a duration is 0',
      level: 'error',
      leadsTo: null,
      source: READER,
      advice: 'Write the unit: s, m or h.',
    },
    ({ name, row, value }) =>
      isTimed(row) && typeof value === 'string' && /^\s*\d+\s*$/.test(value)
        ? { message: `${name} = "${value}" is read as 0: the unit is missing.`, suggestion: `${value.trim()}s` }
        : null,
  ),
  valueRule(
    {
      id: 'ms-as-minutes',
      title: 'ms is read as minutes',
      level: 'error',
      leadsTo: null,
      source: `${READER}: only the first letter of the unit counts`,
      advice: 'Write whole seconds.',
    },
    ({ name, row, value }) => {
      const count = row.type === 'time' && typeof value === 'string' ? /^\s*(\d+)\s*ms/.exec(value)?.[1] : undefined;
      return count === undefined ? null : `${name} = ${value} is read as ${count} minutes.`;
    },
  ),
  valueRule(
    {
      id: 'initial-rtt-in-minutes',
      title: 'quic_initial_rtt_ms and quic_max_ack_delay_ms read ms as minutes (D11)',
      level: 'error',
      leadsTo: 'transport-loss',
      source:
        'nanomq-logs §3.1, §3.3 (D11); measured 2.14: a dial while the broker is away waits for the 20 s handshake time-out',
      to: '0.24.8',
      advice: 'nanomq=0.24.9 reads it right. Before that leave the key out: the default, 800 and 100 ms, is right.',
    },
    ({ name, row, value }) => {
      const count =
        row.type === 'milliseconds' && typeof value === 'string' ? /^\s*(\d+)\s*m/.exec(value)?.[1] : undefined;
      return count === undefined
        ? null
        : `${name} = ${value} is read as ${Number(count) * 60} ms: ms counts as minutes, and their seconds as milliseconds.`;
    },
  ),
  valueRule(
    {
      id: 'seconds-as-milliseconds',
      title: 'quic_initial_rtt_ms and quic_max_ack_delay_ms take seconds for milliseconds',
      level: 'error',
      leadsTo: null,
      source: 'nanomq-logs §3.1; measured 2.14 (1s is 1 ms)',
      to: '0.24.8',
      advice:
        'Before 0.24.9 the number of seconds is the number of milliseconds: 800s for 800 ms, or leave the key out.',
    },
    ({ name, row, value }) => {
      const count =
        row.type === 'milliseconds' && typeof value === 'string' ? /^\s*(\d+)\s*s/.exec(value)?.[1] : undefined;
      // 800s is what one writes who knows.
      return count === undefined || Number(count) >= 10 ? null : `${name} = ${value} is read as ${count} ms.`;
    },
  ),
  valueRule(
    {
      id: 'milliseconds-unit-unknown',
      title: 'quic_initial_rtt_ms and quic_max_ack_delay_ms know ms and s only',
      level: 'error',
      leadsTo: null,
      source: 'nanomq-logs §3.1',
      from: '0.24.9',
      advice: 'Write ms or s.',
    },
    ({ name, row, value }) =>
      row.type === 'milliseconds' && typeof value === 'string' && !/^\s*\d+\s*(?:ms|s)?\s*$/.test(value)
        ? `${name} = ${value} is read as 0.`
        : null,
  ),
  valueRule(
    {
      id: 'ack-delay-capped',
      title: 'quic_max_ack_delay_ms is at most 16 s',
      level: 'note',
      leadsTo: null,
      source: 'NanoNNG 4af38de2e, f453b66b5',
      from: '0.24.9',
      advice: 'Write 100ms, the default.',
    },
    ({ name, row, value }) => {
      if (row.type !== 'milliseconds' || name !== 'quic_max_ack_delay_ms' || typeof value !== 'string') return null;
      const [, count, unit] = /^\s*(\d+)\s*(ms|s)\s*$/.exec(value) ?? [];
      const ms = Number(count ?? 0) * (unit === 's' ? 1000 : 1);
      return ms > 16_000 ? `${name} = ${value} is cut to 16 s.` : null;
    },
  ),
  valueRule(
    {
      id: 'time-unit-unknown',
      title: 'A duration in a unit NanoMQ does not know is 0',
      level: 'error',
      leadsTo: null,
      source: READER,
      advice: 'Write a whole number with s, m or h.',
    },
    ({ name, row, value }) =>
      row.type === 'time' && typeof value === 'string' && !/^\s*\d+\s*(?:[smh]|ms)?\s*$/.test(value)
        ? `${name} = ${JSON.stringify(value)} is read as 0: no whole number with s, m or h.`
        : null,
  ),
  valueRule(
    {
      id: 'number-passed-over',
      title: 'Only a number above 0 is read',
      level: 'warning',
      leadsTo: null,
      source: READER,
      advice: 'Write a number above 0, without quotes.',
    },
    ({ name, row, value }, file) => {
      if (row.type !== 'number' || !isNewForm(file)) return null;
      if (typeof value !== 'number')
        return `${name} = ${JSON.stringify(shown(name, value))} is passed over: it is no number.`;
      if (value < 0) return `${name} = ${value} is passed over: only numbers above 0 are read.`;
      return value === 0 && row.fallback !== undefined
        ? `${name} = 0 is passed over: only numbers above 0 are read. ${row.fallback} stays in force.`
        : null;
    },
  ),
  valueRule(
    {
      id: 'flag-passed-over',
      title: 'A flag is true or false, nothing else',
      level: 'warning',
      leadsTo: null,
      source: READER,
      advice: 'Write true or false, without quotes.',
    },
    ({ name, row, value }) =>
      row.type === 'flag' && typeof value !== 'boolean'
        ? `${name} = ${JSON.stringify(shown(name, value))} is passed over: only true and false are read.`
        : null,
  ),
  valueRule(
    {
      id: 'text-passed-over',
      title: 'A number where a text is read is passed over',
      level: 'error',
      leadsTo: 'auth-refused',
      source: READER,
      advice: 'Put it in quotes.',
    },
    ({ name, row, value }, file) =>
      row.type === 'text' && isNewForm(file) && typeof value !== 'string'
        ? `${name} = ${shown(name, value)} is passed over: it needs quotes to be a text.`
        : null,
  ),
  valueRule(
    {
      id: 'size-unit-unknown',
      title: 'A size is a number with KB, MB or GB',
      level: 'warning',
      leadsTo: null,
      source: READER,
      advice: 'Write KB, MB or GB behind the number, or the number of bytes.',
    },
    ({ name, row, value }) =>
      row.type === 'size' && typeof value !== 'number' && !/^\d+\s*[kmg]b$/i.test(String(value))
        ? `${name} = ${JSON.stringify(value)} is no number of bytes and has none of the units KB, MB and GB.`
        : null,
  ),
  valueRule(
    {
      id: 'out-of-range',
      title: 'The value is out of range',
      level: 'error',
      leadsTo: null,
      source: 'nanomq-logs §3.2; MQTT 5.0 §3.1.2, §3.3.1, §3.8.3',
      advice: 'Choose a value inside the range.',
    },
    ({ name, row, value }) => {
      if (row.range === undefined) return null;
      const number = row.type === 'time' ? secondsOf(value) : typeof value === 'number' ? value : null;
      const [least, most] = row.range;
      if (number === null || (number >= least && number <= most)) return null;
      // A 0 or less is passed over, and said to be.
      if (row.type === 'number' && number <= 0) return null;
      const unit = row.type === 'time' ? ' s' : '';
      return `${name} = ${value} is out of range: ${least} to ${most}${unit}.`;
    },
  ),
  valueRule(
    {
      id: 'word-unknown',
      title: 'A word that NanoMQ does not know',
      level: 'error',
      leadsTo: null,
      source: 'nanomq-logs §3.3',
      advice: 'Choose one of the words.',
    },
    ({ name, row, value }) =>
      row.words !== undefined && typeof value === 'string' && !row.words.includes(value.toLowerCase())
        ? `${name} = ${JSON.stringify(value)} is none of ${row.words.join(', ')}.`
        : null,
  ),
  {
    id: 'wrong-kind',
    title: 'A group or list is wanted, or a plain value',
    level: 'error',
    scope: 'file',
    leadsTo: null,
    source: 'NanoNNG conf_ver2.c',
    advice: 'NanoMQ passes over it. Write { } for a group, [ ] for a list.',
    check: ({ keys }) =>
      keys.flatMap(({ setting, row }): LintHit[] => {
        if (row === null || row.type === 'free' || setting.value === null) return [];
        const wanted = row.type === 'group' || row.type === 'list' ? row.type : 'scalar';
        if (setting.value.kind === wanted || isNumbered(row, setting.value)) return [];
        const what = { group: 'a group, { }', list: 'a list, [ ]', scalar: 'a plain value' }[wanted];
        return [{ span: setting.keySpan, message: `${setting.name} is to be ${what}.` }];
      }),
  },
];

/** `forwards.1.local_topic` of the older form. */
function isNumbered(row: KeyRow, value: SettingValue): boolean {
  return row.type === 'list' && value.kind === 'group' && [...value.entries.keys()].every((name) => /^\d+$/.test(name));
}

function secondsOf(value: ConfPlain): number | null {
  const [, count, unit] = (typeof value === 'string' && /^\s*(\d+)\s*([smh])\s*$/.exec(value)) || [];
  return count === undefined ? null : Number(count) * { s: 1, m: 60, h: 3600 }[unit as 's' | 'm' | 'h'];
}
