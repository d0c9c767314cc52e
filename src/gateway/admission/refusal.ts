import { PlimsollError } from '../../kernel/errors.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { Counter } from './counter.ts';
import type { Limit } from './limit.ts';
import type { LimitRule, LimitScope } from './limit-rule.ts';

/** Given where nobody can say when a call in flight will end. */
const UNKNOWN_WAIT_MS = 1_000;

/** What a call lacks of a limit that is shared with other gateways. */
export interface Shortage {
  readonly counter: Counter;
  readonly amount: number;
}

const NOTHING: readonly Shortage[] = [];

/** A limit that a call does not fit under. Nothing was taken of any limit. */
export class Refusal {
  readonly counter: Counter;
  /** What the call asked for, in the limit's unit. */
  readonly amount: number;
  /** All limits that apply to the call. */
  readonly counters: readonly Counter[];
  readonly nowMs: number;
  readonly epochMs: number;
  /** Not refused yet: this gateway has to borrow first. Empty = refused. */
  readonly shortages: readonly Shortage[];

  constructor(
    counter: Counter,
    amount: number,
    counters: readonly Counter[],
    nowMs: number,
    epochMs: number,
    shortages: readonly Shortage[] = NOTHING,
  ) {
    this.counter = counter;
    this.amount = amount;
    this.counters = counters;
    this.nowMs = nowMs;
    this.epochMs = epochMs;
    this.shortages = shortages;
  }

  get isShort(): boolean {
    return this.shortages.length > 0;
  }

  get rule(): LimitRule {
    return this.counter.limit.rule;
  }

  /** True when no waiting helps: the call alone is larger than the limit. */
  get isHopeless(): boolean {
    return this.amount > this.counter.limit.capacity;
  }

  error(): PlimsollError {
    const { counter, amount, nowMs, epochMs, rule } = this;
    const { limit } = counter;
    const waitMs = counter.waitMs(amount, nowMs, epochMs);
    const retryAfterMs = this.isHopeless || limit.unit === 'steps' ? null : (waitMs ?? (limit.kind === 'gauge' ? UNKNOWN_WAIT_MS : null));
    const resetAtMs = limit.kind === 'total' ? (counter.periodEndMs ?? Number.NaN) : retryAfterMs === null ? null : epochMs + retryAfterMs;
    const resetAt = resetAtMs === null || !Number.isFinite(resetAtMs) ? null : new Date(Math.ceil(resetAtMs)).toISOString();
    return new PlimsollError(codeOf(limit), this.#message(resetAt), {
      details: {
        limit: {
          id: limit.id,
          scope: limit.scope,
          member: counter.label,
          unit: isMoney(limit) ? 'usd' : limit.unit,
          period: limit.periodName,
          limit: amountText(limit, limit.capacity),
          used: limit.unit === 'nano_usd' ? formatUsd(counter.spentByAllPicoUsd) : amountText(limit, counter.usedByAll(nowMs)),
          reserved: amountText(limit, counter.reserved),
          requested: amountText(limit, amount),
          resetAt,
          owner: rule.owner,
          costOwner: rule.costOwner,
        },
        ...(retryAfterMs === null
          ? {}
          : { retryAfterMs: Math.ceil(retryAfterMs), retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) }),
      },
    });
  }

  #message(resetAt: string | null): string {
    const { counter, amount, nowMs, rule } = this;
    const { limit } = counter;
    const who = describeMember(limit.scope, counter.label);
    const until = resetAt === null ? '' : limit.kind === 'gauge' ? '' : ` It has room again at ${resetAt}.`;
    const owner = ownerText(rule);
    switch (limit.unit) {
      case 'nano_usd': {
        const state = `$${formatUsd(counter.spentByAllPicoUsd)} of $${amountText(limit, limit.capacity)} per ${limit.periodName} spent, $${amountText(limit, counter.reserved)} reserved by calls in flight, and this call may cost $${amountText(limit, amount)}`;
        return `The budget of ${who} is used up: ${state}.${until}${owner}`;
      }
      case 'steps':
        return `The agent run of ${who} was stopped: it has made all of its ${limit.capacity} calls. End the run, or begin a new one with another goal.${owner}`;
      case 'spent_nano_usd':
        return `The agent run of ${who} was stopped: it has spent $${amountText(limit, counter.usedByAll(nowMs))} in the last ${limit.periodName}, more than $${amountText(limit, limit.capacity)}. Go on more slowly, with less text, or end the run.${owner}`;
      case 'concurrency':
        return `${capital(who)} already has ${counter.usedByAll(nowMs)} calls in flight; its limit is ${limit.capacity}.${owner}`;
      default: {
        const asks = limit.unit === 'tokens' ? `, and this call may use ${amount}` : '';
        const hopeless = this.isHopeless ? ' No waiting helps: the call is larger than the limit.' : until;
        return `${capital(who)} has used ${counter.usedByAll(nowMs)} of its ${limit.capacity} ${limit.unit} per ${limit.periodName}${asks}.${hopeless}${owner}`;
      }
    }
  }
}

/** No price, no budget: what cannot be counted is not let through where money is limited. */
export function unpriced(model: string, limitId: string): PlimsollError {
  return new PlimsollError(
    'budget_exceeded',
    `No price is known for "${model}", and the limit "${limitId}" counts money. Give it a price under prices, or set unpriced: allow on the limit.`,
    { details: { limit: { id: limitId, unit: 'usd' }, model } },
  );
}

function codeOf(limit: Limit): 'rate_limited' | 'budget_exceeded' | 'agent_loop_stopped' {
  if (limit.unit === 'steps' || limit.rule.isLoopBreaker) return 'agent_loop_stopped';
  return limit.unit === 'nano_usd' ? 'budget_exceeded' : 'rate_limited';
}

/** @returns dollars as exact decimal text, or the number itself */
export function amountText(limit: Limit, amount: number): string | number {
  return isMoney(limit) ? formatUsd(BigInt(Math.round(amount)) * 1000n) : amount;
}

function isMoney({ unit }: Limit): boolean {
  return unit === 'nano_usd' || unit === 'spent_nano_usd';
}

export function describeMember(scope: LimitScope, label: string): string {
  switch (scope) {
    case 'global':
      return 'this Plimsoll';
    case 'organisation':
      return 'the organisation';
    default:
      return `the ${scope} "${label}"`;
  }
}

export function ownerText({ owner, costOwner }: LimitRule): string {
  if (owner === null && costOwner === null) return '';
  if (owner === null) return ` Its cost owner is ${costOwner}.`;
  return costOwner === null ? ` Its owner is ${owner}.` : ` Its owner is ${owner}, its cost owner ${costOwner}.`;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
