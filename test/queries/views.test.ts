import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import {
  bindParameters,
  type Database,
  namedQueries,
  packageRoot,
  resolveQuery,
  runQuery,
  UsageError,
} from '../../queries/index.ts';
import { CYCLES, emqxCycles, incident, nanomqCycles } from './fixtures.ts';
import { EmqxLog, NanomqLog, START_US } from './log-writer.ts';
import { ingested } from './support.ts';

const us = (seconds: number) => START_US + Math.round(seconds * 1e6);

interface BrokerSession {
  readonly peer: string;
  readonly connected: number | null;
  readonly decided: number | null;
  readonly disconnected: number | null;
  readonly reason: string | null;
  readonly closed_by: string | null;
  readonly [column: string]: unknown;
}

/** The sessions of a client at the broker, without the places of their lines. */
function brokerSessions(database: Database, client = 'bridge-1'): Promise<BrokerSession[]> {
  return database.all<BrokerSession>(
    `SELECT * EXCLUDE (source_id, line_no, end_source_id, end_line_no, endpoint_id) FROM broker_sessions
     WHERE client_id = $1 ORDER BY session_no`,
    [client],
  );
}

/** The same sessions, whose times may differ by what the handlers' stamps differ. */
function assertSameSessions(actual: readonly BrokerSession[], expected: readonly BrokerSession[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  actual.forEach((session, index) => {
    for (const [column, value] of Object.entries(session)) {
      const wanted = expected[index]![column];
      if (typeof value === 'number' && typeof wanted === 'number') {
        const tolerance = column.endsWith('_s') ? 0.05 : Math.abs(wanted) > 1e12 ? 50_000 : 0;
        assert.ok(Math.abs(value - wanted) <= tolerance, `${what}: ${column} ${value}, not ${wanted}`);
      } else assert.deepEqual(value, wanted, `${what}: ${column}`);
    }
  });
}

function subsets<T>(items: readonly T[]): T[][] {
  return Array.from({ length: 2 ** items.length - 1 }, (_, mask) =>
    items.filter((_item, index) => (mask + 1) & (1 << index)),
  );
}

const pick = (contents: { readonly [name: string]: string }, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, contents[name]!]));

