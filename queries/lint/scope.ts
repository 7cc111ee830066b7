/** What rules see: the settings of a file as one release reads them. */

import { bridgeProfile } from '../../engine/profiles/nanomq.ts';
import { type BridgeConf, bridgeSettings, type ConfValue } from '../../engine/profiles/nanomq-conf.ts';
import type { BridgeProfile } from '../../engine/profiles/profile.ts';
import {
  type ConfDocument,
  type ConfScalar,
  type ConfSpan,
  itemsOf,
  type Setting,
  type SettingGroup,
  type SettingValue,
  settingAt,
} from '../../parsers/index.ts';
import { KEYS, type KeyRow, OLD_KEYS } from './keys.ts';

type BridgeSettings = ReturnType<typeof bridgeSettings>['settings'];

export interface FileScope {
  readonly release: string;
  readonly document: ConfDocument;
  readonly root: SettingGroup;
  readonly bridges: readonly BridgeScope[];
  readonly keys: readonly FoundKey[];
  readonly missingIncludes: readonly MissingInclude[];
}

export interface MissingInclude {
  readonly span: ConfSpan;
  readonly why: string;
}

/** A key of the file with what is known of it. */
export interface FoundKey {
  readonly setting: Setting;
  /** Null: NanoMQ reads no such key. */
  readonly row: KeyRow | null;
  /** Path of the group it stands in, as in the table of keys; empty at the top. */
  readonly parent: string;
  /** The bridge it belongs to. */
  readonly bridge: BridgeScope | null;
}

export interface BridgeScope {
  readonly name: string;
  readonly group: SettingGroup;
  /** Of the bridge's name, where a key that is absent would stand. */
  readonly span: ConfSpan;
  /** Null: the server has no scheme of NanoMQ's. */
  readonly transport: 'quic' | 'tcp' | null;
  readonly server: string | null;
  /** In force, with defaults and the errors of the release's reader. */
  readonly settings: BridgeSettings;
  readonly profile: BridgeProfile;
  readonly forwards: readonly SettingValue[];
  readonly subscriptions: readonly SettingValue[];
}

const BY_PATH: ReadonlyMap<string, KeyRow> = new Map(KEYS.map((row) => [row.path, row]));
const OLD_BY_PATH: ReadonlyMap<string, KeyRow> = new Map(OLD_KEYS.map((row) => [row.path, row]));

/** Release as which NanoMQ reads the file: one of the table, or the newest. */
export function fileScope(
  document: ConfDocument,
  root: SettingGroup,
  release: string,
  missingIncludes: readonly MissingInclude[],
): FileScope {
  const mqtt = settingAt(root, 'bridges', 'mqtt')?.value;
  const bridges =
    mqtt?.kind === 'group'
      ? [...mqtt.entries.values()].flatMap((setting) =>
          setting.name !== 'cache' && setting.value?.kind === 'group'
            ? [bridgeScope(setting, setting.value, root, document.syntax, release)]
            : [],
        )
      : [];
  return { release, document, root, bridges, keys: foundKeys(document, root, bridges), missingIncludes };
}

function bridgeScope(
  setting: Setting,
  group: SettingGroup,
  root: SettingGroup,
  syntax: ConfDocument['syntax'],
  release: string,
): BridgeScope {
  const server = textAt(group, 'server');
  const transport = transportOf(server);
  const read = bridgeSettings(release, transport ?? 'tcp', confOf(group, root)).settings;
  return {
    name: setting.name,
    group,
    span: setting.keySpan,
    transport,
    server,
    settings: syntax === 'old' ? { ...read, ...oldMilliseconds(group) } : read,
    profile: bridgeProfile(release, transport ?? 'tcp').profile,
    forwards: itemsOf(group.entries.get('forwards')?.value),
    subscriptions: itemsOf(group.entries.get('subscription')?.value),
  };
}

export const SCHEMES: Readonly<Record<string, 'quic' | 'tcp'>> = {
  'mqtt-quic': 'quic',
  'mqtt-tcp': 'tcp',
  'tls+mqtt-tcp': 'tcp',
};

