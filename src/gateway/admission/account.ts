import type { Limit } from './limit.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** Accounts kept besides the current one: of the period before, and of one that a clock set back has left. */
const KEPT = 2;

/** What was used in one period. Whole units, and the part of money below a nano-dollar, 0 to 999 pico-dollars. */
export class Account {
  /** Epoch milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** Reserved by calls in flight. */
  reserved = 0;
  #spent = 0;
  #restPicoUsd = 0;
  /** Highest share of the budget, percent, that was reported. */
  #reportedPercent = 0;
  /** What must be spent for the next report. */
  #nextReport = NEVER;

  constructor(limit: Limit, epochMs: number) {
    const { startMs, endMs } = limit.periodAt(epochMs);
    this.startMs = startMs;
    this.endMs = endMs;
    this.use(limit);
  }

  /** Spent in whole units, rounded up. */
  get spent(): number {
    return this.#restPicoUsd > 0 ? this.#spent + 1 : this.#spent;
  }

  get spentPicoUsd(): bigint {
    return BigInt(this.#spent) * 1000n + BigInt(this.#restPicoUsd);
  }

  /** Start of the period (null = a run), and what was spent: pico-dollars, or a count. */
  state(isMoney: boolean): [number | null, string] {
    return [Number.isFinite(this.startMs) ? this.startMs : null, isMoney ? `${this.spentPicoUsd}` : `${this.#spent}`];
  }

  get isEmpty(): boolean {
    return this.reserved === 0 && this.#spent === 0 && this.#restPicoUsd === 0;
  }

  holds(epochMs: number): boolean {
    return epochMs >= this.startMs && epochMs < this.endMs;
  }

  /** Takes over changed amounts. Shares of a raised budget that are not reached any more are reported again when they are. */
  use(limit: Limit): void {
    const still = percents(limit).filter((percent) => percent <= this.#reportedPercent && this.#spent >= shareOf(limit, percent));
    this.#reportedPercent = still.at(-1) ?? 0;
    this.#armReport(limit);
  }

  /** @returns true when a share of the budget was reached that was not reported yet */
  book(amount: number, restPicoUsd: number): boolean {
    this.#spent += amount;
    this.#restPicoUsd += restPicoUsd;
    if (this.#restPicoUsd >= 1000) {
      this.#restPicoUsd -= 1000;
      this.#spent += 1;
    }
    return this.#spent >= this.#nextReport;
  }

  /** @param spent by all gateways */
  hasReached(spent: number): boolean {
    return spent >= this.#nextReport;
  }

  /** Shares, percent, that were reached since this was asked before; each is told once. @param spentByOthers gateways */
  takeReached(limit: Limit, spentByOthers = 0): number[] {
    const spent = this.#spent + spentByOthers;
    const reached = percents(limit).filter((percent) => percent > this.#reportedPercent && spent >= shareOf(limit, percent));
    this.#reportedPercent = reached.at(-1) ?? this.#reportedPercent;
    this.#armReport(limit);
    return reached;
  }

  #armReport(limit: Limit): void {
    const next = percents(limit).find((percent) => percent > this.#reportedPercent);
    this.#nextReport = next === undefined ? NEVER : shareOf(limit, next);
  }
}

/** Ascending. */
function percents(limit: Limit): readonly number[] {
  return limit.unit === 'nano_usd' ? (limit.rule.budget?.alertAtPercent ?? []) : [];
}

function shareOf(limit: Limit, percent: number): number {
  return Math.ceil((limit.capacity * percent) / 100);
}

/**
 * The accounts of one counter. The wall clock decides which is current, so that a period's account holds exactly the calls that the ledger dates into
 * it, also when the clock jumps to and fro.
 */
export class Accounts {
  current: Account;
  #others: Account[] = [];

  constructor(limit: Limit, epochMs: number) {
    this.current = new Account(limit, epochMs);
  }

  use(limit: Limit): void {
    for (const account of this.all()) account.use(limit);
  }

  /** Makes the account of this moment's period the current one. */
  turnTo(limit: Limit, epochMs: number): void {
    if (this.current.holds(epochMs)) return;
    const known = this.#others.find((account) => account.holds(epochMs));
    this.#others = [this.current, ...this.#others.filter((account) => account !== known)].slice(0, KEPT);
    this.current = known ?? new Account(limit, epochMs);
  }

  all(): readonly Account[] {
    return [this.current, ...this.#others];
  }

  /** The account of a period; null when it is long over. */
  at(epochMs: number): Account | null {
    return this.current.holds(epochMs) ? this.current : (this.#others.find((account) => account.holds(epochMs)) ?? null);
  }

  /** True when each is empty, or over at `epochMs` with nothing in flight. */
  isOver(epochMs: number): boolean {
    return this.all().every((account) => account.isEmpty || (account.reserved === 0 && epochMs >= account.endMs));
  }
}
