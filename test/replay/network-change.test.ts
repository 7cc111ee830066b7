import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { NETWORK_SCRIPTS, networkStimuli } from '../../engine/index.ts';
import { packageRoot, UsageError } from '../../queries/index.ts';
import {
  BASELINE,
  type Cassette,
  ENTRY_TYPES,
  type Entry,
  type Header,
  parseCassette,
  parseVariant,
  printCassette,
  setUp,
  stimuli,
  withNetwork,
} from '../../replay/index.ts';

const HOUR_US = 3_600_000_000;

function header(changes: Partial<Header> = {}, transport: 'quic' | 'tcp' = 'quic'): Header {
  return {
    type: 'header',
    schema: 1,
    start: '2026-11-22T04:53:18Z',
    duration_us: HOUR_US,
    bridge: {
      id: 'emqx1',
      release: '0.23.6',
      release_known_by: 'assumed',
      settings: { transport, keepaliveS: 10 },
      origins: {},
    },
    broker: { release: '5.8.2', release_known_by: 'assumed', settings: {}, origins: {} },
    incident: { cause: null, keepalive_disconnects: 0, period_s: null, dwell_s: null, disconnects: 0 },
    ...changes,
  };
}

const ENTRIES: readonly Entry[] = [
  { at: 0, type: 'network', down: true, origin: 'observed' },
  { at: 1, type: 'publish', topic: 'up', qos: 0, size: 1, origin: 'observed' },
  { at: 2, type: 'refuse', reason_code: 135, origin: 'observed' },
  { at: 3, type: 'broker-pause', origin: 'observed' },
  { at: 4, type: 'kick', origin: 'observed' },
  { at: 5, type: 'choice', what: 'redial', ms: 3, origin: 'observed' },
  { at: 6, type: 'downlink', topic: 'down', qos: 1, size: 1, origin: 'observed' },
];

function played(text: string, from = header()): Cassette {
  return withNetwork({ header: from, entries: ENTRIES }, setUp(from, parseVariant(`network=${text}`)).network);
}

/** What came of a script, without the messages. */
function outside(cassette: Cassette) {
  return [...stimuli(cassette, 1)].filter(({ kind }) => kind !== 'publish' && kind !== 'downlink');
}

function refused(text: string, from?: Header): UsageError {
  try {
    played(text, from);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error;
  }
  return assert.fail(`accepted: ${text}`);
}

describe('network=SCRIPT', () => {
  it('every named script is a cassette: written, read and replayed it gives the same stimuli', () => {
    for (const { name, transport, steps } of NETWORK_SCRIPTS) {
      const cassette = played(`${name}@40s`, header({}, transport ?? 'quic'));
      const read = parseCassette(printCassette(cassette), 'x.cassette');
      assert.deepEqual(read, JSON.parse(JSON.stringify(cassette)), name);
      assert.deepEqual(outside(read), JSON.parse(JSON.stringify(networkStimuli(name, 40_000_000))), name);
      assert.equal(outside(read).length, steps.length, name);
    }
  });

  it('takes the place of what came from outside; messages and the bridge stay', () => {
    const types = played('kill-9s').entries.map(({ type }) => type);
    assert.deepEqual(types, ['publish', 'choice', 'downlink', 'broker-kill', 'broker-start']);
    assert.deepEqual(
      played('ideal').entries,
      ENTRIES.filter(({ type }) => ['publish', 'choice', 'downlink'].includes(type)),
    );
  });

  it('without it the cassette stays as it is', () => {
    const cassette = { header: header(), entries: ENTRIES };
    assert.equal(withNetwork(cassette, setUp(header(), BASELINE).network), cassette);
  });

  it('says of each entry that it is assumed, and by which script', () => {
    const added = played('nat-rebind@2m').entries.filter(({ type }) => type === 'nat-rebind');
    assert.deepEqual(added, [
      { at: 120_000_000, type: 'nat-rebind', origin: 'assumed', why: 'network script nat-rebind@2m' },
    ]);
  });

  it('starts 30 s into the cassette, or when the text says; several run side by side in order of time', () => {
    assert.deepEqual(
      outside(played('restart-4s')).map(({ at, kind }) => [at / 1e6, kind]),
      [
        [30, 'broker-stop'],
        [34, 'broker-start'],
      ],
    );
    assert.deepEqual(
      outside(played('freeze-12s@20 + restart-4s@25s')).map(({ at, kind }) => [at / 1e6, kind]),
      [
        [20, 'broker-pause'],
        [25, 'broker-stop'],
        [29, 'broker-start'],
        [32, 'broker-resume'],
      ],
    );
  });

  it('the page about the format names every script, type of entry and field of a network', () => {
    const page = readFileSync(path.join(packageRoot(), 'docs', 'CASSETTE.md'), 'utf8');
    const fields = ['from', 'down', 'delay_ms', 'jitter_ms', 'loss', 'rate_bytes_per_s', 'queue_bytes', 'hold'];
    for (const name of [...NETWORK_SCRIPTS.map((script) => script.name), ...ENTRY_TYPES, ...fields])
      assert.ok(page.includes(`\`${name}\``), name);
  });

  it('leaves out steps after the end, and refuses a script that would start there', () => {
    const short = header({ duration_us: 35_000_000 });
    assert.deepEqual(
      outside(played('kick-every-9s', short)).map(({ at }) => at / 1e6),
      [30],
    );
    assert.match(refused('restart-4s@35s', short).message, /starts at 35 s, after the end of the cassette \(35 s\)/);
    assert.deepEqual(outside(played('ideal', header({ duration_us: 1_000_000 }))), []);
  });

  it('an unknown name, a bad time or a script of the other transport is a usage error that lists the scripts', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['restart', /network=restart: names no network script/],
      ['', /network=: is not NAME/],
      ['restart-4s@', /names no network script|is not NAME/],
      ['restart-4s@soon', /is not NAME/],
      ['restart-4s+', /network=: is not NAME/],
      ['proxy-holds-35s', /is for tcp, and this bridge uses quic/],
      [Array.from({ length: 17 }, () => 'nat-rebind').join('+'), /more than 16 scripts/],
    ];
    for (const [text, message] of cases) {
      const error = refused(text);
      assert.match(error.message, message, text);
      assert.equal(error.code, 'bad-network');
      assert.match(error.hint ?? '', /Scripts: ideal, blackhole-10s, /);
    }
    assert.doesNotThrow(() => played('proxy-holds-35s', header({}, 'tcp')));
  });
});
