/** The rules in order: a finding may rule out later ones, and the first finding is the one whose fix removes the cycle. */
import { aioLeak } from './aio-leak.ts';
import { aioLoad } from './aio-load.ts';
import { authRefused } from './auth-refused.ts';
import { bridgeStoppedRetrying } from './bridge-stopped-retrying.ts';
import { brokerRestart } from './broker-restart.ts';
import { brokerUnresponsive } from './broker-unresponsive.ts';
import { clientIdClash } from './client-id-clash.ts';
import { crash } from './crash.ts';
import type { Finding } from './finding.ts';
import { keepaliveControlStream } from './keepalive-control-stream.ts';
import { keepaliveCycleUndetermined } from './keepalive-cycle-undetermined.ts';
import { keepaliveReceiveReset } from './keepalive-receive-reset.ts';
import { keepaliveTooShort } from './keepalive-too-short.ts';
import { kicked } from './kicked.ts';
import { offlineResendLoop } from './offline-resend-loop.ts';
import { parkedBeforeConnect } from './parked-before-connect.ts';
import { queueCapacityZero } from './queue-capacity-zero.ts';
import { quicIdleTimeout } from './quic-idle-timeout.ts';
import { receiverDead } from './receiver-dead.ts';
import { resendStarved } from './resend-starved.ts';
import type { Rule } from './rule.ts';
import { secondBridgeIgnored } from './second-bridge-ignored.ts';
import { sendErrorStuck } from './send-error-stuck.ts';
import type { BridgeStory } from './story.ts';
import { stuckBusy } from './stuck-busy.ts';
import { subscribeCompetition } from './subscribe-competition.ts';
import { transportLoss } from './transport-loss.ts';

export const RULES: readonly Rule[] = [
  authRefused,
  secondBridgeIgnored,
  queueCapacityZero,
  receiverDead,
  stuckBusy,
  sendErrorStuck,
  keepaliveControlStream,
  keepaliveReceiveReset,
  keepaliveTooShort,
  quicIdleTimeout,
  clientIdClash,
  kicked,
  keepaliveCycleUndetermined,
  offlineResendLoop,
  aioLeak,
  crash,
  brokerRestart,
  resendStarved,
  subscribeCompetition,
  brokerUnresponsive,
  bridgeStoppedRetrying,
  transportLoss,
  parkedBeforeConnect,
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