describe('broker_sessions', () => {
  it('tells connect, decision and end of each connection, and why', async (t) => {
    const { database } = await ingested(t, { 'emqx.log': emqxCycles().text() });
    const sessions = await brokerSessions(database);
    assert.equal(sessions.length, CYCLES.length);
    sessions.forEach((session, index) => {
      const [connected, disconnected] = CYCLES[index]!;
      assert.equal(session.peer, `10.0.0.7:${50_000 + index}`);
      assert.ok(Math.abs(session.connected! - us(connected + 0.001)) < 1_000); // CONNACK
      assert.ok(session.decided! < session.disconnected!);
      assert.ok(Math.abs(session.disconnected! - us(disconnected)) < 10_000);
      assert.deepEqual([session.reason, session.closed_by, session.open], ['keepalive_timeout', 'broker', false]);
      assert.equal(session.keepalive_s, 10);
      assert.deepEqual(session.packets_in, [
        { key: 'CONNECT', value: 1 },
        { key: 'SUBSCRIBE', value: 1 },
      ]);
    });
  });

  it('is the same for all seven combinations of text, JSON and trace', async (t) => {
    const contents = incident();
    const all = ['emqx.log', 'emqx-json.log', 'trace.log'];
    const { database } = await ingested(t, contents);
    const expected = await brokerSessions(database);
    assert.equal(expected.length, CYCLES.length);
    for (const names of subsets(all)) {
      const part = await ingested(t, pick(contents, ['nanomq.log', ...names]));
      const what = names.join(' + ');
      assertSameSessions(await brokerSessions(part.database), expected, what);
      const joined = await part.database.all('SELECT seen_by, reason FROM sessions ORDER BY connected');
      assert.deepEqual(
        joined,
        CYCLES.map(() => ({ seen_by: 'both', reason: 'keepalive_timeout' })),
        what,
      );
    }
  });

  it('counts each event once where pieces of a log overlap', async (t) => {
    const lines = emqxCycles().text().split('\n').slice(0, -1);
    const piece = (from: number, to: number) => `${lines.slice(from, to).join('\n')}\n`;
    const whole = await ingested(t, { 'emqx.log': `${lines.join('\n')}\n` });
    const pieces = await ingested(t, {
      'emqx.log.2': piece(0, 60),
      'emqx.log.1': piece(40, 90),
      'emqx.log': piece(80, lines.length),
    });
    assertSameSessions(await brokerSessions(pieces.database), await brokerSessions(whole.database), 'pieces');
    const events = (database: Database) =>
      database.all('SELECT event, count(*) AS n FROM broker_events GROUP BY event ORDER BY event');
    assert.deepEqual(await events(pieces.database), await events(whole.database));
  });

  it('counts equal lines of one file as often as they stand there', async (t) => {
    const log = new EmqxLog();
    const client = log.client('bridge-1', '10.0.0.7:50000').connect(1);
    for (let copy = 0; copy < 3; copy += 1) client.publishTo(5); // three messages in one µs
    const { database } = await ingested(t, { 'emqx.log': log.text() });
    const [session] = await brokerSessions(database);
    assert.equal(session?.publishes_out, 3);
  });

  it('knows two connections from one port apart', async (t) => {
    const log = new EmqxLog();
    const port = log.client('bridge-1', '10.0.0.7:50000');
    port.connect(1).close(20, 'keepalive_timeout', 141).connect(40).close(70, 'kicked', 152);
    const { database } = await ingested(t, { 'emqx.log': log.text() });
    const sessions = await brokerSessions(database);
    assert.deepEqual(
      sessions.map((session) => session.reason),
      ['keepalive_timeout', 'kicked'],
    );
  });

  it('ends what was connected when the node boots again', async (t) => {
    const log = new EmqxLog();
    log.boot(0);
    log.client('bridge-1', '10.0.0.7:50000').connect(1).publishTo(30);
    log.client('watcher', '10.0.0.9:40001').connect(2, 60).ping(33);
    log.boot(50);
    log.client('bridge-1', '10.0.0.7:50001').connect(53);
    const { database } = await ingested(t, { 'emqx.log': log.text() });
    const [first, second] = await brokerSessions(database);
    assert.equal(first?.reason, 'broker_restart');
    assert.equal(first.closed_by, 'broker');
    assert.ok(first.disconnected! >= us(33) && first.disconnected! < us(50)); // after the last sign of life, before the boot
    assert.deepEqual([second?.open, second?.reason], [true, null]);
  });

  it('does not call a refused connect a session', async (t) => {
    const log = new EmqxLog();
    const refused = log.client('bridge-1', '10.0.0.7:50000');
    refused.received(
      1,
      'CONNECT(Q0, R0, D0, ClientId=bridge-1, ProtoName=MQTT, ProtoVsn=5, CleanStart=true, KeepAlive=10)',
    );
    refused
      .sent(1.001, 'CONNACK(Q0, R0, D0, AckFlags=0, ReasonCode=134)')
      .terminated(1.002, 'bad_username_or_password');
    const { database } = await ingested(t, { 'emqx.log': log.text() });
    assert.deepEqual(await brokerSessions(database), []);
  });

  it('measures the silence from the last packet of the client, sent packets aside', async (t) => {
    const log = new EmqxLog();
    const client = log.client('bridge-1', '10.0.0.7:50000').connect(1).ping(6);
    for (let at = 7; at < 20; at += 1) client.publishTo(at);
    client.close(21, 'keepalive_timeout', 141);
    const { database } = await ingested(t, { 'emqx.log': log.text() });
    const [session] = await brokerSessions(database);
    assert.ok(Math.abs((session?.silence_s as number) - 15) < 0.01);
  });
});

