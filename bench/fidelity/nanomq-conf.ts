/** The bridges of a nanomq.conf of the corpus; what their keys mean to a release is the engine's to say. */
import type { BridgeConf } from '../../engine/index.ts';
import { itemsOf, parseNanomqConf, settingAt, settingsOf } from '../../parsers/index.ts';
import { confOf, textAt } from '../../queries/lint/index.ts';

export interface ConfiguredBridge {
  /** As `bridgeSettings` takes it, `system.parallel` and the subscriptions among it. */
  readonly conf: BridgeConf;
  /** Topic filters of what goes up. */
  readonly forwards: readonly string[];
}

/** In the order of the file. */
export function configuredBridges(text: string): readonly ConfiguredBridge[] {
  const root = settingsOf(parseNanomqConf(text));
  const mqtt = settingAt(root, 'bridges', 'mqtt')?.value;
  if (mqtt?.kind !== 'group') return [];
  return [...mqtt.entries.values()].flatMap(({ value }) => {
    if (value?.kind !== 'group') return [];
    const forwards = itemsOf(settingAt(value, 'forwards')?.value).flatMap((item) => {
      const topic = item.kind === 'group' ? textAt(item, 'local_topic') : null;
      return topic === null || topic === '' ? [] : [topic];
    });
    // The runs are compared by what happens, not by what the level of the log lets through.
    return [{ conf: { ...confOf(value, root), 'log.level': undefined }, forwards }];
  });
}
