import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstStamp, isRotationIndex, orderRotated, rotationBase } from '../../queries/ingest/input/rotation.ts';

test('rotated files are known by the name they had', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['/l/nanomq.log', ['/l/nanomq.log', '/l/nanomq.log.1', '/l/nanomq.log.12.gz', '/l/nanomq.log-20250101.zst']],
    ['/l/emqx.log', ['/l/emqx.log.10', '/l/emqx.log.2025-01-01', '/l/emqx-20250101.log', '/l/emqx.log.old']],
    ['trace_a_2025-01-01.log', ['trace_a_2025-01-01.log', 'trace_a_2025-01-01.log.0']],
    ['a.log', ['a.log-20250101-1735689600.gz', 'a.log-2025-01-01T03']],
  ];
  for (const [base, files] of cases) for (const file of files) assert.equal(rotationBase(file), base, file);
  for (const file of ['/l/emqx.log.idx', '/l/emqx.log.siz', '/l/.idx', '.idx']) assert.ok(isRotationIndex(file), file);
  for (const file of ['/l/emqx.log', '/l/idx', '/l/a.idx']) assert.ok(!isRotationIndex(file), file);
});

test('a set is ordered by its first stamps, not by its suffixes', () => {
  const file = (path: string, firstTs: number | null) => ({ path, firstTs });
  const ordered = orderRotated([
    file('b/emqx.log.1', 500),
    file('a/nanomq.log', 300),
    file('b/emqx.log.2', 400),
    file('other.log', 1),
    file('a/nanomq.log.2', 100),
    file('a/nanomq.log.3', null),
    file('a/nanomq.log.1.gz', 200),
  ]);
  assert.deepEqual(
    ordered.map((one) => [one.path, one.rotationSet]),
    [
      ['b/emqx.log.2', 'b/emqx.log'],
      ['b/emqx.log.1', 'b/emqx.log'],
      ['a/nanomq.log.2', 'a/nanomq.log'],
      ['a/nanomq.log.1.gz', 'a/nanomq.log'],
      ['a/nanomq.log', 'a/nanomq.log'],
      ['a/nanomq.log.3', 'a/nanomq.log'],
      ['other.log', null],
    ],
  );
});

test('the first stamp is that of the first record, behind any wrapper', () => {
  const ts = Date.UTC(2026, 10, 22, 4, 58, 3) * 1000;
  const line = '2026-11-22 04:58:03 [16801] INFO  /b/x.c:1: y';
  assert.equal(firstStamp(Buffer.from(`more of an old record\n${line}\n`)), ts);
  assert.equal(firstStamp(Buffer.from(`nanomq-1  | ${line}`)), ts);
  assert.equal(firstStamp(Buffer.from('no log\n')), null);
});
