import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Database, type IngestedSource, InputError, ingest, OBSERVED, UsageError } from '../../queries/index.ts';
import { start } from './children.ts';
import { emqxCycles, incident, nanomqCycles } from './fixtures.ts';
import { chooseSeed, files, ingested, memory, scratch, seeded, type Tables, tables } from './support.ts';

const CONSOLE_STAMP = '2026-03-01 08:00:02 [17]';
/** Two threads' prefixes on one line, blank lines, settings with a section, and text that is no record. */
const CONSOLE = [
  'path :/opt/nanomq',
  nanomqCycles({ layout: 'console' }).text().trimEnd(),
  `${CONSOLE_STAMP} WARN  /b/nng/src/mqtt_quic_client.c:444 mqtt_quic_recv_cb: ${CONSOLE_STAMP} INFO  /b/nanomq/bridge.c:312 sub_cb: bridge: suback code 0 `,
  'MQTT client recv error 18!',
  `${CONSOLE_STAMP} INFO  /b/nanomq/bridge.c:312 sub_cb: bridge: suback code 0 `,
  '',
].join('\n');

/** An error report over several lines, a line no layout knows, and one with bytes beyond ASCII. */
const EMQX_TEXT = [
  'Erlang/OTP 26 booting',
  emqxCycles().text().trimEnd(),
  '2026-03-01T08:02:00.000001+00:00 [error] Supervisor: {local,some_sup}. Context: start_error.',
  '    Reason: {badarg,',
  '              [{erlang,binary_to_atom,[<<"größe">>,utf8]}]}.',
  '2026-03-01T08:02:00.000200+00:00 [info] clientid: größe, msg: terminate, peername: 10.0.0.9:1, reason: normal',
  '',
].join('\n');

const LAYOUTS = {
  'nanomq.log': nanomqCycles().text(),
  'nanomq-console.log': CONSOLE,
  'emqx.log': EMQX_TEXT,
  'emqx-json.log': `${emqxCycles().json()}{"broken json\n`,
  'trace.log': emqxCycles().trace('bridge-1'),
};

async function fails(promise: Promise<unknown>, code: string, about: string): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.equal(error.code, code);
    assert.equal(error.place.file, about);
    assert.ok(error.message.includes(about));
    return true;
  });
}

async function assertEmpty(database: Database): Promise<void> {
  for (const table of ['runs', 'endpoints', 'sources', 'packed_records', 'unparsed', 'clocks', 'bridges'])
    assert.deepEqual(await database.all(`FROM ${table}`), [], table);
}

async function freshTables(t: TestContext, contents: { [name: string]: string | Uint8Array }): Promise<Tables> {
  return tables((await ingested(t, contents)).database);
}

const states = (sources: readonly IngestedSource[]) => sources.map((source) => source.state);

