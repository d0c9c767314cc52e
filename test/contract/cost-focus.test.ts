import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { FOCUS_COLUMNS } from '../../src/costs/focus/columns.ts';
import { sharedCostsConfig, sharedRules } from '../../src/costs/shared/config.ts';
import { startEngine } from '../../src/stores/chdb/engine.ts';
import { ClickHouseConnection } from '../../src/stores/clickhouse/client.ts';
import { type ClickHouseStores, openClickHouse } from '../../src/stores/clickhouse/open.ts';
import { batchOf, sampleAttempt, sampleCall } from './ledger-sample-calls.ts';

const scope = { organisationId: 'org-focus', environment: 'production' };
const START = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const period = { from: START, to: START + 3 * DAY };

const RULES = sharedRules(
  sharedCostsConfig.parse([
    { name: 'commitment', monthlyUsd: 5, split: 'even' },
    { name: 'exact-search', features: ['search, "exact"'], split: 'even' },
    { name: 'nobodys', withoutTeam: true, split: 'spend' },
  ]),
);

/** RFC 4180, as much of it as the test writes. */
function parseCsv(csv: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  let cell = '';
  let isQuoted = false;
  const put = (): void => {
    rows.at(-1)?.push(cell);
    cell = '';
  };
  for (let at = 0; at < csv.length; at++) {
    const char = csv[at];
    if (isQuoted && char === '"' && csv[at + 1] === '"') {
      cell += '"';
      at++;
    } else if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && char === ',') put();
    else if (!isQuoted && char === '\n') {
      put();
      rows.push([]);
    } else cell += char;
  }
  const [head = [], ...body] = rows.filter((row) => row.length > 0);
  return body.map((row) => Object.fromEntries(head.map((name, place) => [name, row[place] ?? ''])));
}

/** Exact dollars → pico-dollars. */
function pico(usd: string): bigint {
  const [whole = '0', fraction = ''] = usd.split('.');
  return BigInt(whole) * 10n ** 12n + BigInt(fraction.padEnd(12, '0'));
}

