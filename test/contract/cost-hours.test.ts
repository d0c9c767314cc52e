import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { CostGroup, CostPeriod, PriceTiers, WasteKind } from '../../src/costs/cost-queries.ts';
import type { PriceAttempt } from '../../src/costs/repricing/reprice-call.ts';
import { newRun, runRepricing } from '../../src/costs/repricing/run.ts';
import type { LedgerAttempt, LedgerRow } from '../../src/costs/store.ts';
import { compilePrice } from '../../src/models/price-usage.ts';
import { inputTokens, NO_USAGE, type Usage } from '../../src/models/usage.ts';
import { startEngine } from '../../src/stores/chdb/engine.ts';
import { ClickHouseConnection } from '../../src/stores/clickhouse/client.ts';
import { costRollups } from '../../src/stores/clickhouse/cost-rollups.ts';
import { type ClickHouseStores, openClickHouse } from '../../src/stores/clickhouse/open.ts';
import type { CallAttempt, CallSettled } from '../../src/traces/call-record.ts';
import { batchOf, sampleAttempt, sampleCall } from './ledger-sample-calls.ts';

const START = Date.UTC(2026, 5, 30, 20);
const DAYS_MS = 2 * 86_400_000;
const TIERS: readonly PriceTiers[] = [
  { priceId: 'p1', aboveInputTokens: [200_000] },
  { priceId: 'right', aboveInputTokens: [128_000, 272_000] },
];
/** A limit that the hours do not know: the same answer, from the ledger. */
const ODD_TIERS: readonly PriceTiers[] = [...TIERS, { priceId: 'p0', aboveInputTokens: [77] }];

const text = (...words: string[]) => fc.constantFrom(...words);
const attemptOf = fc.record({
  provider: text('openai', 'anthropic'),
  model: text('alias-a', 'alias-b'),
  requestModel: text('gpt', 'claude'),
  responseModel: text('gpt-1', 'claude-1'),
  status: fc.constantFrom('ok' as const, 'error' as const, 'aborted' as const),
  isPaid: fc.boolean(),
  isUnpriced: fc.nat(9),
  priceId: text('p0', 'p1'),
  input: fc.constantFrom(0, 50, 127_999, 128_000, 128_001, 200_000, 200_001, 272_001),
  cached: fc.nat(1_000),
  output: fc.nat(500),
  cost: fc.oneof(fc.bigInt(0n, 10n ** 9n), fc.constant(2n ** 60n)),
});
const callOf = fc.record({
  offsetMs: fc.nat(DAYS_MS - 1),
  feature: text('support', "it's", 'search'),
  team: fc.constantFrom(null, 'a', 'b'),
  user: fc.constantFrom(null, 'u1', 'u2', 'u3'),
  session: fc.constantFrom(null, 's1', 's2'),
  customer: fc.constantFrom(null, 'acme'),
  keyId: text('k1', 'k2'),
  requestedModel: text('default', 'fast'),
  route: fc.constantFrom(null, 'main'),
  operation: fc.constantFrom('chat' as const, 'embeddings' as const),
  status: fc.constantFrom('ok' as const, 'error' as const, 'aborted' as const),
  attempts: fc.array(attemptOf, { maxLength: 3 }),
  cacheHit: fc.nat(5),
  saved: fc.option(fc.bigInt(0n, 10n ** 9n)),
});

