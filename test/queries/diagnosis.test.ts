import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { type Analysis, type AnalyzedFinding, analyze, OBSERVED, RULES } from '../../queries/index.ts';
import * as stories from './stories.ts';
import { ingested } from './support.ts';

interface Told {
  readonly analysis: Analysis;
  readonly ids: readonly string[];
  /** The finding of that id; it must be there. */
  readonly finding: (id: string) => AnalyzedFinding;
}

type Ends = 'both' | 'client' | 'broker';

function logs({ client, broker }: stories.Story, ends: Ends = 'both'): { [name: string]: string } {
  return {
    ...(ends === 'broker' ? {} : { 'nanomq.log': client.text() }),
    ...(ends === 'client' ? {} : { 'emqx.log': broker.text(), 'trace.log': broker.trace(stories.CLIENT) }),
  };
}

async function tell(t: TestContext, contents: { readonly [name: string]: string }): Promise<Told> {
  const { database, paths } = await ingested(t, contents);
  const analysis = await analyze(database, { runId: OBSERVED });
  assertEvidence(analysis, paths);
  return {
    analysis,
    ids: analysis.findings.map((finding) => finding.id),
    finding(id) {
      const found = analysis.findings.find((one) => one.id === id);
      assert.ok(found, `${id} is not among ${analysis.findings.map((one) => one.id)}`);
      return found;
    },
  };
}

/** Every piece of evidence is a line of one of the files, word for word. */
function assertEvidence(analysis: Analysis, paths: readonly string[]): void {
  const lines = new Map(paths.map((file) => [file, readFileSync(file, 'utf8').split('\n')]));
  for (const { id, evidence } of analysis.findings) {
    assert.ok(evidence.length > 0, `${id} has no evidence`);
    for (const { source, line, text } of evidence)
      assert.equal(text, lines.get(source)?.[line - 1], `${id}, line ${line}`);
  }
}

const about = (t: TestContext, story: stories.Story, ends?: Ends) => tell(t, logs(story, ends));

/** What a cause must not be found in: the story with one thing changed. */
function misses(id: string, cases: { readonly [title: string]: () => stories.Story }): void {
  for (const [title, story] of Object.entries(cases)) {
    it(`is not found ${title}`, async (t) => {
      const { ids } = await about(t, story());
      assert.ok(!ids.includes(id), `found ${ids}`);
    });
  }
}

describe('keepalive-receive-reset', () => {
  it('is proven by downlink traffic, no PINGREQ and a release that has the defect', async (t) => {
    const told = await about(t, stories.receiveReset());
    assert.deepEqual(told.ids, ['keepalive-receive-reset']);
    const finding = told.finding('keepalive-receive-reset');
    assert.equal(finding.certainty, 'must');
    assert.equal(finding.count, 3);
    assert.deepEqual([finding.bridge_id, finding.client_id, finding.attribution], ['emqx1', 'bridge-1', 'only-bridge']);
    assert.ok(finding.advice.some((advice) => advice.known_fix && advice.change.startsWith('nanomq=')));
  });

  it("is only likely from the bridge's log alone", async (t) => {
    const told = await about(t, stories.receiveReset(), 'client');
    assert.equal(told.ids[0], 'keepalive-receive-reset');
    assert.equal(told.finding('keepalive-receive-reset').certainty, 'may');
  });

  it('is found over TCP in a release in which QUIC is sound', async (t) => {
    const nanomq = { release: '0.23.10', address: 'mqtt-tcp://broker.example:1883' } as const;
    const told = await about(t, stories.receiveReset({ nanomq }));
    assert.equal(told.ids[0], 'keepalive-receive-reset');
  });

  misses('keepalive-receive-reset', {
    'where PINGREQ goes out all along': () => stories.receiveReset({ pings: true }),
    'in a release without the defect': () => stories.receiveReset({ nanomq: { release: '0.23.10' } }),
    'in a single disconnect': () => stories.receiveReset({ cycles: 1 }),
    'where nothing comes down': () => stories.receiveReset({ downlink: false }),
  });
});

