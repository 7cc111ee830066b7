/** Builds the page from its data, and again in the other language when that is asked for. */
import { readData, readLines, readMarks } from './data.ts';
import { button, type Child, h } from './dom.ts';
import {
  clocksSection,
  connectionsSection,
  fillHeadings,
  findingsSection,
  gapsSection,
  type PageContext,
  section,
  sourcesSection,
  summarySection,
  sweepSection,
  verdictSection,
} from './sections.ts';
import { type Language, say, type TextKey } from './texts.ts';
import { TimeLine } from './time-line.ts';

type Theme = 'auto' | 'light' | 'dark';

const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];
const LANGUAGES: readonly (readonly [Language, string])[] = [
  ['en', 'English'],
  ['zh', '中文'],
];

const data = readData();
let language: Language = navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
let theme: Theme = 'auto';
const timeLine = new TimeLine(data, language);
const root = document.getElementById('report')!;

function header(): HTMLElement {
  return h(
    'header',
    {},
    h('a', { class: 'skip', href: '#findings' }, say(language, 'skip')),
    h('h1', {}, data.title === '' ? say(language, 'report') : data.title),
    h('p', { class: 'made' }, say(language, 'made', data.created.slice(0, 16).replace('T', ' '), data.version)),
    h(
      'div',
      { class: 'toolbar' },
      h(
        'div',
        { role: 'group', 'aria-label': say(language, 'language') },
        ...LANGUAGES.map(([code, name]) =>
          button({ lang: code, 'aria-pressed': String(code === language), 'data-language': code }, name, () => {
            language = code;
            build();
            root.querySelector<HTMLElement>(`[data-language="${code}"]`)?.focus();
          }),
        ),
      ),
      themeChooser(),
      button({ class: 'print' }, say(language, 'print'), () => window.print()),
    ),
  );
}

function themeChooser(): HTMLElement {
  const select = h(
    'select',
    { id: 'theme' },
    ...THEMES.map((name) =>
      h('option', { value: name, selected: name === theme }, say(language, `theme_${name}` as TextKey)),
    ),
  );
  select.addEventListener('change', () => {
    theme = select.value as Theme;
    applyTheme();
    timeLine.refresh(language);
  });
  return h('label', { for: 'theme' }, `${say(language, 'theme')} `, select);
}

function applyTheme(): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Where a limit of the report was met. */
function limits(): Child[] {
  const notes: string[] = [];
  for (const run of data.runs) {
    const name = run.kind === 'observed' ? say(language, 'incident') : run.label;
    if (run.bridges_all > run.bridges.length)
      notes.push(say(language, 'some_bridges', run.bridges.length, run.bridges_all));
    if (run.bin > 0) notes.push(say(language, 'binned', name, (run.bin / 1000).toFixed(run.bin < 1000 ? 3 : 1)));
  }
  if (data.runs_left_out > 0) notes.push(say(language, 'some_runs', data.runs_left_out));
  if (data.lines_kept < 1) notes.push(say(language, 'some_lines', Math.floor(100 * data.lines_kept)));
  return [...new Set(notes)].map((note) => h('p', { class: 'hint' }, note));
}

function build(): void {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  const context: PageContext = {
    data,
    language,
    actions: { show: (at, range) => timeLine.show(at, range) },
  };
  root.replaceChildren(
    header(),
    h(
      'main',
      {},
      summarySection(context),
      section('timeline', say(language, 'timeline'), timeLine.element, ...limits()),
      findingsSection(context),
      verdictSection(context),
      ...[sweepSection(context)].filter((part) => part !== null),
      connectionsSection(context),
      gapsSection(context),
      clocksSection(context),
      sourcesSection(context),
    ),
  );
  fillHeadings(context, root);
  timeLine.refresh(language);
}

build();
addEventListener('resize', () => timeLine.refresh(language));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => timeLine.refresh(language));
const onPaper = matchMedia('print');
onPaper.addEventListener('change', () => timeLine.setPrinting(onPaper.matches));
addEventListener('beforeprint', () => timeLine.setPrinting(true));
addEventListener('afterprint', () => timeLine.setPrinting(false));
// The page stands before its marks are unpacked.
setTimeout(async () => {
  timeLine.setMarks(await readMarks(data));
  timeLine.setLines(await readLines());
});
