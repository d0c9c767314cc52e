import { ALWAYS, type Period, periodAt } from './calendar.ts';
import type { LimitRule, LimitScope } from './limit-rule.ts';

/**
 * What a limit counts. Money is in nano-dollars, rounded up, so that every amount is a safe integer. `spent_nano_usd` is money that was spent,
 * without what calls in flight may cost: how fast a run spends.
 */
export type LimitUnit = 'requests' | 'tokens' | 'concurrency' | 'nano_usd' | 'steps' | 'spent_nano_usd';

/** window: what lies in the trailing window · gauge: what is in flight · total: what was used in a period */
export type LimitKind = 'window' | 'gauge' | 'total';

/** One number of a rule, ready to be checked. */
export interface Limit {
  /** Rule and number, e.g. `feature:customer-support/requests-per-minute`; counters are kept under it when the configuration changes. */
  readonly id: string;
  readonly rule: LimitRule;
  readonly scope: LimitScope;
  readonly unit: LimitUnit;
  readonly kind: LimitKind;
  readonly capacity: number;
  /** Null but for windows. */
  readonly windowMs: number | null;
  /** `minute`, `day`, `run` …; null for concurrency. */
  readonly periodName: string | null;
  /** The period that holds a moment, for totals. */
  periodAt(epochMs: number): Period;
  /** False: it is counted and never refuses (`onExceed: alert`). */
  readonly isEnforced: boolean;
}

const WINDOW_NAMES: Readonly<Record<number, string>> = { 1000: 'second', 60000: 'minute', 3600000: 'hour', 86400000: 'day' };

const always = (): Period => ALWAYS;

/** The numbers of a rule, the cheapest to check first. */
export function limitsOf(rule: LimitRule): Limit[] {
  const base = { rule, scope: rule.scope, periodAt: always, isEnforced: rule.onExceed !== 'alert' };
  const limits: Limit[] = [];
  if (rule.concurrency !== null)
    limits.push({
      ...base,
      id: `${rule.id}/concurrency`,
      unit: 'concurrency',
      kind: 'gauge',
      capacity: rule.concurrency,
      windowMs: null,
      periodName: null,
    });
  if (rule.maxSteps !== null)
    limits.push({
      ...base,
      id: `${rule.id}/steps`,
      unit: 'steps',
      kind: 'total',
      capacity: rule.maxSteps,
      windowMs: null,
      periodName: 'run',
    });
  for (const { unit, amount, windowMs } of rule.windows) {
    const periodName = WINDOW_NAMES[windowMs] ?? `${windowMs} ms`;
    const what = unit === 'spent_nano_usd' ? 'spent' : unit;
    limits.push({ ...base, id: `${rule.id}/${what}-per-${periodName}`, unit, kind: 'window', capacity: amount, windowMs, periodName });
  }
  const { budget } = rule;
  if (budget !== null) {
    const { per, timeZone } = budget;
    limits.push({
      ...base,
      id: `${rule.id}/budget-per-${per}${timeZone === 'UTC' ? '' : `@${timeZone}`}`,
      unit: 'nano_usd',
      kind: 'total',
      capacity: budget.nanoUsd,
      windowMs: null,
      periodName: per,
      periodAt: per === 'run' ? always : (epochMs) => periodAt(epochMs, per, timeZone),
    });
  }
  return limits;
}
