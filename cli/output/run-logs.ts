/** The logs that the products would have written of a replay: `nanomq.log`, `emqx.log` and a trace of the bridge's client. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { SimRecord } from '../../engine/index.ts';
import { printEmqxLine, printTraceLine } from '../../replay/print-emqx.ts';
import { printNanomqLine } from '../../replay/print-nanomq.ts';

export interface RunLogs {
  record(record: SimRecord): void;
  close(): void;
}

export interface RunLogsOptions {
  readonly nanomq: string; // releases
  readonly emqx: string;
  readonly start: number; // µs since the epoch
  readonly clientId: string;
}

/** Text that waits before it is written. */
const BUFFER_CHARS = 1_048_576;

/** Creates the folder; files of these names in it are overwritten. */
export function openRunLogs(folder: string, { nanomq, emqx, start, clientId }: RunLogsOptions): RunLogs {
  mkdirSync(folder, { recursive: true });
  const files = (
    [
      ['nanomq.log', (record) => printNanomqLine(record, { release: nanomq, start })],
      ['emqx.log', (record) => printEmqxLine(record, { release: emqx, start })],
      ['trace.log', (record) => printTraceLine(record, { release: emqx, start }, clientId)],
    ] satisfies [string, (record: SimRecord) => string | null][]
  ).map(([name, print]) => new LogFile(path.join(folder, name), print));
  return {
    record: (record) => {
      for (const file of files) file.record(record);
    },
    close: () => {
      for (const file of files) file.close();
    },
  };
}

class LogFile {
  readonly #handle: number;
  readonly #print: (record: SimRecord) => string | null;
  #waiting = '';

  constructor(file: string, print: (record: SimRecord) => string | null) {
    this.#handle = openSync(file, 'w');
    this.#print = print;
  }

  record(record: SimRecord): void {
    const line = this.#print(record);
    if (line === null) return;
    this.#waiting += `${line}\n`;
    if (this.#waiting.length >= BUFFER_CHARS) this.#write();
  }

  close(): void {
    this.#write();
    closeSync(this.#handle);
  }

  #write(): void {
    writeSync(this.#handle, this.#waiting);
    this.#waiting = '';
  }
}
