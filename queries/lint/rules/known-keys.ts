/** Keys that no release reads, or not yet, or not there. */
import { compareReleases } from '../../release-order.ts';
import { WITHOUT_EFFECT } from '../effects.ts';
import { KEYS, OTHER_NAMES } from '../keys.ts';
import { nearestName } from '../names.ts';
import type { LintRule } from '../rule.ts';
import type { FoundKey } from '../scope.ts';
import { shownName } from '../secrets.ts';

const CHILDREN: ReadonlyMap<string, readonly string[]> = childrenOf();

export const knownKeyRules: readonly LintRule[] = [
  {
    id: 'unknown-key',
    title: 'NanoMQ reads no such key',
    level: 'warning',
    scope: 'file',
    leadsTo: null,
    source: 'nanomq-logs §3.2, §3.3; NanoNNG conf_ver2.c',
    advice: 'NanoMQ passes over it without a word: the default stays in force. Correct the name, or take it out.',
    check: ({ keys, document }) =>
      keys.flatMap((key) => {
        const { setting, row, parent } = key;
        // A key without a value is the grammar's to report.
        if (row !== null || setting.value === null) return [];
        const meant = meantBy(key);
        const where =
          parent === '' ? 'no section or key of that name' : `no key of that name in ${parent.replace('*', 'NAME')}`;
        const home = document.syntax === 'old' || meant !== null ? null : homeOf(setting.name, parent);
        const tail = meant !== null ? ` Did you mean ${meant}?` : home !== null ? ` It belongs to ${home}.` : '';
        return [
          {
            span: setting.keySpan,
            message: `${shownName(setting.name)}: NanoMQ reads ${where}.${tail}`,
            ...(meant === null ? {} : { suggestion: meant }),
          },
        ];
      }),
  },
  {
    id: 'key-not-read-yet',
    title: 'The release does not read the key yet',
    level: 'warning',
    scope: 'file',
    leadsTo: null,
    source: 'nanomq-logs §3.2, column "since"',
    advice: 'It has no effect until NanoMQ is upgraded.',
    check: ({ keys, release }) =>
      keys.flatMap(({ setting, row }) =>
        row?.since !== undefined && compareReleases(release, row.since) < 0
          ? [{ span: setting.keySpan, message: `${setting.name} is read from ${row.since} on.` }]
          : [],
      ),
  },
  {
    id: 'key-without-effect',
    title: 'The key does nothing',
    level: 'note',
    scope: 'bridge',
    leadsTo: null,
    source: 'a table with a source for each key: queries/lint/effects.ts',
    advice: 'Take it out, so that nobody relies on it.',
    check: (bridge, { release }) =>
      WITHOUT_EFFECT.flatMap(({ key, from, to, when, why }) => {
        const setting = bridge.group.entries.get(key);
        const inRange =
          (from === undefined || compareReleases(release, from) >= 0) &&
          (to === undefined || compareReleases(release, to) <= 0);
        return setting !== undefined && inRange && when(bridge)
          ? [{ span: setting.keySpan, message: `${key} has no effect: ${why}.` }]
          : [];
      }),
  },
  {
    id: 'stream-id-without-effect',
    title: 'stream_id does nothing',
    level: 'note',
    scope: 'file',
    leadsTo: null,
    source: 'nanomq-logs §3.2',
    advice: 'Take it out.',
    check: ({ keys }) =>
      keys.flatMap(({ setting, parent }) =>
        setting.name === 'stream_id' && parent.endsWith('.subscription[]')
          ? [{ span: setting.keySpan, message: 'stream_id has no effect from 0.22.10 on.' }]
          : [],
      ),
  },
  {
    id: 'quic-key-on-tcp',
    title: 'A QUIC setting on a TCP bridge',
    level: 'warning',
    scope: 'bridge',
    leadsTo: null,
    source: 'nanomq-logs §3.2',
    advice: 'Take it out, or make the server mqtt-quic://.',
    check: ({ transport, group, settings }) =>
      // A hybrid bridge goes over QUIC at times.
      transport !== 'tcp' || settings.hybrid
        ? []
        : [...group.entries.values()].flatMap(({ name, keySpan }) =>
            name.startsWith('quic_')
              ? [{ span: keySpan, message: `${name} has no effect: this bridge goes over TCP.` }]
              : [],
          ),
  },
  {
    id: 'tcp-key-on-quic',
    title: 'A TCP setting on a QUIC bridge',
    level: 'warning',
    scope: 'bridge',
    leadsTo: null,
    source: 'nanomq-logs §3.2',
    advice: 'Take it out.',
    check: ({ transport, group, settings }) => {
      const tcp = group.entries.get('tcp');
      return transport === 'quic' && !settings.hybrid && tcp !== undefined
        ? [{ span: tcp.keySpan, message: 'tcp has no effect: this bridge goes over QUIC.' }]
        : [];
    },
  },
];

function meantBy({ setting, parent }: FoundKey): string | null {
  const names = CHILDREN.get(parent) ?? [];
  const other = Object.hasOwn(OTHER_NAMES, setting.name) ? OTHER_NAMES[setting.name]! : null;
  if (other !== null && names.includes(other)) return other;
  return nearestName(setting.name, names);
}

/** Another group that has a key of this very name. */
function homeOf(name: string, parent: string): string | null {
  for (const [group, names] of CHILDREN) {
    if (group !== parent && group !== '' && names.includes(name)) return group.replace('*', 'NAME');
  }
  return null;
}

function childrenOf(): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const { path } of KEYS) {
    const dot = path.lastIndexOf('.');
    const name = path.slice(dot + 1);
    if (name === '*') continue;
    const parent = dot < 0 ? '' : path.slice(0, dot);
    children.set(parent, [...(children.get(parent) ?? []), name]);
  }
  return children;
}
