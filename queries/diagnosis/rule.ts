/** What a rule is: one cause, one file. */
import type { Finding } from './finding.ts';
import type { BridgeStory } from './story.ts';

/** Rules run in the order of `rules.ts`; the first finding is the one whose fix removes the cycle. */
export interface Rule {
  readonly id: string;
  readonly title: string;
  evaluate(story: BridgeStory, earlier: readonly Finding[]): Promise<Finding | null>;
}
