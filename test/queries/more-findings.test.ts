/** Each cause that is not a keepalive cycle: one story that shows it, and the same with the one thing changed that it rests on. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { type AnalyzedFinding, analyze, OBSERVED } from '../../queries/index.ts';
import * as more from './more-stories.ts';
import { CLIENT, type Story } from './stories.ts';
import { ingested } from './support.ts';

type Ends = 'both' | 'client' | 'broker';

async function findings(
  t: TestContext,
  { client, broker }: Story,
  ends: Ends = 'both',
): Promise<readonly AnalyzedFinding[]> {
  const { database, paths } = await ingested(t, {
    ...(ends === 'broker' ? {} : { 'nanomq.log': client.text() }),
    ...(ends === 'client' ? {} : { 'emqx.log': broker.text(), 'trace.log': broker.trace(CLIENT) }),
  });
  const { findings: found } = await analyze(database, { runId: OBSERVED });
  const lines = new Map(paths.map((file) => [file, readFileSync(file, 'utf8').split('\n')]));
  for (const { id, evidence } of found) {
    assert.ok(evidence.length > 0, `${id} has no evidence`);
    for (const { source, line, text } of evidence)
      assert.equal(text, lines.get(source)?.[line - 1], `${id}, line ${line}`);
  }
  return found;
}

interface Case {
  readonly shows: () => Story;
  readonly certainty: 'must' | 'may';
  /** Certainty from the bridge's log alone; null: not found there. */
  readonly client: 'must' | 'may' | null;
  readonly misses: { readonly [title: string]: () => Story };
}

const CASES: { readonly [id: string]: Case } = {
  'auth-refused': {
    shows: () => more.authRefused(),
    certainty: 'must',
    client: null,
    misses: { 'in a single refusal': () => more.authRefused({ times: 1 }) },
  },
  kicked: {
    shows: () => more.kicked(),
    certainty: 'must',
    client: 'must',
    misses: { 'where the keepalive ended it': () => more.kicked({ reason: 'keepalive_timeout', code: 141 }) },
  },
  'quic-idle-timeout': {
    shows: () => more.idleTimeout(),
    certainty: 'must',
    client: 'must',
    misses: { 'where QUIC PINGs go more often than the idle timeout': () => more.idleTimeout({ quicKeepaliveS: 5 }) },
  },
  'transport-loss': {
    shows: () => more.linkLost(),
    certainty: 'must',
    client: 'may',
    misses: { 'where the broker ended it': () => more.kicked() },
  },
  'broker-unresponsive': {
    shows: () => more.brokerHung(),
    certainty: 'must',
    client: null,
    misses: { 'where the broker went on with other clients': () => more.brokerHung({ others: true }) },
  },
  'receiver-dead': {
    shows: () => more.receiverDead(),
    certainty: 'must',
    client: 'must',
    misses: {
      'in a release that arms the receive again': () => more.receiverDead({ release: '0.23.10' }),
      'where the bridge reconnects': () => more.receiverDead({ recovers: true }),
    },
  },
  'bridge-stopped-retrying': {
    shows: () => more.stoppedRetrying(),
    certainty: 'must',
    client: 'must',
    misses: { 'where it dials': () => more.stoppedRetrying({ dials: true }) },
  },
  'send-error-stuck': {
    shows: () => more.sendError(),
    certainty: 'must',
    client: 'must',
    misses: {
      'where the code is that of a stopped stream': () => more.sendError({ code: 20 }),
      'in a release that goes on after such an error': () => more.sendError({ release: '0.23.6' }),
    },
  },
  'offline-resend-loop': {
    shows: () => more.offlineLoop(),
    certainty: 'must',
    client: 'must',
    misses: { 'in a few lines a second': () => more.offlineLoop({ rate: 5 }) },
  },
  'second-bridge-ignored': {
    shows: () => more.secondBridge(),
    certainty: 'must',
    client: 'may',
    misses: { 'where both subscribe': () => more.secondBridge({ subscribes: true }) },
  },
  'queue-capacity-zero': {
    shows: () => more.queueZero(),
    certainty: 'must',
    client: 'must',
    misses: { 'where nothing was refused by the queue': () => more.queueZero({ lost: 0 }) },
  },
  'aio-leak': {
    shows: () => more.backlog({ cancelled: true }),
    certainty: 'must',
    client: 'must',
    misses: { 'where no cancel timer is set': () => more.backlog() },
  },
  'resend-starved': {
    shows: () => more.backlog(),
    certainty: 'must',
    client: 'must',
    misses: {
      'where contexts should have been freed by cancel timers': () => more.backlog({ cancelled: true }),
      'without resends': () => more.backlog({ resends: 0 }),
    },
  },
  'subscribe-competition': {
    shows: () => more.subscribeWaits(),
    certainty: 'may',
    client: 'may',
    misses: { 'where the SUBACK comes within a tick': () => more.subscribeWaits({ waitS: 2 }) },
  },
  'keepalive-too-short': {
    shows: () => more.shortKeepalive(),
    certainty: 'may',
    client: null,
    misses: { 'where the keepalive leaves room': () => more.shortKeepalive({ keepaliveS: 30 }) },
  },
  crash: {
    shows: () => more.crashed(),
    certainty: 'may',
    client: 'may',
    misses: { 'where a signal stopped it': () => more.crashed({ stopped: true }) },
  },
  'parked-before-connect': {
    shows: () => more.parked(),
    certainty: 'must',
    client: 'must',
    misses: { 'in a release that parks QoS 1 and 2 only': () => more.parked({ release: '0.23.10' }) },
  },
};

for (const [id, { shows, certainty, client, misses }] of Object.entries(CASES)) {
  describe(id, () => {
    it(`is found, and is a ${certainty}, with advice`, async (t) => {
      const found = await findings(t, shows());
      const finding = found.find((one) => one.id === id);
      assert.ok(finding, `found ${found.map((one) => one.id)}`);
      assert.equal(finding.certainty, certainty);
      assert.ok(finding.advice.length > 0);
      for (const { why, source } of finding.advice) assert.ok(why.length > 10 && source.length > 5);
      assert.ok(finding.first !== null && finding.last !== null && finding.first <= finding.last);
    });

    it(
      client === null ? "is not read out of the bridge's log alone" : `is a ${client} from the bridge's log alone`,
      async (t) => {
        const finding = (await findings(t, shows(), 'client')).find((one) => one.id === id);
        assert.equal(finding?.certainty ?? null, client);
      },
    );

    for (const [title, story] of Object.entries(misses)) {
      it(`is not found ${title}`, async (t) => {
        const ids = (await findings(t, story())).map((one) => one.id);
        assert.ok(!ids.includes(id), `found ${ids}`);
      });
    }
  });
}