describe('what an ingest accounts for', () => {
  it('takes stamps that are no dates and source lines that no file has', async (t) => {
    const { result } = await ingested(t, {
      'nanomq.log':
        '2026-11-22 04:53:18 [0] INFO  bridge.c:876: Bridge client connected! RC [0]\n' +
        '2626-11-22 04:57:53 [1] WARN /bridge.c:921: bridge client disconnected! RC [0]\n',
      'emqx.log':
        '2026-11-22T04:53:18.000000+00:00 [debug] msg: x, mfa: a:b/1(99999999999)\n' +
        '2026-11-22T04:53:18.000000+00:00 [debug] msg: x, mfa: a:b/1, line: 4294967296\n',
    });
    assert.deepEqual(
      result.sources.map((source) => source.records),
      [2, 2],
    );
  });

  for (const [name, text] of Object.entries(LAYOUTS)) {
    it(`puts every line and byte of ${name} into a record, a continuation or an unparsed line`, async (t) => {
      for (const lineEnd of ['\n', '\r\n']) {
        const bytes = Buffer.from(text.replaceAll('\n', lineEnd));
        const { database, result } = await ingested(t, { [name]: bytes });
        const [source] = result.sources;
        assert.ok(source);
        assert.ok(source.records > 20);
        assert.equal(result.recordsRead, source.records);
        assert.equal(source.bytes, bytes.length);
        assert.equal(source.lines, text.split('\n').length - 1);
        // On the console two threads share a line now and then: that line counts once for each.
        const shared = text.match(/(?<=\S.*)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[\d+\] /g)?.length ?? 0;
        assert.equal(source.records + source.continuations + source.unparsed, source.lines + shared);
        const spans = await database.all<{ from: number; length: number }>(
          `SELECT byte_offset AS "from", byte_length AS length FROM records
           UNION ALL SELECT byte_offset, byte_length FROM unparsed ORDER BY 1`,
        );
        assert.equal(
          spans.reduce((sum, span) => sum + span.length, 0),
          bytes.length,
        );
        const counted = await database.all<{ n: number }>(
          'SELECT (SELECT count(*)::INTEGER FROM records) + (SELECT count(*)::INTEGER FROM unparsed) AS n',
        );
        assert.equal(counted[0]?.n, source.records + source.unparsed);
      }
    });
  }

  it('keeps a line that no layout knows, with the reason', async (t) => {
    const { database } = await ingested(t, { 'emqx.log': EMQX_TEXT });
    const unparsed = await database.all<{ line_no: number; text: string; reason: string }>(
      'SELECT line_no, text, reason FROM unparsed',
    );
    assert.deepEqual(unparsed, [{ line_no: 1, text: 'Erlang/OTP 26 booting', reason: 'no-record-start' }]);
  });

  it('says which layout and product a file is, and by which line', async (t) => {
    const { result } = await ingested(t, LAYOUTS);
    assert.deepEqual(
      result.sources.map((source) => [path.basename(source.path), source.product, source.layout]),
      [
        ['nanomq.log', 'nanomq', 'nanomq-file'],
        ['nanomq-console.log', 'nanomq', 'nanomq-console'],
        ['emqx.log', 'emqx', 'emqx-text'],
        ['emqx-json.log', 'emqx', 'emqx-json'],
        ['trace.log', 'emqx', 'emqx-trace'],
      ],
    );
    for (const source of result.sources) assert.match(source.evidence, /line \d+/);
  });

  it('reports bytes read, up to the size of the file', async (t) => {
    const steps: { bytesDone: number; bytesTotal: number | null }[] = [];
    await ingested(t, { 'emqx.log': EMQX_TEXT }, { onProgress: (progress) => steps.push(progress) });
    const last = steps.at(-1);
    assert.equal(last?.bytesDone, Buffer.byteLength(EMQX_TEXT));
    assert.equal(last?.bytesTotal, Buffer.byteLength(EMQX_TEXT));
  });
});

describe('a log that is already in the database', () => {
  it('changes nothing when it comes again', async (t) => {
    const { database, paths } = await ingested(t, LAYOUTS);
    const before = await tables(database);
    const again = await ingest(database, { paths });
    assert.deepEqual(states(again.sources), Array(paths.length).fill('unchanged'));
    assert.deepEqual(await tables(database), before);
  });

  it('adds no row as a renamed copy, in one call or a later one', async (t) => {
    const { database, paths } = await ingested(t, incident());
    const before = await tables(database);
    const copies = paths.map((file) => `${file}.copy`);
    for (const file of paths) copyFileSync(file, `${file}.copy`);
    await ingest(database, { paths: copies });
    assert.deepEqual(await tables(database), before);

    const together = await memory(t);
    const result = await ingest(together, { paths: [...paths, ...copies] });
    assert.deepEqual(states(result.sources), [...paths.map(() => 'new'), ...copies.map(() => 'unchanged')]);
    assert.deepEqual(await tables(together), before);
  });

  it('is the same source gzipped and plain, whichever comes first', async (t) => {
    const plain = LAYOUTS['emqx.log'];
    const orders: { [name: string]: string | Uint8Array }[] = [
      { 'a.log': plain, 'b.log.gz': gzipSync(plain) },
      { 'a.log.gz': gzipSync(plain), 'b.log': plain },
    ];
    const fresh = await freshTables(t, { 'a.log': plain });
    for (const contents of orders) {
      const { database, result } = await ingested(t, contents);
      assert.deepEqual(states(result.sources), ['new', 'unchanged']);
      assert.deepEqual(await tables(database), fresh);
    }
  });

  it('is another source in another node', async (t) => {
    const { database, paths } = await ingested(t, { 'nanomq.log': LAYOUTS['nanomq.log'] }, { node: 'edge-1' });
    const result = await ingest(database, { paths, node: 'edge-2' });
    assert.deepEqual(states(result.sources), ['new']);
    assert.deepEqual(await database.all('SELECT node, node_known_by FROM endpoints ORDER BY node'), [
      { node: 'edge-1', node_known_by: '--node' },
      { node: 'edge-2', node_known_by: '--node' },
    ]);
  });

  it('gives the same tables whatever the order of the files', async (t) => {
    const contents = incident({ clockAheadS: 8 * 3600 });
    const straight = await freshTables(t, contents);
    const reversed = await freshTables(t, Object.fromEntries(Object.entries(contents).reverse()));
    assert.deepEqual(reversed, straight);
  });
});