describe('keepalive-control-stream', () => {
  it('is proven by messages that the broker routed from a client it then called silent', async (t) => {
    const told = await about(t, stories.controlStream());
    assert.deepEqual(told.ids, ['keepalive-control-stream']);
    const finding = told.finding('keepalive-control-stream');
    assert.equal(finding.certainty, 'must');
    assert.equal(finding.count, 3);
    assert.ok(finding.evidence.some((one) => one.text.includes('publish_to')));
  });

  it("is only likely from the bridge's writes alone", async (t) => {
    const told = await about(t, stories.controlStream(), 'client');
    assert.equal(told.ids[0], 'keepalive-control-stream');
    assert.equal(told.finding('keepalive-control-stream').certainty, 'may');
  });

  misses('keepalive-control-stream', {
    'where PINGREQ goes out all along': () => stories.controlStream({ pings: true }),
    'with a broker that counts all streams': () => stories.controlStream({ emqx: '5.8.2' }),
    'where the bridge writes on the control stream only': () => stories.controlStream({ stream: 0 }),
    'in a single disconnect': () => stories.controlStream({ cycles: 1 }),
    'over TCP': () => stories.controlStream({ nanomq: { address: 'mqtt-tcp://broker.example:1883' } }),
  });
});

describe('stuck-busy', () => {
  it('is proven by parked messages, drops all the way and no PINGREQ, in a release that has the defect', async (t) => {
    const told = await about(t, stories.stuckBusy());
    assert.equal(told.ids[0], 'stuck-busy');
    const finding = told.finding('stuck-busy');
    assert.equal(finding.certainty, 'must');
    assert.equal(finding.count, 3);
    for (const words of ['disconnected! cached', 'aio busy! msg lost!', 'Cached Message lost'])
      assert.ok(
        finding.evidence.some((one) => one.text.includes(words)),
        words,
      );
  });

  it("is proven from the bridge's log alone, also at info level", async (t) => {
    for (const level of ['DEBUG', 'INFO'] as const) {
      const told = await about(t, stories.stuckBusy({ nanomq: { level } }), 'client');
      assert.equal(told.finding('stuck-busy').certainty, 'must', level);
    }
  });

  it('is only likely at warn level, where PINGREQ would not show', async (t) => {
    const told = await about(t, stories.stuckBusy({ nanomq: { level: 'WARN' } }));
    assert.notEqual(told.analysis.findings.find((one) => one.id === 'stuck-busy')?.certainty, 'must');
  });

  it('leaves the other causes of a keepalive cycle out', async (t) => {
    const { ids } = await about(t, stories.stuckBusy());
    assert.deepEqual(
      ids.filter((id) => id.startsWith('keepalive-') || id === 'aio-load'),
      [],
    );
  });

  misses('stuck-busy', {
    'where PINGREQ goes out all along': () => stories.stuckBusy({ pings: true }),
    'in a release without the defect': () => stories.stuckBusy({ nanomq: { release: '0.23.10' } }),
    'where nothing was parked': () => stories.stuckBusy({ parked: 0 }),
    'where messages are dropped for a few seconds only': () => stories.stuckBusy({ dropForS: 4 }),
    'over TCP': () => stories.stuckBusy({ nanomq: { address: 'mqtt-tcp://broker.example:1883' } }),
  });
});

describe('keepalive-cycle-undetermined', () => {
  it("lists the candidates, each with what would decide, where the broker's log is all there is", async (t) => {
    const told = await about(t, stories.receiveReset(), 'broker');
    assert.deepEqual(told.ids, ['keepalive-cycle-undetermined']);
    const finding = told.finding('keepalive-cycle-undetermined');
    assert.equal(finding.certainty, 'may');
    assert.equal(finding.count, 3);
    assert.deepEqual(finding.advice, []);
    const decided = (id: string) => finding.missing.filter((line) => line.includes(`would decide ${id}`)).length;
    assert.equal(decided('stuck-busy'), 1);
    assert.equal(decided('keepalive-receive-reset'), 1);
    assert.equal(decided('keepalive-control-stream'), 0); // this broker counts all streams
  });

  it("does not go blind where the bridge's log at warn level does not even name its client", async (t) => {
    const told = await about(t, stories.undetermined());
    assert.deepEqual(told.ids, ['keepalive-cycle-undetermined']);
    assert.equal(told.finding('keepalive-cycle-undetermined').client_id, 'bridge-1');
  });

  misses('keepalive-cycle-undetermined', {
    'where the cause is known': () => stories.receiveReset(),
    'in a single disconnect': () => stories.undetermined({ cycles: 1 }),
    'where the link itself was lost': () => stories.undetermined({ linkLost: true }),
  });
});

