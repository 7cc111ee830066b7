import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { readSql } from '../../queries/database.ts';
import { BrokerEvents } from '../../queries/derive/broker-events.ts';
import { incident } from './fixtures.ts';
import { EmqxLog } from './log-writer.ts';
import { ingested } from './support.ts';

/** Layouts of one log may stamp an event this far apart, µs. */
const NEAR_US = 50_000;

async function brokerOf(t: TestContext, logs: { readonly [name: string]: string }, clientIds: string[] | null = null) {
  const { database } = await ingested(t, logs);
  await database.run(readSql('derive', 'record-kinds.sql'), ['observed']);
  const ends = await database.all<{ at: number }>(
    `SELECT disconnected AS "at" FROM broker_sessions
     WHERE client_id = 'bridge-1' AND closed_by = 'broker' AND reason <> 'broker_restart' ORDER BY 1`,
  );
  return { events: new BrokerEvents(database, clientIds), ends: ends.map(({ at }) => at) };
}

function assertNear(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [index, at] of actual.entries()) assert.ok(Math.abs(at - expected[index]!) <= NEAR_US);
}

describe('what aligns clocks at the broker', () => {
  it('are the ends that the view of its sessions tells, whether one log tells them or three', async (t) => {
    const { 'nanomq.log': _, ...three } = incident();
    const one = { 'emqx.log': three['emqx.log'] };
    for (const logs of [one, three] as { [name: string]: string }[]) {
      const { events, ends } = await brokerOf(t, logs);
      assert.equal(ends.length, 4);
      assertNear((await events.ends()).get('bridge-1')!.ends, ends);
    }
  });

  it('are ends of each connection where a port is used again', async (t) => {
    const log = new EmqxLog();
    for (const at of [0, 10, 20])
      log
        .client('bridge-1', '10.0.0.7:50000')
        .connect(at)
        .close(at + 5, 'keepalive_timeout', 141);
    const { events, ends } = await brokerOf(t, { 'emqx.log': log.text() });
    assert.equal(ends.length, 3);
    assertNear((await events.ends()).get('bridge-1')!.ends, ends);
  });

  it('are CONNACK and SUBACK in order of time, of the clients that are asked for', async (t) => {
    const log = new EmqxLog();
    log.client('bridge-1', '10.0.0.7:50000').connect(3);
    log.client('watcher', '10.0.0.9:40001').connect(1);
    const all = await (await brokerOf(t, { 'emqx.log': log.text() })).events.starts();
    assert.deepEqual([...all.keys()], ['watcher', 'bridge-1']);
    const asked = await (await brokerOf(t, { 'emqx.log': log.text() }, ['bridge-1'])).events.starts();
    assert.deepEqual([...asked.keys()], ['bridge-1']);
    assert.deepEqual(asked.get('bridge-1'), all.get('bridge-1'));
    assert.equal(asked.get('bridge-1')!.connack.length, 1);
  });
});