describe('client_sessions', () => {
  /** One connection from second 1 to 20 that ends with these lines. */
  const ENDS: readonly [title: string, write: (log: NanomqLog) => void, reason: string, closedBy: string][] = [
    ['DISCONNECT 141', (log) => log.disconnectPacket(20, 141), 'keepalive_timeout', 'broker'],
    ['DISCONNECT 142', (log) => log.disconnectPacket(20, 142), 'session_taken_over', 'broker'],
    ['DISCONNECT 152', (log) => log.disconnectPacket(20, 152), 'administrative_action', 'broker'],
    ['DISCONNECT 135', (log) => log.disconnectPacket(20, 135), 'disconnect_135', 'broker'],
    ['DISCONNECT 141 and FIN', (log) => log.disconnectPacket(20, 141).fin(20), 'keepalive_timeout', 'broker'],
    ['FIN on the control stream', (log) => log.fin(20), 'peer_fin', 'broker'],
    ['FIN on a data stream only', (log) => log.fin(20, 3), 'unknown', 'unknown'],
    ['shutdown by the peer with 0x0', (log) => log.peerShutdown(20, 0), 'broker_shutdown', 'broker'],
    ['shutdown by the peer with 0x1', (log) => log.peerShutdown(20, 1), 'peer_close', 'broker'],
    [
      'a connection timeout',
      (log) => log.transportShutdown(20).connectionTimeout(20),
      'connection_timeout',
      'transport',
    ],
    ['the QUIC idle timeout', (log) => log.idle(20), 'connection_idle', 'transport'],
    ['a transport error', (log) => log.transportShutdown(20), 'transport_error', 'transport'],
    ["the bridge's own ping timeout", (log) => log.pingTimeout(20), 'ping_timeout', 'client'],
    ['no line that says why', () => {}, 'unknown', 'unknown'],
  ];
  for (const [title, write, reason, closedBy] of ENDS) {
    it(`takes ${title} for ${reason}`, async (t) => {
      const log = new NanomqLog().boot(0).connected(1);
      write(log);
      log.disconnected(20.2);
      const { database } = await ingested(t, { 'nanomq.log': log.text() });
      assert.deepEqual(
        await database.all('SELECT connected, disconnected, duration_s, reason, closed_by, open FROM client_sessions'),
        [{ connected: us(1), disconnected: us(20), duration_s: 19, reason, closed_by: closedBy, open: false }],
      );
    });
  }

  it('does not blame the connection after for what was logged while it was down', async (t) => {
    const log = new NanomqLog().boot(0).connected(1).disconnectPacket(20, 141).disconnected(20);
    log.connectionTimeout(24).connected(30).disconnected(50);
    const { database } = await ingested(t, { 'nanomq.log': log.text() });
    const rows = await database.all<{ reason: string }>('SELECT reason FROM client_sessions ORDER BY connected');
    assert.deepEqual(rows, [{ reason: 'keepalive_timeout' }, { reason: 'unknown' }]);
  });

  it('leaves a connection open whose end is not in the log', async (t) => {
    const { database } = await ingested(t, { 'nanomq.log': new NanomqLog().boot(0).connected(1).ping(11).text() });
    assert.deepEqual(
      await database.all('SELECT disconnected, open, reason, closed_by, pings, duration_s FROM client_sessions'),
      [{ disconnected: null, open: true, reason: null, closed_by: null, pings: 1, duration_s: 10 }],
    );
  });

  it('counts the lines of each connection for itself, and what was parked before it', async (t) => {
    const log = new NanomqLog().boot(0).connected(1).ping(6).busy(8).disconnected(20);
    log.parked(21).parked(22).busy(22).connected(30).ping(35).ping(40).busy(41).busy(42).overflow(43).disconnected(60);
    const { database } = await ingested(t, { 'nanomq.log': log.text() });
    const rows = await database.all(
      'SELECT pings, aio_busy, cached_lost, parked FROM client_sessions ORDER BY session_no',
    );
    assert.deepEqual(rows, [
      { pings: 1, aio_busy: 1, cached_lost: 0, parked: 0 },
      { pings: 2, aio_busy: 2, cached_lost: 1, parked: 2 },
    ]);
  });

  it('is the same for rotated pieces in whatever order they are named', async (t) => {
    const text = nanomqCycles().text();
    const cut = text.indexOf('\n', text.length / 2) + 1;
    const whole = await ingested(t, { 'nanomq.log': text });
    const select =
      'SELECT * EXCLUDE (source_id, line_no, end_source_id, end_line_no) FROM client_sessions ORDER BY session_no';
    const expected = await whole.database.all(select);
    assert.equal(expected.length, CYCLES.length);
    const pieces = { 'nanomq.log.1': text.slice(0, cut), 'nanomq.log': text.slice(cut) };
    for (const names of [Object.keys(pieces), Object.keys(pieces).reverse()]) {
      const { database } = await ingested(t, pick(pieces, names));
      assert.deepEqual(await database.all(select), expected);
    }
  });

  it('is told once where a NanoMQ wrote to its console and to a file', async (t) => {
    const { database } = await ingested(t, {
      'nanomq.log': nanomqCycles().text(),
      'nanomq-console.log': nanomqCycles({ layout: 'console' }).text(),
    });
    const [row] = await database.all<{ n: number }>('SELECT count(*)::INTEGER AS n FROM client_sessions');
    assert.equal(row?.n, CYCLES.length);
  });
});