describe('client-id-clash', () => {
  it("is proven by connections that are not in the bridge's log and DISCONNECT 142", async (t) => {
    const told = await about(t, stories.idClash());
    assert.deepEqual(told.ids, ['client-id-clash']);
    const finding = told.finding('client-id-clash');
    assert.equal(finding.certainty, 'must');
    assert.ok(finding.evidence.some((one) => one.text.includes('10.0.0.66')));
  });

  it('is only likely from one end', async (t) => {
    for (const ends of ['client', 'broker'] as const) {
      const told = await about(t, stories.idClash(), ends);
      assert.equal(told.finding('client-id-clash').certainty, 'may', ends);
    }
  });

  misses('client-id-clash', {
    'where the bridge lost the link and took its own session over': () => stories.idClash({ ownLoss: true }),
    'in a single take-over': () => stories.idClash({ rounds: 1, rivalStays: true }),
  });
});

describe('broker-restart', () => {
  it('is proven by a boot of the broker while the bridge was connected', async (t) => {
    const told = await about(t, stories.brokerRestart());
    assert.deepEqual(told.ids, ['broker-restart']);
    const finding = told.finding('broker-restart');
    assert.equal(finding.certainty, 'must');
    assert.equal(finding.count, 2);
    assert.ok(finding.evidence.some((one) => one.text.includes('gen_rpc_dispatcher_start')));
  });

  it('is only likely from a shutdown with code 0', async (t) => {
    const told = await about(t, stories.brokerRestart(), 'client');
    assert.equal(told.finding('broker-restart').certainty, 'may');
  });

  misses('broker-restart', {
    'where the broker closed one connection and ran on': () => stories.brokerRestart({ code: 1, boots: false }),
    'where the broker booted before the bridge came': () => stories.brokerRestart({ times: 0 }),
  });
});

describe('aio-load', () => {
  it('is proven by lasting drops while PINGREQ goes on', async (t) => {
    const story = stories.load();
    const told = await about(t, story);
    assert.deepEqual(told.ids, ['aio-load']);
    assert.equal(told.finding('aio-load').certainty, 'must');
    const count = (words: string) => story.client.text().split(words).length - 1;
    const share = Math.round((100 * count('aio busy!')) / count('bridge: publish to'));
    assert.match(told.finding('aio-load').summary, new RegExp(`\\b${share} %`));
  });

  misses('aio-load', {
    'where few of the messages are dropped': () => stories.load({ share: 0.2 }),
    'in a burst of some seconds': () => stories.load({ forS: 10 }),
    "where the broker's keepalive ended it": () => stories.load({ keepaliveEnds: true }),
    'where the send path is stuck': () => stories.stuckBusy(),
  });
});

