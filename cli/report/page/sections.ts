/** The parts of the page that are words and tables. */
import type { ReportData } from '../model.ts';
import { FINDINGS_ZH, SENTENCES_ZH } from './chinese.ts';
import { button, type Child, dataTable, h } from './dom.ts';
import { hasText, type Language, say, type TextKey } from './texts.ts';
import { instant } from './time-scale.ts';

export interface PageActions {
  /** Shows an instant, or a range (ms), on the time line. */
  readonly show: (at: number | null, range: readonly [number, number] | null) => void;
}

export interface PageContext {
  readonly data: ReportData;
  readonly language: Language;
  readonly actions: PageActions;
}

type Finding = ReportData['analysis']['findings'][number];

const MAX_SESSIONS = 200;
/** Lines before and after the one that proves. */
const AROUND = 6;

export function section(id: string, title: string, ...content: readonly Child[]): HTMLElement {
  return h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), ...content);
}

/** An English sentence of the rules in the page's language; marked as English where there is no other. */
function sentence(language: Language, english: string): Child {
  if (language === 'en') return english;
  const chinese = SENTENCES_ZH[english];
  return chinese ?? h('span', { lang: 'en' }, english);
}

function titleOf(language: Language, finding: Pick<Finding, 'id' | 'title'>): Child {
  if (language === 'en') return finding.title;
  return FINDINGS_ZH[finding.id] ?? h('span', { lang: 'en' }, finding.title);
}

export function summarySection({ data, language }: PageContext): HTMLElement {
  const { analysis } = data;
  const unknown = say(language, 'unknown');
  const release = say(language, 'unknown_release');
  const first = analysis.findings[0];
  return section(
    'summary',
    say(language, 'summary'),
    h(
      'ul',
      { class: 'facts' },
      ...analysis.clients
        .slice(0, 8)
        .map((client) =>
          h(
            'li',
            {},
            say(
              language,
              'summary_bridge',
              client.bridge_id,
              client.client_id ?? unknown,
              client.transport ?? unknown,
              client.nanomq_version ?? release,
              client.emqx_version ?? release,
              client.keepalive_s ?? '?',
            ),
          ),
        ),
      ...(analysis.cycles.length === 0 ? [h('li', {}, say(language, 'no_disconnects'))] : []),
      ...analysis.cycles.slice(0, 8).map((cycle) => {
        const by = closedBy(language, cycle.closed_by);
        return h(
          'li',
          {},
          cycle.period_s === null
            ? say(language, 'cycle_once', cycle.count, cycle.reason ?? unknown, by)
            : say(language, 'cycle_sentence', cycle.count, cycle.reason ?? unknown, by, cycle.period_s.toFixed(1)),
        );
      }),
    ),
    first === undefined
      ? null
      : h(
          'p',
          { class: 'cause' },
          h('span', { class: 'label' }, say(language, 'first_cause')),
          h('a', { href: '#finding-1' }, titleOf(language, first)),
          badge(language, first.certainty),
        ),
  );
}

function badge(language: Language, certainty: 'must' | 'may'): HTMLElement {
  return h(
    'span',
    { class: `badge ${certainty}`, title: say(language, `${certainty}_long`) },
    say(language, certainty),
  );
}

function closedBy(language: Language, who: string | null): string {
  const key = `closed_${who}`;
  return who === null ? say(language, 'unknown') : hasText(key) ? say(language, key) : who;
}

export function findingsSection(context: PageContext): HTMLElement {
  const { data, language } = context;
  const { findings, cycles } = data.analysis;
  return section(
    'findings',
    say(language, 'findings'),
    ...(findings.length > 0
      ? findings.map((finding, index) => findingArticle(context, finding, index + 1))
      : [h('p', {}, say(language, cycles.some((cycle) => cycle.count >= 2) ? 'unexplained' : 'no_findings'))]),
  );
}

