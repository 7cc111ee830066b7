/** An analysis as a story: what was there, what happened, why, what is missing, what to do. */
import type { Analysis, AnalyzedFinding } from '../../queries/index.ts';
import type { Colours } from '../output/colour.ts';
import { escapeControls } from '../output/escape.ts';
import { renderTable } from '../output/table.ts';
import { cut } from '../output/width.ts';
import { type CycleLine, cyclePlot } from './cycle-plot.ts';
import { wrap } from './wrap.ts';

export interface TextOptions {
  readonly width: number;
  readonly colours: Colours;
}

export function analysisText(analysis: Analysis, cycles: readonly CycleLine[], options: TextOptions): string[] {
  const { colours } = options;
  const title = (text: string) => ['', colours.bold(text)];
  return [
    ...clientLines(analysis, options),
    ...clockLines(analysis, options),
    ...(analysis.evidence_gaps.length > 0 ? title('What these logs cannot show') : []),
    ...analysis.evidence_gaps.flatMap((gap) =>
      wrap(escapeControls(`- ${gap.what}. To get it: ${gap.how_to_collect}`), options.width, '  '),
    ),
    ...timeLine(analysis, options),
    ...(analysis.cycles.length > 0
      ? [...title('Disconnects'), ...cycleTable(analysis, options)]
      : ['', 'No disconnects.']),
    ...plots(analysis, cycles, options),
    ...title(analysis.findings.length > 0 ? 'Findings' : 'No findings'),
    ...(analysis.findings.length === 0
      ? wrap(
          hasUnexplained(analysis)
            ? 'The disconnects above repeat, but this version knows no cause that fits them: the logs are not clean.'
            : 'Nothing in these logs looks like one of the causes that this version knows.',
          options.width,
        )
      : []),
    ...analysis.findings.flatMap((finding, index) => findingText(finding, index + 1, options)),
    ...(analysis.findings.length > 0
      ? ['', 'Next: bridgetrace rebuild -o incident.cassette, then bridgetrace verify incident.cassette --fix …']
      : []),
  ];
}

/** Disconnects of one kind repeat and no finding names a cause. */
export function hasUnexplained(analysis: Analysis): boolean {
  return analysis.findings.length === 0 && analysis.cycles.some((cycle) => cycle.count >= 2);
}

function clientLines(analysis: Analysis, { width }: TextOptions): string[] {
  if (analysis.clients.length === 0) return ['No bridge in these logs.'];
  return analysis.clients.flatMap((client) =>
    wrap(
      escapeControls(
        `Bridge ${client.bridge_id}: client ${client.client_id ?? 'unknown'} over ${client.transport ?? 'unknown transport'}, NanoMQ ${client.nanomq_version ?? 'release unknown'}, ` +
          `EMQX ${client.emqx_version ?? 'release unknown'}, keepalive ${client.keepalive_s ?? '?'} s`,
      ),
      width,
      '  ',
    ),
  );
}

function clockLines(analysis: Analysis, { width }: TextOptions): string[] {
  return analysis.clocks
    .filter((clock) => clock.product === 'nanomq')
    .flatMap((clock) => {
      const error = clock.error_s === null ? 'unknown error' : `± ${clock.error_s.toFixed(2)} s`;
      const how = clock.pairs > 0 ? `from ${clock.pairs} paired events` : clock.method;
      return wrap(
        `Clock of ${escapeControls(clock.source)}: ${signed(clock.offset_s)} s to the broker's (zone ${clock.zone ?? 'unknown'}), ${error}, ${how}${clock.ambiguous ? '; ambiguous' : ''}`,
        width,
        '  ',
      );
    });
}

function signed(seconds: number): string {
  return `${seconds < 0 ? '' : '+'}${seconds.toFixed(2)}`;
}

/** Connections shown of each bridge, the first and the last of them. */
const TIME_LINE_ROWS = 6;

