import type { Severity } from '../record.ts';
import type { CodeTable } from './code-tables.ts';

/** One log statement of NanoMQ's source. */
export interface CatalogueRow {
  /** Stable snake_case name; several statements can share one. What it means: `meanings.ts`. */
  readonly event: string;
  /** Level the statement prints at; absent where it goes to stdout or stderr without a prefix. */
  readonly level?: Severity;
  /** printf format of the message. */
  readonly format: string;
  /**
   * Name of each conversion's value, in order; '' means: matched but never stored (payloads, secrets, numbers that the source
   * feeds with garbage). `nng_rv` is always an nng code, `rv` an nng or an MQTT code; `_ptr` are addresses, `_ms`, `_s` times.
   */
  readonly fields: readonly string[];
  /** Attributes the text itself stands for. */
  readonly constants?: { readonly [name: string]: string };
  /** Fields that are numeric codes: attribute `FIELD_name` holds the name that the table has for the number. */
  readonly codes?: { readonly [field: string]: CodeTable };
  /** C functions that print it, as the console layout shows them; absent: not known. */
  readonly functions?: readonly string[];
  /** False for formats that any text fits (`%s`): they are listed, but never matched. */
  readonly searched?: false;
  /** NanoMQ releases whose source holds this text at this level, `FROM–TO`; `≤` means: or earlier. */
  readonly versions: string;
}

/** The statements of one source file (or of files that share a table); no files: lines that carry no file name. */
export interface CatalogueSheet {
  readonly files: readonly string[];
  readonly rows: readonly CatalogueRow[];
}
