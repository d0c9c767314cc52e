import { Accounts } from './account.ts';
import type { CounterState } from './history.ts';
import { Lease } from './lease.ts';
import type { LeaseReport } from './lease-source.ts';
import type { Limit } from './limit.ts';
import { SlidingWindow } from './sliding-window.ts';
import type { WaitingLine } from './waiting-line.ts';

/** Entries of a window that a checkpoint keeps; neighbours are merged, each as young as its youngest part. */
const KEPT_ENTRIES = 64;

/** A session (agent run) that was not used for so long is over. */
const RUN_IDLE_MS = 86_400_000;

/** So long before it leaves the window a borrowed amount is not given back any more: the source may have dropped it already. */
const LATE_MS = 250;
/** Of a limit that is shared nobody here knows when it has room again. */
const SHARED_WAIT_MS = 1_000;

/**
 * What one member of a scope has used of one limit. Checking and taking are synchronous: nothing can come between them.
 * Amounts are safe integers in the unit of the limit. `nowMs` is monotonic, `epochMs` the wall clock, which decides the calendar period.
 * With a lease it counts what this gateway has used, and takes only from what was lent to it.
 */
export class Counter {
  /** Replaced when the configuration changes; its id never does. */
  limit: Limit;
  readonly member: string;
  /** The member for people. */
  label: string;
  /** Calls that wait for room here; null while there are none. */
  line: WaitingLine | null = null;
  /** Null while this gateway is alone with its limits. */
  lease: Lease | null = null;
  /** Shared counters of which the source has to hear. */
  #active: Set<Counter> | null = null;
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

  /** From now on the limit is shared with other gateways. @param active where it stands while the source has to hear of it */
  share(active: Set<Counter>): void {
    if (this.lease !== null) return;
    this.#active = active;
    this.#borrowAnew();
  }

