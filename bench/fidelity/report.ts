/** Comparisons as Markdown (docs/FIDELITY.md) and, for people at work on the model, line by line. */
import { type Comparison, type Row, sameFinding } from './compare.ts';
import { REASONS } from './reasons.ts';

const CORE = /^(cycles|disconnects|mean period|seconds connected|up |down )/;

export function reportOf(comparisons: readonly Comparison[]): string {
  const met = (test: (comparison: Comparison) => boolean): string =>
    `${comparisons.filter(test).length} of ${comparisons.length}`;
  const events = comparisons.flatMap(({ rows }) => rows.filter((row) => !CORE.test(row.what)));
  const seeds = [...new Set(comparisons.map((comparison) => comparison.seeds))].join(' or ');
  return [
    '# Fidelity',
    '',
    'Made by `node dist/bench/fidelity.js --out docs/FIDELITY.md`; not to be edited.',
    '',
    `Every incident of the corpus runs in the simulator with its true configuration, workload and network script, ${seeds} seeds each:`,
    'redials are random in the real one too. What is compared, and when a number counts as met:',
    '',
    '- cycles, and disconnects by reason: within one of the middle 95 % of the seeds;',
    '- seconds connected of each cycle that nothing outside ended: within 0.3 s of the middle 95 % of the seeds;',
    '- mean period, messages delivered and lost, records by event (of the bridge at info and above and a few debug events, of the',
    "  broker those of the bridge's client id): inside the middle 95 % of the seeds, or within 10 % of their median;",
    '- events of loops that run as fast as the CPU lets them: present or absent;',
    '- the first finding of `analyze`: that of the real logs against that of the printed runs of the first three seeds.',
    '',
    'Where the log shows the outcome of a race (whether a cancelled sub stream took the receive at a broker stop, and what the next',
    'send ended with), the runs are held to it, as the baseline of a replay is. The numbers are real / median of the seeds (middle 95 %).',
    '',
    `- same finding: ${met(({ findings }) => findings === null || sameFinding(findings))}`,
    `- cycles and reasons: ${met(hasNoMiss(/^(cycles|disconnects)/))}`,
    `- seconds connected: ${met(hasNoMiss(/^seconds connected/))}`,
    `- mean period: ${met(hasNoMiss(/^mean period/))}`,
    `- delivered and lost: ${met(hasNoMiss(/^(up|down) /))}`,
    `- records by event: ${events.filter((row) => row.met).length} of ${events.length} counts`,
    '',
    '| incident | finding | cycles | period s | delivered | lost | event counts not met |',
    '|---|---|---|---|---|---|---|',
    ...comparisons.map(summaryLine),
    '',
    '## What is not met',
    '',
    'Of some thousand counts a few lie outside of the middle 95 % by chance. Where the log has redials, the runs were made again with',
    'these instead of drawn ones; *redials of the log* says what came of it.',
    '',
    ...comparisons.flatMap(missesOf),
    '',
    'Lines of the bridge and its QUIC part at info and above that are in a log and in no run:',
    '',
    ...comparisons.flatMap(neverShown),
    '',
    '## What the model leaves out or cannot predict',
    '',
    ...REASONS.map(({ what, why }) => `- ${what}: ${why}`),
    '',
  ].join('\n');
}

function hasNoMiss(what: RegExp): (comparison: Comparison) => boolean {
  return ({ rows }) => rows.every((row) => row.met || !what.test(row.what));
}

function summaryLine(comparison: Comparison): string {
  const { name, rows, findings } = comparison;
  const of = (what: string): string => {
    const found = rows.find((row) => row.what === what);
    return found ? pair(found) : '–';
  };
  const events = rows.filter((row) => !CORE.test(row.what));
  const missed = events.filter((row) => !row.met).length;
  const reasons = Object.entries(comparison.reasons)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ');
  const direction = rows.some((row) => row.what === 'up delivered') ? 'up' : 'down';
  return `| ${[
    name,
    findings === null ? '–' : findingText(comparison),
    `${of('cycles')}${reasons === '' ? '' : ` ${reasons}`}`,
    of('mean period s'),
    of(`${direction} delivered`),
    of(`${direction} lost`),
    `${missed} of ${events.length}`,
  ].join(' | ')} |`;
}

function findingText({ findings }: Comparison): string {
  if (findings === null) return '–';
  const real = findings.real[0] ?? 'none';
  if (sameFinding(findings)) return real;
  return `**${real} / ${[...new Set(findings.simulated.map((list) => list[0] ?? 'none'))].join(', ')}**`;
}

function missesOf(comparison: Comparison): string[] {
  const misses = comparison.rows.filter((row) => !row.met);
  if (misses.length === 0) return [];
  const again = (row: Row): string => {
    const other = comparison.withRedialsOfLog?.find(({ what }) => what === row.what);
    if (other === undefined) return '';
    return `, redials of the log: ${other.met ? 'met, ' : ''}${simulated(other)}`;
  };
  return [`- ${comparison.name}: ${misses.map((row) => `${row.what} ${text(row)}${again(row)}`).join('; ')}`];
}

/** The other lines of NanoMQ are its broker's: its settings at boot, local clients. */
const OF_THE_BRIDGE = /^(info|warn|error|fatal) nanomq (quic|bridge|tcp_bridge|dialer|ping|aio|msg|cached|ctx)_/;

function neverShown({ name, unmodelled }: Comparison): string[] {
  const lines = unmodelled.filter(([event]) => OF_THE_BRIDGE.test(event));
  return lines.length === 0 ? [] : [`- ${name}: ${lines.map(([event, count]) => `${event} ${count}`).join('; ')}`];
}

function pair(row: Row): string {
  return row.met ? text(row) : `**${text(row)}**`;
}

function text(row: Row): string {
  return `${number(row.real)} / ${simulated(row)}`;
}

function simulated({ median, low, high }: Row): string {
  return `${number(median)}${low === high ? '' : ` (${number(low)}–${number(high)})`}`;
}

export function detailsOf(comparison: Comparison): string {
  const line = (row: Row): string =>
    `  ${row.met ? '   ' : '!! '}${row.what}: ${number(row.real)} | ${number(row.median)} [${number(row.low)} … ${number(row.high)}]\n`;
  const again = (comparison.withRedialsOfLog ?? []).map((row) => `  redials of the log ${line(row)}`);
  const unmodelled = comparison.unmodelled.map(([key, count]) => `     - ${key}: ${count}\n`);
  return [...comparison.rows.map(line), ...again, ...unmodelled].join('');
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
