/** What the checks read: records of a run, or of logs that a parser read. */

import type { SimRecord } from '../types.ts';

export type TraceRecord = Pick<SimRecord, 'at' | 'endpoint' | 'event' | 'clientId' | 'peer' | 'fields'>;

/** A trace broke a rule; `details` says where. */
export class TraceCheckError extends Error {
  readonly code = 'trace-check';
  readonly details: { readonly rule: string; readonly at: number | null; readonly what: string };

  constructor(rule: string, at: number | null, what: string) {
    super(`${rule}${at === null ? '' : ` at ${at} µs`}: ${what}`);
    this.name = 'TraceCheckError';
    this.details = { rule, at, what };
  }
}
