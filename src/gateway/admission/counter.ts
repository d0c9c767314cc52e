import { Accounts } from './account.ts';
import type { CounterState } from './history.ts';
import type { Limit } from './limit.ts';
import { SlidingWindow } from './sliding-window.ts';
import type { WaitingLine } from './waiting-line.ts';

/** Entries of a window that a checkpoint keeps; neighbours are merged, each as young as its youngest part. */
const KEPT_ENTRIES = 64;

/** A session (agent run) that was not used for so long is over. */
const RUN_IDLE_MS = 86_400_000;

/**
 * What one member of a scope has used of one limit. Checking and taking are synchronous: nothing can come between them.
 * Amounts are safe integers in the unit of the limit. `nowMs` is monotonic, `epochMs` the wall clock, which decides the calendar period.
 */
export class Counter {
  /** Replaced when the configuration changes; its id never does. */
  limit: Limit;
  readonly member: string;
  /** The member for people. */
  label: string;
  /** Calls that wait for room here; null while there are none. */
  line: WaitingLine | null = null;
  readonly #window: SlidingWindow | null;
  /** Totals only. */
  readonly #accounts: Accounts | null;
  /** Windows and gauges: amounts of calls in flight. */
  #inFlight = 0;
  #lastUsedMs = 0;
  /** Monotonic; of a limit that only alerts. */
  #alertedMs = Number.NEGATIVE_INFINITY;

  constructor(limit: Limit, member: string, epochMs: number) {
    this.limit = limit;
    this.member = member;
    this.label = member;
    this.#window = limit.windowMs === null ? null : new SlidingWindow(limit.windowMs);
    this.#accounts = limit.kind === 'total' ? new Accounts(limit, epochMs) : null;
  }

  /** Takes over changed amounts. */
  use(limit: Limit): void {
    this.limit = limit;
    this.#accounts?.use(limit);
  }

  /** Makes the period of this moment the current one, for who only looks. */
  turnTo(epochMs: number): void {
    this.#accounts?.turnTo(this.limit, epochMs);
  }

  /** In flight: taken and not settled. Of windows it is in the window too. */
  get reserved(): number {
    return this.#accounts === null ? this.#inFlight : this.#accounts.current.reserved;
  }

