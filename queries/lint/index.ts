/** Public face of the configuration check. */
export { type LintFinding, type LintInput, type LintOptions, type LintPlace, type LintResult, lint } from './lint.ts';
export type { LintLevel, LintRule } from './rule.ts';
export { LINT_RULES } from './rules.ts';
export { confOf, scalarAt, textAt } from './scope.ts';