describe('a log that grows', () => {
  /** Ingests the first part of a file, then all of it, and compares with a database that saw all of it at once. */
  async function grow(database: Database, file: string, text: Buffer, cuts: readonly number[]): Promise<string> {
    await empty(database);
    const seen: string[] = [];
    for (const cut of [...cuts, text.length]) {
      writeFileSync(file, text.subarray(0, cut));
      const result = await ingest(database, { paths: [file] });
      seen.push(...states(result.sources));
    }
    return seen.join(' ');
  }

  async function empty(database: Database): Promise<void> {
    for (const table of ['runs', 'endpoints', 'sources', 'packed_records', 'unparsed', 'clocks', 'bridges'])
      await database.run(`DELETE FROM ${table}`);
  }

  for (const [name, text] of Object.entries(LAYOUTS)) {
    it(`ends with the tables of the whole ${name}, wherever it was cut (random)`, async (t) => {
      const seed = chooseSeed();
      t.diagnostic(`seed ${seed} (BRIDGETRACE_SEED=${seed} runs it again)`);
      const random = seeded(seed);
      const bytes = Buffer.from(text);
      const fresh = await freshTables(t, { [name]: text });
      const database = await memory(t);
      const file = path.join(scratch(t), name);
      const firstLines = bytes.indexOf('\n', bytes.indexOf('\n') + 1) + 1; // enough to tell the layout
      for (let round = 0; round < 8; round += 1) {
        const cuts = Array.from({ length: 1 + (round % 3) }, () =>
          Math.floor(firstLines + random() * (bytes.length - firstLines)),
        ).sort((a, b) => a - b);
        const seen = await grow(database, file, bytes, cuts);
        assert.deepEqual(await tables(database), fresh, `cut at ${cuts} (${seen})`);
      }
    });
  }

  it('reads a list of settings that was cut in the middle', async (t) => {
    const text = Buffer.from(nanomqCycles().text());
    const fresh = await freshTables(t, { 'nanomq.log': text });
    const database = await memory(t);
    const file = path.join(scratch(t), 'nanomq.log');
    const list = text.indexOf('bridge.mqtt.emqx1.subscription');
    for (const cut of [list, text.indexOf('remote topic'), text.indexOf('] qos:'), text.indexOf('\n', list) + 1]) {
      await grow(database, file, text, [cut]);
      assert.deepEqual(await tables(database), fresh, `cut at ${cut}`);
    }
  });

  it('goes on after messages of two threads that the end of the file cut apart', async (t) => {
    const text = Buffer.from(CONSOLE);
    const fresh = await freshTables(t, { 'nanomq-console.log': text });
    const database = await memory(t);
    const file = path.join(scratch(t), 'nanomq-console.log');
    const line = text.indexOf('mqtt_quic_recv_cb');
    const cuts = [0, 20, 30, 45, 60, 100, 160, 185, 190, 200].map((step) => line + step);
    for (const cut of cuts) {
      await grow(database, file, text, [cut]);
      assert.deepEqual(await tables(database), fresh, `cut at ${cut}`);
    }
  });

  it('is continued, and says so', async (t) => {
    const text = nanomqCycles().text();
    const { database, paths } = await ingested(t, { 'nanomq.log': text.slice(0, 3_000) });
    appendFileSync(paths[0]!, text.slice(3_000));
    const result = await ingest(database, { paths });
    assert.deepEqual(states(result.sources), ['continued']);
    assert.equal(result.sources[0]?.bytes, text.length);
  });

  it('grows gzipped as well, also beyond the first 64 KiB', async (t) => {
    const body = nanomqCycles().text();
    const text = Buffer.from(body + body.slice(0, 4_000).repeat(40));
    assert.ok(text.length > 150_000);
    const fresh = await freshTables(t, { 'nanomq.log': text });
    const database = await memory(t);
    const file = path.join(scratch(t), 'nanomq.log.gz');
    for (const cut of [5_000, 65_500, 70_000, 120_001, text.length]) {
      writeFileSync(file, gzipSync(text.subarray(0, cut)));
      await ingest(database, { paths: [file] });
    }
    assert.deepEqual(await tables(database), fresh);
  });
});

