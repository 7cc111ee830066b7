/** What `ingest` prints: a table of the files, then what is to be known of them, then the totals. */
import type { IngestedSource, IngestResult } from '../../queries/index.ts';
import { escapeControls } from '../output/escape.ts';
import { renderTable } from '../output/table.ts';
import { DEFAULT_WIDTH } from '../output/width.ts';
import { wrap } from './wrap.ts';

const COLUMNS = [
  { name: 'file', align: 'left' },
  { name: 'layout', align: 'left' },
  { name: 'state', align: 'left' },
  { name: 'lines', align: 'right' },
  { name: 'records', align: 'right' },
  { name: 'continued', align: 'right' },
  { name: 'unparsed', align: 'right' },
] as const;
/** Width of all columns but the first, with the gaps between them. */
const OTHER_COLUMNS = 62;
const MIN_FILE_CHARS = 14;
/** Of more files the times are left to `bridgetrace query sources`. */
const MAX_DETAILED = 20;
const MAX_KNOWN_BY_CHARS = 140;

/** @param width of the terminal; null if stdout is none: then nothing is shortened */
export function ingestText(result: IngestResult, width: number | null): string[] {
  const room = width === null ? Number.POSITIVE_INFINITY : Math.max(MIN_FILE_CHARS, width - OTHER_COLUMNS);
  const rows = result.sources.map((source) => [
    shortPath(name(source), room),
    source.layout,
    source.state,
    ...[source.lines, source.records, source.continuations, source.unparsed].map(String),
  ]);
  const paragraphs = [...endpointLines(result), ...detailLines(result), ...skippedLines(result)];
  return [
    ...renderTable(COLUMNS, rows, { width }).trimEnd().split('\n'),
    ...paragraphs.flatMap((line) => wrap(line, width ?? DEFAULT_WIDTH, '  ')),
    totalsLine(result),
  ];
}

/** The end of a path says which file it is. */
function shortPath(path: string, room: number): string {
  return path.length <= room ? path : `…${path.slice(path.length - room + 1)}`;
}

function name(source: IngestedSource): string {
  return source.part === '' ? source.path : `${source.path} [${source.part}]`;
}

function endpointLines(result: IngestResult): string[] {
  return result.endpoints.map(({ product, node, nodeKnownBy, release, releaseKnownBy }) => {
    const title = product === 'nanomq' ? 'NanoMQ' : 'EMQX';
    const of = nodeKnownBy === 'default' ? title : `${title} ${node}`;
    if (release === null) return `${of}: no line tells the release`;
    const by = releaseKnownBy ?? '';
    return `${of}: ${release}, by ${by.length > MAX_KNOWN_BY_CHARS ? `${by.slice(0, MAX_KNOWN_BY_CHARS)}…` : by}`;
  });
}

function detailLines({ sources }: IngestResult): string[] {
  if (sources.length > MAX_DETAILED) {
    const bad = sources.filter(({ unparsed }) => unparsed > 0).length;
    return [
      `Times and gaps: bridgetrace query sources${bad > 0 ? `. Lines that could not be read, in ${bad} files: bridgetrace query unparsed` : ''}`,
    ];
  }
  return sources.flatMap((source) => {
    const file = name(source).split('/').at(-1)!;
    const lines: string[] = [];
    if (source.firstTs !== null && source.lastTs !== null) {
      const gap = source.gaps[0];
      const silence =
        gap === undefined
          ? ''
          : `; longest silence ${seconds(gap.to - gap.from)} from ${stamp(gap.from).slice(11)}${source.gaps.length > 1 ? `, ${source.gaps.length - 1} more` : ''}`;
      lines.push(`${file}: ${stamp(source.firstTs)} to ${stamp(source.lastTs)}${silence}`);
    }
    if (source.skipped > 0)
      lines.push(`${file}: ${source.skipped} records outside of --since and --until were left out`);
    for (const { count, reason, shape, line } of source.unparsedShapes) {
      lines.push(`${file}: ${count} unparsed (${reason}), first in line ${line}: ${escapeControls(shape)}`);
    }
    return lines;
  });
}

function skippedLines({ skipped }: IngestResult): string[] {
  const first = skipped[0];
  if (first === undefined) return [];
  return [
    `${skipped.length} other file(s) in the folders are no logs (${first.path}: ${first.reason}${skipped.length > 1 ? ', …' : ''})`,
  ];
}

function totalsLine({ sources, seconds: took, bytesRead, recordsRead }: IngestResult): string {
  if (sources.every(({ state }) => state === 'unchanged')) {
    return 'All of it is in the database already: nothing to do.';
  }
  const rate =
    took < 0.5 ? '' : `: ${grouped(recordsRead / took)} records/s, ${(bytesRead / took / 1e6).toFixed(1)} MB/s`;
  return `${grouped(recordsRead)} records of ${(bytesRead / 1e6).toFixed(1)} MB in ${took.toFixed(1)} s${rate}`;
}

function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** As the log writes it, to the second. */
function stamp(us: number): string {
  return new Date(us / 1000).toISOString().slice(0, 19).replace('T', ' ');
}

function seconds(us: number): string {
  const whole = Math.round(us / 1_000_000);
  return whole < 600 ? `${whole} s` : `${Math.round(whole / 60)} min`;
}
