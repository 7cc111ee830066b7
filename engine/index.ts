/** Public face of the engine: machines, release profiles and the simulator. */

export type {
  BridgeHeld,
  BridgeInput,
  BridgeLossReason,
  BridgeMachine,
  BridgeOutput,
  WriteToken,
} from './bridge/io.ts';
export { createBridge } from './bridge/machine.ts';
export type { BridgeProcess } from './bridge/state.ts';
export type { BrokerInput, BrokerLossReason, BrokerMachine, BrokerOutput, ConnectionId } from './broker/io.ts';
export { createBroker } from './broker/machine.ts';
export { checkedBridge } from './checks/check-machine.ts';
export { checkTrace, TraceCheckError } from './checks/check-trace.ts';
export { brokerProfile, DEFAULT_BROKER_SETTINGS } from './profiles/emqx.ts';
export { bridgeDefaults, bridgeProfile, DEFAULT_BRIDGE_SETTINGS } from './profiles/nanomq.ts';
export type { BridgeConf, ConfValue, ReadConf } from './profiles/nanomq-conf.ts';
export { bridgeSettings, SHIPPED_SAMPLE } from './profiles/nanomq-conf.ts';
export type { BridgeLogProfile, BridgeProfile, BrokerProfile, Chosen } from './profiles/profile.ts';
export { createRng } from './rng.ts';
export { LINK_AT_START } from './sim/link.ts';
export {
  NETWORK_SCRIPTS,
  type NetworkScript,
  type NetworkStimulus,
  networkScript,
  networkStimuli,
} from './sim/network-scripts.ts';
export type { DirectionSummary, LinkSettings, SimOptions, SimSummary } from './sim/options.ts';
export { simulate } from './sim/simulate.ts';
export type * from './types.ts';
