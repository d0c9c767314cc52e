import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { COST_GROUPS, HOURLY_DIMENSIONS, type MemberDimension } from '../../src/costs/cost-queries.ts';
import { costEconomics } from '../../src/costs/economics.ts';
import { allocate } from '../../src/costs/shared/allocate.ts';
import { sharedCostsConfig, sharedRules } from '../../src/costs/shared/config.ts';
import { EFFECT_NAMES } from '../../src/costs/variance/decompose.ts';
import { readPrices } from '../../src/costs/variance/prices.ts';
import { costVariance, type PeriodUse } from '../../src/costs/variance/report.ts';
import { costWaste } from '../../src/costs/waste.ts';
import type { Price } from '../../src/models/price.ts';
import { priceUsage } from '../../src/models/price-usage.ts';
import { NO_USAGE, type Usage } from '../../src/models/usage.ts';
import type { ClickHouseStores } from '../../src/stores/clickhouse/open.ts';
import type { CallAttempt, CallSettled } from '../../src/traces/call-record.ts';
import { batchOf, sampleAttempt, sampleCall } from './ledger-sample-calls.ts';
import type { TraceStoreFixture } from './trace-store.contract.ts';

const WEEK = 7 * 86_400_000;
const NOW = Date.UTC(2026, 5, 1);

const PRICES: readonly Price[] = [
  {
    priceId: 'dear',
    perToken: { inputUncachedTokens: '1000', cacheReadTokens: '100', outputTextTokens: '3000' },
    perRequest: null,
    tiers: [],
  },
  {
    priceId: 'cheap',
    perToken: { inputUncachedTokens: '100', cacheReadTokens: '10', outputTextTokens: '300' },
    perRequest: '77',
    tiers: [],
  },
  {
    priceId: 'cheap-new',
    perToken: { inputUncachedTokens: '90', cacheReadTokens: '9', outputTextTokens: '330' },
    perRequest: '77',
    tiers: [],
  },
  {
    priceId: 'long',
    perToken: { inputUncachedTokens: '7', outputTextTokens: '9' },
    perRequest: null,
    tiers: [
      { aboveInputTokens: 1000, perToken: { inputUncachedTokens: '14', outputTextTokens: '11' } },
      { aboveInputTokens: 5000, perToken: { inputUncachedTokens: '21', outputTextTokens: '13' } },
    ],
  },
];
const priceOf = (priceId: string) => PRICES.find((price) => price.priceId === priceId) ?? null;

function paid(seed: string, priceId: string, usage: Partial<Usage>, changes: Partial<CallAttempt> = {}): CallAttempt {
  const whole = { ...NO_USAGE, ...usage };
  const cost = priceUsage(whole, priceOf(priceId)).costPicoUsd;
  return sampleAttempt(seed, { requestModel: `model-${priceId.split('-')[0]}`, usage: whole, priceId, costPicoUsd: `${cost}`, ...changes });
}