function findingArticle(context: PageContext, finding: Finding, number: number): HTMLElement {
  const { data, language, actions } = context;
  const at = (iso: string | null) => (iso === null ? null : Date.parse(iso) - data.origin_ms);
  const first = at(finding.first);
  const last = at(finding.last) ?? first;
  const range = first === null || last === null ? null : ([first, Math.max(last, first)] as const);
  const lines = finding.evidence.map((line, index) => evidenceItem(context, line, `${number}-${index + 1}`));
  const heading = `finding-${number}-title`;
  const jump = () => {
    const opener = lines[0]?.querySelector('button');
    if (opener?.getAttribute('aria-expanded') === 'false') opener.click();
    // After the click, which moves the time line to the one line.
    if (range !== null) actions.show(null, range);
    opener?.focus();
    lines[0]?.scrollIntoView({ block: 'center' });
  };
  return h(
    'article',
    { class: 'finding', id: `finding-${number}`, 'aria-labelledby': heading },
    h(
      'h3',
      { id: heading },
      h('span', { class: 'number' }, `${number}.`),
      button({ class: 'link', 'data-jump': number }, '', jump),
      badge(language, finding.certainty),
    ),
    h(
      'p',
      { class: 'meta' },
      h('code', {}, finding.id),
      ` · ${finding.bridge_id}${finding.client_id === null ? '' : ` (${finding.client_id})`} · ${say(language, 'count_connections', finding.count)}`,
      range === null
        ? ''
        : ` · ${instant(range[0] + data.origin_ms).slice(0, 19)} – ${instant(range[1] + data.origin_ms).slice(11, 19)}`,
    ),
    h('p', { class: 'what', lang: 'en' }, finding.summary),
    h(
      'p',
      { class: 'actions' },
      button({ class: 'small' }, say(language, 'show_evidence'), jump),
      range === null
        ? null
        : button({ class: 'small' }, say(language, 'on_timeline'), () => {
            actions.show(null, range);
            document.getElementById('timeline')?.scrollIntoView({ block: 'start' });
          }),
    ),
    lines.length === 0 ? null : h('h4', {}, say(language, 'evidence')),
    lines.length === 0 ? null : h('ol', { class: 'evidence' }, ...lines),
    ...listOf(
      say(language, 'ruled_out'),
      finding.ruled_out.map((rival) => [h('code', {}, rival.id), ': ', sentence(language, rival.why)]),
    ),
    ...listOf(
      say(language, 'candidates'),
      (finding.candidates ?? []).map((id) => [h('code', {}, id)]),
    ),
    ...listOf(
      say(language, 'missing'),
      finding.missing.map((what) => [sentence(language, what)]),
    ),
    ...listOf(
      say(language, 'advice'),
      finding.advice.map((advice) => [
        h(
          'span',
          {
            class: `badge ${advice.known_fix ? 'fix' : 'try'}`,
            title: advice.known_fix ? say(language, 'known_fix_long') : null,
          },
          say(language, advice.known_fix ? 'known_fix' : 'attempt'),
        ),
        h('strong', {}, advice.change),
        ': ',
        sentence(language, advice.why),
        h('span', { class: 'source', lang: 'en' }, ` (${advice.source})`),
      ]),
    ),
  );
}

/** After an article is built: its heading's text, which may hold an element. */
export function fillHeadings(context: PageContext, root: HTMLElement): void {
  for (const [index, finding] of context.data.analysis.findings.entries())
    root.querySelector(`[data-jump="${index + 1}"]`)?.replaceChildren(titleOf(context.language, finding)!);
}

function listOf(title: string, items: readonly (readonly Child[])[]): Child[] {
  if (items.length === 0) return [];
  return [h('h4', {}, title), h('ul', {}, ...items.map((item) => h('li', {}, ...item)))];
}