describe('findings', () => {
  const CAUSES: { readonly [id: string]: () => stories.Story } = {
    'stuck-busy': () => stories.stuckBusy(),
    'keepalive-control-stream': () => stories.controlStream(),
    'keepalive-receive-reset': () => stories.receiveReset(),
    'keepalive-cycle-undetermined': () => stories.undetermined(),
    'client-id-clash': () => stories.idClash(),
    'broker-restart': () => stories.brokerRestart(),
    'aio-load': () => stories.load(),
  };

  /** In more-findings.test.ts. */
  const STORIES_ELSEWHERE = [
    'aio-leak',
    'auth-refused',
    'bridge-stopped-retrying',
    'broker-unresponsive',
    'crash',
    'keepalive-too-short',
    'kicked',
    'offline-resend-loop',
    'parked-before-connect',
    'queue-capacity-zero',
    'quic-idle-timeout',
    'receiver-dead',
    'resend-starved',
    'second-bridge-ignored',
    'send-error-stuck',
    'subscribe-competition',
    'transport-loss',
  ];

  it('have a story in these tests for every rule', () => {
    assert.deepEqual([...Object.keys(CAUSES), ...STORIES_ELSEWHERE].sort(), RULES.map((rule) => rule.id).sort());
  });

  for (const [id, story] of Object.entries(CAUSES)) {
    it(`put ${id} first, with times inside the incident and advice that has a reason`, async (t) => {
      const { analysis } = await about(t, story());
      const finding = analysis.findings[0];
      assert.equal(finding?.id, id);
      const from = '2026-03-01T07:59:00';
      const to = '2026-03-01T08:10:00';
      for (const time of [finding.first, finding.last]) assert.ok(time !== null && time > from && time < to);
      assert.ok(finding.first! <= finding.last!);
      for (const advice of finding.advice) assert.ok(advice.why.length > 10);
      assert.ok(finding.advice.length > 0 || finding.missing.length > 0, 'neither advice nor what is missing');
    });

    it(`of ${id} do not hang on names, addresses or files`, async (t) => {
      const rename = (text: string) =>
        text
          .replaceAll('bridge-1', 'zz/Werk-7:größe')
          .replaceAll('emqx1', 'aa_cloud')
          .replaceAll('broker.example:14567', '[2001:db8::5]:24567')
          .replaceAll('10.0.0.7:', '192.168.77.201:')
          .replaceAll('10.0.0.9:', '172.16.0.1:')
          .replaceAll('10.0.0.66:', '10.9.9.9:');
      const plain = logs(story());
      const renamed = Object.fromEntries(
        Object.entries(plain).map(([name, text]) => [`${[...name].reverse().join('')}`, rename(text)]),
      );
      const core = ({ findings, cycles, sessions }: Analysis, names: (text: string) => string) => ({
        findings: findings.map(({ evidence, summary, missing, bridge_id, client_id, ...rest }) => ({
          ...rest,
          bridge_id: names(bridge_id),
          client_id: client_id === null ? null : names(client_id),
          summary: names(summary),
          missing: missing.map(names),
          evidence: evidence.map(({ line, text }) => `${line} ${names(text)}`).sort(),
        })),
        cycles: cycles.map(({ bridge_id, client_id, ...rest }) => rest),
        sessions: sessions.map(({ bridge_id, client_id, ...rest }) => rest),
      });
      const before = (await tell(t, plain)).analysis;
      const after = (await tell(t, renamed)).analysis;
      assert.deepEqual(
        core(after, (text) => text),
        core(before, rename),
      );
    });
  }

  it('are the same where two threads share lines of the console', async (t) => {
    const { client } = stories.stuckBusy({ nanomq: { layout: 'console' } });
    // PREFIX-A message A / PREFIX-B message B become PREFIX-A PREFIX-B message B / message A, as two writers interleave.
    const prefix = String.raw`\d{4}-[^\n]*? some_function: `;
    const pair = new RegExp(`^(${prefix})(bridging to [^\\n]*)\\n(${prefix}Cached Message lost[^\\n]*)\\n`, 'gm');
    const shared = client.text().replace(pair, '$1$3\n$2\n');
    assert.notEqual(shared, client.text());
    const findings = async (text: string) => {
      const { database } = await ingested(t, { 'nanomq-console.log': text });
      const { findings: found } = await analyze(database, { runId: OBSERVED });
      return found.map(({ id, certainty, count, evidence }) => ({
        id,
        certainty,
        count,
        evidence: evidence.map((one) => one.text).sort(),
      }));
    };
    assert.deepEqual(await findings(shared), await findings(client.text()));
  });

  it('of a healthy bridge are none', async (t) => {
    const told = await about(t, stories.healthy());
    assert.deepEqual(told.ids, []);
    assert.deepEqual(told.analysis.cycles, []);
  });

  it('can be asked for one client', async (t) => {
    const { database } = await ingested(t, logs(stories.receiveReset()));
    const one = await analyze(database, { runId: OBSERVED, clientId: 'bridge-1' });
    assert.equal(one.findings.length, 1);
    const other = await analyze(database, { runId: OBSERVED, clientId: 'nobody' });
    assert.deepEqual([other.clients, other.findings, other.cycles, other.sessions], [[], [], [], []]);
  });

  it('come with what logs would tell more', async (t) => {
    const gaps = async (ends: Ends, story = stories.receiveReset()) =>
      (await about(t, story, ends)).analysis.evidence_gaps.map((gap) => gap.what).join('; ');
    assert.match(await gaps('client'), /no log of EMQX/);
    assert.match(await gaps('broker'), /no log of NanoMQ/);
    assert.equal(await gaps('both'), '');
    assert.match(await gaps('client', stories.stuckBusy({ nanomq: { level: 'WARN' } })), /no info lines/);
  });

  it('print as JSON without loss', async (t) => {
    const { analysis } = await about(t, stories.stuckBusy());
    assert.deepEqual(JSON.parse(JSON.stringify(analysis)), analysis);
  });
});
