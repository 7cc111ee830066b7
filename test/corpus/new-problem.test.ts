/** A change that cures one defect and brings another: 01a on 0.23.1, with an outage and an uplink added, moved to 0.23.2. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Database, ingest, OBSERVED, packageRoot } from '../../queries/index.ts';
import { type Entry, parseVariant, rebuild, verify, withUplink } from '../../replay/index.ts';
import { logsOf, readTruth } from '../../scripts/corpus-table.ts';

const FOLDER = path.join(packageRoot(), '..', 'shared', 'corpus', 'incidents', '01a-d1-downlink-qos0');
const OUTAGE_S = 35;
/** Late enough for two cycles of the incident before it. */
const FROM_S = 60;

if (!existsSync(FOLDER)) {
  test('a fix that brings another defect', { skip: 'no corpus beside the repository' }, () => {});
} else {
  test('0.23.2 cures keepalive-receive-reset, brings stuck-busy after an outage, and the verdict is not clean', async () => {
    const database = await Database.open(':memory:', 'write');
    try {
      await ingest(database, { paths: logsOf(FOLDER) });
      const cassette = await rebuild(database, { runId: OBSERVED, clientId: readTruth(FOLDER).clientid });
      const fix = parseVariant('nanomq=0.23.2');
      const asItWas = await verify(cassette, { variants: [fix], seeds: 2 });
      assert.equal(asItWas.variants[0]?.verdict, 'fixed', asItWas.variants[0]?.reason);

      const outage = [true, false].map(
        (down): Entry => ({
          at: (FROM_S + (down ? 0 : OUTAGE_S)) * 1_000_000,
          type: 'network',
          down,
          origin: 'assumed',
          why: 'an outage, to see what the release does in one',
        }),
      );
      // From the outage on only: an uplink before it would keep the connection alive, and there would be no incident.
      const uplink = withUplink(cassette, 10).entries.filter(
        (entry) => entry.origin === 'assumed' && entry.at >= FROM_S * 1_000_000,
      );
      const entries = [...cassette.entries.filter((entry) => entry.type !== 'choice'), ...outage, ...uplink].sort(
        (left, right) => left.at - right.at,
      );
      const { header } = cassette;
      const incident = {
        ...header.incident,
        // What this bridge shows under the added outage: the cycles before it.
        keepalive_disconnects: 2,
        period_s: null,
        disconnects: 3,
        lost_lines: null,
        lost_up: null,
        delivered_up: null,
        delivered_down: null,
      };
      const result = await verify({ header: { ...header, incident }, entries }, { variants: [fix], seeds: 2 });
      assert.equal(result.baseline.reproduced, true, result.baseline.reason);
      const verdict = result.variants[0] ?? assert.fail('no verdict');
      assert.ok(verdict.gone.includes('keepalive-receive-reset'), JSON.stringify(verdict));
      assert.ok(verdict.new_symptoms.includes('stuck-busy'), JSON.stringify(verdict));
      assert.equal(verdict.clean, false);
      assert.notEqual(verdict.verdict, 'fixed');
    } finally {
      database.close();
    }
  });
}