describe('FOCUS export', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-focus-'));
  const token = randomUUID();
  let engine: Awaited<ReturnType<typeof startEngine>>;
  let stores: ClickHouseStores;
  let connection: ClickHouseConnection;
  let ledger: bigint;
  let attempts = 0;

  before(async () => {
    engine = await startEngine({ dataDir, token, port: 0 });
    const options = { url: `http://127.0.0.1:${engine.port}`, token, database: 'plimsoll' };
    stores = openClickHouse(options);
    connection = new ClickHouseConnection(options, 'default');
    await stores.migrate();
    const calls = Array.from({ length: 60 }, (_, place) => {
      // Odd amounts down to a pico-dollar, and some beyond what a float holds.
      const cost = place === 7 ? '9007199254740993001' : `${123_456_789_012n + BigInt(place) * 1_000_003n}`;
      const isUnpriced = place === 9;
      const own = isUnpriced ? { costPicoUsd: null, costStatus: 'unpriced' as const, priceId: null } : { costPicoUsd: cost };
      const failed = sampleAttempt(`failed-${place}`, { status: 'error', usage: null, costPicoUsd: null, costStatus: 'unpriced' });
      const all = [...(place % 5 === 0 ? [failed] : []), sampleAttempt(`${place}`, own)];
      if (!isUnpriced) attempts++;
      return sampleCall(`focus-${place}`, START + place * 3_600_000, {
        ...scope,
        feature: place % 2 === 0 ? 'support' : 'search, "exact"',
        team: place % 3 === 0 ? null : 'team-a',
        customer: place % 4 === 0 ? 'acme, inc' : null,
        tags: place % 6 === 0 ? { prompt_version: 'v3', note: 'a "quoted", line\nbroken' } : {},
        attempts: all,
        costPicoUsd: isUnpriced ? null : cost,
        costStatus: isUnpriced ? 'unpriced' : 'priced',
      });
    });
    await stores.insertBatch(
      batchOf(
        'focus',
        calls.map((call) => ({ call })),
      ),
    );
    ledger = (await stores.ledger.ledgerCounts(scope, period.from, period.to)).costPicoUsd;
  });
  after(async () => {
    await connection?.close();
    await stores?.close();
    await engine?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  for (const grain of ['day', 'call'] as const) {
    it(`has every column in order, and costs that add up to the ledger: CSV by ${grain}`, async () => {
      const csv = await text(await stores.focus.write(scope, period, grain, 'csv', RULES));
      assert.equal(csv.split('\n', 1)[0]?.replaceAll('"', ''), FOCUS_COLUMNS.map(({ name }) => name).join(','));
      const rows = parseCsv(csv);
      for (const column of ['BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost'])
        assert.equal(
          rows.reduce((sum, row) => sum + pico(row[column] ?? ''), 0n),
          ledger,
          column,
        );
      assert.equal(
        rows.reduce((sum, row) => sum + Number(row.x_Attempts), 0),
        attempts,
      );
      for (const row of rows) {
        for (const { name, type, isNullable } of FOCUS_COLUMNS) {
          const value = row[name] ?? '';
          if (isNullable && value === '\\N') continue;
          if (type === 'Decimal(38, 12)') assert.match(value, /^\d+(\.\d{1,12})?$/, name);
          if (type === "DateTime('UTC')") assert.match(value, /^2026-0[67]-\d\dT\d\d:00:00Z$/, name);
          if (type === 'UInt64') assert.match(value, /^\d+$/, name);
          if (!isNullable && type === 'String') assert.notEqual(value, '', name);
        }
        assert.ok(['support', 'search, "exact"'].includes(row.x_Feature ?? ''));
        const shared = row.x_Feature !== 'support' ? 'exact-search' : row.x_Team === '\\N' ? 'nobodys' : '\\N';
        assert.equal(row.x_SharedCost, shared, 'the first rule that fits');
        assert.equal(row.BillingPeriodStart, '2026-06-01T00:00:00Z');
        assert.equal(row.BillingPeriodEnd, '2026-07-01T00:00:00Z');
        assert.ok((row.ChargePeriodStart ?? '') < (row.ChargePeriodEnd ?? ''));
        assert.doesNotThrow(() => JSON.parse(row.Tags ?? ''));
        if (grain === 'call') assert.match(row.x_TraceId ?? '', /^[0-9a-f]{32}$/);
        else assert.equal(row.x_TraceId, '\\N');
      }
      assert.ok(rows.some((row) => row.x_PromptVersion === 'v3') && rows.some((row) => row.x_Customer === 'acme, inc'));
      assert.ok(grain === 'call' ? rows.length === attempts : rows.length < attempts, `${rows.length} rows`);
    });

    it(`is the same table as Parquet, with types: by ${grain}`, async () => {
      const file = join(dataDir, `${grain}.parquet`);
      writeFileSync(file, await buffer(await stores.focus.write(scope, period, grain, 'parquet', RULES)));
      const described = await connection.read<{ name: string; type: string }>(`DESCRIBE file('${file}', Parquet)`, {});
      assert.deepEqual(
        described.map(({ name }) => name),
        FOCUS_COLUMNS.map(({ name }) => name),
      );
      for (const [place, { name, type }] of FOCUS_COLUMNS.entries()) {
        const found = described[place]?.type.replace(/^Nullable\((.*)\)$/, '$1') ?? '';
        assert.ok(type === "DateTime('UTC')" ? /^DateTime|^UInt32/.test(found) : found === type, `${name}: ${found} for ${type}`);
      }
      const [sum] = await connection.read<{ cost: string; rows: string }>(
        `SELECT toString(sum(BilledCost)) AS cost, count() AS rows FROM file('${file}', Parquet)`,
        {},
      );
      assert.equal(pico(sum?.cost ?? ''), ledger);
    });
  }

  it('is empty for a period or a tenant without calls, and keeps its head', async () => {
    const csv = await text(await stores.focus.write(scope, { from: 0, to: 1 }, 'day', 'csv', []));
    assert.deepEqual(parseCsv(csv), []);
    assert.ok(csv.startsWith('"BilledCost"'));
    assert.deepEqual(parseCsv(await text(await stores.focus.write({ ...scope, organisationId: 'nobody' }, period, 'call', 'csv', []))), []);
  });
});