describe('sessions', () => {
  const select =
    'SELECT seen_by, connected, disconnected, client_connected, client_disconnected, reason, reason_known_by, closed_by, clock_error_s FROM sessions ORDER BY connected';
  interface Joined {
    readonly seen_by: string;
    readonly connected: number;
    readonly disconnected: number;
    readonly client_connected: number;
    readonly client_disconnected: number;
    readonly reason: string;
    readonly reason_known_by: string;
    readonly closed_by: string;
    readonly clock_error_s: number;
  }

  for (const [what, clockAheadS] of [
    ['in step', 0],
    ['37 s fast', 37],
    ['of Shanghai and 12.4 s slow', 8 * 3600 - 12.4],
    ['of India', 5.5 * 3600],
  ] as const) {
    it(`joins both ends when the clock of NanoMQ is ${what}`, async (t) => {
      const { database } = await ingested(t, incident({ clockAheadS }));
      const sessions = await database.all<Joined>(select);
      assert.equal(sessions.length, CYCLES.length);
      sessions.forEach((session, index) => {
        const [connected, disconnected] = CYCLES[index]!;
        assert.deepEqual(
          [session.seen_by, session.reason, session.reason_known_by, session.closed_by],
          ['both', 'keepalive_timeout', 'broker-log', 'broker'],
        );
        const error = session.clock_error_s * 1e6;
        assert.ok(Math.abs(session.connected - us(connected)) < 5_000);
        assert.ok(Math.abs(session.disconnected - us(disconnected)) < 5_000);
        // The bridge's second starts at most a second before the event, give or take the clock's error.
        for (const [logged, happened] of [
          [session.client_connected, us(connected)],
          [session.client_disconnected, us(disconnected)],
        ] as const)
          assert.ok(logged <= happened + error + 10_000 && logged >= happened - 1e6 - error - 10_000);
      });
    });
  }

  it("infers a keepalive end from the bridge's log alone where the broker just finished the stream", async (t) => {
    const { database } = await ingested(t, { 'nanomq.log': nanomqCycles().text() });
    const rows = await database.all<Joined>(select);
    assert.deepEqual(
      rows.map((row) => [row.seen_by, row.reason, row.reason_known_by]),
      CYCLES.map((_, index) => ['client', 'keepalive_timeout', index % 2 === 0 ? 'client-log' : 'inferred']),
    );
  });

  it('infers none where PINGREQ went out until the end', async (t) => {
    const log = new NanomqLog().boot(0).connected(1);
    for (let at = 8; at < 40; at += 8) log.ping(at);
    log.fin(41).disconnected(41);
    const { database } = await ingested(t, { 'nanomq.log': log.text() });
    const rows = await database.all<Joined>(select);
    assert.deepEqual(
      rows.map((row) => [row.reason, row.reason_known_by]),
      [['peer_fin', 'client-log']],
    );
  });

  it("tells from the broker's log alone what each client did", async (t) => {
    const { database } = await ingested(t, { 'emqx.log': emqxCycles().text() });
    const rows = await database.all<{ bridge_id: string; n: number }>(
      "SELECT bridge_id, count(*)::INTEGER AS n FROM sessions WHERE seen_by = 'broker' GROUP BY ALL ORDER BY 1",
    );
    assert.deepEqual(rows, [
      { bridge_id: 'bridge-1', n: CYCLES.length },
      { bridge_id: 'watcher', n: 1 },
    ]);
  });

  it('joins a connection of the broker to one of the bridge at most', async (t) => {
    // The bridge's log knows every second of the broker's connections: a rival has the others.
    const broker = new EmqxLog();
    const client = new NanomqLog().boot(0);
    for (let number = 0; number < 6; number += 1) {
      const at = 1 + number * 15 + (number % 3);
      broker
        .client('bridge-1', `10.0.0.${number % 2}:5000${number}`)
        .connect(at)
        .close(at + 12, 'discarded', 142);
      if (number % 2 === 0)
        client
          .connected(at + 0.01)
          .disconnectPacket(at + 12, 142)
          .disconnected(at + 12.1);
    }
    const { database } = await ingested(t, { 'nanomq.log': client.text(), 'emqx.log': broker.text() });
    const rows = await database.all<{ seen_by: string; peer: string }>(
      'SELECT seen_by, peer FROM sessions ORDER BY connected',
    );
    assert.deepEqual(
      rows.map((row) => [row.seen_by, row.peer.split(':')[0]]),
      Array.from({ length: 6 }, (_, number) => [number % 2 === 0 ? 'both' : 'broker', `10.0.0.${number % 2}`]),
    );
  });
});