/** A line that proves, and on demand the lines around it. */
function evidenceItem(
  { data, language, actions }: PageContext,
  line: Finding['evidence'][number],
  id: string,
): HTMLElement {
  const place = `${baseName(line.source)}:${line.line}`;
  const excerpt = data.excerpts.find((one) => one.path === line.source);
  const around = h('div', { class: 'around', id: `around-${id}`, hidden: true });
  const opener = h(
    'button',
    { type: 'button', class: 'line', 'aria-expanded': 'false', 'aria-controls': `around-${id}` },
    h('span', { class: 'place' }, place),
    h('code', {}, line.text),
  );
  opener.addEventListener('click', () => {
    const open = around.hidden;
    if (open && around.childElementCount === 0)
      around.append(
        excerpt === undefined
          ? h('p', {}, say(language, 'no_line'))
          : excerptLines(excerpt.lines, line.line, language, place),
      );
    around.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
    const own = excerpt?.lines.find(([no]) => no === line.line)?.[1] ?? null;
    if (open && own !== null) actions.show(own, null);
  });
  return h('li', { id: `evidence-${id}` }, opener, around);
}

function excerptLines(
  lines: ReportData['excerpts'][number]['lines'],
  wanted: number,
  language: Language,
  place: string,
): HTMLElement {
  const near = lines.filter(([no]) => Math.abs(no - wanted) <= AROUND);
  return h(
    'ol',
    { class: 'excerpt', 'aria-label': say(language, 'around', place), tabindex: 0 },
    ...near.map(([no, , text]) =>
      h(
        'li',
        { class: no === wanted ? 'proof' : null, 'aria-current': no === wanted ? 'true' : null },
        h('span', { class: 'number' }, String(no)),
        h('code', {}, text),
      ),
    ),
  );
}

