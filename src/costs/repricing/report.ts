import { z } from 'zod';
import type { LedgerAttempt, LedgerRow } from '../store.ts';
import type { KeptReason, RepricedResult } from './reprice-call.ts';

const pico = z.string().describe('Pico-dollars, decimal integer');

const RepricedSums = z.object({
  calls: z.int().describe('Calls that were looked at'),
  changedCalls: z.int(),
  beforePicoUsd: pico.describe('What the priced ones cost before, pico-dollars'),
  afterPicoUsd: pico.describe('What the priced ones cost after, pico-dollars'),
  differencePicoUsd: pico.describe('after − before'),
  unpricedBefore: z.int().describe('Calls without an amount before'),
  unpricedAfter: z.int().describe('Calls without an amount after'),
});

export const RepricingReport = z
  .object({
    total: RepricedSums.describe('The sum of `models`'),
    models: z
      .array(RepricedSums.extend({ provider: z.string().nullable(), model: z.string().nullable().describe('Id sent to the provider') }))
      .describe('By the model of the attempt that answered, else of the last one; null = no provider was asked'),
    kept: z.object({
      notConfigured: z.int().describe('Calls that kept their cost because a provider of theirs is no longer configured'),
      wouldLosePrice: z.int().describe('Calls that kept their cost because the model has no price now'),
    }),
  })
  .meta({ id: 'RepricingReport' });
export type RepricingReport = z.infer<typeof RepricingReport>;
type Sums = z.infer<typeof RepricedSums>;

const NOTHING: Sums = {
  calls: 0,
  changedCalls: 0,
  beforePicoUsd: '0',
  afterPicoUsd: '0',
  differencePicoUsd: '0',
  unpricedBefore: 0,
  unpricedAfter: 0,
};

export const EMPTY_REPORT: RepricingReport = { total: NOTHING, models: [], kept: { notConfigured: 0, wouldLosePrice: 0 } };

/** The attempt that answered, else the last one; null when no provider was called. */
export function decidingAttempt(row: LedgerRow): LedgerAttempt | null {
  return row.attempts.find(({ status }) => status === 'ok') ?? row.attempts.at(-1) ?? null;
}

function add(a: string, b: bigint | string): string {
  return (BigInt(a) + BigInt(b)).toString();
}

function plus(a: Sums, b: Sums): Sums {
  return {
    calls: a.calls + b.calls,
    changedCalls: a.changedCalls + b.changedCalls,
    beforePicoUsd: add(a.beforePicoUsd, b.beforePicoUsd),
    afterPicoUsd: add(a.afterPicoUsd, b.afterPicoUsd),
    differencePicoUsd: add(a.differencePicoUsd, b.differencePicoUsd),
    unpricedBefore: a.unpricedBefore + b.unpricedBefore,
    unpricedAfter: a.unpricedAfter + b.unpricedAfter,
  };
}

function sumsOf(before: LedgerRow, after: LedgerRow): Sums {
  const was = before.costPicoUsd ?? 0n;
  const is = after.costPicoUsd ?? 0n;
  return {
    calls: 1,
    changedCalls: before === after ? 0 : 1,
    beforePicoUsd: was.toString(),
    afterPicoUsd: is.toString(),
    differencePicoUsd: (is - was).toString(),
    unpricedBefore: before.costPicoUsd === null ? 1 : 0,
    unpricedAfter: after.costPicoUsd === null ? 1 : 0,
  };
}

/** The largest correction first. */
function byDifference(a: RepricingReport['models'][number], b: RepricingReport['models'][number]): number {
  const size = ({ differencePicoUsd }: Sums): bigint => BigInt(differencePicoUsd.replace('-', ''));
  if (size(a) !== size(b)) return size(a) > size(b) ? -1 : 1;
  return `${a.provider}/${a.model}` < `${b.provider}/${b.model}` ? -1 : 1;
}

/** Adds two reports; the lines of a model become one. */
export function addReports(a: RepricingReport, b: RepricingReport): RepricingReport {
  const byModel = new Map<string, RepricingReport['models'][number]>();
  for (const line of [...a.models, ...b.models]) {
    const key = JSON.stringify([line.provider, line.model]);
    const known = byModel.get(key);
    byModel.set(key, known === undefined ? line : { ...line, ...plus(known, line) });
  }
  return {
    total: plus(a.total, b.total),
    models: [...byModel.values()].sort(byDifference),
    kept: {
      notConfigured: a.kept.notConfigured + b.kept.notConfigured,
      wouldLosePrice: a.kept.wouldLosePrice + b.kept.wouldLosePrice,
    },
  };
}

/** The report over some calls, each with what became of it. */
export function reportOf(results: readonly { readonly before: LedgerRow; readonly result: RepricedResult }[]): RepricingReport {
  const lines = new Map<string, RepricingReport['models'][number]>();
  const kept: Record<KeptReason, number> = { not_configured: 0, would_lose_price: 0 };
  let total = NOTHING;
  for (const { before, result } of results) {
    const { provider = null, requestModel: model = null } = decidingAttempt(before) ?? {};
    const sums = sumsOf(before, result.row);
    const key = JSON.stringify([provider, model]);
    lines.set(key, { provider, model, ...plus(lines.get(key) ?? NOTHING, sums) });
    total = plus(total, sums);
    if (result.kept !== null) kept[result.kept]++;
  }
  const report = {
    total,
    models: [...lines.values()],
    kept: { notConfigured: kept.not_configured, wouldLosePrice: kept.would_lose_price },
  };
  return addReports(report, EMPTY_REPORT);
}
