/**
 * Loads DuckDB's driver: the only place that does; database.ts and chunk-appender.ts use it. The driver is CommonJS; imported as
 * such, each of its files would be read twice, once for its exports alone.
 */
import { createRequire } from 'node:module';
import type * as Api from '@duckdb/node-api';
import type * as Bindings from '@duckdb/node-bindings';
import { EnvironmentError } from './errors.ts';

export interface Driver {
  readonly api: typeof Api;
  /** What the driver is a layer over: DuckDB's C interface. */
  readonly bindings: typeof Bindings;
}

/**
 * @param load only tests pass another one
 * @throws EnvironmentError `duckdb-unavailable`: its package has a binary for each platform, and npm may have left out the one of this
 */
export function loadDriver(load: (name: string) => unknown = createRequire(import.meta.url)): Driver {
  try {
    return { api: load('@duckdb/node-api') as typeof Api, bindings: load('@duckdb/node-bindings') as typeof Bindings };
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
    throw new EnvironmentError('duckdb-unavailable', `DuckDB's library cannot be loaded here: ${reason}`, {
      hint: 'Install again without --omit=optional, on this platform: npm brings the binary as an optional package.',
      details: { platform: process.platform, arch: process.arch, reason },
      cause: error,
    });
  }
}
