import type { LimitConfig } from '../limits-config.ts';
import { nanoUsd } from '../limits-config.ts';
import type { LimitRule } from './limit-rule.ts';

interface Feature {
  readonly owner?: string | undefined;
  readonly costOwner?: string | undefined;
  readonly loopBreaker?: { readonly maxSteps?: number | undefined; readonly maxUsdPerMinute?: number | undefined } | undefined;
}

const MINUTE_MS = 60_000;

/** What a feature's loop breaker counts per run. */
function loopBreakerRule(name: string, { owner, costOwner, loopBreaker }: Feature): LimitRule | null {
  const { maxSteps, maxUsdPerMinute } = loopBreaker ?? {};
  if (maxSteps === undefined && maxUsdPerMinute === undefined) return null;
  return {
    id: `loop-breaker@${name}`,
    scope: 'session',
    name: null,
    feature: name,
    windows: maxUsdPerMinute === undefined ? [] : [{ unit: 'spent_nano_usd', amount: nanoUsd(maxUsdPerMinute), windowMs: MINUTE_MS }],
    concurrency: null,
    budget: null,
    maxSteps: maxSteps ?? null,
    maxInputTokens: null,
    maxOutputTokens: null,
    maxCostNanoUsd: null,
    unpriced: 'allow',
    onExceed: 'reject',
    downgradeTo: null,
    queue: null,
    isLoopBreaker: true,
    owner: owner ?? null,
    costOwner: costOwner ?? null,
  };
}

const WINDOWS_MS = { Second: 1_000, Minute: 60_000, Hour: 3_600_000, Day: 86_400_000 } as const;

function windowsOf(limit: LimitConfig): LimitRule['windows'] {
  const windows: LimitRule['windows'][number][] = [];
  for (const unit of ['requests', 'tokens'] as const) {
    for (const [period, windowMs] of Object.entries(WINDOWS_MS)) {
      const amount = limit[`${unit}Per${period as keyof typeof WINDOWS_MS}`]; // the keys, widened by Object.entries
      if (amount !== undefined) windows.push({ unit, amount, windowMs });
    }
  }
  return windows;
}

/**
 * `limits:` and the loop breakers of features as the gateway reads them. Pure.
 * @param features also for the owners of limits that name a feature and no owner
 */
export function rulesOf(limits: readonly LimitConfig[], features: Readonly<Record<string, Feature>>): LimitRule[] {
  const seen = new Map<string, number>();
  const loopBreakers = Object.entries(features).map(([name, feature]) => loopBreakerRule(name, feature));
  const own = limits.map((limit): LimitRule => {
    const place = `${limit.scope}${limit.scope === 'global' ? '' : `:${limit.name ?? '*'}`}${limit.feature === undefined ? '' : `@${limit.feature}`}`;
    const number = (seen.get(place) ?? 0) + 1;
    seen.set(place, number);
    const featureName = limit.feature ?? (limit.scope === 'feature' ? limit.name : undefined);
    const feature = featureName === undefined ? undefined : features[featureName];
    return {
      id: number === 1 ? place : `${place}#${number}`,
      scope: limit.scope,
      name: limit.name ?? null,
      feature: limit.feature ?? null,
      windows: windowsOf(limit),
      concurrency: limit.concurrency ?? null,
      budget:
        limit.budgetUsd === undefined
          ? null
          : {
              nanoUsd: nanoUsd(limit.budgetUsd),
              per: limit.per ?? (limit.scope === 'session' ? 'run' : 'month'),
              timeZone: limit.timeZone,
              alertAtPercent: [...new Set(limit.alertAtPercent)].sort((a, b) => a - b),
            },
      maxSteps: limit.maxSteps ?? null,
      maxInputTokens: limit.maxInputTokens ?? null,
      maxOutputTokens: limit.maxOutputTokens ?? null,
      maxCostNanoUsd: limit.maxCostUsd === undefined ? null : nanoUsd(limit.maxCostUsd),
      unpriced: limit.unpriced,
      onExceed: limit.onExceed,
      downgradeTo: limit.downgradeTo ?? null,
      queue: limit.onExceed === 'queue' ? (limit.queue ?? { maxWaitMs: 10_000, maxLength: 1_000 }) : null,
      isLoopBreaker: false,
      owner: limit.owner ?? feature?.owner ?? null,
      costOwner: limit.costOwner ?? feature?.costOwner ?? null,
    };
  });
  return [...own, ...loopBreakers.filter((rule) => rule !== null)];
}
