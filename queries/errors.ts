/**
 * What can go wrong, one class a kind of failure. Code throws these; the command line turns them into text or JSON in one
 * place (`cli/report-error.ts`). Messages are whole sentences that say what failed, where and why; the hint says what to do.
 */

/** Exit codes that an error can ask for; `cli/exit-codes.ts` lists all of them with their meaning. */
export type ErrorExitCode = 2 | 4 | 5;

export interface ErrorOptions {
  readonly hint?: string; // what to do next, a whole sentence
  readonly details?: { readonly [name: string]: unknown }; // the facts for a program: goes into the JSON as it is
  readonly cause?: unknown;
}

/** Where in an input something is wrong. Lines and columns count from 1. */
export interface Place {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly excerpt: string | null; // the text of that line: printed with a caret under the column
}

export abstract class BridgetraceError extends Error {
  /** Stable kebab-case name of the failure, for programs. */
  readonly code: string;
  readonly hint: string | null;
  readonly details: { readonly [name: string]: unknown };
  abstract readonly exitCode: ErrorExitCode;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint ?? null;
    this.details = options.details ?? {};
  }
}

/** The command was called in a way that makes no sense: an unknown name, options that exclude each other, a bad value. */
export class UsageError extends BridgetraceError {
  readonly exitCode = 2;
}

/**
 * An input cannot be read or makes no sense: a log, a configuration file, a cassette.
 * With a line, the message is put behind its place, `file:line:column: message`. The place is part of `details`.
 */
export class InputError extends BridgetraceError {
  readonly exitCode = 4;
  readonly place: Place;

  constructor(code: string, message: string, options: ErrorOptions & Partial<Place> = {}) {
    const { file = null, line = null, column = null, excerpt = null, details, ...rest } = options;
    const place = [file, line, column].filter((part) => part !== null).join(':');
    super(code, line === null ? message : `${place}: ${message}`, {
      ...rest,
      details: { file, line, column, ...details },
    });
    this.place = { file, line, column, excerpt };
  }
}

/** A line of a cassette breaks the format of the cassette. */
export class CassetteError extends InputError {
  constructor(message: string, options: ErrorOptions & Partial<Place> = {}) {
    super('cassette-invalid', message, options);
  }
}

/**
 * The incident database cannot be used.
 *
 * | code | meaning |
 * |---|---|
 * | `database-not-found` | there is no such file |
 * | `database-locked` | another process has it open |
 * | `database-newer`, `database-older` | its tables are of another version |
 * | `not-a-database` | some other file |
 * | `database-unusable` | it cannot be opened for another reason |
 */
export class DatabaseError extends BridgetraceError {
  readonly exitCode: ErrorExitCode;

  constructor(code: DatabaseFailure, message: string, options: ErrorOptions = {}) {
    super(code, message, options);
    this.exitCode = code === 'database-locked' ? 5 : 4;
  }
}

export type DatabaseFailure =
  | 'database-not-found'
  | 'database-locked'
  | 'database-newer'
  | 'hash-collision'
  | 'database-older'
  | 'database-unfinished'
  | 'not-a-database'
  | 'database-unusable';

/** A statement that the user wrote is wrong: a syntax error, an unknown table, a write where only reads are allowed. */
export class SqlError extends BridgetraceError {
  readonly exitCode = 2;

  constructor(message: string, options: ErrorOptions = {}) {
    super('bad-sql', message, options);
  }
}

/** The machine lacks something the command needs: the QUIC library, a free port, a broker that answers, disk space. */
export class EnvironmentError extends BridgetraceError {
  readonly exitCode = 5;
}
