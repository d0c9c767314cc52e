import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PICO_PER_USD } from '../../kernel/money.ts';
import type { Price } from '../../models/price.ts';
import { ratio, round } from '../variance/ratio.ts';
import { costPlan, type PlanRequest } from './plan.ts';
import { AS_IT_IS, costOfProfile, type Profile, profileOfDescription } from './profile.ts';
import { selfHosted } from './self-hosted.ts';

/** Pico-dollars a token = US dollars per million tokens × 10⁶. */
function price(input: number, output: number, cached?: number): Price {
  const perToken = {
    inputUncachedTokens: `${input * 1e6}`,
    outputTextTokens: `${output * 1e6}`,
    ...(cached === undefined ? {} : { cacheReadTokens: `${cached * 1e6}` }),
  };
  return { priceId: `p-${input}-${output}`, perToken, perRequest: null, tiers: [] };
}

const DEAR = price(2, 8, 0.5);
const CHEAP = price(0.1, 0.4);

function described(changes: Partial<Parameters<typeof profileOfDescription>[0]> = {}): Profile {
  const made = profileOfDescription({
    inputTokens: 1000,
    outputTokens: 500,
    cachedRatio: 0,
    mix: [{ model: 'dear', weight: 1, price: DEAR }],
    ...changes,
  });
  assert.ok('profile' in made);
  return made.profile;
}

function plan(changes: Partial<PlanRequest> = {}) {
  return costPlan({
    basis: { kind: 'description', text: '', calls: null },
    profile: described(),
    requestsPerDay: 1000,
    growthPerMonthRatio: 0,
    peakDayFactor: 2,
    alternatives: [],
    selfHosted: null,
    feature: null,
    ...changes,
  });
}

