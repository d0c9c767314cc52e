import { inputTokens, outputTokens } from '../../models/usage.ts';
import type { CallAttempt } from '../../traces/call-record.ts';
import type { Slotted } from '../slot-list.ts';
import type { Admission } from './admission.ts';
import type { Counter } from './counter.ts';
import type { LimitUnit } from './limit.ts';
import type { LimitRule } from './limit-rule.ts';

/** What a reservation holds of each unit. */
export interface Amounts {
  readonly tokens: number;
  readonly nanoUsd: number;
}

/** What was really used. `restPicoUsd` is the part of the cost below a nano-dollar, 0 to 999 pico-dollars. */
export interface Used {
  readonly isUsed: boolean;
  readonly tokens: number;
  readonly nanoUsd: number;
  readonly restPicoUsd: number;
}

export function amountOf(unit: LimitUnit, amounts: Amounts): number {
  switch (unit) {
    case 'tokens':
      return amounts.tokens;
    case 'nano_usd':
      return amounts.nanoUsd;
    case 'spent_nano_usd':
      return 0;
    case 'requests':
    case 'concurrency':
    case 'steps':
      return 1;
    default:
      return unit satisfies never;
  }
}

/** What is booked of a unit in the end. */
export function amountUsed(unit: LimitUnit, used: Used): number {
  switch (unit) {
    case 'tokens':
      return used.tokens;
    case 'nano_usd':
    case 'spent_nano_usd':
      return used.nanoUsd;
    case 'requests':
    case 'steps':
      return used.isUsed ? 1 : 0;
    case 'concurrency':
      return 0;
    default:
      return unit satisfies never;
  }
}

/** What says how much an attempt used. */
type Consumption = Pick<CallAttempt, 'httpStatus' | 'usage' | 'costPicoUsd' | 'bookedPicoUsd'>;

/** True when a provider may have begun to work for an attempt; what never left costs nobody anything. The same question is asked of a journal's record. */
function reachedProvider(attempt: Consumption): boolean {
  return attempt.httpStatus !== null || attempt.usage !== null || attempt.costPicoUsd !== '0';
}

/** Decimal integers of so many digits are safe. */
const SAFE_DIGITS = 15;

/** Sum over the attempts, of what is known; a cost of which nothing is known books nothing. */
export function usedBy(attempts: readonly Consumption[]): Used {
  let isUsed = false;
  let tokens = 0;
  let nanoUsd = 0;
  let restPicoUsd = 0;
  for (const attempt of attempts) {
    const { usage } = attempt;
    const costPicoUsd = attempt.costPicoUsd ?? attempt.bookedPicoUsd ?? null;
    isUsed ||= reachedProvider(attempt);
    if (usage !== null) tokens += inputTokens(usage) + outputTokens(usage);
    if (costPicoUsd === null || costPicoUsd === '0') continue;
    // Nearly every cost is a safe integer of pico-dollars; the others lose their last three digits first.
    const isSafe = costPicoUsd.length <= SAFE_DIGITS;
    const pico = Number(isSafe ? costPicoUsd : costPicoUsd.slice(-3));
    restPicoUsd += pico % 1000;
    nanoUsd += (isSafe ? Math.floor(pico / 1000) : Number(costPicoUsd.slice(0, -3))) + Math.floor(restPicoUsd / 1000);
    restPicoUsd %= 1000;
  }
  return { isUsed, tokens, nanoUsd, restPicoUsd };
}

/** Counters that were taken together and are settled together, once. */
class Hold {
  readonly counters: readonly Counter[];
  readonly tokens: number;
  nanoUsd: number;
  readonly takenMs: number;
  readonly takenEpochMs: number;
  readonly #admission: Admission;
  #isOpen = true;

  constructor(admission: Admission, counters: readonly Counter[], amounts: Amounts, takenMs: number, takenEpochMs: number) {
    this.#admission = admission;
    this.counters = counters;
    this.tokens = amounts.tokens;
    this.nanoUsd = amounts.nanoUsd;
    this.takenMs = takenMs;
    this.takenEpochMs = takenEpochMs;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Books what was used and gives the rest back. Only the first call counts. */
  close(used: Used): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const nowMs = this.#admission.clock.monotonicMs();
    for (const counter of this.counters) {
      const { unit } = counter.limit;
      const isReached = counter.settle(
        amountOf(unit, this),
        this.takenMs,
        this.takenEpochMs,
        amountUsed(unit, used),
        unit === 'nano_usd' ? used.restPicoUsd : 0,
        nowMs,
      );
      if (isReached) this.#admission.reportReached(counter);
    }
    // Only now, when all of it is given back: who waits may need more than one of them.
    for (const counter of this.counters) counter.line?.advance();
  }
}

/** What an attempt at one target holds of the limits of its model and provider. */
export class TargetHold extends Hold {
  /** The attempt is over. @param attempt its record; null when it never began */
  settle(attempt: CallAttempt | null): void {
    this.close(usedBy(attempt === null ? [] : [attempt]));
  }
}

const UNUSED: Used = Object.freeze({ isUsed: false, tokens: 0, nanoUsd: 0, restPicoUsd: 0 });

/**
 * A call's place under every limit that applies to it. Held from admission until `settle` or `release`, whichever comes first; both may be called
 * any number of times.
 */
export class Reservation extends Hold implements Slotted {
  slot = -1;
  /** It goes to a cheaper route: limits that send calls there let it pass. */
  readonly isDowngraded: boolean;
  readonly #owner: Admission;
  #targets: TargetHold[] | null = null;

  constructor(
    admission: Admission,
    counters: readonly Counter[],
    amounts: Amounts,
    isDowngraded: boolean,
    takenMs: number,
    takenEpochMs: number,
  ) {
    super(admission, counters, amounts, takenMs, takenEpochMs);
    this.isDowngraded = isDowngraded;
    this.#owner = admission;
  }

  /** The limit that forbids models without a price; null when none does. */
  get unpricedRule(): LimitRule | null {
    for (const { limit } of this.counters) {
      if (limit.unit === 'nano_usd' && limit.isEnforced && limit.rule.unpriced === 'reject') return limit.rule;
    }
    return null;
  }

  /** For `Admission`, which gives them out. */
  addHold(hold: TargetHold): void {
    this.#targets ??= [];
    this.#targets.push(hold);
  }

  /** What attempts on their way may cost. */
  targetsNanoUsd(): number {
    let sum = 0;
    if (this.#targets !== null) for (const hold of this.#targets) if (hold.isOpen) sum += hold.nanoUsd;
    return sum;
  }

  /** True when money is counted. */
  get hasBudget(): boolean {
    for (const { limit } of this.counters) if (limit.unit === 'nano_usd') return true;
    return false;
  }

  /** Books what the attempts used; the one place where a call's use is counted. */
  settle(attempts: readonly CallAttempt[]): void {
    if (!this.isOpen) return;
    this.#end(usedBy(attempts));
  }

  /** The call used nothing. */
  release(): void {
    if (this.isOpen) this.#end(UNUSED);
  }

  #end(used: Used): void {
    if (this.#targets !== null) for (const hold of this.#targets) hold.close(UNUSED);
    this.close(used);
    this.#owner.forget(this);
  }
}
