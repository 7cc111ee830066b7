/** What a row of the EMQX catalogue says. The rows are in `catalogue/`, a file for each part of the broker. */

/** How a field's value is read; see `fields.ts`. */
export type FieldKind =
  | 'text' // printed text, without the quotes of a term
  | 'printed' // a term as printed, without the quotes of its atoms
  | 'int'
  | 'code' // a number, or the name that some releases print for it
  | 'bool'
  | 'reason' // reason (its kind) and reason_term (as printed)
  | 'crash_reason' // as above, for the exit of a process
  | 'packet' // a packet string
  | 'packets' // a list of raw packets
  | 'payload' // only its size is kept
  | 'sub_opts' // only its QoS is kept
  | 'queue' // queue_len, queue_max and queue_dropped of a map
  | 'counts' // a map of names to numbers
  | 'duration' // `1 minutes, 0 seconds` to seconds
  | 'info_ms' // the time in the details of a warning of the virtual machine
  | 'channel' // the client id in the printed state of a channel
  | 'child'; // child and child_pid of what a supervisor says about a process

/** Kind of the value of a key; with a name, that is the attribute's, else the key's own. */
export type FieldSpec = FieldKind | readonly [kind: FieldKind, attribute: string];

/** Where the row holds, if that is known: first and last release that print it. */
interface Releases {
  readonly since?: string;
  readonly until?: string;
  /** Only where the event's name does not say it. */
  readonly means?: string;
}

export interface EmqxCatalogueRow extends Releases {
  readonly event: string;
  /** Values of `msg`; one that ends in `*` stands for all that start so. */
  readonly msgs: readonly string[];
  /** Lines without `msg` are known by their keys: all of these are there. */
  readonly keys?: readonly string[];
  /** The row holds only if this key is there. */
  readonly needs?: string;
  /** Tag of all its lines, where they have one; it tells rows apart whose `msg` was cut. */
  readonly tag?: string;
  readonly fields: { readonly [key: string]: FieldSpec };
}

/** A line that is plain text, in 4.x, from OTP or on the console: pattern with named groups, which become attributes. */
export interface EmqxTextRow extends Releases {
  readonly event: string;
  readonly pattern: RegExp;
  /** Kind of each named group; `text` if absent. */
  readonly fields?: { readonly [group: string]: FieldKind };
  /** Of a console line, which prints no level: `info` if absent. */
  readonly severity?: 'warn' | 'error';
  /** Printed before the log begins: after a log line such a text is rather part of a payload with several lines. */
  readonly onlyBeforeLog?: true;
}