function callFrom(drawn: ReturnType<typeof callOf.generate>['value'], seed: string, scope: Scope): CallSettled {
  const isHit = drawn.cacheHit === 0;
  const attempts = isHit
    ? []
    : drawn.attempts.map((each, place): CallAttempt => {
        const usage: Usage = { ...NO_USAGE, inputUncachedTokens: each.input, cacheReadTokens: each.cached, outputTextTokens: each.output };
        const isUnpriced = each.isUnpriced === 0;
        return sampleAttempt(`${seed}-${place}`, {
          provider: each.provider,
          model: each.model,
          requestModel: each.requestModel,
          responseModel: each.responseModel,
          status: each.status,
          usage: each.isPaid ? usage : null,
          usageSource: each.isPaid ? 'reported' : null,
          costPicoUsd: each.isPaid && !isUnpriced ? each.cost.toString() : null,
          costStatus: each.isPaid && !isUnpriced ? 'priced' : 'unpriced',
          priceId: each.isPaid && !isUnpriced ? each.priceId : null,
        });
      });
  const isUnpriced = attempts.some(({ usage, costPicoUsd }) => usage !== null && costPicoUsd === null);
  const cost = attempts.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? 0), 0n);
  const { offsetMs, feature, team, user, session, customer, keyId, requestedModel, route, operation, status, saved } = drawn;
  const costStatus = isHit ? 'cached_zero' : isUnpriced ? 'unpriced' : 'priced';
  return sampleCall(seed, START + offsetMs, {
    ...scope,
    feature,
    team,
    user,
    session,
    customer,
    keyId,
    requestedModel,
    route,
    operation,
    status,
    attempts,
    costPicoUsd: isUnpriced ? null : cost.toString(),
    costStatus,
    ...(isHit
      ? {
          cache: {
            outcome: 'hit',
            reason: null,
            ageMs: 1,
            similarity: null,
            origin: null,
            savedPicoUsd: saved?.toString() ?? null,
            savedInputTokens: 1,
            savedOutputTokens: 1,
          },
        }
      : {}),
  } as Partial<CallSettled>);
}

interface Scope {
  readonly organisationId: string;
  readonly environment: string;
}

/** What the questions should be answered with, from the rows themselves. */
function answers(rows: readonly LedgerRow[], tiers: readonly PriceTiers[]) {
  const sum = <T>(of: readonly T[], value: (each: T) => bigint): bigint => of.reduce((total, each) => total + value(each), 0n);
  const cost = (row: LedgerRow): bigint => row.costPicoUsd ?? 0n;
  const used = new Map<string, { attempts: bigint; cost: bigint; tokens: bigint }>();
  const waste = new Map<string, { calls: Set<string>; attempts: number; cost: bigint }>();
  for (const row of rows) {
    if (row.costPicoUsd === null) continue;
    for (const attempt of row.attempts) {
      const input = attempt.usage === null ? 0 : inputTokens(attempt.usage);
      const tier = tiers.find(({ priceId }) => priceId === attempt.priceId)?.aboveInputTokens.filter((above) => input > above).length ?? 0;
      const key = JSON.stringify([
        row.feature,
        row.team,
        row.keyId,
        attempt.provider,
        attempt.requestModel,
        attempt.responseModel,
        attempt.priceId,
        tier,
        attempt.status === 'error',
      ]);
      const known = used.get(key) ?? { attempts: 0n, cost: 0n, tokens: 0n };
      const tokens = attempt.usage === null ? 0 : Object.values(attempt.usage).reduce((all, count) => all + count, 0);
      used.set(key, {
        attempts: known.attempts + 1n,
        cost: known.cost + (attempt.costPicoUsd ?? 0n),
        tokens: known.tokens + BigInt(tokens),
      });
      const kind = wasteKind(row, attempt);
      if (kind === null || attempt.costPicoUsd === null || attempt.costPicoUsd === 0n) continue;
      const wasted = waste.get(`${row.feature} ${kind}`) ?? { calls: new Set(), attempts: 0, cost: 0n };
      wasted.calls.add(row.callId);
      waste.set(`${row.feature} ${kind}`, { calls: wasted.calls, attempts: wasted.attempts + 1, cost: wasted.cost + attempt.costPicoUsd });
    }
  }
  const group = (keyOf: (row: LedgerRow) => string | null) => new Map([...Map.groupBy(rows, keyOf)].map(([key, own]) => [key, unit(own)]));
  const unit = (own: readonly LedgerRow[]) => [
    own.length,
    own.filter(({ costPicoUsd }) => costPicoUsd === null).length,
    sum(own, cost),
    new Set(own.flatMap(({ user }) => user ?? [])).size,
    sum(
      own.filter(({ user }) => user !== null),
      cost,
    ),
    new Set(own.flatMap(({ session }) => session ?? [])).size,
    sum(
      own.filter(({ session }) => session !== null),
      cost,
    ),
  ];
  return {
    totals: [
      rows.length,
      rows.filter(({ costStatus }) => costStatus === 'cached_zero').length,
      rows.filter(({ costPicoUsd }) => costPicoUsd === null).length,
      sum(rows, cost),
    ],
    used: [...used].map(([key, { attempts, cost: paid, tokens }]) => `${key} ${attempts} ${paid} ${tokens}`).sort(),
    waste: [...waste].map(([key, { calls, attempts, cost: paid }]) => `${key} ${calls.size} ${attempts} ${paid}`).sort(),
    unit: unit(rows),
    group,
    noTeam: sum(
      rows.filter(({ team }) => team === null),
      cost,
    ),
    noCustomer: sum(
      rows.filter(({ customer }) => customer === null),
      cost,
    ),
    saved: sum(
      rows.filter(({ cacheOutcome }) => cacheOutcome === 'hit'),
      (row) => row.savedPicoUsd ?? 0n,
    ),
    hits: rows.filter(({ cacheOutcome }) => cacheOutcome === 'hit').length,
  };
}

