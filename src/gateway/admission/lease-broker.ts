import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Counter } from './counter.ts';
import type { Lease } from './lease.ts';
import type { LeaseAnswer, LeaseReport, LeaseSource } from './lease-source.ts';
import type { Shortage } from './refusal.ts';

/** How often what has changed is told to the source. */
const BEAT_MS = 100;
/** The source must believe longer that we hold something than we do. */
const MARGIN_MS = 500;
/** How long calls wait for what others hold spare. */
const CONTENDED_MS = 500;
const FIRST_POLL_MS = 2;
const LONGEST_POLL_MS = 25;

export interface LeaseBrokerOptions {
  readonly source: LeaseSource;
  readonly clock: Clock;
  /** Shared counters of which the source has to hear; the broker takes out those that hold nothing any more. */
  readonly active: Set<Counter>;
  /** Every shared counter there is. */
  readonly counters: () => Iterable<Counter>;
  /** A share of a budget was reached by all gateways together. */
  readonly onReached: (counter: Counter) => void;
  /** Told once per change. */
  readonly onState: (isReachable: boolean, reason: string) => void;
}

/** What came of asking: try again · there is none · the source does not answer. */
export type LeaseOutcome = 'granted' | 'full' | 'away';

/** What was told of one counter. */
interface Told {
  readonly counter: Counter;
  /** Replaced meanwhile = it belonged to a period that is over. */
  readonly lease: Lease;
  readonly report: LeaseReport;
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
  /** The source has heard of everything that this process and those before it have used. */
  #hasToldAll = false;
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
  async obtain(wishes: readonly Shortage[]): Promise<LeaseOutcome> {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(LONGEST_POLL_MS, pollMs * 2)) {
      for (const { counter, amount } of wishes) this.#want(counter, amount);
      if (!(await this.#run())) return 'away';
      const nowMs = clock.monotonicMs();
      if (wishes.every(({ counter, amount }) => counter.lacks(amount) === 0 && counter.lease?.isValid(nowMs) !== false)) return 'granted';
      if (wishes.some(({ counter, amount }) => counter.lacks(amount) > 0 && counter.lease?.isFull(amount, nowMs))) return 'full';
      if (nowMs >= Math.max(startMs, this.#settledAtMs) + CONTENDED_MS) {
        for (const { counter, amount } of wishes) {
          if (counter.lease === null || counter.lacks(amount) === 0) continue;
          counter.lease.markFull(amount, nowMs);
          // The source hears that nobody asks any more.
          counter.lease.isDirty = true;
        }
        return 'full';
      }
      await clock.sleep(pollMs);
    }
  }

  /** Any answer makes valid again what was lent. */
  #want(counter: Counter, amount: number): void {
    const lacking = counter.lacks(amount);
    if (lacking > 0) counter.lease?.ask(lacking);
    this.#wanted.add(counter);
  }

  /** Gives everything back that no call holds. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#exchange;
    await this.#tell(true);
    await this.#options.source.close();
  }

  /** The next exchange, which carries what is wanted now. @returns false when the source cannot be reached */
  async #run(): Promise<boolean> {
    // The one on its way left without us.
    if (this.#exchange !== null) await this.#exchange;
    if (this.#isClosed) return false;
    this.#exchange ??= this.#tell(false).finally(() => {
      this.#exchange = null;
    });
    return this.#exchange;
  }

  #beatLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(BEAT_MS, () => void this.#run().finally(() => this.#beatLater()));
  }

  /** @param isRenewal also what has not changed is told: its lease runs out @param isLast nothing is kept but for calls in flight */
  #collect(isRenewal: boolean, isLast: boolean): Told[] {
    const { clock, active } = this.#options;
    const nowMs = clock.monotonicMs();
    const epochMs = clock.nowMs();
    const told: Told[] = [];
    for (const counter of active) {
      counter.turnTo(epochMs);
      const { lease } = counter;
      if (lease === null) continue;
      const isHeld = lease.spare > 0 || counter.reserved > 0;
      const isIdle = lease.spare > 0 && lease.isIdle(nowMs);
      const isRecalled = this.#recalled.has(lease.key);
      if (!(lease.isDirty || isIdle || isRecalled || isLast || (isHeld && isRenewal) || this.#wanted.has(counter))) continue;
      told.push({ counter, lease, report: counter.report(lease, !(isIdle || isRecalled || isLast), nowMs, epochMs) });
      lease.isDirty = false;
      lease.want = 0;
      lease.least = Number.POSITIVE_INFINITY;
    }
    this.#wanted.clear();
    this.#recalled.clear();
    return told;
  }

  async #tell(isLast: boolean): Promise<boolean> {
    const { clock, source } = this.#options;
    const nowMs = clock.monotonicMs();
    // A source that may lose what it knew is also asked who it is when there is nothing to tell.
    const isRenewal = Number.isFinite(source.leaseMs) && nowMs - this.#renewedMs >= source.leaseMs / 3;
    const isComplete = !this.#hasToldAll;
    for (const counter of this.#wanted) this.#options.active.add(counter);
    const told = this.#collect(isRenewal, isLast);
    if (told.length === 0 && !isRenewal && !isComplete) return true;
    try {
      const { answers, sourceId, settlingMs } = await source.exchange(
        told.map(({ report }) => report),
        isComplete,
      );
      this.#settledAtMs = settlingMs > 0 ? clock.monotonicMs() + settlingMs : 0;
      if (isRenewal) this.#renewedMs = nowMs;
      this.#hasToldAll = true;
      this.#setReachable(true, '');
      if (this.#sourceId !== null && this.#sourceId !== sourceId) this.#tellAllAnew();
      this.#sourceId = sourceId;
      for (const [index, answer] of answers.entries()) this.#takeUp(told[index] as Told, answer, nowMs); // one answer per report
      return true;
    } catch (thrown) {
      for (const { lease } of told) lease.isDirty = true;
      this.#setReachable(false, (thrown as Error).message);
      return false;
    }
  }

  #takeUp({ counter, lease, report }: Told, answer: LeaseAnswer, askedMs: number): void {
    if (counter.lease !== lease) return;
    const { clock, source, active } = this.#options;
    if (answer.isForgotten) {
      lease.isKnown = false;
      lease.isDirty = true;
      return;
    }
    lease.isKnown = true;
    lease.grant(answer.granted, clock.monotonicMs());
    // From when we asked: the source counts from when it heard.
    lease.validUntilMs = askedMs + source.leaseMs - MARGIN_MS;
    if (report.want > 0 && answer.granted < report.least && !answer.isContended) lease.markFull(report.least, clock.monotonicMs());
    const own = report.kind === 'window' ? report.inWindow : report.kind === 'gauge' ? report.held - report.spare : report.used;
    if (counter.noteUsedByOthers(Math.max(0, answer.used - own))) this.#options.onReached(counter);
    // Whose calls ask again soon stays.
    if (!lease.isDirty && lease.want === 0 && lease.spare <= 0 && counter.reserved === 0 && !answer.isContended) active.delete(counter);
  }

  /** The source has lost what it knew: it must hear of everything before it lends again. */
  #tellAllAnew(): void {
    this.#hasToldAll = false;
    for (const counter of this.#options.counters()) {
      if (counter.lease === null) continue;
      counter.lease.isDirty = true;
      this.#options.active.add(counter);
    }
  }

  #setReachable(isReachable: boolean, reason: string): void {
    if (this.#isReachable === isReachable) return;
    this.#isReachable = isReachable;
    this.#options.onState(isReachable, reason);
  }
}
