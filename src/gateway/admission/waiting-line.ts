import type { Timer } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { Admission } from './admission.ts';
import type { Counter } from './counter.ts';
import { describeMember, Refusal } from './refusal.ts';
import type { Reservation } from './reservation.ts';

/** Priorities are 0 to 9; one step is worth this share of the longest wait. So a call of the lowest one is overtaken for at most nine tenths of its time. */
const HEAD_START_RATIO = 0.1;

/** How often a line asks for a limit that is shared with other gateways: nobody tells when they have room. */
const SHARED_POLL_MS = 25;

/** A call that waits. */
export interface Waiter {
  /** Smaller goes first: time of arrival, less a head start for priority. */
  rank: number;
  /** Tries again, synchronously. */
  attempt(line: WaitingLine): Reservation | Refusal;
  /** Called once, at the end of the wait. */
  resolve(outcome: Reservation | PlimsollError): void;
  line: WaitingLine | null;
}

/** Where a call stands that came at `nowMs`. Equal priorities: first come, first served; nobody is overtaken for ever. */
export function rankOf(nowMs: number, priority: number, maxWaitMs: number): number {
  return nowMs - priority * maxWaitMs * HEAD_START_RATIO;
}

/** The calls that wait for room under one counter. */
export class WaitingLine {
  readonly #counter: Counter;
  readonly #admission: Admission;
  /** By rank. */
  readonly #waiters: Waiter[] = [];
  #timer: Timer | null = null;
  #isAdvancing = false;

  constructor(counter: Counter, admission: Admission) {
    this.#counter = counter;
    this.#admission = admission;
  }

  get length(): number {
    return this.#waiters.length;
  }

  /** @throws PlimsollError never: a full line is answered by `false` */
  join(waiter: Waiter, maxLength: number): boolean {
    if (this.#waiters.length >= maxLength) return false;
    let at = this.#waiters.length;
    while (at > 0 && (this.#waiters[at - 1] as Waiter).rank > waiter.rank) at--;
    this.#waiters.splice(at, 0, waiter);
    waiter.line = this;
    return true;
  }

  leave(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at < 0) return;
    this.#waiters.splice(at, 1);
    waiter.line = null;
    // Who was behind it may fit where it did not.
    if (at === 0) this.advance();
    this.#closeWhenEmpty();
  }

  /** Room may have become free: lets in from the front as many as fit. */
  advance(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    try {
      while (this.#waiters.length > 0) {
        const first = this.#waiters[0] as Waiter;
        const outcome = first.attempt(this);
        if (outcome instanceof Refusal && (outcome.isShort || (outcome.counter === this.#counter && outcome.rule.onExceed === 'queue'))) {
          this.#tryAgainAfter(outcome);
          return;
        }
        this.#waiters.shift();
        first.line = null;
        if (!(outcome instanceof Refusal)) first.resolve(outcome);
        else if (outcome.rule.onExceed !== 'queue') first.resolve(outcome.error());
        else if (!lineOf(outcome.counter, this.#admission).join(first, outcome.rule.queue?.maxLength ?? 0))
          first.resolve(lineFull(outcome));
        else outcome.counter.line?.wait(outcome);
      }
    } finally {
      this.#isAdvancing = false;
      this.#closeWhenEmpty();
    }
  }

  /** Somebody has joined after this refusal. */
  wait(refusal: Refusal): void {
    if (this.#timer === null) this.#tryAgainAfter(refusal);
  }

  /** Windows and periods make room by time alone; calls in flight say so when they end. */
  #tryAgainAfter(refusal: Refusal): void {
    this.#timer?.cancel();
    if (refusal.isShort) {
      // While nobody can be asked, the waiting goes on.
      this.#admission
        .borrow(refusal)
        .catch(() => {})
        .finally(() => this.#advanceAfter(SHARED_POLL_MS));
      return;
    }
    const waitMs = this.#counter.waitMs(refusal.amount, refusal.nowMs, refusal.epochMs);
    if (this.#counter.lease !== null) this.#advanceAfter(SHARED_POLL_MS);
    else if (waitMs === null) this.#timer = null;
    else this.#advanceAfter(Math.ceil(waitMs));
  }

  #advanceAfter(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#admission.clock.setTimer(delayMs, () => {
      this.#timer = null;
      this.advance();
    });
  }

  #closeWhenEmpty(): void {
    if (this.#waiters.length > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#counter.line === this) this.#counter.line = null;
  }
}

export function lineOf(counter: Counter, admission: Admission): WaitingLine {
  counter.line ??= new WaitingLine(counter, admission);
  return counter.line;
}

export function lineFull(refusal: Refusal): PlimsollError {
  const { counter, rule } = refusal;
  const error = refusal.error();
  return new PlimsollError(
    error.code,
    `${error.message} The waiting line of ${describeMember(rule.scope, counter.label)} is full (${rule.queue?.maxLength}).`,
    { details: error.details },
  );
}

export function waitedInVain(refusal: Refusal, maxWaitMs: number): PlimsollError {
  const error = refusal.error();
  return new PlimsollError(error.code, `${error.message} The call waited ${maxWaitMs} ms for room in vain.`, { details: error.details });
}