describe('cycles', () => {
  const gaps = CYCLES.slice(1).map(([, end], index) => end - CYCLES[index]![1]);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  it('counts disconnects of a reason and measures period, dwell and redial', async (t) => {
    const { database } = await ingested(t, incident());
    const rows = await database.all<{ [column: string]: number | string }>(
      'SELECT bridge_id, client_id, reason, closed_by, count, period_s, period_sd_s, dwell_s, reconnect_s FROM cycles',
    );
    assert.equal(rows.length, 1);
    const cycle = rows[0]!;
    assert.deepEqual(
      [cycle.bridge_id, cycle.client_id, cycle.reason, cycle.closed_by, cycle.count],
      ['emqx1', 'bridge-1', 'keepalive_timeout', 'broker', CYCLES.length],
    );
    const period = mean(gaps);
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - period) ** 2, 0) / (gaps.length - 1));
    for (const [column, expected] of [
      ['period_s', period],
      ['period_sd_s', deviation],
      ['dwell_s', mean(CYCLES.map(([from, to]) => to - from))],
      ['reconnect_s', mean(CYCLES.slice(1).map(([from], index) => from - CYCLES[index]![1]))],
    ] as const)
      assert.ok(Math.abs((cycle[column] as number) - expected) < 0.01, `${column} ${cycle[column]}, not ${expected}`);
  });

  it('has the same count and nearly the same period in whole seconds of the bridge alone', async (t) => {
    const { database } = await ingested(t, { 'nanomq.log': nanomqCycles().text() });
    const [cycle] = await database.all<{ count: number; period_s: number }>('SELECT count, period_s FROM cycles');
    assert.equal(cycle?.count, CYCLES.length);
    assert.ok(Math.abs(cycle.period_s - mean(gaps)) <= 1 / gaps.length);
  });

  it('keeps disconnects of different reasons apart, and an open connection out', async (t) => {
    const log = new EmqxLog();
    const peer = (port: number) => log.client('bridge-1', `10.0.0.7:${port}`);
    peer(1).connect(0).close(20, 'keepalive_timeout', 141);
    peer(2).connect(22).close(30, 'kicked', 152);
    peer(3).connect(33).close(60, 'keepalive_timeout', 141);
    peer(4).connect(63);
    const { database } = await ingested(t, { 'emqx.log': log.text() });
    const rows = await database.all<{ period_s: number | null }>(
      'SELECT reason, count, period_s FROM cycles ORDER BY reason',
    );
    assert.deepEqual(rows, [
      { reason: 'keepalive_timeout', count: 2, period_s: rows[0]!.period_s },
      { reason: 'kicked', count: 1, period_s: null },
    ]);
    assert.ok(Math.abs(rows[0]!.period_s! - 40) < 0.01);
  });
});

