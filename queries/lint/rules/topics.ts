/** Rules of `forwards` and `subscription` (nanomq-logs §3.2; conf_bridge_node_parse). */
import type { SettingGroup, SettingValue } from '../../../parsers/index.ts';
import type { BridgeRule, LintHit } from '../rule.ts';
import { type BridgeScope, scalarAt, textAt } from '../scope.ts';

type Topics = readonly { readonly list: 'forwards' | 'subscription'; readonly item: SettingValue }[];

const topicsOf = ({ forwards, subscriptions }: BridgeScope): Topics => [
  ...forwards.map((item) => ({ list: 'forwards', item }) as const),
  ...subscriptions.map((item) => ({ list: 'subscription', item }) as const),
];

export const topicRules: readonly BridgeRule[] = [
  {
    id: 'topic-pair-incomplete',
    title: 'A topic rule without both topics is passed over',
    level: 'error',
    scope: 'bridge',
    leadsTo: null,
    source: 'NanoNNG conf_ver2.c: "remote_topic/local_topic not found"',
    advice: 'Give both; "" keeps the name of the topic.',
    check: (bridge) =>
      topicsOf(bridge).flatMap(({ list, item }): LintHit[] => {
        if (item.kind !== 'group') {
          return [
            {
              span: item.span,
              message: `A rule of ${list} is a group { remote_topic = …, local_topic = … }; this one is passed over.`,
            },
          ];
        }
        const missing = ['remote_topic', 'local_topic'].filter((key) => textAt(item, key) === null);
        return missing.length === 0
          ? []
          : [{ span: spanOf(item), message: `The rule has no ${missing.join(' and no ')}, and is passed over.` }];
      }),
  },
  {
    id: 'wildcard-in-target',
    title: 'A wildcard in the topic that is published to',
    level: 'error',
    scope: 'bridge',
    leadsTo: null,
    source: 'NanoNNG conf_ver2.c: "No wildcard +/# should be contained in …"; MQTT 5.0 §3.3.2.1',
    advice: 'Write "" to keep the name of the topic, or a topic without + and #.',
    check: (bridge) =>
      topicsOf(bridge).flatMap(({ list, item }) => {
        const key = list === 'forwards' ? 'remote_topic' : 'local_topic';
        const scalar = item.kind === 'group' ? scalarAt(item, key) : null;
        return typeof scalar?.value === 'string' && /[+#]/.test(scalar.value)
          ? [{ span: scalar.span, message: `${key} of ${list} is a topic to publish to: no wildcards.` }]
          : [];
      }),
  },
  {
    id: 'prefix-with-wildcard',
    title: 'A wildcard in prefix or suffix',
    level: 'error',
    scope: 'bridge',
    leadsTo: null,
    source: 'NanoNNG conf_ver2.c: "No wildcard +/# should be contained in prefix/suffix in forward rules."',
    advice: 'Write it without + and #.',
    check: (bridge) =>
      topicsOf(bridge).flatMap(({ item }) =>
        ['prefix', 'suffix'].flatMap((key) => {
          const scalar = item.kind === 'group' ? scalarAt(item, key) : null;
          return typeof scalar?.value === 'string' && /[+#]/.test(scalar.value)
            ? [{ span: scalar.span, message: `${key} becomes part of a topic that is published to: no wildcards.` }]
            : [];
        }),
      ),
  },
  {
    id: 'message-loop',
    title: 'What is forwarded comes back',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'aio-load',
    source: 'nanomq-bridge-model §4: nolocal is set on QUIC subscriptions; MQTT 3.1.1 has no such flag',
    advice: 'Separate the topics of the two directions.',
    check: (bridge) => {
      if (bridge.settings.protocol === 5) return [];
      const up = new Set(bridge.forwards.flatMap((item) => sameTopic(item)));
      return bridge.subscriptions.flatMap((item) => {
        const scalar = item.kind === 'group' ? scalarAt(item, 'remote_topic') : null;
        return sameTopic(item).some((topic) => up.has(topic)) && scalar !== null
          ? [
              {
                span: scalar.span,
                message:
                  'The same topics are forwarded and subscribed to under the same names: with MQTT 3.1.1 the broker sends them back.',
              },
            ]
          : [];
      });
    },
  },
];

/** The topic, if it keeps its name. */
function sameTopic(item: SettingValue): string[] {
  if (item.kind !== 'group') return [];
  const local = textAt(item, 'local_topic');
  const remote = textAt(item, 'remote_topic');
  if (local === null || remote === null) return [];
  if (local === '') return [remote];
  return remote === '' || remote === local ? [local] : [];
}

function spanOf(item: SettingGroup) {
  const first = item.entries.values().next().value;
  return first === undefined ? { ...item.span, length: 1 } : first.keySpan;
}
