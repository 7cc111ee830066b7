import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colours, coloursEnabled } from '../../cli/output/colour.ts';
import { escapeControls } from '../../cli/output/escape.ts';
import { laneAxis, lanePlot, sparkline } from '../../cli/output/plot.ts';
import { Progress, progressText } from '../../cli/output/progress.ts';
import { renderTable } from '../../cli/output/table.ts';
import { cut, displayWidth, pad, terminalWidth } from '../../cli/output/width.ts';
import { captured } from './capture.ts';

test('colour: terminals only, NO_COLOR first, then FORCE_COLOR', () => {
  const tty = { isTTY: true };
  assert.equal(coloursEnabled(tty, {}), true);
  assert.equal(coloursEnabled({}, {}), false);
  assert.equal(coloursEnabled(tty, { TERM: 'dumb' }), false);
  assert.equal(coloursEnabled(tty, { NO_COLOR: '1' }), false);
  assert.equal(coloursEnabled(tty, { NO_COLOR: '' }), true);
  assert.equal(coloursEnabled({}, { FORCE_COLOR: '1' }), true);
  assert.equal(coloursEnabled(tty, { FORCE_COLOR: '0' }), false);
  assert.equal(coloursEnabled(tty, { NO_COLOR: '1', FORCE_COLOR: '1' }), false);
  assert.equal(colours({}, {}).red('x'), 'x');
  assert.equal(colours(tty, {}).red('x'), '\u001b[31mx\u001b[39m');
});

test('width: a pipe has none, a terminal that does not tell has 80', () => {
  assert.equal(terminalWidth({}), null);
  assert.equal(terminalWidth({ isTTY: true, columns: 132 }), 132);
  assert.equal(terminalWidth({ isTTY: true, columns: 0 }), 80);
  assert.equal(terminalWidth({ isTTY: true, columns: 3 }), 20);
});

test('width: wide letters take two columns, marks and joiners none', () => {
  assert.equal(displayWidth('bridge'), 6);
  assert.equal(displayWidth('网关'), 4);
  assert.equal(displayWidth('é'), 1);
  assert.equal(displayWidth('e\u0301'), 1);
  assert.equal(displayWidth('👩‍👧'), 2);
  assert.equal(displayWidth('─…▁'), 3);
});

test('width: cut keeps whole letters and marks the cut', () => {
  assert.equal(cut('bridge', 6), 'bridge');
  assert.equal(cut('bridges', 6), 'bridg…');
  assert.equal(cut('网关网关', 4), '网…');
  assert.equal(cut('网关网关', 6), '网关…');
  assert.equal(cut('abc', 1), '…');
  assert.equal(cut('abc', 0), '');
  assert.equal(pad('网', 4), '网  ');
  assert.equal(pad('1', 3, 'right'), '  1');
});

test('escapeControls: one visible line', () => {
  assert.equal(escapeControls('a\tb\r\n\u0000\u009b\u2028é'), 'a\\tb\\r\\n\\x00\\x9b\\u2028é');
});

test('renderTable: as many columns as the header says, in a width if there is one', () => {
  const columns = [
    { name: 'name', align: 'left' },
    { name: 'n', align: 'right' },
  ] as const;
  assert.equal(
    renderTable(columns, [['a'], ['网', '10', 'extra']], { width: null }),
    'name   n\n────  ──\na\n网    10\n',
  );
  const narrow = renderTable(columns, [['x'.repeat(50), '7']], { width: 20 });
  assert.equal(narrow.split('\n')[2], `${'x'.repeat(16)}…  7`);
});

test('sparkline: blocks from the foot to the top, blanks for gaps', () => {
  assert.equal(sparkline([0, 1, 4, null, 8]), '▁▂▅ █');
  assert.equal(sparkline([0, 0]), '▁▁');
  assert.equal(sparkline([]), '');
  assert.equal(sparkline([4], { max: 8 }), '▅');
  assert.equal(sparkline([1, 8, 1, 1, 1, 1], { width: 3 }), '█▂▂');
});

test('lane plot: points over spans, the range cut, unlike neighbours crowded', () => {
  const plot = {
    from: 0,
    to: 100,
    width: 37,
    lanes: [
      {
        label: 'edge-1',
        marks: [
          { at: -50, until: 45, char: '─' },
          { at: 0, char: 'C' },
          { at: 50, char: 'x' },
          { at: 51, char: 'C' },
          { at: 101, char: '!' },
        ],
      },
      { label: 'a-long-bridge-name', marks: [{ at: 100, char: 'x' }] },
      { label: '', marks: [] },
    ],
  };
  assert.deepEqual(lanePlot(plot), ['edge-1      C───────────*', 'a-long-bri…                         x', '']);
  assert.equal(
    laneAxis(plot, (at) => `${at}s`),
    '            0s                   100s',
  );
});

test('lane plot: a range of one instant is one column', () => {
  const lanes = [{ label: 'a', marks: [{ at: 5, char: 'x' }] }];
  assert.deepEqual(lanePlot({ from: 5, to: 5, width: 20, lanes }), ['a x']);
});

test('progress: silent without a terminal', () => {
  const stream = captured();
  const progress = new Progress({ stream, label: 'reading', total: 10, unit: 'bytes' });
  progress.update(5);
  progress.clear();
  assert.equal(stream.text(), '');
});

test('progress: at most ten lines a second, cleared at the end', () => {
  let nowMs = 0;
  const stream = captured(80);
  const progress = new Progress({ stream, label: 'reading', total: 100, unit: 'bytes', now: () => nowMs });
  for (; nowMs < 1000; nowMs += 1) progress.update(nowMs / 10);
  assert.equal(stream.text().split('\r').length - 1, 10);
  progress.clear();
  progress.clear();
  assert.equal(stream.text().split('\r').length - 1, 11);
  assert.ok(stream.text().endsWith('\r\u001b[2K'));
});

test('progress: share, amount, rate and time left, as far as they are known', () => {
  const bytes = { label: 'reading', total: 50_000_000, unit: 'bytes' };
  assert.equal(progressText(bytes, 21_000_000, 6000), 'reading  42 %  21.0 MB of 50.0 MB  3.5 MB/s  0:09 left');
  assert.equal(progressText(bytes, 10_000, 10_000), 'reading  0 %  10.0 kB of 50.0 MB  1.0 kB/s  13:53:10 left');
  assert.equal(progressText(bytes, 999, 10), 'reading  0 %  999 B of 50.0 MB');
  assert.equal(progressText({ label: 'seeds', total: null, unit: 'seeds' }, 20, 2000), 'seeds  20 seeds  10 seeds/s');
  assert.equal(progressText(bytes, 1, 4000), 'reading  0 %  1 B of 50.0 MB');
});