describe('aio busy', () => {
  /** Bursts while connected and while down, 10 s apart, with a quiet second inside. */
  function busyLog(): NanomqLog {
    const log = new NanomqLog().boot(0).connected(1);
    for (const at of [3, 4, 5.2, 7]) log.busy(at, at < 5 ? 1 : 2);
    log.busy(15, 1);
    log.fin(21).disconnected(21);
    for (const at of [22, 22.5, 23]) log.busy(at, 3);
    return log.connected(25).busy(26, 1).busy(27, 2).busy(28, 4);
  }

  it('comes in bursts, apart by state, connection and more than 3 s', async (t) => {
    const { database } = await ingested(t, { 'nanomq.log': busyLog().text() });
    const rows = await database.all(
      'SELECT session_no, state, first, last, seconds, count, contexts FROM aio_bursts ORDER BY first',
    );
    const burst = (
      session_no: number,
      state: string,
      first: number,
      last: number,
      count: number,
      contexts: number,
    ) => ({
      session_no,
      state,
      first: us(first),
      last: us(last),
      seconds: last - first,
      count,
      contexts,
    });
    assert.deepEqual(rows, [
      burst(1, 'subscribed', 3, 7, 4, 2),
      burst(1, 'subscribed', 15, 15, 1, 1),
      burst(1, 'down', 22, 23, 3, 1),
      burst(2, 'subscribed', 26, 28, 3, 3),
    ]);
  });

  it('knows of every line its connection and the next disconnect at the broker, within the error of the clock', async (t) => {
    const clockAheadS = 8 * 3600 + 5.7;
    const busy: number[] = [];
    const client = nanomqCycles({ clockAheadS });
    for (const [connected, disconnected] of CYCLES) {
      busy.push(connected + 3.3, disconnected - 1.9, disconnected + 0.4);
      client
        .busy(connected + 3.3)
        .busy(disconnected - 1.9)
        .busy(disconnected + 0.4);
    }
    const { database } = await ingested(t, { 'nanomq.log': client.text(), 'emqx.log': emqxCycles().text() });
    const rows = await database.all<{
      state: string;
      session_no: number;
      reason: string | null;
      seconds_to_disconnect: number | null;
      clock_error_s: number;
      line_no: number;
    }>('SELECT * FROM aio_busy_at_disconnect ORDER BY line_no');
    assert.equal(rows.length, busy.length);
    const lines = client.text().split('\n');
    const ends = CYCLES.map(([, disconnected]) => disconnected);
    rows.forEach((row, index) => {
      assert.match(lines[row.line_no - 1]!, /aio busy! msg lost!/);
      assert.equal(row.session_no, 1 + Math.floor(index / 3));
      assert.equal(row.state, index % 3 === 2 ? 'down' : 'connected');
      assert.ok(row.clock_error_s < 2);
      // A line so near to a disconnect that the clocks cannot tell which came first may be put before it.
      const possible = ends.filter((end) => end > busy[index]! - row.clock_error_s);
      const next = possible[0]! <= busy[index]! ? possible.slice(0, 2) : possible.slice(0, 1);
      const told = row.seconds_to_disconnect;
      if (told === null) assert.equal(ends.filter((end) => end > busy[index]!).length, 0);
      else {
        assert.equal(row.reason, 'keepalive_timeout');
        const off = Math.min(...next.map((end) => Math.abs(told - (end - busy[index]!))));
        assert.ok(off <= row.clock_error_s + 0.01, `${told} s, off by ${off} s`);
      }
    });
  });
});