describe('cost plan', () => {
  it('costs what the arithmetic says', () => {
    // 1000 × $2/M + 500 × $8/M = $0.006 a request; 30 000 requests a month.
    const { months, perRequestPicoUsd, tokensPerRequest } = plan();
    assert.equal(BigInt(perRequestPicoUsd), 6_000_000_000n);
    assert.equal(months.length, 12);
    assert.ok(months.every(({ picoUsd, requests }) => BigInt(picoUsd) === 180n * PICO_PER_USD && requests === 30_000));
    assert.equal(tokensPerRequest, 1500);
    // A quarter cached: 750 × 2 + 250 × 0.5 instead of 1000 × 2.
    assert.equal(BigInt(plan({ profile: described({ cachedRatio: 0.25 }) }).perRequestPicoUsd), 5_625_000_000n);
    // Four fifths on the cheap one.
    const mixed = described({
      mix: [
        { model: 'cheap', weight: 80, price: CHEAP },
        { model: 'dear', weight: 20, price: DEAR },
      ],
    });
    assert.equal(BigInt(plan({ profile: mixed }).perRequestPicoUsd), (4n * 300_000_000n + 6_000_000_000n) / 5n);
  });

  it('grows month by month', () => {
    const { months } = plan({ growthPerMonthRatio: 0.1 });
    assert.equal(BigInt(months[1]?.picoUsd ?? 0), 198n * PICO_PER_USD);
    assert.equal(BigInt(months[2]?.picoUsd ?? 0), (2178n * PICO_PER_USD) / 10n);
  });

  it('moves one driver at a time, the widest first', () => {
    const { sensitivity } = plan({ profile: described({ cachedRatio: 0.5 }) });
    // Input 500 × 2 + 500 × 0.5 = 1250, output 4000: of 5250.
    const of = (driver: string) => sensitivity.find((line) => line.driver === driver);
    assert.equal(BigInt(of('requests')?.highPicoUsd ?? 0), 189n * PICO_PER_USD);
    assert.equal(BigInt(of('outputTokens')?.highPicoUsd ?? 0) - BigInt(of('outputTokens')?.lowPicoUsd ?? 0), 48n * PICO_PER_USD);
    assert.equal(BigInt(of('inputTokens')?.highPicoUsd ?? 0) - BigInt(of('inputTokens')?.lowPicoUsd ?? 0), 15n * PICO_PER_USD);
    // Ten points of 1000 tokens from $2 to $0.5: $0.00015 a request, less.
    assert.equal(BigInt(of('cachedShare')?.highPicoUsd ?? 0), (1575n * PICO_PER_USD) / 10n - (45n * PICO_PER_USD) / 10n);
    assert.deepEqual(
      sensitivity.map(({ driver }) => driver).filter((driver) => driver !== 'growth'),
      ['requests', 'outputTokens', 'inputTokens', 'cachedShare'],
    );
  });

  it('compares models: cached input is plain where a model has no price for it, and what has no price is unpriced', () => {
    const noOutput: Price = { priceId: 'x', perToken: { inputUncachedTokens: '1' }, perRequest: null, tiers: [] };
    const { models } = plan({
      profile: described({ cachedRatio: 0.5 }),
      alternatives: [
        { model: 'none', price: null },
        { model: 'no output', price: noOutput },
        { model: 'dear', price: DEAR },
        { model: 'cheap', price: CHEAP },
      ],
    });
    assert.deepEqual(
      models.map(({ model, monthPicoUsd }) => [model, monthPicoUsd === null ? null : BigInt(monthPicoUsd)]),
      [
        ['cheap', 9n * PICO_PER_USD],
        ['dear', (1575n * PICO_PER_USD) / 10n],
        ['none', null],
        ['no output', null],
      ],
    );
    assert.equal(models[1]?.differencePicoUsd, '0');
  });

  it('says where budgets should sit, as limits that can be pasted', () => {
    const { budgets, limitsYaml } = plan({ feature: 'support', growthPerMonthRatio: 0.1 });
    assert.deepEqual(
      budgets.map(({ period, usd }) => [period, usd]),
      [
        ['month', '270'],
        ['day', '18'],
        ['request', '0.12'],
      ],
    );
    assert.match(limitsYaml, /scope: feature, name: "support", budgetUsd: 270, per: month/);
  });

  it('is linear in requests, exactly, whatever the load', () => {
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.nat(10_000),
        fc.integer({ min: 0, max: 100 }),
        fc.bigInt(1n, 10n ** 9n),
        (inputTokens, outputTokens, cached, requests) => {
          const profile = described({ inputTokens, outputTokens, cachedRatio: cached / 100 });
          const one = costOfProfile(profile, ratio(1n));
          const many = costOfProfile(profile, ratio(requests));
          assert.equal(many.numerator * one.denominator, one.numerator * requests * many.denominator);
          const up = costOfProfile(profile, ratio(requests), { ...AS_IT_IS, cachedShare: ratio(1n, 10n) });
          assert.ok(round(up) <= round(many), 'more from the cache is never dearer here');
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('self-hosting', () => {
  it('prices tokens by measured throughput, and knows the break-even', () => {
    // $2 an hour, 1000 tokens a second, half of the time busy: 1.8 M tokens an hour.
    const host = { gpuHourUsd: '2', gpusPerReplica: 1, tokensPerSecond: 1000, utilisationRatio: 0.5, peakFactor: 1 };
    const view = selfHosted(host, ratio(30_000n), ratio(1500n), ratio(180n * PICO_PER_USD));
    assert.ok(view);
    assert.equal(BigInt(view.perMillionTokensPicoUsd), 1_111_111_111_111n);
    assert.equal(view.requestsPerReplicaMonth, 876_000);
    assert.deepEqual([view.replicas, BigInt(view.monthPicoUsd)], [1, 1460n * PICO_PER_USD]);
    // $1460 / $0.006.
    assert.equal(view.breakEvenRequestsPerMonth, 243_334);
    const busy = selfHosted({ ...host, peakFactor: 3 }, ratio(600_000n), ratio(1500n), ratio(3600n * PICO_PER_USD));
    assert.equal(busy?.replicas, 3);
  });

  it('says never when a full replica costs more per request than the vendor', () => {
    const slow = { gpuHourUsd: '4', gpusPerReplica: 8, tokensPerSecond: 10, utilisationRatio: 0.5, peakFactor: 1 };
    assert.equal(selfHosted(slow, ratio(30_000n), ratio(1500n), ratio(180n * PICO_PER_USD))?.breakEvenRequestsPerMonth, null);
  });
});