describe('the paths a user names', () => {
  it('takes the logs of a folder and says why it skips the rest', async (t) => {
    const folder = scratch(t);
    mkdirSync(path.join(folder, 'edge', 'old'), { recursive: true });
    writeFileSync(path.join(folder, 'edge', 'nanomq.log'), LAYOUTS['nanomq.log']);
    writeFileSync(path.join(folder, 'edge', 'old', 'emqx.log.gz'), gzipSync(LAYOUTS['emqx.log']));
    writeFileSync(path.join(folder, 'notes.txt'), 'Called the plant at nine.\n');
    writeFileSync(path.join(folder, 'empty.log'), '');
    writeFileSync(path.join(folder, 'picture.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3, 0x0a, 0xff]));
    writeFileSync(path.join(folder, 'broken.gz'), Buffer.from([0x1f, 0x8b, 9, 9, 9, 9]));
    const database = await memory(t);
    const result = await ingest(database, { paths: [folder] });
    assert.deepEqual(
      result.sources.map((source) => path.relative(folder, source.path)),
      ['edge/nanomq.log', 'edge/old/emqx.log.gz'],
    );
    const reasons = Object.fromEntries(result.skipped.map((one) => [path.basename(one.path), one.reason]));
    assert.deepEqual(Object.keys(reasons).sort(), ['broken.gz', 'empty.log', 'notes.txt', 'picture.png']);
    assert.equal(reasons['empty.log'], 'empty');
    assert.match(reasons['notes.txt']!, /no header of NanoMQ or EMQX/);
    assert.match(reasons['broken.gz']!, /gzip/);
    assert.deepEqual(result.damaged, []);
  });

  it('takes one product of a folder when asked to', async (t) => {
    const contents = incident();
    const folder = path.dirname(files(t, contents)[0]!);
    const database = await memory(t);
    const result = await ingest(database, { paths: [folder], product: 'nanomq' });
    assert.deepEqual(
      result.sources.map((source) => source.product),
      ['nanomq'],
    );
    assert.equal(result.skipped.length, 3);
    for (const { reason } of result.skipped) assert.equal(reason, 'a log of emqx');
  });

  it('reads a file once that is named twice', async (t) => {
    const [file] = files(t, { 'nanomq.log': LAYOUTS['nanomq.log'] });
    const database = await memory(t);
    const result = await ingest(database, { paths: [file!, path.dirname(file!), path.relative(process.cwd(), file!)] });
    assert.deepEqual(states(result.sources), ['new']);
  });

  it('refuses a missing file, before it writes anything of the others', async (t) => {
    const [good] = files(t, { 'nanomq.log': LAYOUTS['nanomq.log'] });
    const database = await memory(t);
    await fails(ingest(database, { paths: [good!, `${good}.missing`] }), 'not-found', `${good}.missing`);
    await assertEmpty(database);
  });

  it('refuses what is no log, named by the user, and writes nothing', async (t) => {
    const named = files(t, {
      'picture.png': Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 37) % 256)),
      'notes.txt': 'Called the plant at nine.\n',
      'empty.log': '',
    });
    const [good] = files(t, { 'nanomq.log': LAYOUTS['nanomq.log'] });
    const database = await memory(t);
    for (const file of named) await fails(ingest(database, { paths: [good!, file] }), 'not-a-log', file);
    await fails(ingest(database, { paths: [good!], product: 'emqx' }), 'not-a-log', good!);
    await assertEmpty(database);
  });

  it('refuses an unreadable gzip file, and writes nothing', async (t) => {
    const gz = gzipSync(LAYOUTS['emqx.log']);
    const headless = Buffer.concat([gz.subarray(0, 2), Buffer.alloc(100, 0xee)]);
    const [file] = files(t, { 'emqx.log.gz': headless });
    const database = await memory(t);
    await fails(ingest(database, { paths: [file!] }), 'gzip-broken', file!);
    await assertEmpty(database);
  });

  it('refuses a folder without logs, and writes nothing', async (t) => {
    const folder = scratch(t);
    const database = await memory(t);
    await fails(ingest(database, { paths: [folder] }), 'no-logs', folder);
    writeFileSync(path.join(folder, 'notes.txt'), 'Called the plant at nine.\n');
    await fails(ingest(database, { paths: [folder] }), 'no-logs', folder);
    await assertEmpty(database);
  });

  it('refuses a zone that is none', async (t) => {
    const [file] = files(t, { 'nanomq.log': LAYOUTS['nanomq.log'] });
    const database = await memory(t);
    await assert.rejects(
      ingest(database, { paths: [file!], zone: 'Atlantis' }),
      (error) => error instanceof UsageError && error.code === 'unknown-zone',
    );
  });
});

