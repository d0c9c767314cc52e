import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Counter } from './counter.ts';
import { LEASE_MS, type LeaseAnswer, type LeaseReport, type LeaseSource } from './lease-source.ts';

/** How often what has changed is told to the source. */
const BEAT_MS = 100;
/** A lease is renewed when so much of it is over. */
const RENEW_MS = LEASE_MS / 3;
/** The source must believe longer that we hold something than we do. */
const MARGIN_MS = 500;
/** How long calls wait for what others hold spare. */
const CONTENDED_MS = 500;
const FIRST_POLL_MS = 2;
const LONGEST_POLL_MS = 25;

export interface LeaseBrokerOptions {
  readonly source: LeaseSource;
  readonly clock: Clock;
  /** Shared counters; those that are no longer there are forgotten by the source in time. */
  readonly counters: () => Iterable<Counter>;
  /** A share of a budget was reached by all gateways together. */
  readonly onReached: (counter: Counter) => void;
  /** Told once per change. */
  readonly onState: (isReachable: boolean, reason: string) => void;
}

/** What came of asking: try again · there is none · the source does not answer. */
export type LeaseOutcome = 'granted' | 'full' | 'away';

interface Wish {
  readonly counter: Counter;
  readonly amount: number;
}

/** Limit, member and period: what all gateways call the same. */
export function leaseKey({ limit, member, periodStartMs }: Counter): string {
  return `${limit.id}\n${member}\n${periodStartMs ?? ''}`;
}

/**
 * Borrows for the counters of one gateway. One exchange is on its way at a time and carries all that is wanted then; between exchanges calls take
 * what was lent without a word.
 */
export class LeaseBroker {
  readonly #options: LeaseBrokerOptions;
  readonly #wanted = new Set<Counter>();
  readonly #recalled = new Set<string>();
  #exchange: Promise<boolean> | null = null;
  #timer: Timer | null = null;
  #sourceId: string | null = null;
  #isReachable = true;
  #isClosed = false;
  #renewedMs = 0;
  /** Monotonic; until then the source only listens. */
  #settledAtMs = 0;

  constructor(options: LeaseBrokerOptions) {
    this.#options = options;
    options.source.onRecall((keys) => {
      for (const key of keys) this.#recalled.add(key);
      void this.#run();
    });
    this.#beatLater();
  }

  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** Asks for what a call lacks. Resolves when it should try again, or need not. */
  async obtain(wishes: readonly Wish[]): Promise<LeaseOutcome> {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(LONGEST_POLL_MS, pollMs * 2)) {
      let isLacking = false;
      for (const { counter, amount } of wishes) {
        const { lease } = counter;
        if (lease === null || lease.spare >= amount) continue;
        lease.ask(amount - Math.max(0, lease.spare));
        this.#wanted.add(counter);
        isLacking = true;
      }
      if (!isLacking) {
        // Lent, but not valid any more: any answer renews it.
        for (const { counter } of wishes) if (counter.lease?.isValid(clock.monotonicMs()) === false) this.#wanted.add(counter);
      }
      if (!(await this.#run())) return 'away';
      const nowMs = clock.monotonicMs();
      if (wishes.every(({ counter: { lease }, amount }) => lease === null || (lease.spare >= amount && lease.isValid(nowMs))))
        return 'granted';
      if (wishes.some(({ counter: { lease }, amount }) => lease?.isFull(amount, nowMs) === true)) return 'full';
      if (nowMs >= Math.max(startMs, this.#settledAtMs) + CONTENDED_MS) {
        for (const { counter, amount } of wishes) if ((counter.lease?.spare ?? amount) < amount) counter.lease?.markFull(amount, nowMs);
        return 'full';
      }
      await new Promise<void>((resolve) => void clock.setTimer(pollMs, resolve));
    }
  }

  /** Gives everything back that no call holds. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#exchange?.catch(() => {});
    await this.#tell(true).catch(() => {});
    await this.#options.source.close();
  }

  /** The next exchange, which carries what is wanted now. @returns false when the source cannot be reached */
  async #run(): Promise<boolean> {
    // The one on its way left without us.
    if (this.#exchange !== null) await this.#exchange;
    this.#exchange ??= this.#tell(false).finally(() => {
      this.#exchange = null;
    });
    return this.#exchange;
  }

  #beatLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(BEAT_MS, () => void this.#run().finally(() => this.#beatLater()));
  }

  async #tell(isLast: boolean): Promise<boolean> {
    const { clock, source, counters } = this.#options;
    const nowMs = clock.monotonicMs();
    const epochMs = clock.nowMs();
    const isRenewal = nowMs - this.#renewedMs >= RENEW_MS;
    const told: Counter[] = [];
    const reports: LeaseReport[] = [];
    for (const counter of counters()) {
      counter.turnTo(epochMs);
      const { lease } = counter;
      if (lease === null) continue;
      const isHeld = lease.spare > 0 || counter.reserved > 0;
      const isIdle = isHeld && lease.spare > 0 && lease.isIdle(nowMs);
      if (!lease.isDirty && !isIdle && !this.#wanted.has(counter) && !(isHeld && (isRenewal || this.#recalled.size > 0)) && !isLast)
        continue;
      const key = leaseKey(counter);
      const isRecalled = this.#recalled.has(key);
      reports.push(counter.report(key, !(isIdle || isRecalled || isLast), nowMs, epochMs));
      told.push(counter);
      lease.isDirty = false;
    }
    this.#wanted.clear();
    this.#recalled.clear();
    if (reports.length === 0) return true;
    for (const { lease } of told) {
      if (lease === null) continue;
      lease.want = 0;
      lease.least = Number.POSITIVE_INFINITY;
    }
    const leases = told.map(({ lease }) => lease);
    try {
      const { answers, sourceId, settlingMs } = await source.exchange(reports);
      this.#settledAtMs = settlingMs > 0 ? clock.monotonicMs() + settlingMs : 0;
      if (isRenewal) this.#renewedMs = nowMs;
      this.#setReachable(true, '');
      if (this.#sourceId !== null && this.#sourceId !== sourceId) this.#reportAll();
      this.#sourceId = sourceId;
      // A lease that was replaced meanwhile belonged to a period that is over.
      for (const [index, counter] of told.entries()) {
        const answer = answers[index];
        const report = reports[index];
        if (answer !== undefined && report !== undefined && counter.lease === leases[index])
          this.#takeUp(counter, answer, report.least, nowMs);
      }
      return true;
    } catch (thrown) {
      for (const lease of leases) if (lease !== null) lease.isDirty = true;
      this.#setReachable(false, (thrown as Error).message);
      return false;
    }
  }

  #takeUp(counter: Counter, answer: LeaseAnswer, least: number, askedMs: number): void {
    const { lease } = counter;
    if (lease === null) return;
    lease.isKnown = true;
    lease.spare += answer.granted;
    lease.free = answer.free;
    // From when we asked: the source counts from when it heard.
    lease.validUntilMs = askedMs + LEASE_MS - MARGIN_MS;
    if (least > 0 && answer.granted < least && !answer.isContended) lease.markFull(least, this.#options.clock.monotonicMs());
    if (counter.noteUsedByAll(answer.used)) this.#options.onReached(counter);
  }

  /** The source has lost what it knew: it must hear of everything before it lends again. */
  #reportAll(): void {
    for (const { lease } of this.#options.counters()) if (lease !== null) lease.isDirty = true;
  }

  #setReachable(isReachable: boolean, reason: string): void {
    if (this.#isReachable === isReachable) return;
    this.#isReachable = isReachable;
    this.#options.onState(isReachable, reason);
  }
}
