/** The tree as NanoMQ sees it: included files put in, dotted keys taken apart, objects of one name merged, later values in force. */
import { MAX_CONF_DEPTH } from './grammar.ts';
import type { ConfDocument, ConfInclude, ConfMember, ConfNode, ConfPlain, ConfScalar, ConfSpan } from './tree.ts';

export type SettingValue = SettingGroup | SettingList | ConfScalar;

export interface SettingGroup {
  readonly kind: 'group';
  readonly entries: ReadonlyMap<string, Setting>;
  readonly span: ConfSpan;
}

export interface SettingList {
  readonly kind: 'list';
  readonly items: readonly SettingValue[];
  readonly span: ConfSpan;
}

export interface Setting {
  readonly name: string;
  /** The key as the file spells it, with the dots before it. */
  readonly keySpan: ConfSpan;
  /** Null: the value is missing. */
  readonly value: SettingValue | null;
  /** Keys before it whose values this one put out of force. */
  readonly earlier: readonly ConfSpan[];
}

/** `NanoMQ` opens an included file by the name as it stands; null: it cannot be read. */
export type LoadInclude = (include: ConfInclude) => ConfDocument | null;

interface Draft {
  kind: 'group';
  entries: Map<string, { name: string; keySpan: ConfSpan; value: SettingValue | Draft | null; earlier: ConfSpan[] }>;
  span: ConfSpan;
}

/** NanoNNG scanner.l has a limit as well (MAX_INCLUDE_DEPTH); files in circles end here. */
export const MAX_INCLUDE_DEPTH = 10;
/** Of a key that is given thousands of times the last ones are kept. */
const EARLIER_MAX = 8;
/** A file that is included again and again multiplies: no more than this many files in all. */
export const MAX_INCLUDES = 100;

/** All settings of a document. Never throws. */
export function settingsOf(document: ConfDocument, load: LoadInclude = () => null): SettingGroup {
  const root: Draft = { kind: 'group', entries: new Map(), span: document.root.span };
  let includes = 0;
  const put = (group: Draft, members: readonly ConfMember[], level: number): void => {
    for (const member of members) {
      if (member.kind === 'setting') {
        place(group, member.path, member.keySpan, member.value === null ? null : convert(member.value, level));
        continue;
      }
      if (level >= MAX_INCLUDE_DEPTH || includes >= MAX_INCLUDES) continue;
      includes += 1;
      const included = load(member);
      if (included !== null) put(group, included.root.members, level + 1);
    }
  };
  const convert = (node: ConfNode, level: number): SettingValue => {
    if (node.kind === 'scalar') return node;
    if (node.kind === 'list') {
      return { kind: 'list', items: node.items.map((item) => convert(item, level)), span: node.span };
    }
    const group: Draft = { kind: 'group', entries: new Map(), span: node.span };
    put(group, node.members, level);
    return group as SettingGroup;
  };
  put(root, document.root.members, 0);
  return root as SettingGroup;
}

function place(root: Draft, path: readonly string[], keySpan: ConfSpan, value: SettingValue | null): void {
  let group = root;
  for (const name of path.slice(0, Math.min(path.length, MAX_CONF_DEPTH) - 1)) {
    const found = group.entries.get(name);
    if (isGroup(found?.value)) {
      group = found.value;
      continue;
    }
    const inner: Draft = { kind: 'group', entries: new Map(), span: keySpan };
    group.entries.set(name, { name, keySpan, value: inner, earlier: before(found) });
    group = inner;
  }
  const name = path.at(-1);
  if (name === undefined) return;
  const found = group.entries.get(name);
  if (isGroup(found?.value) && value?.kind === 'group') {
    merge(found.value, value);
    return;
  }
  group.entries.set(name, { name, keySpan, value, earlier: before(found) });
}

function before(found: { readonly keySpan: ConfSpan; readonly earlier: readonly ConfSpan[] } | undefined): ConfSpan[] {
  return found === undefined ? [] : [...found.earlier, found.keySpan].slice(-EARLIER_MAX);
}

function merge(into: Draft, from: SettingGroup): void {
  for (const { name, keySpan, value } of from.entries.values()) place(into, [name], keySpan, value);
}

function isGroup(value: SettingValue | Draft | null | undefined): value is Draft {
  return value?.kind === 'group';
}

/** The setting at a path of names, or undefined. */
export function settingAt(group: SettingGroup, ...path: readonly string[]): Setting | undefined {
  let at: Setting | undefined;
  let value: SettingValue | null = group;
  for (const name of path) {
    if (value?.kind !== 'group') return undefined;
    at = value.entries.get(name);
    if (at === undefined) return undefined;
    value = at.value;
  }
  return at;
}

/** Items of a list; the older form numbers them: `forwards.1.local_topic`. */
export function itemsOf(value: SettingValue | null | undefined): readonly SettingValue[] {
  if (value?.kind === 'list') return value.items;
  if (value?.kind !== 'group') return [];
  return [...value.entries.values()].flatMap((entry) =>
    /^\d+$/.test(entry.name) && entry.value !== null ? [entry.value] : [],
  );
}

export type PlainValue = ConfPlain | readonly PlainValue[] | { readonly [key: string]: PlainValue };

/** Without places, as a JSON parser would give it. Keys without a value are null. */
export function plainValue(value: SettingValue | null): PlainValue {
  if (value === null) return null;
  if (value.kind === 'scalar') return value.value;
  if (value.kind === 'list') return value.items.map(plainValue);
  return Object.fromEntries([...value.entries].map(([name, entry]) => [name, plainValue(entry.value)]));
}