/** Calls of a week: more of them, with longer answers, more from the caches, at another price in the second. */
function week(name: string, startMs: number, scope: { organisationId: string; environment: string }, isSecond: boolean): CallSettled[] {
  const count = isSecond ? 53 : 40;
  return Array.from({ length: count }, (_, place): CallSettled => {
    const seed = `${scope.organisationId}-${name}-${place}`;
    const base = {
      ...scope,
      feature: place % 3 === 0 ? 'search' : 'support',
      team: place % 5 === 0 ? null : 'support',
      user: place % 4 === 0 ? null : `u-${place % 7}`,
      session: `s-${place % 11}`,
      keyId: `key-${place % 2}`,
      tags: place % 6 === 0 ? { "segment'": "gold'" } : {},
    };
    const at = startMs + place * 3_600_000;
    const of = (attempts: CallAttempt[], changes: Partial<CallSettled> = {}) =>
      sampleCall(seed, at, {
        ...base,
        attempts,
        costPicoUsd: attempts.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? 0), 0n).toString(),
        ...changes,
      });
    const output = isSecond ? 61 : 50;
    const cached = isSecond ? 40 + place : 20;
    if (place % 10 === 1) return of([], { costStatus: 'cached_zero' });
    if (place % 10 === 2 && isSecond) return of([], { costStatus: 'cached_zero' });
    if (place % 10 === 3)
      return of([sampleAttempt(seed, { costPicoUsd: null, costStatus: 'unpriced', priceId: null })], {
        costPicoUsd: null,
        costStatus: 'unpriced',
      });
    if (place % 10 === 4)
      return of([
        paid(`${seed}-a`, 'dear', { inputUncachedTokens: 90 }, { status: 'error', errorType: 'provider_timeout' }),
        paid(`${seed}-b`, isSecond ? 'cheap-new' : 'cheap', { inputUncachedTokens: 90, outputTextTokens: output }),
      ]);
    if (place % 10 === 5)
      return of([paid(seed, 'long', { inputUncachedTokens: isSecond ? 700 + place * 200 : 999, outputTextTokens: output })]);
    if (place % 10 === 6)
      return of([
        paid(seed, 'dear', { inputUncachedTokens: 9 }, { costPicoUsd: '123456789', costStatus: 'provider_reported', priceId: null }),
      ]);
    if (place % 10 === 7) return of([paid(seed, 'dear', { inputUncachedTokens: 100, outputTextTokens: output })]);
    return of([
      paid(seed, isSecond && place > 10 ? 'cheap-new' : 'cheap', {
        inputUncachedTokens: 100,
        cacheReadTokens: cached,
        outputTextTokens: output,
      }),
    ]);
  });
}

