/** All rules of the configuration check, in the order of docs/LINT.md. */

import type { LintRule } from './rule.ts';
import { brokerRules } from './rules/broker.ts';
import { connectionRules } from './rules/connection.ts';
import { knownKeyRules } from './rules/known-keys.ts';
import { queueRules } from './rules/queues.ts';
import { releaseRules } from './rules/releases.ts';
import { syntaxRules } from './rules/syntax.ts';
import { timerRules } from './rules/timers.ts';
import { topicRules } from './rules/topics.ts';
import { valueRules } from './rules/values.ts';

export const LINT_RULES: readonly LintRule[] = [
  ...syntaxRules,
  ...knownKeyRules,
  ...valueRules,
  ...connectionRules,
  ...topicRules,
  ...timerRules,
  ...queueRules,
  ...brokerRules,
  ...releaseRules,
];
