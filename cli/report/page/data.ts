/** What stands in the file, read back: the report's data at once, marks and lines unpacked when there is time. */
import type { Marks, ReportData } from '../model.ts';

export interface BridgeMarks {
  /** By time: ms, kind, source, line, events drawn as one, number among all marks. */
  readonly time: Float64Array;
  readonly kind: Uint8Array;
  readonly source: Uint16Array;
  readonly line: Uint32Array;
  readonly count: Uint32Array;
  readonly first: number;
}

export function readData(): ReportData {
  return JSON.parse(textOf('report-data')) as ReportData;
}

/** Marks of every bridge of every run, in the order of the data. */
export async function readMarks(data: ReportData): Promise<BridgeMarks[][]> {
  const marks = JSON.parse(await unpacked('report-marks')) as Marks;
  let at = 0;
  let time = 0;
  let line = 0;
  return data.runs.map((run) =>
    run.bridges.map((bridge): BridgeMarks => {
      const first = at;
      const length = bridge.marks;
      const own = {
        time: new Float64Array(length),
        kind: Uint8Array.from(marks.kind.slice(first, first + length)),
        source: Uint16Array.from(marks.source.slice(first, first + length)),
        line: new Uint32Array(length),
        count: Uint32Array.from(marks.count.slice(first, first + length)),
        first,
      };
      for (let index = 0; index < length; index += 1, at += 1) {
        time += marks.time[at]!;
        line += marks.line[at]!;
        own.time[index] = time;
        own.line[index] = line;
      }
      return own;
    }),
  );
}

/** The log line of each mark, by its number among all marks; empty where the report has no room for it. */
export async function readLines(): Promise<string[]> {
  return (await unpacked('report-lines')).split('\n');
}

function textOf(id: string): string {
  return document.getElementById(id)?.textContent ?? '';
}

async function unpacked(id: string): Promise<string> {
  const binary = atob(textOf(id));
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const packed: unknown = await new Response(stream).text();
  return String(packed);
}