describe('queries for users', () => {
  it('are at least 25, each with a question, columns and an example', () => {
    assert.ok(namedQueries().length >= 25);
    for (const { name, example, columns } of namedQueries()) {
      assert.ok(example.startsWith(`bridgetrace query ${name}`), name);
      assert.ok(columns.length > 0, name);
    }
  });

  it('have the columns that their header names', async (t) => {
    const { database } = await ingested(t, incident());
    for (const query of namedQueries()) {
      const result = await runQuery(database, query.sql, bindParameters(query.name, {}));
      assert.equal(result.columns.map((column) => column.name).join(', '), query.columns, query.name);
      assert.ok(query.question.endsWith('?'), query.name);
    }
  });

  it('answer about an incident', async (t) => {
    const { database } = await ingested(t, incident());
    for (const query of namedQueries()) {
      const rows = await database.all(query.sql, bindParameters(query.name, {}));
      const quiet = [
        'aio-bursts',
        'aio-busy-at-disconnect',
        'aio-occupancy',
        'dials',
        'drops-per-minute',
        'log-gaps',
        'losses',
        'refused',
        'unparsed',
        'unknown-messages',
      ];
      assert.equal(rows.length > 0, !quiet.includes(query.name), query.name);
    }
  });

  it('give the lines of one client in a time on the common clock, which is not the stamps of its bridge', async (t) => {
    const { database } = await ingested(t, incident({ clockAheadS: 8 * 3600 }));
    const sql = resolveQuery('client-events');
    const second = (at: number) => new Date(us(at) / 1000).toISOString().slice(0, 19).replace('T', ' ');
    const ask = (given: Record<string, string>) =>
      database.all<{ time: number; product: string; text: string }>(sql, bindParameters('client-events', given));
    const all = await ask({});
    const asked = { from: second(10), to: second(40) };
    const inTime = all.filter((row) => row.time >= us(10) && row.time < us(40));
    assert.deepEqual(new Set(inTime.map((row) => row.product)), new Set(['nanomq', 'emqx']));
    assert.deepEqual(await ask(asked), inTime);
    const ofClient = await ask({ ...asked, client: 'bridge-1' });
    assert.ok(ofClient.length > 0 && ofClient.length < inTime.length);
    for (const { text } of ofClient) assert.match(text, /bridge-1/);
    assert.deepEqual(await ask({ ...asked, client: "x' OR true --" }), []);
  });

  it('refuse a value for a parameter that they do not have, and say which they have', async (t) => {
    const { database } = await ingested(t, incident());
    const unknown = (hint: RegExp) => (error: unknown) =>
      error instanceof UsageError && error.code === 'unknown-parameter' && hint.test(error.hint ?? '');
    assert.throws(() => bindParameters('client-events', { cleint: 'a' }), unknown(/client, from, to/));
    await assert.rejects(runQuery(database, 'SELECT $a', { b: '1' }), unknown(/a/));
    await assert.rejects(runQuery(database, 'SELECT 1', { b: '1' }), unknown(/none/));
  });

  it('are found by name, and a wrong name brings the near ones', () => {
    assert.equal(resolveQuery('sessions'), namedQueries().find((query) => query.name === 'sessions')?.sql);
    assert.equal(resolveQuery('FROM sessions'), 'FROM sessions');
    assert.throws(
      () => resolveQuery('session'),
      (error) => error instanceof UsageError && error.code === 'unknown-query' && /sessions/.test(error.hint ?? ''),
    );
  });

  it('run as the examples in the headers of the views say', async (t) => {
    const { database } = await ingested(t, incident());
    const folder = path.join(packageRoot(), 'queries', 'views');
    for (const name of readdirSync(folder)) {
      const example = /^-- Example: (.+)$/m.exec(readFileSync(path.join(folder, name), 'utf8'))?.[1];
      assert.ok(example, name);
      await database.all(example);
    }
  });
});
