import type { Severity } from '../record.ts';

/** One log statement of NanoMQ's source. */
export interface CatalogueRow {
  /** Stable snake_case name; several statements can share one. */
  readonly event: string;
  /** Level the statement prints at; absent where it goes to stdout without a prefix. */
  readonly level?: Severity;
  /** printf format of the message. */
  readonly format: string;
  /** Name of each conversion's value, in order; '' means: matched but never stored (payloads). */
  readonly fields: readonly string[];
  /** Attributes the text itself stands for. */
  readonly constants?: { readonly [name: string]: string };
  /** NanoMQ releases whose source holds this text at this level, `FROM–TO`; `≤` means: or earlier. */
  readonly versions: string;
}

/** The statements of one source file (or of files that share a table). */
export interface CatalogueSheet {
  readonly files: readonly string[];
  readonly rows: readonly CatalogueRow[];
}
