/** Order of log levels. */

import type { Severity } from './types.ts';

export const SEVERITY_RANK: Readonly<Record<Severity, number>> = {
  trace: 0,
  debug: 1,
  info: 2,
  warn: 3,
  error: 4,
  fatal: 5,
};
