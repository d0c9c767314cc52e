import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';

const WINDOW_MS = 60_000;
const MOST_ADDRESSES = 10_000;

/**
 * Failed logins per client address in a fixed window of one minute, in this process. By address, so that a stranger who fails on
 * purpose does not lock the operator out.
 */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #mostFailures: number;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  readonly #failures = new Map<string, number>();

  constructor(clock: Clock, mostFailures = 10) {
    this.#clock = clock;
    this.#mostFailures = mostFailures;
  }

  /** @throws PlimsollError `rate_limited` with `details.retryAfterSeconds` */
  check(address: string): void {
    this.#turnWindow();
    const failures = this.#failures.get(address) ?? (this.#failures.size >= MOST_ADDRESSES ? this.#mostFailures : 0);
    if (failures < this.#mostFailures) return;
    const retryAfterSeconds = Math.max(1, Math.ceil((this.#windowStartMs + WINDOW_MS - this.#clock.monotonicMs()) / 1000));
    throw new PlimsollError(
      'rate_limited',
      `More than ${this.#mostFailures} logins failed within a minute; try again in ${retryAfterSeconds} s.`,
      {
        details: { retryAfterSeconds },
      },
    );
  }

  fail(address: string): void {
    this.#turnWindow();
    this.#failures.set(address, (this.#failures.get(address) ?? 0) + 1);
  }

  #turnWindow(): void {
    if (this.#clock.monotonicMs() - this.#windowStartMs < WINDOW_MS) return;
    this.#windowStartMs = this.#clock.monotonicMs();
    this.#failures.clear();
  }
}