function transportOf(server: string | null): 'quic' | 'tcp' | null {
  const scheme = /^([a-z+-]+):\/\//.exec(server ?? '')?.[1];
  return scheme !== undefined && Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme]! : null;
}

/** The older form gives these two as whole milliseconds, which no release misreads. */
function oldMilliseconds(group: SettingGroup): Partial<BridgeSettings> {
  const rtt = scalarAt(group, 'quic_initial_rtt_ms')?.value;
  const delay = scalarAt(group, 'quic_max_ack_delay_ms')?.value;
  return {
    ...(typeof rtt === 'number' ? { quicInitialRttMs: rtt } : {}),
    ...(typeof delay === 'number' ? { quicMaxAckDelayMs: delay } : {}),
  };
}

/** Keys of a bridge and the two outside of it, as `bridgeSettings` takes them. */
export function confOf(group: SettingGroup, root: SettingGroup): BridgeConf {
  const conf: Record<string, ConfValue | { remote_topic: string; qos: number }[]> = {};
  const put = (key: string, value: SettingValue | null | undefined): void => {
    if (value?.kind === 'scalar' && value.value !== null) {
      Object.defineProperty(conf, key, { value: value.value, enumerable: true, configurable: true, writable: true });
    }
  };
  for (const { name, value } of group.entries.values()) {
    put(name, value);
    if (name === 'conn_properties' && value?.kind === 'group') {
      for (const inner of value.entries.values()) put(`${name}.${inner.name}`, inner.value);
    }
  }
  put('system.parallel', settingAt(root, 'system', 'parallel')?.value);
  put('log.level', settingAt(root, 'log', 'level')?.value);
  conf.subscription = itemsOf(group.entries.get('subscription')?.value).flatMap((item) => {
    const topic = item.kind === 'group' ? textAt(item, 'remote_topic') : null;
    if (topic === null || item.kind !== 'group') return [];
    const qos = scalarAt(item, 'qos')?.value;
    return [{ remote_topic: topic, qos: typeof qos === 'number' ? qos : 0 }];
  });
  return conf;
}

function foundKeys(document: ConfDocument, root: SettingGroup, bridges: readonly BridgeScope[]): FoundKey[] {
  const found: FoundKey[] = [];
  const byName = new Map(bridges.map((bridge) => [bridge.name, bridge]));
  const visit = (group: SettingGroup, parent: string, owner: BridgeScope | null): void => {
    for (const setting of group.entries.values()) {
      const path = childPath(parent, setting.name);
      const row = BY_PATH.get(path) ?? (document.syntax === 'old' ? OLD_BY_PATH.get(path) : undefined) ?? null;
      const bridge = parent === 'bridges.mqtt' ? (byName.get(setting.name) ?? null) : owner;
      found.push({ setting, row, parent, bridge });
      if (row === null || row.type === 'free') continue;
      if (row.type === 'list') {
        for (const item of itemsOf(setting.value)) if (item.kind === 'group') visit(item, `${path}[]`, bridge);
      } else if (setting.value?.kind === 'group') visit(setting.value, path, bridge);
    }
  };
  visit(root, '', null);
  return found;
}

function childPath(parent: string, name: string): string {
  if (parent === '') return name;
  const isUsersName = parent === 'bridges.aws' || (parent === 'bridges.mqtt' && name !== 'cache');
  return `${parent}.${isUsersName ? '*' : name}`;
}

export function scalarAt(group: SettingGroup, ...path: readonly string[]): ConfScalar | null {
  const value = settingAt(group, ...path)?.value;
  return value?.kind === 'scalar' ? value : null;
}

export function textAt(group: SettingGroup, ...path: readonly string[]): string | null {
  const value = scalarAt(group, ...path)?.value;
  return typeof value === 'string' ? value : null;
}

/** Where to point for a key of a bridge: its value, its key, or the bridge's name if it is absent. */
export function spanAt(bridge: BridgeScope, ...path: readonly string[]): ConfSpan {
  const setting = settingAt(bridge.group, ...path);
  if (setting === undefined) return bridge.span;
  return setting.value?.kind === 'scalar' ? setting.value.span : setting.keySpan;
}