  /** What lies in the window, is in flight, or was booked in the period. */
  used(nowMs: number): number {
    if (this.#window !== null) return this.#window.sum(nowMs);
    return this.#accounts === null ? this.#inFlight : this.#accounts.current.spent;
  }

  /** Pico-dollars booked in the current period, exact; 0 for what is not money. */
  get spentPicoUsd(): bigint {
    return this.limit.unit === 'nano_usd' ? (this.#accounts?.current.spentPicoUsd ?? 0n) : 0n;
  }

  /** Of the current period; null for windows and concurrency, and for runs, which have no end. */
  get periodEndMs(): number | null {
    const endMs = this.#accounts?.current.endMs ?? null;
    return endMs === null || !Number.isFinite(endMs) ? null : endMs;
  }

  /** Of the current period; null where there is none. */
  get periodStartMs(): number | null {
    const startMs = this.#accounts?.current.startMs ?? null;
    return startMs === null || !Number.isFinite(startMs) ? null : startMs;
  }

  /** @returns true when more is used than the limit allows, and that was not said within `everyMs` */
  takeAlert(nowMs: number, everyMs: number): boolean {
    if (this.#accounts !== null || this.used(nowMs) <= this.limit.capacity || nowMs - this.#alertedMs < everyMs) return false;
    this.#alertedMs = nowMs;
    return true;
  }

  /** What another call can still take. */
  remaining(nowMs: number): number {
    return Math.max(0, this.limit.capacity - this.used(nowMs) - (this.#accounts === null ? 0 : this.#accounts.current.reserved));
  }

  fits(amount: number, nowMs: number, epochMs: number): boolean {
    const { capacity } = this.limit;
    if (this.#window !== null) return this.#window.sum(nowMs) + amount <= capacity;
    if (this.#accounts === null) return this.#inFlight + amount <= capacity;
    if (!this.#accounts.current.holds(epochMs)) this.#accounts.turnTo(this.limit, epochMs);
    const { spent, reserved } = this.#accounts.current;
    // What costs nothing fits under every budget.
    return amount === 0 || spent + reserved + amount <= capacity;
  }

  /** Reserves. Whether it fits was asked in the same turn, unless the limit only counts. */
  take(amount: number, nowMs: number, epochMs: number): void {
    this.#lastUsedMs = nowMs;
    if (this.#accounts !== null) {
      if (!this.#accounts.current.holds(epochMs)) this.#accounts.turnTo(this.limit, epochMs);
      this.#accounts.current.reserved += amount;
      return;
    }
    this.#inFlight += amount;
    this.#window?.add(nowMs, amount);
  }

  /**
   * Ends a reservation with what was really used; it counts where it was taken, in time and period.
   * @param amount as taken @param takenMs monotonic @param takenEpochMs wall clock @param restPicoUsd part of the cost below `actual`, 0 to 999
   * @returns true when a share of the budget was reached that was not reported yet
   */
  settle(amount: number, takenMs: number, takenEpochMs: number, actual: number, restPicoUsd = 0): boolean {
    if (this.#accounts === null) {
      this.#inFlight -= amount;
      if (actual !== amount) this.#window?.correct(takenMs, actual - amount);
      return false;
    }
    const account = this.#accounts.at(takenEpochMs);
    if (account === null) return false;
    account.reserved -= amount;
    return account.book(actual, restPicoUsd) && account === this.#accounts.current;
  }

  /** Books what was used before this process began to count. */
  restore(actual: number, restPicoUsd: number, usedAtMs: number, usedAtEpochMs: number): void {
    this.#lastUsedMs = Math.max(this.#lastUsedMs, usedAtMs);
    this.#window?.add(usedAtMs, actual);
    if (this.#accounts === null) return;
    this.#accounts.turnTo(this.limit, usedAtEpochMs);
    this.#accounts.current.book(actual, restPicoUsd);
  }

  /** What a process that continues has to know; null when there is nothing. */
  state(nowMs: number, epochMs: number): CounterState | null {
    if (this.#window !== null) {
      const entries = this.#window.entries(nowMs, KEPT_ENTRIES).map(([ageMs, amount]): [number, number] => [epochMs - ageMs, amount]);
      return entries.length === 0 ? null : { kind: 'window', entries };
    }
    if (this.#accounts === null || this.isForgettable(nowMs, epochMs)) return null;
    const isMoney = this.limit.unit === 'nano_usd';
    const accounts = this.#accounts.all().filter((account) => account.spent > 0 && epochMs < account.endMs);
    if (accounts.length === 0) return null;
    const lastUsedAtMs = Math.round(epochMs - (nowMs - this.#lastUsedMs));
    return { kind: 'total', accounts: accounts.map((account) => account.state(isMoney)), lastUsedAtMs };
  }

  /** Continues a counter of an earlier process. */
  restoreState(state: CounterState, nowMs: number, epochMs: number): void {
    const toMonotonic = (atMs: number): number => nowMs - Math.max(0, epochMs - atMs);
    if (state.kind === 'window') {
      for (const [atMs, amount] of state.entries) this.#window?.add(toMonotonic(atMs), amount);
      return;
    }
    for (const [startMs, spent] of state.accounts) {
      const isMoney = this.limit.unit === 'nano_usd';
      const [whole, rest] = isMoney ? [Number(BigInt(spent) / 1000n), Number(BigInt(spent) % 1000n)] : [Number(spent), 0];
      this.restore(whole, rest, toMonotonic(state.lastUsedAtMs), startMs ?? epochMs);
    }
  }

  /** Shares of the budget, percent, that were reached since this was asked before; each is told once per period. */
  takeReached(): number[] {
    return this.#accounts?.current.takeReached(this.limit) ?? [];
  }

  /** Milliseconds until `amount` fits by time alone; null when calls in flight decide it, or when it never does. */
  waitMs(amount: number, nowMs: number, epochMs: number): number | null {
    if (this.#window !== null) return this.#window.waitMs(nowMs, amount, this.limit.capacity);
    const endMs = this.periodEndMs;
    return endMs === null || amount > this.limit.capacity ? null : Math.max(0, endMs - epochMs);
  }

  /** Milliseconds until nothing is used any more if nothing more is taken; null when that is not a matter of time. */
  emptyInMs(nowMs: number, epochMs: number): number | null {
    if (this.#window !== null) return this.#window.emptyInMs(nowMs);
    const endMs = this.periodEndMs;
    return endMs === null ? null : Math.max(0, endMs - epochMs);
  }

  /** Nothing would be lost if it were forgotten. */
  isForgettable(nowMs: number, epochMs: number): boolean {
    if (this.line !== null || this.#inFlight !== 0) return false;
    if (this.#window !== null) return this.#window.sum(nowMs) === 0;
    if (this.#accounts === null || this.#accounts.isOver(epochMs)) return true;
    return this.periodEndMs === null && this.#accounts.current.reserved === 0 && nowMs - this.#lastUsedMs > RUN_IDLE_MS;
  }
}
