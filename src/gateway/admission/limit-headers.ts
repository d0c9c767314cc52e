import { formatUsd } from '../../kernel/money.ts';
import type { Call } from '../call.ts';
import type { Counter } from './counter.ts';
import type { LimitUnit } from './limit.ts';

/** Of several limits the one that will be reached first: the smallest share of it is left. */
function tightest(counters: readonly Counter[], unit: LimitUnit, nowMs: number): Counter | null {
  let found: Counter | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const counter of counters) {
    if (counter.limit.unit !== unit || !counter.limit.isEnforced) continue;
    const share = counter.remaining(nowMs) / counter.limit.capacity;
    if (share >= least) continue;
    least = share;
    found = counter;
  }
  return found;
}

/** A duration in OpenAI's form: `1s`, `6m0s`, `2h30m0s`, `120ms`. */
function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1_000);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds % 60}s`;
}

/** Limits that a call stands under; none for one that nothing limits. */
function countersOf(call: Call): readonly Counter[] {
  return call.reservation?.counters ?? call.refusal?.counters ?? [];
}

/**
 * Adds the tightest limits of requests, tokens and money that apply to the call, in OpenAI's form.
 * @returns true when there are `x-ratelimit-*` among them: the provider's, which speak of other limits, must then be left out
 */
export function addLimitHeaders(call: Call, head: string[]): boolean {
  const counters = countersOf(call);
  if (counters.length === 0) return false;
  const { nowMs, epochMs } = call.now();
  let hasRates = false;
  for (const unit of ['requests', 'tokens'] as const) {
    const counter = tightest(counters, unit, nowMs);
    if (counter === null) continue;
    hasRates = true;
    head.push(`x-ratelimit-limit-${unit}`, `${counter.limit.capacity}`);
    head.push(`x-ratelimit-remaining-${unit}`, `${counter.remaining(nowMs)}`);
    head.push(`x-ratelimit-reset-${unit}`, durationText(counter.emptyInMs(nowMs, epochMs) ?? 0));
  }
  const budget = tightest(counters, 'nano_usd', nowMs);
  if (budget !== null) head.push('x-plimsoll-budget-remaining-usd', formatUsd(BigInt(budget.remaining(nowMs)) * 1000n));
  return hasRates;
}
