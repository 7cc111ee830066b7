/** A rule of the configuration check: data, with one condition. */
import type { ConfSpan } from '../../parsers/index.ts';
import type { BridgeScope, FileScope } from './scope.ts';

export type LintLevel = 'error' | 'warning' | 'note';

export interface LintHit {
  readonly span: ConfSpan;
  /** What is there and what NanoMQ makes of it: one or two sentences. */
  readonly message: string;
  readonly related?: readonly { readonly span: ConfSpan; readonly message: string }[];
  /** What to write there instead, where that is certain. */
  readonly suggestion?: string;
}

interface RuleBase {
  /** Kebab-case, never changes its meaning. */
  readonly id: string;
  readonly title: string;
  readonly level: LintLevel;
  /** Finding of `analyze` (design §8) that the setting can lead to. */
  readonly leadsTo: string | null;
  /** What the rule rests on: pages of NanoMQ's model, its files, measurements. */
  readonly source: string;
  /** First and last release it holds for; absent: the oldest or newest known. */
  readonly from?: string;
  readonly to?: string;
  /** It speaks of a release's defect, not of what the file says: without a release it is left out. */
  readonly needsRelease?: true;
  readonly advice: string;
}

export interface FileRule extends RuleBase {
  readonly scope: 'file';
  readonly check: (file: FileScope) => readonly LintHit[];
}

export interface BridgeRule extends RuleBase {
  readonly scope: 'bridge';
  readonly check: (bridge: BridgeScope, file: FileScope) => readonly LintHit[];
}

export type LintRule = FileRule | BridgeRule;
