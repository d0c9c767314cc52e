import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { batchOf, sampleAttempt, sampleCall } from '../../../test/contract/ledger-sample-calls.ts';
import { type Engine, startEngine } from '../chdb/engine.ts';
import { ClickHouseConnection } from './client.ts';
import { type ClickHouseStores, openClickHouse } from './open.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-columns-'));
let engine: Engine;
let stores: ClickHouseStores;
let connection: ClickHouseConnection;

before(async () => {
  engine = await startEngine({ dataDir, token: 'columns-test', port: 0 });
  const options = { url: `http://127.0.0.1:${engine.port}`, token: 'columns-test', database: 'plimsoll' };
  stores = openClickHouse(options);
  connection = new ClickHouseConnection(options, 'plimsoll');
  await stores.migrate();
});
after(async () => {
  await connection?.close();
  await stores?.close();
  await engine?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

it('writes what the store itself would read from the attributes', async () => {
  const batch = batchOf('columns', [
    { call: sampleCall('plain', 1_700_000_000_000) },
    { call: sampleCall('other', 1_700_000_000_001, { attempts: [sampleAttempt('other', { model: 'half and "quotes" \\ 日本' })] }) },
  ]);
  const values = ['12', '-9223372036854775808', '9223372036854775808', '1.5', '', ' 1', 7, null, true, ['12'], { a: 1 }, 'text \n\u0000'];
  const spans = batch.spans.map((span, place) => ({
    ...span,
    attributes: {
      ...span.attributes,
      ...(place < values.length
        ? {
            'plimsoll.routing.estimated_saving_pico_usd': values[place],
            'plimsoll.routing.strategy': values[place],
            'plimsoll.output.verdict': values.at(-place - 1),
          }
        : {}),
    },
  }));
  assert.ok(spans.length >= values.length);
  await stores.insertBatch({ ...batch, spans });
  const read = (name: string): string => `JSONExtractString(attributes, 'plimsoll.${name}')`;
  const differing = await connection.read(
    `SELECT attributes, target, saving_pico_usd FROM spans WHERE organisation_id = 'default' AND (target != ${read('model')}
       OR attempt_role != ${read('attempt.role')} OR purpose != ${read('purpose')} OR routing_strategy != ${read('routing.strategy')}
       OR routing_tier != ${read('routing.tier')} OR output_verdict != ${read('output.verdict')}
       OR NOT (saving_pico_usd <=> toInt64OrNull(${read('routing.estimated_saving_pico_usd')})))`,
    {},
  );
  assert.deepEqual(differing, []);
  const [row] = await connection.read<{ savings: string }>('SELECT count(saving_pico_usd) AS savings FROM spans', {});
  assert.equal(row?.savings, '3');
});