describe('a gzip file that is damaged further on', () => {
  // Incompressible text, so that a part of the file is a part of the log.
  const noise = seeded(1);
  const text = `${LAYOUTS['nanomq.log']}${Array.from(
    { length: 3_000 },
    () => `2026-03-01 08:01:40 [16801] DEBUG /build/nanomq/pub_handler.c:1689: payload: [${noise()}${noise()}]\n`,
  ).join('')}`;

  const middle = (gz: Buffer) => Math.floor(gz.length / 2);

  /** Ingests a damaged file, and gives the code it is reported with. */
  async function damage(t: TestContext, bytes: Buffer) {
    const { database, result, paths } = await ingested(t, { 'nanomq.log.gz': bytes });
    assert.equal(result.damaged.length, 1);
    assert.equal(result.damaged[0]!.place.file, paths[0]);
    const kept = await database.all<{ n: number }>('SELECT count(*)::INTEGER AS n FROM records');
    assert.ok(kept[0]!.n > 100);
    return { database, paths, code: result.damaged[0]!.code };
  }

  it('keeps what can be read of one that breaks off, reports it, and takes the rest when it comes whole', async (t) => {
    const gz = gzipSync(text);
    const { database, paths, code } = await damage(t, gz.subarray(0, middle(gz)));
    assert.equal(code, 'gzip-cut');
    writeFileSync(paths[0]!, gz);
    const again = await ingest(database, { paths });
    assert.deepEqual(again.damaged, []);
    assert.deepEqual(states(again.sources), ['continued']);
    assert.deepEqual(await tables(database), await freshTables(t, { 'nanomq.log': text }));
  });

  it('keeps what can be read of one with wrong bytes in it, and reports it', async (t) => {
    const gz = gzipSync(text);
    gz.fill(0xff, middle(gz), middle(gz) + 64);
    const { code } = await damage(t, gz);
    assert.equal(code, 'gzip-broken');
  });

  it('lists what was read of it, and does not keep the other files of the call from being read', async (t) => {
    const cut = gzipSync(text).subarray(0, 20_000);
    const { result } = await ingested(t, { 'nanomq.log.gz': cut, 'emqx.log': LAYOUTS['emqx.log'] });
    assert.equal(result.damaged.length, 1);
    assert.deepEqual(
      result.sources.map((source) => [source.layout, source.records > 0]),
      [
        ['nanomq-file', true],
        ['emqx-text', true],
      ],
    );
  });
});

