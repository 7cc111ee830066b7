/** The rules in order: a finding may rule out later ones, and the first finding is the one whose fix removes the cycle. */
import { aioLoad } from './aio-load.ts';
import { brokerRestart } from './broker-restart.ts';
import { clientIdClash } from './client-id-clash.ts';
import type { Finding } from './finding.ts';
import { keepaliveControlStream } from './keepalive-control-stream.ts';
import { keepaliveCycleUndetermined } from './keepalive-cycle-undetermined.ts';
import { keepaliveReceiveReset } from './keepalive-receive-reset.ts';
import type { Rule } from './rule.ts';
import type { BridgeStory } from './story.ts';
import { stuckBusy } from './stuck-busy.ts';

export const RULES: readonly Rule[] = [
  stuckBusy,
  keepaliveControlStream,
  keepaliveReceiveReset,
  keepaliveCycleUndetermined,
  clientIdClash,
  brokerRestart,
  aioLoad,
];

export async function diagnose(story: BridgeStory): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const rule of RULES) {
    const finding = await rule.evaluate(story, findings);
    if (finding !== null) findings.push(finding);
  }
  return findings;
}
