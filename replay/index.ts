/** Public face of the replay: cassette, rebuild, run, verify. */
export {
  CASSETTE_SCHEMA,
  type Cassette,
  fidelity,
  type Header,
  type LinkHeader,
  parseCassette,
  printCassette,
} from './cassette.ts';
export { anonymiseCassette, cutCassette, mergeCassettes, scaleCassette } from './edit-cassette.ts';
export { ENTRY_TYPES, type Entry, type Origin } from './entry.ts';
export { FIELD_RULES, type FidelityReport, type FieldReport } from './fidelity.ts';
export { improvements } from './improvements.ts';
export type { Incident } from './incident.ts';
export { type Interval, wilson } from './interval.ts';
export { networkEntries, withNetwork } from './network-change.ts';
export { withUplink } from './offered.ts';
export { type RebuildOptions, rebuild } from './rebuild.ts';
export { dropRun, type LiveRequest, type RunRequest, type RunResult, runReplay } from './run.ts';
export { THREADS_MAX } from './run-pool.ts';
export { symptoms } from './run-symptoms.ts';
export { choices, linkSettings, stimuli } from './stimuli.ts';
export { type Axis, POINTS_MAX, parseAxis, type Sweep, type SweepPoint, sweep } from './sweep.ts';
export {
  BASELINE,
  nearest,
  parseVariant,
  releaseName,
  type Setup,
  setUp,
  type Variant,
  variantKeys,
} from './variant.ts';
export type { VariantVerdict, VerdictName } from './verdict.ts';
export { ASSUMED_RATES, type Verification, type VerifyOptions, verify } from './verify.ts';