/** Connections in order, and the finding that begins with each: what happened, before why. */
function timeLine(analysis: Analysis, { width, colours }: TextOptions): string[] {
  const lines = analysis.clients.flatMap(({ bridge_id: bridge }) => {
    const own = analysis.sessions.filter((session) => session.bridge_id === bridge);
    const shown = own.map((session) => {
      const start = (session.connected ?? session.disconnected ?? '').slice(11, 19);
      const end =
        session.disconnected === null
          ? 'still open at the end of the log'
          : `until ${session.disconnected.slice(11, 19)}, ended by ${session.closed_by ?? 'unknown'}: ${session.reason ?? 'no reason logged'}`;
      const what = analysis.clients.length > 1 ? `${bridge}: ` : '';
      return cut(escapeControls(`  ${start}  ${what}connected ${end}`), width);
    });
    if (shown.length <= 2 * TIME_LINE_ROWS) return shown;
    const hidden = shown.length - 2 * TIME_LINE_ROWS;
    return [...shown.slice(0, TIME_LINE_ROWS), `  … ${hidden} more connections`, ...shown.slice(-TIME_LINE_ROWS)];
  });
  return lines.length === 0 ? [] : ['', colours.bold('Time line (UTC)'), ...lines.slice(0, 60)];
}

function cycleTable(analysis: Analysis, { width, colours }: TextOptions): string[] {
  const number = (value: number | null) => (value === null ? '-' : value.toFixed(1));
  const several = new Set(analysis.cycles.map((cycle) => cycle.bridge_id)).size > 1;
  const columns = [
    ...(several ? [{ name: 'bridge', align: 'left' as const }] : []),
    { name: 'reason', align: 'left' as const },
    { name: 'closed by', align: 'left' as const },
    { name: 'count', align: 'right' as const },
    { name: 'period s', align: 'right' as const },
    { name: 'connected s', align: 'right' as const },
    { name: 'until next s', align: 'right' as const },
  ];
  const rows = analysis.cycles.map((cycle) => [
    ...(several ? [cycle.bridge_id] : []),
    cycle.reason ?? '-',
    cycle.closed_by ?? '-',
    String(cycle.count),
    number(cycle.period_s),
    number(cycle.dwell_s),
    number(cycle.reconnect_s),
  ]);
  return renderTable(columns, rows, { width, colours }).trimEnd().split('\n');
}

function plots(analysis: Analysis, cycles: readonly CycleLine[], { width, colours }: TextOptions): string[] {
  const shown = new Set(analysis.clients.map((client) => client.bridge_id));
  return [...new Set(cycles.map((line) => line.bridgeId))]
    .filter((id) => shown.has(id))
    .slice(0, 3)
    .flatMap((id) => [
      '',
      colours.bold(`Connections of ${escapeControls(id)}`),
      ...cyclePlot(
        cycles.filter((line) => line.bridgeId === id),
        width,
      ),
    ]);
}

export function findingText(finding: AnalyzedFinding, number: number, { width, colours }: TextOptions): string[] {
  const certainty = finding.certainty === 'must' ? colours.red('must') : colours.yellow('may');
  return [
    ...(number > 1 ? [''] : []),
    `${number}. ${colours.bold(finding.id)} (${certainty}) ${escapeControls(finding.bridge_id)}`,
    ...wrap(`   ${finding.title}.`, width, '   '),
    ...wrap(`   ${finding.summary}`, width, '   '),
    ...finding.evidence.map((line) =>
      cut(`   | ${fileName(line.source)}:${line.line}  ${escapeControls(shortLine(line.text))}`, width),
    ),
    ...finding.ruled_out.flatMap((rival) => wrap(`   not ${rival.id}: ${rival.why}`, width, '     ')),
    ...finding.missing.flatMap((what) => wrap(`   missing: ${what}`, width, '     ')),
    ...finding.advice.flatMap((advice) =>
      wrap(`   ${advice.known_fix ? colours.green('fix') : 'try'} ${advice.change}: ${advice.why}`, width, '     '),
    ),
  ];
}

function fileName(source: string): string {
  return escapeControls(source.split(/[\\/]/).at(-1) ?? source);
}

/** A log line without what hides its message on a narrow terminal: date, thread and place in the source. JSON has it whole. */
function shortLine(text: string): string {
  return text
    .replace(/^\d{4}-\d\d-\d\d[T ](\d\d:\d\d:\d\d)(\.\d{1,3})?\S*/, '$1$2')
    .replace(/^(\S+) \[\d+\] ([A-Z]+) +\S+:\d+:? (?:\w+: )?/, '$1 $2 ')
    .replace(/(clientid|peername|username): [^,]*, /g, '');
}