describe('an ingest that is interrupted', () => {
  /** A log of more than one commit (64 MiB), of few long lines so that it is read fast; its times go on from the cycles'. */
  function largeLog(bytes: number): string {
    const parts = [nanomqCycles().text()];
    const payload = '0123456789abcdef'.repeat(120);
    const from = Date.UTC(2026, 2, 1, 8, 2);
    for (let size = parts[0]!.length, index = 0; size < bytes; index += 1) {
      const stamp = new Date(from + index * 10).toISOString();
      const line = `${stamp.slice(0, 10)} ${stamp.slice(11, 19)} [16801] DEBUG /build/nanomq/pub_handler.c:1689: payload: [${index} ${payload}], len = 1920\n`;
      parts.push(line);
      size += line.length;
    }
    return parts.join('');
  }

  const MEBIBYTE = 1_048_576;
  const LARGE = 72 * MEBIBYTE;
  let large: string | null = null;
  const largeFile = (t: TestContext): string => {
    large ??= largeLog(LARGE);
    return files(t, { 'nanomq.log': large })[0]!;
  };
  let undisturbed: Promise<object[]> | null = null;

  /** The tables of a large ingest in short: counts and a hash of all rows. */
  async function digest(database: Database): Promise<object[]> {
    const { sources, derived } = { ...(await derivedTables(database)) };
    const rows = await database.all(
      `SELECT count(*)::INTEGER AS n, min(line_no) AS first, max(line_no) AS last, sum(byte_length)::BIGINT AS bytes,
         bit_xor(hash(line_no, byte_offset, byte_length, continuations, ts, severity, file, line, bridge_id, event, head, body, attributes::VARCHAR)) AS content
       FROM records`,
    );
    return [...sources, ...derived, ...rows];
  }

  async function derivedTables(database: Database): Promise<{ sources: object[]; derived: object[] }> {
    return {
      sources: await database.all(
        'SELECT layout, bytes_done, lines, records, continuations, unparsed, complete, first_ts, last_ts FROM sources',
      ),
      derived: [
        ...(await database.all('SELECT * FROM endpoints')),
        ...(await database.all('SELECT * FROM clocks')),
        ...(await database.all('SELECT * FROM bridges')),
      ],
    };
  }

  function undisturbedDigest(t: TestContext, file: string): Promise<object[]> {
    undisturbed ??= (async () => {
      const database = await memory(t);
      await ingest(database, { paths: [file] });
      return digest(database);
    })();
    return undisturbed;
  }

  it('goes on after an abort, before the first commit and after it', async (t) => {
    const file = largeFile(t);
    const expected = await undisturbedDigest(t, file);
    for (const limit of [10 * MEBIBYTE, 68 * MEBIBYTE]) {
      const database = await memory(t);
      const controller = new AbortController();
      const reason = new Error('enough');
      const aborted = ingest(database, {
        paths: [file],
        signal: controller.signal,
        onProgress: (progress) => progress.bytesDone > limit && controller.abort(reason),
      });
      await assert.rejects(aborted, reason);
      const left = await database.all<{ bytes_done: number; complete: boolean; n: number }>(
        `SELECT bytes_done, complete, records = (SELECT count(*) FROM records) AS agrees FROM sources`,
      );
      // Before the first commit nothing is known of the file.
      const part = limit > 64 * MEBIBYTE ? [{ bytes_done: left[0]?.bytes_done, complete: false, agrees: true }] : [];
      assert.deepEqual(left, part);
      const result = await ingest(database, { paths: [file] });
      assert.equal(result.sources[0]?.state, limit > 64 * MEBIBYTE ? 'continued' : 'new');
      assert.deepEqual(await digest(database), expected);
    }
  });

  it('can be killed again and again, and completed (random moments)', async (t) => {
    const seed = chooseSeed();
    t.diagnostic(`seed ${seed} (BRIDGETRACE_SEED=${seed} runs it again)`);
    const random = seeded(seed);
    const log = largeFile(t);
    const expected = await undisturbedDigest(t, log);
    const file = path.join(scratch(t), 'incident.duckdb');
    // By bytes read, two of them behind the first commit, and by time, which also hits commits and what is derived.
    const moments = [
      ...Array.from({ length: 3 }, () => `bytes:${Math.floor(random() * 64 * MEBIBYTE)}`),
      ...Array.from({ length: 2 }, () => `bytes:${Math.floor((65 + random() * 6) * MEBIBYTE)}`),
      ...Array.from({ length: 3 }, () => `ms:${Math.floor(random() * 800)}`),
    ];
    const ends: string[] = [];
    for (const moment of moments) {
      const child = start('ingest-logs', [file, moment, log]);
      const last = await child.nextLine(); // null: it was killed
      assert.ok(last === null || moment.startsWith('ms:'), `${moment} killed nothing`);
      await child.kill();
      ends.push(`${moment}${last === null ? '' : ' (was done)'}`);
      const database = await Database.open(file, 'write');
      const wrong = await database.all('SELECT path FROM sources WHERE records <> (SELECT count(*) FROM records)');
      database.close();
      assert.deepEqual(wrong, [], `records that the source does not count, after a kill at ${moment}`);
    }
    t.diagnostic(`killed at ${ends.join(', ')}`);
    const database = await Database.open(file, 'write');
    try {
      await ingest(database, { paths: [log] });
      assert.deepEqual(await digest(database), expected);
    } finally {
      database.close();
    }
  });

  it('leaves the files that were complete as they are', async (t) => {
    const contents = incident();
    const paths = files(t, contents);
    const database = await memory(t);
    const controller = new AbortController();
    const aborted = ingest(database, {
      paths,
      signal: controller.signal,
      onProgress: (progress) => progress.path === paths[1] && controller.abort(),
    });
    await assert.rejects(aborted, { name: 'AbortError' });
    const result = await ingest(database, { paths });
    assert.equal(result.sources[0]?.state, 'unchanged');
    assert.deepEqual(await tables(database), await freshTables(t, contents));
  });
});

