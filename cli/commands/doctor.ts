/** `bridgetrace doctor`: what this machine can run. */

import { accessSync, constants, readFileSync } from 'node:fs';
import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { quicAvailable } from '../../engine/live/quic-library.ts';
import { Database, packageRoot } from '../../queries/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { ExitCode } from '../exit-codes.ts';
import { print, printJson } from './common.ts';

interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** Nothing works without it. */
  readonly required: boolean;
  readonly detail: string;
}

const LEAST_NODE = [20, 19] as const;

export const register: RegisterCommand = (program, context) => {
  const command = program.command('doctor').description('say what this machine can run, and what is missing');
  withExample(command, 'bridgetrace doctor');
  addCommonOptions(command).action(
    exitingWith(context, async (options) => {
      const checks = [node(), await database(), await quic(), temporaryFolder(), memory()];
      if (options.json) printJson(context, { schema: 1, version: version(), checks });
      else
        print(context, [
          `bridgetrace ${version()} on ${process.platform} ${process.arch}`,
          ...checks.map(
            ({ ok, required, what, detail }) =>
              `${ok ? 'ok     ' : required ? 'MISSING' : 'absent '} ${what}: ${detail}`,
          ),
        ]);
      return checks.some((check) => check.required && !check.ok) ? ExitCode.environment : ExitCode.clean;
    }),
  );
};

function version(): string {
  return (JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}

function node(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return {
    what: 'Node.js',
    ok,
    required: true,
    detail: `${process.versions.node} (${LEAST_NODE.join('.')} or later is needed)`,
  };
}

async function database(): Promise<Check> {
  try {
    const opened = await Database.open(':memory:', 'write');
    const rows = await opened.all<{ version: string }>('SELECT version() AS version');
    opened.close();
    return {
      what: 'DuckDB',
      ok: true,
      required: true,
      detail: `${rows[0]?.version ?? ''}: ingest, analyze and query work`,
    };
  } catch (error) {
    return { what: 'DuckDB', ok: false, required: true, detail: (error as Error).message.split('\n')[0] ?? '' };
  }
}

async function quic(): Promise<Check> {
  const found = await quicAvailable();
  return {
    what: 'QUIC library',
    ok: found.available,
    required: false,
    detail: found.available ? 'live mode works' : `${found.reason}; everything but the live mode works without it`,
  };
}

function temporaryFolder(): Check {
  try {
    accessSync(tmpdir(), constants.W_OK);
    return { what: 'temporary folder', ok: true, required: true, detail: tmpdir() };
  } catch {
    return {
      what: 'temporary folder',
      ok: false,
      required: true,
      detail: `${tmpdir()} cannot be written (set TMPDIR)`,
    };
  }
}

/** An analysis of 20 million records stays below this. */
const WANTED_MEMORY_GB = 1;

function memory(): Check {
  const free = freemem() / 1e9;
  return {
    what: 'memory',
    ok: free >= WANTED_MEMORY_GB,
    required: false,
    detail: `${free.toFixed(1)} of ${(totalmem() / 1e9).toFixed(1)} GB free, ${availableParallelism()} cores`,
  };
}
