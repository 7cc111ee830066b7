/** What a configuration file says, with places. Offsets count UTF-16 units of the text, from 0. */

/** `file` is an index into the files that were read: 0 is the one that was named, later ones were included. */
export interface ConfSpan {
  readonly file: number;
  readonly offset: number;
  readonly length: number;
}

export type ConfNode = ConfObject | ConfList | ConfScalar;

export interface ConfObject {
  readonly kind: 'object';
  readonly members: readonly ConfMember[];
  readonly span: ConfSpan;
}

export interface ConfList {
  readonly kind: 'list';
  readonly items: readonly ConfNode[];
  readonly span: ConfSpan;
}

export type ConfPlain = string | number | boolean | null;

export interface ConfScalar {
  readonly kind: 'scalar';
  /** `10` is a number, `10s` and `"10"` are strings. */
  readonly value: ConfPlain;
  readonly quoted: boolean;
  /** Refers to a variable, `${NAME}`, which NanoMQ does not put in. */
  readonly variable: boolean;
  /** A comment starts right behind it: `down/#` is `down/`. */
  readonly cutByComment: boolean;
  readonly span: ConfSpan;
}

export type ConfMember = ConfSetting | ConfInclude;

export interface ConfSetting {
  readonly kind: 'setting';
  readonly path: readonly string[];
  readonly keySpan: ConfSpan;
  /** Null: the value is missing. */
  readonly value: ConfNode | null;
}

export interface ConfInclude {
  readonly kind: 'include';
  readonly target: string;
  readonly span: ConfSpan;
}

export type ConfProblemCode =
  | 'too-long'
  | 'too-deep'
  | 'unclosed-quote'
  | 'unclosed-bracket'
  | 'stray-bracket'
  | 'no-key'
  | 'no-separator'
  | 'no-value'
  | 'no-braces'
  | 'not-understood';

export interface ConfProblem {
  readonly code: ConfProblemCode;
  /** A whole sentence. Quotes keys, never values: a value may be a password. */
  readonly message: string;
  readonly span: ConfSpan;
  /** Where what is not closed was opened. */
  readonly related: ConfSpan | null;
}

export interface ConfDocument {
  readonly syntax: 'hocon' | 'old';
  readonly root: ConfObject;
  /** In the order of the text. */
  readonly problems: readonly ConfProblem[];
  /** How often the parser looked at a token or line: a bound on its work that does not depend on the machine. */
  readonly steps: number;
}
