/** Public face of the replay: cassette, rebuild, run, verify. */
export {
  CASSETTE_SCHEMA,
  type Cassette,
  fidelity,
  type Header,
  type Incident,
  type LinkHeader,
  parseCassette,
  printCassette,
} from './cassette.ts';
export { ENTRY_TYPES, type Entry, type Origin } from './entry.ts';
export { networkEntries, withNetwork } from './network-change.ts';
export { type RebuildOptions, rebuild } from './rebuild.ts';
export { dropRun, type LiveRequest, type RunRequest, type RunResult, runReplay } from './run.ts';
export { choices, linkSettings, stimuli } from './stimuli.ts';
export { BASELINE, nearest, parseVariant, type Setup, setUp, type Variant, variantKeys } from './variant.ts';
export {
  symptoms,
  type VariantVerdict,
  type VerdictName,
  type Verification,
  type VerifyOptions,
  verify,
} from './verify.ts';
