/** What the exit code of every command means. A script may rely on these numbers; they never change. */
export const ExitCode = {
  /** Nothing found, or all variants fixed, or simply done. */
  clean: 0,
  /** Findings, or a variant that does not fix. */
  findings: 1,
  /** The command was called wrongly. */
  usage: 2,
  /** The evidence or the runs do not decide. */
  inconclusive: 3,
  /** An input is absent, unreadable or not what it should be. */
  input: 4,
  /** The machine lacks something: QUIC library, free port, broker that answers, disk space. */
  environment: 5,
  /** A defect of this program. Not 1, so that a crash is never taken for a finding. */
  internal: 70,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
