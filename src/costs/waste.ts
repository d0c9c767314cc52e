import { z } from 'zod';
import { type CostPeriod, type SavingsRow, type UsedAtPrice, WASTE_KINDS, type WasteRow } from './cost-queries.ts';
import { listPrices, type PricesById } from './variance/segments.ts';

const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);

const WasteLine = z.object({
  picoUsd: pico('All of it'),
  ratio: z.number().nullable().describe('Share of the cost, 0 to 1; null = nothing was spent'),
  kinds: z.array(
    z.object({
      kind: z
        .enum(WASTE_KINDS)
        .describe(
          'errors: calls that failed; aborted: calls given up; retries, hedges: attempts that failed or lost in calls that went well',
        ),
      picoUsd: pico('Cost'),
      calls: z.int(),
      attempts: z.int().describe('Paid attempts'),
    }),
  ),
});

const SavingsLine = z.object({
  answerCache: z.object({
    picoUsd: pico('What the given answers cost when they were new'),
    calls: z.int(),
    unpricedCalls: z.int().describe('In no sum: what they cost when new is not known'),
  }),
  promptCache: z.object({
    picoUsd: pico(
      'The same input at the price of input that is not cached, less what was paid; below 0 when writing cost more than reading saved',
    ),
    unknownTokens: z.int().describe('Cached input without a known price: in no sum'),
  }),
  routing: z.object({
    picoUsd: pico('Estimate of the routes: what the target that is chosen without the route’s rules would have cost, less the chosen one'),
    calls: z.int(),
  }),
});

export const CostWaste = z
  .object({
    from: z.int(),
    to: z.int(),
    costPicoUsd: pico('Cost of the period'),
    waste: WasteLine,
    savings: SavingsLine,
    features: z
      .array(z.object({ feature: z.string(), costPicoUsd: pico('Cost'), waste: WasteLine, savings: SavingsLine }))
      .describe('The most waste first'),
  })
  .meta({ id: 'CostWaste' });
export type CostWaste = z.infer<typeof CostWaste>;

interface CacheSaving {
  readonly picoUsd: bigint;
  readonly unknownTokens: bigint;
}

const CACHED = ['cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens'] as const;

/** What the provider's prompt cache saved: the counterfactual is the same input, none of it cached. Exact, at the prices of each call. */
export function promptCacheSaving(used: readonly UsedAtPrice[], prices: PricesById): CacheSaving {
  let picoUsd = 0n;
  let unknownTokens = 0n;
  for (const row of used) {
    const list = listPrices(row, prices);
    for (const name of CACHED) {
      const tokens = row.tokens[name];
      if (tokens === 0n) continue;
      const [plain, own] = [list.inputUncachedTokens, list[name]];
      if (plain === undefined || own === undefined) unknownTokens += tokens;
      else picoUsd += tokens * (plain - own);
    }
  }
  return { picoUsd, unknownTokens };
}

function wasteLine(rows: readonly WasteRow[], cost: bigint): z.infer<typeof WasteLine> {
  const kinds = WASTE_KINDS.map((kind) => {
    const own = rows.filter((row) => row.kind === kind);
    return {
      kind,
      pico: own.reduce((sum, row) => sum + row.costPicoUsd, 0n),
      calls: own.reduce((sum, row) => sum + row.calls, 0),
      attempts: own.reduce((sum, row) => sum + row.attempts, 0),
    };
  });
  const all = kinds.reduce((sum, kind) => sum + kind.pico, 0n);
  return {
    picoUsd: all.toString(),
    ratio: cost === 0n ? null : Number((all * 1_000_000n) / cost) / 1_000_000,
    kinds: kinds.map(({ pico: amount, ...kind }) => ({ ...kind, picoUsd: amount.toString() })),
  };
}

function savingsLine(rows: readonly SavingsRow[], prompt: CacheSaving): z.infer<typeof SavingsLine> {
  const count = (value: (row: SavingsRow) => number): number => rows.reduce((sum, row) => sum + value(row), 0);
  const money = (value: (row: SavingsRow) => bigint): string => rows.reduce((sum, row) => sum + value(row), 0n).toString();
  return {
    answerCache: {
      picoUsd: money((row) => row.cachePicoUsd),
      calls: count((row) => row.cacheHits),
      unpricedCalls: count((row) => row.unpricedHits),
    },
    promptCache: { picoUsd: prompt.picoUsd.toString(), unknownTokens: Number(prompt.unknownTokens) },
    routing: { picoUsd: money((row) => row.routingPicoUsd), calls: count((row) => row.routedCalls) },
  };
}

/** What was paid for nothing, and what was not paid thanks to caches and routes, in all and by feature. Pure. */
export function costWaste(
  period: CostPeriod,
  used: readonly UsedAtPrice[],
  waste: readonly WasteRow[],
  savings: readonly SavingsRow[],
  prices: PricesById,
): CostWaste {
  const cost = (rows: readonly UsedAtPrice[]): bigint => rows.reduce((sum, row) => sum + row.costPicoUsd, 0n);
  const byFeature = Map.groupBy(used, ({ feature }) => feature);
  const names = new Set([...byFeature.keys(), ...waste.map(({ feature }) => feature), ...savings.map(({ feature }) => feature)]);
  const features = [...names].map((feature) => {
    const own = byFeature.get(feature) ?? [];
    return {
      feature,
      costPicoUsd: cost(own).toString(),
      waste: wasteLine(
        waste.filter((row) => row.feature === feature),
        cost(own),
      ),
      savings: savingsLine(
        savings.filter((row) => row.feature === feature),
        promptCacheSaving(own, prices),
      ),
    };
  });
  const amount = (line: (typeof features)[number]): bigint => BigInt(line.waste.picoUsd);
  return {
    ...period,
    costPicoUsd: cost(used).toString(),
    waste: wasteLine(waste, cost(used)),
    savings: savingsLine(savings, promptCacheSaving(used, prices)),
    features: features.sort((a, b) => (amount(a) === amount(b) ? (a.feature < b.feature ? -1 : 1) : amount(a) > amount(b) ? -1 : 1)),
  };
}