describe('what is derived from the records', () => {
  it('finds the zone of a shifted NanoMQ and keeps the stamps as written', async (t) => {
    for (const [clockAheadS, zone] of [
      [0, '+00:00'],
      [8 * 3600 + 37, '+08:00'],
      [5.5 * 3600 - 20, '+05:30'],
    ] as const) {
      const { database } = await ingested(t, incident({ clockAheadS }));
      const clocks = await database.all<{ zone: string; offset_us: number; error_us: number; ambiguous: boolean }>(
        "SELECT zone, offset_us, error_us, ambiguous FROM clocks JOIN endpoints USING (endpoint_id) WHERE product = 'nanomq'",
      );
      const [clock] = clocks;
      assert.ok(clock);
      assert.equal(clock.zone, zone);
      assert.equal(clock.ambiguous, false);
      assert.ok(Math.abs(clock.offset_us + clockAheadS * 1e6) <= clock.error_us, JSON.stringify(clock));
      const written = await database.all(
        "SELECT strftime(min(ts), '%H:%M:%S') AS first FROM records WHERE file = 'conf.c'",
      );
      const first = new Date(Date.UTC(2026, 2, 1, 8) + Math.floor(clockAheadS) * 1000).toISOString().slice(11, 19);
      assert.deepEqual(written, [{ first }]);
    }
  });

  it('assumes UTC and says so when there is no log of the broker', async (t) => {
    const { database } = await ingested(t, { 'nanomq.log': nanomqCycles().text() });
    assert.deepEqual(await database.all('SELECT method, offset_us, error_us, pairs, ambiguous FROM clocks'), [
      { method: 'assumed-utc', offset_us: 0, error_us: null, pairs: 0, ambiguous: true },
    ]);
  });

  it("takes the user's zone over the estimate, and keeps it for later ingests", async (t) => {
    const contents = incident({ clockAheadS: 8 * 3600 });
    const [client, ...broker] = files(t, contents);
    const database = await memory(t);
    await ingest(database, { paths: [client!], zone: 'Asia/Shanghai' });
    const select =
      "SELECT zone, method, offset_us, ambiguous FROM clocks JOIN endpoints USING (endpoint_id) WHERE product = 'nanomq'";
    assert.deepEqual(await database.all(select), [
      { zone: 'Asia/Shanghai', method: 'zone-given', offset_us: -8 * 3600 * 1e6, ambiguous: false },
    ]);
    await ingest(database, { paths: broker });
    const [clock] = await database.all<{ zone: string; method: string; offset_us: number }>(select);
    assert.equal(clock?.zone, 'Asia/Shanghai');
    assert.equal(clock.method, 'paired-events-in-zone');
    assert.ok(Math.abs(clock.offset_us + 8 * 3600 * 1e6) < 1e6);
    // A zone that the events contradict: nothing pairs within reach, so the offset is the zone's.
    await ingest(database, { paths: [client!], zone: '+02:00' });
    const [wrong] = await database.all<{ method: string; offset_us: number; pairs: number }>(select);
    assert.deepEqual([wrong?.method, wrong?.offset_us], ['zone-given', -2 * 3600 * 1e6]);
  });

  it('does not pair a bridge with the events of other clients', async (t) => {
    const broker = emqxCycles().text().replaceAll('bridge-1', 'somebody-else');
    const { database } = await ingested(t, { 'nanomq.log': nanomqCycles().text(), 'emqx.log': broker });
    const clocks = await database.all<{ method: string; pairs: number }>(
      "SELECT method, pairs FROM clocks JOIN endpoints USING (endpoint_id) WHERE product = 'nanomq'",
    );
    assert.deepEqual(clocks, [{ method: 'assumed-utc', pairs: 0 }]);
  });

  it('finds bridge, client, transport and keepalive in the settings printed at boot', async (t) => {
    const { database } = await ingested(t, { 'nanomq.log': nanomqCycles().text() });
    const bridges = await database.all<{ settings: string }>(
      'SELECT run_id, bridge_id, address, client_id, client_known_by, transport, keepalive_s FROM bridges',
    );
    assert.deepEqual(bridges, [
      {
        run_id: OBSERVED,
        bridge_id: 'emqx1',
        address: 'mqtt-quic://broker.example:14567',
        client_id: 'bridge-1',
        client_known_by: 'boot-dump',
        transport: 'quic',
        keepalive_s: 10,
      },
    ]);
  });

  it('finds the client by its connect times when the settings are not in the log', async (t) => {
    const client = nanomqCycles().text();
    const withoutBoot = client.slice(client.indexOf('\n', client.indexOf('] qos:')) + 1);
    const { database } = await ingested(t, { 'nanomq.log': withoutBoot, 'emqx.log': emqxCycles().text() });
    const bridges = await database.all('SELECT client_id, client_known_by, transport, keepalive_s FROM bridges');
    assert.deepEqual(bridges, [
      { client_id: 'bridge-1', client_known_by: 'connect-times', transport: 'quic', keepalive_s: 10 },
    ]);
  });

  it('reads the release of the bridge off its source lines', async (t) => {
    for (const release of ['0.23.1', '0.23.6', '0.23.10'] as const) {
      const { database } = await ingested(t, { 'nanomq.log': nanomqCycles({ release }).ping(90).text() });
      const [endpoint] = await database.all<{ product_version: string; version_known_by: string }>(
        'SELECT product_version, version_known_by FROM endpoints',
      );
      const range = endpoint?.product_version.split('–');
      assert.ok(range?.[0] === release || range?.at(-1) === release, `${release}: ${endpoint?.product_version}`);
      assert.match(endpoint!.version_known_by, /\.c:\d+ \(\w+, line \d+\)/);
    }
  });

  it('never keeps a password that NanoMQ printed at boot', async (t) => {
    const log = nanomqCycles();
    log.boot(90, 'Zq8-hunter2');
    const { database } = await ingested(t, { 'nanomq.log': log.text() });
    assert.ok(log.text().includes('Zq8-hunter2'));
    for (const table of ['records', 'unparsed', 'bridges', 'sources', 'endpoints']) {
      const rows = await database.all(`FROM ${table} t WHERE t::VARCHAR LIKE '%hunter2%'`);
      assert.deepEqual(rows, [], table);
    }
    const hidden = await database.all("SELECT body FROM records WHERE body LIKE '%password%'");
    assert.equal(hidden.length, 1);
  });
});