  #borrowAnew(): void {
    this.lease = new Lease(`${this.limit.id}\n${this.member}\n${this.periodStartMs ?? ''}`);
    this.#active?.add(this);
  }

  /** Makes the period of this moment the current one. A new period borrows anew. */
  turnTo(epochMs: number): void {
    const accounts = this.#accounts;
    if (accounts === null || accounts.current.holds(epochMs)) return;
    accounts.turnTo(this.limit, epochMs);
    if (this.lease !== null) this.#borrowAnew();
  }

  /** In flight: taken and not settled. Of windows it is in the window too. */
  get reserved(): number {
    return this.#accounts === null ? this.#inFlight : this.#accounts.current.reserved;
  }

  /** What lies in the window, is in flight, or was booked in the period; by this gateway. */
  used(nowMs: number): number {
    if (this.#window !== null) return this.#window.sum(nowMs);
    return this.#accounts === null ? this.#inFlight : this.#accounts.current.spent;
  }

  /** The same by all gateways, as far as this one has heard. */
  usedByAll(nowMs: number): number {
    return this.used(nowMs) + (this.lease?.usedByOthers ?? 0);
  }

  /** Pico-dollars booked in the current period by this gateway; 0 for what is not money. Exact. */
  get spentPicoUsd(): bigint {
    return this.limit.unit === 'nano_usd' && this.#accounts !== null ? this.#accounts.current.spentPicoUsd : 0n;
  }

  /** By all gateways, as far as this one has heard; what others have spent is known in nano-dollars, rounded up. */
  get spentByAllPicoUsd(): bigint {
    return this.limit.unit === 'nano_usd' ? this.spentPicoUsd + BigInt(this.lease?.usedByOthers ?? 0) * 1000n : 0n;
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
    if (this.#accounts !== null || this.usedByAll(nowMs) <= this.limit.capacity || nowMs - this.#alertedMs < everyMs) return false;
    this.#alertedMs = nowMs;
    return true;
  }

  /** What another call can still take. */
  remaining(nowMs: number): number {
    return Math.max(0, this.limit.capacity - this.usedByAll(nowMs) - (this.#accounts === null ? 0 : this.#accounts.current.reserved));
  }

  fits(amount: number, nowMs: number, epochMs: number): boolean {
    this.turnTo(epochMs);
    const { lease } = this;
    // What costs nothing fits under every budget.
    if (lease !== null) return (amount === 0 && this.#accounts !== null) || (lease.spare >= this.needs(amount) && lease.isValid(nowMs));
    return this.fitsAlone(amount, this.limit.capacity, nowMs);
  }

  /** Whether it fits under what this gateway has counted by itself. */
  fitsAlone(amount: number, capacity: number, nowMs: number): boolean {
    if (this.#window !== null) return this.#window.sum(nowMs) + amount <= capacity;
    if (this.#accounts === null) return this.#inFlight + amount <= capacity;
    const { spent, reserved } = this.#accounts.current;
    return amount === 0 || spent + reserved + amount <= capacity;
  }

  /** What has to be lent for a call to come in: of money that is counted only when it is spent, the least there is. */
  needs(amount: number): number {
    return this.limit.unit === 'spent_nano_usd' ? Math.max(1, amount) : amount;
  }

  /** What has to be borrowed before that much is lent; 0 = it is. What was taken beyond what was lent is owed no more once calls have settled. */
  lacks(amount: number): number {
    const { lease } = this;
    if (lease === null || lease.spare >= amount) return 0;
    return amount - Math.max(lease.spare, this.#window === null ? -this.reserved : 0);
  }

  /** Reserves. Whether it fits was asked in the same turn, unless the limit only counts. */
  take(amount: number, nowMs: number, epochMs: number): void {
    this.#lastUsedMs = nowMs;
    this.turnTo(epochMs);
    const { lease } = this;
    if (lease !== null) {
      lease.take(amount, nowMs);
      this.#active?.add(this);
      if (this.#window !== null) lease.used += amount;
    }
    if (this.#accounts !== null) {
      this.#accounts.current.reserved += amount;
      return;
    }
    this.#inFlight += amount;
    this.#window?.add(nowMs, amount);
  }

  /** Reserves more for a call that was let in before, in its own period. Totals only. */
  takeMore(amount: number, takenEpochMs: number, nowMs: number): void {
    const account = this.#accounts?.at(takenEpochMs) ?? null;
    if (account === null) return;
    account.reserved += amount;
    if (account !== this.#accounts?.current || this.lease === null) return;
    this.lease.take(amount, nowMs);
    this.#active?.add(this);
  }

  /**
   * Ends a reservation with what was really used; it counts where it was taken, in time and period.
   * @param amount as taken @param takenMs monotonic @param takenEpochMs wall clock @param restPicoUsd part of the cost below `actual`, 0 to 999
   * @returns true when a share of the budget was reached that was not reported yet
   */
  settle(amount: number, takenMs: number, takenEpochMs: number, actual: number, restPicoUsd: number, nowMs: number): boolean {
    const { lease } = this;
    if (lease !== null) {
      lease.touch(nowMs);
      this.#active?.add(this);
    }
    if (this.#accounts === null) {
      this.#inFlight -= amount;
      if (this.#window === null) {
        if (lease !== null) lease.spare += amount;
      } else if (actual !== amount) {
        const change = this.#window.correct(takenMs, actual - amount);
        if (lease !== null && (change > 0 || nowMs - takenMs < this.#window.windowMs - LATE_MS)) {
          lease.used += change;
          lease.spare -= change;
        }
      }
      return false;
    }
    const account = this.#accounts.at(takenEpochMs);
    if (account === null) return false;
    account.reserved -= amount;
    const before = account.spent;
    const isReached = account.book(actual, restPicoUsd);
    if (account !== this.#accounts.current) return false;
    if (lease !== null) lease.spare += amount - (account.spent - before);
    return isReached || account.hasReached(account.spent + (lease?.usedByOthers ?? 0));
  }

  /** What the source has to know. @param keepsSpare false = what no call needs is given back */
  report(lease: Lease, keepsSpare: boolean, nowMs: number, epochMs: number): LeaseReport {
    const reserved = this.#window === null ? this.reserved : 0;
    // What was used beyond what was lent is in `used` by now.
    lease.spare = Math.max(lease.spare, -reserved);
    if (!keepsSpare) lease.spare = Math.min(0, lease.spare);
    const { limit } = this;
    const endMs = this.periodEndMs;
    const report: LeaseReport = {
      key: lease.key,
      kind: limit.kind,
      capacity: limit.capacity,
      windowMs: limit.windowMs,
      keepMs: limit.windowMs ?? (limit.kind === 'gauge' ? 0 : endMs === null ? RUN_IDLE_MS : Math.max(0, endMs - epochMs)),
      used: this.#accounts === null ? lease.used : this.#accounts.current.spent,
      inWindow: this.#window?.sum(nowMs) ?? 0,
      held: reserved + lease.spare,
      spare: Math.max(0, lease.spare),
      want: lease.want,
      least: lease.want > 0 ? lease.least : 0,
      ahead: lease.ahead,
    };
    return lease.isKnown || this.#window === null ? report : { ...report, restored: this.#window.entries(nowMs, KEPT_ENTRIES) };
  }

  /** @returns true when a share of the budget was reached by all gateways together that was not reported yet */
  noteUsedByOthers(used: number): boolean {
    if (this.lease !== null) this.lease.usedByOthers = used;
    const account = this.#accounts?.current;
    return account?.hasReached(account.spent + used) ?? false;
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
    return this.#accounts?.current.takeReached(this.limit, this.lease?.usedByOthers) ?? [];
  }

  /** Milliseconds until `amount` fits by time alone; null when calls in flight decide it, or when it never does. */
  waitMs(amount: number, nowMs: number, epochMs: number): number | null {
    if (this.#window !== null) {
      const waitMs = this.#window.waitMs(nowMs, amount, this.limit.capacity);
      return this.lease === null || waitMs === null ? waitMs : Math.max(waitMs, Math.min(SHARED_WAIT_MS, this.#window.windowMs));
    }
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
    // Calls wait for it, or the source believes that it holds something: a second one of the same key would say that it does not.
    if (this.#active?.has(this) === true) return false;
    if (this.#window !== null) return this.#window.sum(nowMs) === 0;
    if (this.#accounts === null || this.#accounts.isOver(epochMs)) return true;
    return this.periodEndMs === null && this.#accounts.current.reserved === 0 && nowMs - this.#lastUsedMs > RUN_IDLE_MS;
  }
}