export function verdictSection({ data, language }: PageContext): HTMLElement {
  const { verdicts } = data;
  if (verdicts === null) {
    const replays = data.runs.filter((run) => run.kind === 'replay');
    return section(
      'replays',
      say(language, 'replays'),
      replays.length === 0 ? h('p', {}, say(language, 'no_replays')) : replayTable({ data, language }),
    );
  }
  const { baseline } = verdicts;
  const seconds = (value: number | null) => (value === null ? '–' : value.toFixed(1));
  const share = (value: number | null) => (value === null ? '–' : `${Math.round(100 * value)} %`);
  const none = say(language, 'none');
  return section(
    'replays',
    say(language, 'replays'),
    h(
      'p',
      {},
      baseline.reproduced
        ? say(language, 'reproduced', baseline.k, baseline.n)
        : say(language, 'not_reproduced', baseline.k, baseline.n, baseline.reason),
    ),
    dataTable(
      ['col_run', 'col_verdict', 'col_kn', 'col_cause', 'col_cycles', 'col_period', 'col_lost', 'col_why'].map((key) =>
        say(language, key as TextKey),
      ),
      [
        [
          say(language, 'observed_row'),
          '',
          '',
          baseline.observed.cause ?? none,
          String(baseline.observed.keepalive_disconnects),
          seconds(baseline.observed.period_s),
          '–',
          '',
        ],
        [
          say(language, 'baseline_row'),
          '',
          say(language, 'alike', baseline.k, baseline.n),
          baseline.cause ?? none,
          seconds(baseline.cycles),
          seconds(baseline.period_s),
          share(baseline.lost_share),
          h('span', { lang: 'en' }, baseline.reason),
        ],
        ...verdicts.variants.map((variant) => [
          variant.name,
          verdictBadge(language, variant.verdict),
          say(language, 'k_of_n', variant.k, variant.n),
          variant.causes.join(', ') || none,
          seconds(variant.keepalive_disconnects),
          seconds(variant.period_s),
          share(variant.lost_share),
          h(
            'span',
            {},
            h('span', { lang: 'en' }, variant.reason),
            variant.new_symptoms.length === 0
              ? null
              : h('span', { class: 'warn' }, ` · ${say(language, 'new_symptoms', variant.new_symptoms.join(', '))}`),
            ...variant.notes.map((note) => h('span', { lang: 'en' }, ` · ${note}`)),
          ),
        ]),
      ],
      [4, 5, 6],
      say(language, 'replays'),
    ),
    h(
      'p',
      { class: 'fidelity' },
      say(
        language,
        'fidelity',
        percent(verdicts.fidelity.observed),
        percent(verdicts.fidelity.inferred),
        percent(verdicts.fidelity.assumed),
      ),
    ),
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0.99 || share < 0.01 ? 1 : 0).replace(/\.0$/, '')} %`;
}

function verdictBadge(language: Language, verdict: string): HTMLElement {
  const key = `verdict_${verdict}`;
  return h(
    'span',
    { class: `badge verdict-${verdict === 'fixed' || verdict === 'not-fixed' ? verdict : 'open'}` },
    hasText(key) ? say(language, key) : verdict,
  );
}

function replayTable({ data, language }: Pick<PageContext, 'data' | 'language'>): HTMLElement {
  return dataTable(
    [say(language, 'col_run'), say(language, 'disconnects'), say(language, 'findings')],
    data.runs.map((run) => [
      run.kind === 'observed'
        ? say(language, 'observed_row')
        : say(language, 'replay_of', run.label === 'baseline' ? say(language, 'baseline') : run.label, run.seed ?? '?'),
      String(run.disconnects),
      run.findings.join(', ') || say(language, 'none'),
    ]),
    [1],
    say(language, 'replays'),
  );
}

/** A grid of one or two axes; a cell says k of n, and its shade is the share. */
export function sweepSection({ data, language }: PageContext): HTMLElement | null {
  const { sweep } = data;
  if (sweep === null) return null;
  const [across, down] = sweep.axes;
  if (across === undefined) return null;
  const cell = (x: number, y: number | null): HTMLElement => {
    const found = sweep.cells.find((one) => one.at[0] === x && (y === null || one.at[1] === y));
    if (found === undefined) return h('td', { class: 'heat none' }, say(language, 'not_run'));
    const level = found.n === 0 ? 0 : Math.round((found.k / found.n) * 4);
    return h('td', { class: `heat level-${level}` }, say(language, 'k_of_n', found.k, found.n));
  };
  const rows = down === undefined ? [null] : down.values.map((_, index) => index);
  return section(
    'sweep',
    say(language, 'sweep'),
    h(
      'div',
      { class: 'table', tabindex: 0, role: 'region', 'aria-label': say(language, 'sweep') },
      h(
        'table',
        { class: 'sweep' },
        h('caption', {}, say(language, 'sweep_caption')),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('td', {}, down === undefined ? '' : `${down.key} ↓  ${across.key} →`),
            ...across.values.map((value) =>
              h('th', { scope: 'col' }, down === undefined ? `${across.key}=${value}` : value),
            ),
          ),
        ),
        h(
          'tbody',
          {},
          ...rows.map((y) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, y === null ? '' : down!.values[y]!),
              ...across.values.map((_, x) => cell(x, y)),
            ),
          ),
        ),
      ),
    ),
  );
}

export function connectionsSection({ data, language }: PageContext): HTMLElement {
  const { cycles, sessions } = data.analysis;
  const number = (value: number | null, digits = 1) => (value === null ? '–' : value.toFixed(digits));
  const column = (...keys: readonly TextKey[]) => keys.map((key) => say(language, key));
  const shown = sessions.slice(0, MAX_SESSIONS);
  return section(
    'connections',
    say(language, 'connections'),
    cycles.length === 0
      ? null
      : dataTable(
          column(
            'col_bridge',
            'col_reason',
            'col_closed_by',
            'col_count',
            'col_period',
            'col_connected_s',
            'col_until_next',
          ),
          cycles.map((cycle) => [
            cycle.bridge_id,
            cycle.reason ?? '–',
            closedBy(language, cycle.closed_by),
            String(cycle.count),
            number(cycle.period_s),
            number(cycle.dwell_s),
            number(cycle.reconnect_s),
          ]),
          [3, 4, 5, 6],
          say(language, 'disconnects'),
        ),
    dataTable(
      column(
        'col_bridge',
        'col_connected',
        'col_disconnected',
        'col_reason',
        'col_closed_by',
        'col_silence',
        'col_pings',
        'col_busy',
        'col_overflow',
        'col_error',
      ),
      shown.map((session) => [
        session.bridge_id,
        shortTime(session.connected),
        session.disconnected === null ? say(language, 'still_open') : shortTime(session.disconnected),
        session.reason ?? '–',
        session.closed_by === null ? '–' : closedBy(language, session.closed_by),
        number(session.silence_ratio, 2),
        String(session.pings ?? '–'),
        String(session.aio_busy ?? '–'),
        String(session.cached_lost ?? '–'),
        number(session.clock_error_s, 2),
      ]),
      [5, 6, 7, 8, 9],
      say(language, 'connections'),
    ),
    shown.length === sessions.length ? null : h('p', {}, say(language, 'some_sessions', shown.length, sessions.length)),
  );
}

function shortTime(iso: string | null): string {
  return iso === null ? '–' : iso.slice(0, 23).replace('T', '\u00a0');
}

export function gapsSection({ data, language }: PageContext): HTMLElement {
  const gaps = data.analysis.evidence_gaps;
  return section(
    'gaps',
    say(language, 'gaps'),
    gaps.length === 0
      ? h('p', {}, say(language, 'no_gaps'))
      : h(
          'ul',
          {},
          ...gaps.map((gap) =>
            h(
              'li',
              {},
              sentence(language, gap.what),
              h('br', {}),
              h('span', { class: 'label' }, say(language, 'collect')),
              sentence(language, gap.how_to_collect),
            ),
          ),
        ),
    data.log_gaps.length === 0 ? null : h('h3', {}, say(language, 'log_gaps')),
    data.log_gaps.length === 0
      ? null
      : h(
          'ul',
          {},
          ...data.log_gaps.map((gap) => {
            const key = `log_gap_${gap.kind}`;
            const seconds = gap.seconds === null ? '?' : gap.seconds.toFixed(0);
            return h(
              'li',
              {},
              hasText(key)
                ? say(language, key, gap.source, seconds, gap.line, gap.count)
                : `${gap.source}: ${gap.kind}`,
            );
          }),
        ),
  );
}

export function clocksSection({ data, language }: PageContext): HTMLElement {
  const number = (value: number | null) =>
    value === null ? '–' : `${value < 0 ? '−' : ''}${Math.abs(value).toFixed(3)}`;
  const column = (...keys: readonly TextKey[]) => keys.map((key) => say(language, key));
  return section(
    'clocks',
    say(language, 'clocks'),
    dataTable(
      column('col_endpoint', 'col_product', 'col_zone', 'col_offset', 'col_pm', 'col_method', 'col_pairs'),
      data.analysis.clocks.map((clock) => [
        clock.source,
        clock.product,
        clock.zone ?? '–',
        number(clock.offset_s),
        clock.error_s === null ? say(language, 'unknown') : number(clock.error_s),
        `${clock.method}${clock.ambiguous ? ` · ${say(language, 'ambiguous')}` : ''}`,
        String(clock.pairs),
      ]),
      [3, 4, 6],
      say(language, 'clocks'),
    ),
    h('p', { class: 'hint' }, say(language, 'clock_note')),
  );
}

export function sourcesSection({ data, language }: PageContext): HTMLElement {
  const column = (...keys: readonly TextKey[]) => keys.map((key) => say(language, key));
  const count = (value: number) => value.toLocaleString('en');
  return section(
    'sources',
    say(language, 'sources'),
    dataTable(
      column(
        'col_file',
        'col_product',
        'col_layout',
        'col_lines',
        'col_records',
        'col_unparsed',
        'col_first',
        'col_last',
      ),
      data.sources.map((source) => [
        h('span', { title: source.path }, baseName(source.path)),
        `${source.product} ${source.version ?? ''}`.trim(),
        source.damage === null ? source.layout : `${source.layout} · ${say(language, 'damaged', source.damage)}`,
        count(source.lines),
        count(source.records),
        count(source.unparsed),
        shortTime(source.first).slice(0, 19),
        shortTime(source.last).slice(0, 19),
      ]),
      [3, 4, 5],
      say(language, 'sources'),
    ),
  );
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
