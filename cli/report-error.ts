/** Turns whatever was thrown into what a person or a program can use. The only place that does. */
import { CommanderError } from '@commander-js/extra-typings';
import { BridgetraceError, InputError, type Place } from '../queries/errors.ts';
import { InterruptedError, type OutputStream } from './context.ts';
import { ExitCode } from './exit-codes.ts';
import { colours, type Environment } from './output/colour.ts';
import { escapeControls } from './output/escape.ts';
import { jsonText } from './output/json.ts';

export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly details: { readonly [name: string]: unknown };
  readonly exitCode: ExitCode;
  readonly place: Place | null;
}

export interface ReportOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Environment;
  readonly json: boolean; // as one document on stdout instead of text on stderr
  readonly debug: boolean; // with the stack trace, on stderr
  readonly command: string | null; // whose help a usage error points to
}

/** Writes the error and returns the exit code it calls for. */
export function reportError(error: unknown, options: ReportOptions): ExitCode {
  const report = describeError(error, options.command);
  if (options.json) options.stdout.write(`${errorJson(report)}\n`);
  else options.stderr.write(errorText(report, options));
  if (options.debug && error instanceof Error) options.stderr.write(`${escapeLines(stackOf(error))}\n`);
  return report.exitCode;
}

/**
 * @param command the command that failed, null if none was recognised
 * @returns what to say about an error, whoever threw it
 */
export function describeError(error: unknown, command: string | null = null): ErrorReport {
  if (error instanceof BridgetraceError) {
    const { code, message, hint, details, exitCode } = error;
    return { code, message, hint, details, exitCode, place: error instanceof InputError ? error.place : null };
  }
  if (error instanceof InterruptedError || (error instanceof Error && error.name === 'AbortError')) {
    return plain('interrupted', 'interrupted', null, ExitCode.interrupted);
  }
  if (error instanceof CommanderError) return describeUsage(error, command);
  const system = describeSystemError(error);
  if (system) return system;
  const message = error instanceof Error ? error.message : String(error);
  const hint = 'This is a defect of bridgetrace. Run it again with --debug and report what it prints.';
  return plain('internal', `internal error: ${message}`, hint, ExitCode.internal);
}

/** Commander writes `error: what` and, on a line of its own, `(Did you mean …?)`. */
function describeUsage(error: CommanderError, command: string | null): ErrorReport {
  const [first = '', ...rest] = error.message.split('\n');
  const suggestion = rest
    .join(' ')
    .trim()
    .replace(/^\(|\)$/g, '');
  const help = `See bridgetrace ${command === null ? '' : `${command} `}--help.`;
  const message = first.replace(/^error: /, '');
  return plain('usage', message, suggestion === '' ? help : `${suggestion} ${help}`, ExitCode.usage);
}

/** Failures of the operating system that no module has put into its own words. */
const SYSTEM_FAILURES: {
  readonly [errno: string]: { readonly why: string; readonly hint: string | null; readonly exitCode: ExitCode };
} = {
  ENOENT: { why: 'there is no such file or folder', hint: 'Check the path.', exitCode: ExitCode.input },
  EACCES: { why: 'permission denied', hint: 'Check who may read or write it.', exitCode: ExitCode.input },
  EPERM: { why: 'the system does not permit it', hint: 'Check who may read or write it.', exitCode: ExitCode.input },
  EISDIR: { why: 'it is a folder, a file is needed', hint: 'Name a file.', exitCode: ExitCode.input },
  ENOTDIR: { why: 'a part of the path is a file, not a folder', hint: 'Check the path.', exitCode: ExitCode.input },
  ENOSPC: { why: 'the disk is full', hint: 'Free some space, or write elsewhere.', exitCode: ExitCode.environment },
  EROFS: { why: 'the file system is read-only', hint: 'Write elsewhere.', exitCode: ExitCode.environment },
  EMFILE: { why: 'too many open files', hint: 'Raise the limit (ulimit -n).', exitCode: ExitCode.environment },
  EADDRINUSE: { why: 'the port is taken', hint: 'Choose another port.', exitCode: ExitCode.environment },
  EADDRNOTAVAIL: { why: 'this machine has no such address', hint: null, exitCode: ExitCode.environment },
  ECONNREFUSED: { why: 'nobody listens there', hint: 'Is the broker running?', exitCode: ExitCode.environment },
  ECONNRESET: { why: 'the other side closed the connection', hint: null, exitCode: ExitCode.environment },
  ETIMEDOUT: { why: 'the other side does not answer', hint: null, exitCode: ExitCode.environment },
  EHOSTUNREACH: { why: 'the host cannot be reached', hint: null, exitCode: ExitCode.environment },
  ENETUNREACH: { why: 'the network cannot be reached', hint: null, exitCode: ExitCode.environment },
  ENOTFOUND: { why: 'the host name is unknown', hint: 'Check the address.', exitCode: ExitCode.environment },
};

function describeSystemError(error: unknown): ErrorReport | null {
  if (!(error instanceof Error)) return null;
  const { code, path, address, port, syscall } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const failure = code === undefined ? undefined : SYSTEM_FAILURES[code];
  if (!failure) return null;
  const where = path ?? (address === undefined ? null : port === undefined ? address : `${address}:${port}`);
  const message = where === null ? `${error.message} (${failure.why})` : `${where}: ${failure.why}`;
  return {
    ...plain(
      failure.exitCode === ExitCode.input ? 'input-unreadable' : 'environment',
      message,
      failure.hint,
      failure.exitCode,
    ),
    details: {
      errno: code,
      syscall: syscall ?? null,
      path: path ?? null,
      address: address ?? null,
      port: port ?? null,
    },
  };
}

function plain(code: string, message: string, hint: string | null, exitCode: ExitCode): ErrorReport {
  return { code, message, hint, details: {}, exitCode, place: null };
}

export function errorJson({ code, message, hint, details }: ErrorReport): string {
  return jsonText({ schema: 1, error: { code, message, hint, details } }, 2);
}

/** `error: …`, the line with a caret if there is one, `hint: …`; each part on its own lines, with a line end. */
export function errorText(report: ErrorReport, { stderr, env }: Pick<ReportOptions, 'stderr' | 'env'>): string {
  const { red, cyan } = colours(stderr, env);
  const lines = [`${red('error:')} ${escapeLines(report.message)}`, ...excerptLines(report.place)];
  if (report.hint !== null) lines.push(`${cyan('hint:')} ${escapeLines(report.hint)}`);
  return `${lines.join('\n')}\n`;
}

/** Characters of the faulty line shown on each side of the column. */
const EXCERPT_SIDE = 50;

function excerptLines(place: Place | null): string[] {
  if (place === null || place.excerpt === null) return [];
  const column = Math.min(place.column ?? 1, place.excerpt.length + 1);
  const start = Math.max(0, column - 1 - EXCERPT_SIDE);
  const before = (start > 0 ? '…' : '') + escapeControls(place.excerpt.slice(start, column - 1));
  const after = escapeControls(place.excerpt.slice(column - 1, column - 1 + EXCERPT_SIDE));
  const margin = `  ${place.line ?? ''} | `;
  const text = `${margin}${before}${after}`;
  if (place.column === null) return [text];
  return [text, `${' '.repeat(margin.length - 2)}| ${' '.repeat(before.length)}^`];
}

function stackOf(error: Error): string {
  const stack = error.stack ?? error.message;
  return error.cause instanceof Error ? `${stack}\ncaused by: ${stackOf(error.cause)}` : stack;
}

function escapeLines(text: string): string {
  return text.split('\n').map(escapeControls).join('\n');
}
