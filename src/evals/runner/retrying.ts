import type { Clock } from '../../kernel/clock.ts';
import { type PlimsollError, toPlimsollError } from '../../kernel/errors.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

export interface Retries {
  readonly attempts: number;
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
  readonly signal: AbortSignal;
  /** Told of each failure, retried or not. */
  failed(error: PlimsollError, startedAtMs: number): void;
}

/** Errors only: an answer that is bad is a result. Waits as long as the other side asks for, else exponentially with full jitter. */
export async function withRetries<T>(
  call: () => Promise<T>,
  { attempts, clock, random, signal, failed }: Retries,
): Promise<{ readonly value: T; readonly attempts: number }> {
  for (let attempt = 1; ; attempt++) {
    const startedAtMs = clock.monotonicMs();
    try {
      return { value: await call(), attempts: attempt };
    } catch (thrown) {
      const error = toPlimsollError(thrown);
      failed(error, startedAtMs);
      if (!error.retryable || attempt >= attempts || signal.aborted) throw error;
      const { retryAfterMs } = error.details;
      const backoff = random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
      await clock.sleep(typeof retryAfterMs === 'number' ? Math.min(LONGEST_WAIT_MS, retryAfterMs) + backoff / 4 : backoff);
    }
  }
}