export function costQueriesContract(driver: string, open: () => Promise<TraceStoreFixture>): void {
  describe(`CostQueries contract: ${driver}`, () => {
    let fixture: TraceStoreFixture;
    let stores: ClickHouseStores;
    const scope = { organisationId: 'org-costs', environment: 'production' };
    const first = { from: NOW, to: NOW + WEEK };
    const second = { from: NOW + WEEK, to: NOW + 2 * WEEK };
    before(async () => {
      fixture = await open();
      stores = fixture.stores;
      const calls = [...week('first', first.from, scope, false), ...week('second', second.from, scope, true)];
      const neighbour = week('first', first.from, { ...scope, organisationId: 'org-costs-neighbour' }, false);
      await stores.insertBatch(
        batchOf(
          'cost-queries',
          [...calls, ...neighbour].map((call) => ({ call })),
        ),
      );
    });
    after(() => fixture?.close());

    const tiers = PRICES.filter((price) => price.tiers.length > 0).map(({ priceId, tiers: of }) => ({
      priceId,
      aboveInputTokens: of.map(({ aboveInputTokens }) => aboveInputTokens),
    }));

    async function use(period: typeof first): Promise<PeriodUse> {
      return {
        ...period,
        totals: await stores.costs.totals(scope, period),
        used: await stores.costs.usedAtPrices(scope, period, tiers),
      };
    }

    it('knows the calls, the prices and the attempts of a period; their costs are those of the ledger', async () => {
      const whole = await use(first);
      assert.deepEqual([whole.totals.calls, whole.totals.cachedCalls, whole.totals.unpricedCalls], [40n, 4n, 4n]);
      const { costPicoUsd } = await stores.ledger.ledgerCounts(scope, first.from, first.to);
      assert.equal(whole.totals.costPicoUsd, costPicoUsd);
      assert.equal(
        whole.used.reduce((sum, row) => sum + row.costPicoUsd, 0n),
        costPicoUsd,
      );
      assert.deepEqual(await stores.costs.priceIds(scope, first), ['cheap', 'dear', 'long']);
      assert.deepEqual(await stores.costs.priceIds(scope, second), ['cheap', 'cheap-new', 'dear', 'long']);
      const reached = (await use(second)).used.filter(({ priceId }) => priceId === 'long').map(({ tier }) => tier);
      assert.deepEqual([...new Set(reached)].sort(), [1, 2]);
      for (const row of whole.used) {
        if (row.priceId !== 'long') continue;
        assert.equal(row.tier, 0);
        assert.equal(row.costPicoUsd, row.tokens.inputUncachedTokens * 7n + row.tokens.outputTextTokens * 9n);
      }
    });

    it('splits the difference of two weeks exactly, in every grouping', async () => {
      const before = await use(first);
      const after = await use(second);
      const prices = new Map(PRICES.map((price) => [price.priceId, price]));
      const totals = new Set<string>();
      for (const groupBy of COST_GROUPS) {
        const variance = costVariance(before, after, prices, groupBy);
        const lines = [variance.total, ...variance.groups];
        for (const line of lines) {
          assert.equal(BigInt(line.afterPicoUsd) - BigInt(line.beforePicoUsd), BigInt(line.differencePicoUsd));
          assert.equal(
            EFFECT_NAMES.reduce((sum, name) => sum + BigInt(line.effects[name]), 0n),
            BigInt(line.differencePicoUsd),
          );
        }
        for (const name of EFFECT_NAMES)
          assert.equal(
            variance.groups.reduce((sum, line) => sum + BigInt(line.effects[name]), 0n),
            BigInt(variance.total.effects[name]),
          );
        assert.equal(BigInt(variance.total.beforePicoUsd), before.totals.costPicoUsd);
        assert.equal(BigInt(variance.total.afterPicoUsd), after.totals.costPicoUsd);
        totals.add(JSON.stringify(variance.total));
        for (const name of EFFECT_NAMES) assert.notEqual(variance.total.effects[name], '0', `${name} was planted`);
      }
      assert.equal(totals.size, 1, 'the total does not depend on the grouping');
    });

    it('knows unit costs, and what belongs to nobody', async () => {
      const calls = week('first', first.from, scope, false);
      const cost = (of: readonly CallSettled[]) => of.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? 0), 0n);
      const whole = await stores.costs.economics(scope, first, 'feature', null);
      assert.deepEqual(whole.unallocated, {
        team: cost(calls.filter(({ team }) => team === null)),
        customer: cost(calls),
        user: cost(calls.filter(({ user }) => user === null)),
        session: 0n,
      });
      const support = whole.groups.find(({ key }) => key === 'support');
      const own = calls.filter(({ feature }) => feature === 'support');
      assert.deepEqual(support, {
        key: 'support',
        calls: own.length,
        unpricedCalls: own.filter(({ costPicoUsd }) => costPicoUsd === null).length,
        costPicoUsd: cost(own),
        users: new Set(own.flatMap(({ user }) => user ?? [])).size,
        userCostPicoUsd: cost(own.filter(({ user }) => user !== null)),
        sessions: new Set(own.map(({ session }) => session)).size,
        sessionCostPicoUsd: cost(own),
      });
      const view = costEconomics(first, 'feature', whole);
      assert.equal(view.total.calls, 40);
      assert.equal(BigInt(view.total.perCallPicoUsd ?? 0), (2n * cost(calls) + 36n) / 72n);
      assert.equal(view.unallocated.customer.ratio, 1);
      for (const groupBy of ['team', 'customer', 'model', 'key', 'user'] as const) {
        const { groups, total } = await stores.costs.economics(scope, first, groupBy, null);
        assert.equal(
          groups.reduce((sum, row) => sum + row.costPicoUsd, 0n),
          total.costPicoUsd,
          groupBy,
        );
      }
      const models = (await stores.costs.economics(scope, first, 'model', null)).groups.map(({ key }) => key);
      assert.ok(models.includes('model-cheap') && models.includes(null), 'the model that answered; none for answers from the cache');
    });

    it('knows the cost of every hour by feature, team and model, and of one feature alone', async () => {
      const whole = { from: first.from, to: second.to };
      const { costPicoUsd } = await stores.costs.totals(scope, whole);
      for (const dimension of HOURLY_DIMENSIONS) {
        const hours = await stores.costs.hourly(scope, whole, dimension);
        assert.equal(
          hours.reduce((sum, row) => sum + row.costPicoUsd, 0n),
          costPicoUsd,
          dimension,
        );
        assert.ok(hours.every(({ atMs }) => atMs % 3_600_000 === 0 && atMs >= whole.from && atMs < whole.to));
      }
      const filter = { feature: 'search' };
      const totals = await stores.costs.totals(scope, first, filter);
      const used = await stores.costs.usedAtPrices(scope, first, tiers, filter);
      assert.ok(totals.calls > 0n && used.length > 0 && used.every(({ feature }) => feature === 'search'));
      assert.equal(
        used.reduce((sum, row) => sum + row.costPicoUsd, 0n),
        totals.costPicoUsd,
      );
      assert.ok(
        (await use(first)).used.some(({ isFailed, costPicoUsd: paid }) => isFailed && paid > 0n),
        'a failed attempt that cost',
      );
    });

    it('knows the hours of members of every scope of a budget', async () => {
      const calls = week('first', first.from, scope, false);
      const priced = calls.filter(({ costPicoUsd }) => costPicoUsd !== null);
      const cost = (of: readonly CallSettled[]) => of.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? 0), 0n);
      const hours = async (dimension: MemberDimension, members: string[], feature: string | null = null) => {
        const rows = await stores.costs.memberHours(scope, first, { dimension, members, feature });
        assert.ok(rows.every(({ key, atMs }) => (members.length === 0 ? key === '' : members.includes(key)) && atMs % 3_600_000 === 0));
        return rows.reduce((sum, row) => sum + row.costPicoUsd, 0n);
      };
      assert.equal(await hours('global', []), cost(calls));
      assert.equal(await hours('organisation', [], 'search'), cost(calls.filter(({ feature }) => feature === 'search')));
      assert.equal(await hours('feature', ['support']), cost(calls.filter(({ feature }) => feature === 'support')));
      assert.equal(
        await hours('team', ['support'], 'search'),
        cost(calls.filter(({ team, feature }) => team === 'support' && feature === 'search')),
      );
      assert.equal(await hours('user', ['u-1', 'u-2']), cost(calls.filter(({ user }) => user === 'u-1' || user === 'u-2')));
      assert.equal(await hours('key', ['key-1']), cost(calls.filter(({ keyId }) => keyId === 'key-1')));
      assert.equal(await hours('customer', ['none']), 0n);
      assert.equal(await hours('user', []), 0n);
      const ofAttempts = (is: (attempt: CallAttempt) => boolean) =>
        priced.flatMap(({ attempts }) => attempts.filter(is)).reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? 0), 0n);
      assert.equal(
        await hours('model', ['mini']),
        ofAttempts(({ model }) => model === 'mini'),
      );
      assert.equal(
        await hours('provider', ['openai']),
        ofAttempts(({ provider }) => provider === 'openai'),
      );
    });

    it('breaks costs down by customer, user, operation, route and tag, exactly', async () => {
      const { costPicoUsd } = await stores.costs.totals(scope, second);
      for (const breakdown of [
        { by: 'customer' },
        { by: 'user' },
        { by: 'operation' },
        { by: 'route' },
        { by: 'requestedModel' },
        { by: 'tag', tag: "segment'" },
      ] as const) {
        const used = await stores.costs.usedAtPrices(scope, second, tiers, {}, breakdown);
        assert.equal(
          used.reduce((sum, row) => sum + row.costPicoUsd, 0n),
          costPicoUsd,
          breakdown.by,
        );
        const keys = new Set(used.map(({ extra }) => extra));
        if (breakdown.by === 'operation') assert.deepEqual([...keys], ['chat']);
        if (breakdown.by === 'tag') assert.deepEqual([...keys].sort(), ["gold'", null]);
        const { groups } = await stores.costs.economics(scope, second, breakdown.by, breakdown.by === 'tag' ? breakdown.tag : null);
        assert.ok(groups.length >= keys.size);
      }
    });

    it('knows what was paid for nothing, and what caches and routes saved', async () => {
      const waste = await stores.costs.waste(scope, first);
      const retries = week('first', first.from, scope, false)
        .filter(({ status, costPicoUsd }) => status === 'ok' && costPicoUsd !== null)
        .flatMap(({ attempts }) => attempts.filter(({ status }) => status === 'error'));
      assert.ok(waste.length === 2 && waste.every(({ kind }) => kind === 'retries'), 'of both features');
      assert.equal(
        waste.reduce((sum, { attempts }) => sum + attempts, 0),
        retries.length,
      );
      assert.equal(
        waste.reduce((sum, row) => sum + row.costPicoUsd, 0n),
        retries.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? 0), 0n),
      );
      const { prices } = await readPrices(scope, stores.costs, async (id) => priceOf(id), [first]);
      const view = costWaste(first, (await use(first)).used, waste, await stores.costs.savings(scope, first), prices);
      // Read from the prompt cache at a tenth of the price: 90 of 100 a token of "cheap" saved.
      const read = (await use(first)).used.reduce((sum, { tokens }) => sum + tokens.cacheReadTokens, 0n);
      assert.equal(BigInt(view.savings.promptCache.picoUsd), read * 90n);
      assert.ok(view.waste.ratio !== null && view.waste.ratio > 0 && view.waste.ratio < 1);
      assert.equal(
        view.features.reduce((sum, feature) => sum + BigInt(feature.waste.picoUsd), 0n),
        BigInt(view.waste.picoUsd),
      );
    });

    it('knows who used what, and what each model cost on each day', async () => {
      const { costPicoUsd, unpricedCalls, calls } = await stores.costs.totals(scope, first);
      const rows = await stores.costs.showback(scope, first);
      assert.equal(
        rows.reduce((sum, row) => sum + row.costPicoUsd, 0n),
        costPicoUsd,
      );
      assert.equal(
        rows.reduce((sum, row) => sum + row.calls, 0),
        Number(calls),
      );
      assert.deepEqual(new Set(rows.map(({ team, feature }) => `${team} ${feature}`)).size, rows.length);
      const days = await stores.costs.modelDays(scope, first, ['openai', 'nobody']);
      assert.equal(
        days.reduce((sum, row) => sum + row.costPicoUsd, 0n),
        costPicoUsd,
        'all of it is of one provider',
      );
      assert.equal(
        days.reduce((sum, row) => sum + row.unpricedAttempts, 0),
        Number(unpricedCalls),
      );
      assert.deepEqual([...new Set(days.map(({ day }) => day))].sort(), ['2026-06-01', '2026-06-02']);
      assert.deepEqual(await stores.costs.modelDays(scope, first, []), []);
    });

    it('knows what is shared and what is a team’s own; both add up', async () => {
      const { costPicoUsd, calls } = await stores.costs.totals(scope, first);
      const rules = sharedRules(
        sharedCostsConfig.parse([
          { name: 'fee', monthlyUsd: 10, split: 'even' },
          { name: 'platform', keys: ['key-1'], features: ["no'such"], split: 'spend' },
          { name: 'nobodys', withoutTeam: true, split: 'requests' },
        ]),
      );
      const uses = await stores.costs.teamUse(scope, first, rules);
      assert.equal(
        uses.reduce((sum, use) => sum + use.costPicoUsd, 0n),
        costPicoUsd,
      );
      assert.equal(
        uses.reduce((sum, use) => sum + use.calls, 0),
        Number(calls),
      );
      const made = week('first', first.from, scope, false);
      const cost = (of: readonly CallSettled[]) => of.reduce((sum, call) => sum + BigInt(call.costPicoUsd ?? 0), 0n);
      const shared = (rule: string | null) => uses.filter((use) => use.rule === rule).reduce((sum, use) => sum + use.costPicoUsd, 0n);
      assert.equal(shared('platform'), cost(made.filter(({ keyId }) => keyId === 'key-1')));
      assert.equal(shared('nobodys'), cost(made.filter(({ keyId, team }) => keyId !== 'key-1' && team === null)));
      assert.equal(shared(null), cost(made.filter(({ keyId, team }) => keyId !== 'key-1' && team !== null)));
      const { teams, totalPicoUsd } = allocate(rules, uses, first);
      assert.equal(teams.reduce((sum, team) => sum + BigInt(team.totalPicoUsd), 0n).toString(), totalPicoUsd);
      const none = await stores.costs.teamUse(scope, first, []);
      assert.ok(none.every(({ rule }) => rule === null));
    });

    it('answers for a period without calls', async () => {
      const empty = { from: 0, to: 1 };
      assert.deepEqual(await stores.costs.totals(scope, empty), { calls: 0n, cachedCalls: 0n, unpricedCalls: 0n, costPicoUsd: 0n });
      assert.deepEqual(await stores.costs.usedAtPrices(scope, empty, []), []);
      const view = costEconomics(empty, 'team', await stores.costs.economics(scope, empty, 'team', null));
      assert.deepEqual([view.total.calls, view.total.perCallPicoUsd, view.unallocated.team.ratio], [0, null, null]);
    });
  });
}