function wasteKind(row: LedgerRow, attempt: LedgerAttempt): WasteKind | null {
  if (row.status === 'error') return 'errors';
  if (row.status === 'aborted') return 'aborted';
  return attempt.status === 'error' ? 'retries' : attempt.status === 'aborted' ? 'hedges' : null;
}

/** Every amount of `alias-a` becomes another one, at another price; what was unpriced gets one. */
const priceAttempt: PriceAttempt = ({ model }) => ({
  kind: 'price',
  price:
    model === 'alias-a'
      ? compilePrice({
          priceId: 'right',
          perToken: { inputUncachedTokens: '3', cacheReadTokens: '1', outputTextTokens: '7' },
          perRequest: null,
          tiers: [],
        })
      : null,
});

describe('hours of costs', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-cost-hours-'));
  const token = randomUUID();
  let engine: Awaited<ReturnType<typeof startEngine>>;
  let stores: ClickHouseStores;
  let connection: ClickHouseConnection;
  before(async () => {
    engine = await startEngine({ dataDir, token, port: 0 });
    const options = { url: `http://127.0.0.1:${engine.port}`, token, database: 'plimsoll' };
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

  async function assertSame(scope: Scope, period: CostPeriod, tiers: readonly PriceTiers[]): Promise<void> {
    const rows = await stores.corrections.page(scope, { ...period, feature: null, after: '', upTo: null, limit: 10_000 });
    const expected = answers(rows, tiers);
    const { calls, cachedCalls, unpricedCalls, costPicoUsd } = await stores.costs.totals(scope, period);
    assert.deepEqual([Number(calls), Number(cachedCalls), Number(unpricedCalls), costPicoUsd], expected.totals);
    const used = await stores.costs.usedAtPrices(scope, period, tiers);
    assert.deepEqual(
      used
        .map((row) => {
          const key = JSON.stringify([
            row.feature,
            row.team,
            row.keyId,
            row.provider,
            row.model,
            row.responseModel,
            row.priceId,
            row.tier,
            row.isFailed,
          ]);
          return `${key} ${row.attempts} ${row.costPicoUsd} ${Object.values(row.tokens).reduce((sum, count) => sum + count, 0n)}`;
        })
        .sort(),
      expected.used,
    );
    const ids = new Set(used.flatMap(({ priceId }) => priceId ?? []));
    const known = await stores.costs.priceIds(scope, period);
    assert.ok(
      [...ids].every((id) => known.includes(id)),
      `${known} of ${[...ids]}`,
    );
    const waste = await stores.costs.waste(scope, period);
    assert.deepEqual(
      waste.map((row) => `${row.feature} ${row.kind} ${row.calls} ${row.attempts} ${row.costPicoUsd}`).sort(),
      expected.waste,
    );
    const savings = await stores.costs.savings(scope, period);
    assert.deepEqual(
      [savings.reduce((sum, row) => sum + row.cachePicoUsd, 0n), savings.reduce((sum, row) => sum + row.cacheHits, 0)],
      [expected.saved, expected.hits],
    );
    const keys: Readonly<Partial<Record<CostGroup, (row: LedgerRow) => string | null>>> = {
      feature: ({ feature }) => feature,
      team: ({ team }) => team,
      key: ({ keyId }) => keyId,
      route: ({ route }) => route,
      operation: ({ operation }) => operation,
      requestedModel: ({ requestedModel }) => requestedModel,
      model: ({ attempts }) => (attempts.find(({ status }) => status === 'ok') ?? attempts[0])?.requestModel ?? null,
      customer: ({ customer }) => customer,
    };
    for (const [groupBy, keyOf] of Object.entries(keys) as [CostGroup, (row: LedgerRow) => string | null][]) {
      const { groups, total, unallocated } = await stores.costs.economics(scope, period, groupBy, null);
      const unit = (row: (typeof groups)[number]) => [
        row.calls,
        row.unpricedCalls,
        row.costPicoUsd,
        row.users,
        row.userCostPicoUsd,
        row.sessions,
        row.sessionCostPicoUsd,
      ];
      assert.deepEqual(
        new Map(groups.map((row) => [row.key, unit(row)]).sort() as [string | null, unknown][]),
        new Map([...expected.group(keyOf)].sort()),
        groupBy,
      );
      assert.deepEqual(unit(total), expected.unit, groupBy);
      assert.deepEqual([unallocated.team, unallocated.customer], [expected.noTeam, expected.noCustomer]);
    }
  }

  it('say what the ledger says, to the pico-dollar: late rows, batches that come twice, repricings; whole hours or not', {
    timeout: 600_000,
  }, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(callOf, { minLength: 1, maxLength: 25 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.nat(DAYS_MS), fc.nat(DAYS_MS)), { minLength: 2, maxLength: 2 }),
        fc.nat(23),
        async (batches, ranges, hour) => {
          const scope = { organisationId: `org-hours-${run++}`, environment: 'production' };
          const made = batches.map((drawn, place) =>
            batchOf(
              `hours-${run}-${place}`,
              drawn.map((each, number) => ({ call: callFrom(each, `${run}-${place}-${number}`, scope) })),
            ),
          );
          for (const batch of made) await stores.insertBatch(batch);
          for (const batch of made) await stores.insertBatch(batch);
          const aligned = { from: START + hour * 3_600_000, to: START + (hour + 20) * 3_600_000 };
          const periods = [
            { from: START, to: START + DAYS_MS },
            aligned,
            { from: START + 1, to: START + 1_000 },
            ...ranges.map(([a, b]) => ({ from: START + Math.min(a, b), to: START + Math.max(a, b) + 1 })),
          ];
          for (const period of periods) await assertSame(scope, period, TIERS);
          await runRepricing(
            scope,
            newRun({
              id: `hours-${run}`,
              from: 0,
              to: START + DAYS_MS / 2,
              feature: null,
              isDryRun: false,
              requestedBy: 't',
              requestedAtMs: 1,
            }),
            {
              ledger: stores.corrections,
              priceAttempt,
              save: async () => {},
              signal: new AbortController().signal,
              pageRows: 7,
              batchCalls: 20,
            },
          );
          // Late rows, after the correction.
          await stores.insertBatch(batchOf(`late-${run}`, [{ call: callFrom(batches[0]?.[0] ?? assert.fail(), `late-${run}`, scope) }]));
          for (const period of periods.slice(0, 2)) await assertSame(scope, period, TIERS);
          await assertSame(scope, periods[0] ?? aligned, ODD_TIERS);
        },
      ),
      { numRuns: 3 },
    );
  });

  it('are made from what is there when they come, and again after a migration that was cut off', async () => {
    const rows = async () =>
      JSON.stringify([
        await connection.read(
          `SELECT organisation_id, sum(calls), sum(cost), uniqExactMerge(users) FROM cost_calls_1h GROUP BY organisation_id ORDER BY organisation_id`,
          {},
        ),
        await connection.read(
          `SELECT organisation_id, price_id, sum(tries) AS t, sum(cost) FROM cost_attempts_1h GROUP BY organisation_id, price_id HAVING t != 0 ORDER BY organisation_id, price_id`,
          {},
        ),
      ]);
    const kept = await rows();
    assert.ok(kept.length > 100);
    for (const _ of [1, 2]) {
      for (const statement of costRollups.statements({ database: 'plimsoll', cluster: null })) await connection.command(statement);
      assert.equal(await rows(), kept);
    }
  });
});
