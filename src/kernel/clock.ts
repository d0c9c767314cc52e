/** A pending timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** Time as a parameter. Production uses `systemClock`; tests use `FakeClock`, in one process or across the process tree. */
export interface Clock {
  /** Unix epoch, integer milliseconds. */
  nowMs(): number;
  /** Monotonic milliseconds with a fraction, for durations only. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`. The timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Resolves after `delayMs`. */
  sleep(delayMs: number): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

interface FakeTimer extends Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that moves only when told to. Timers fire in order of due time, then of creation. */
export class FakeClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;
  #created = 0;
  readonly #timers = new Set<FakeTimer>();

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return Math.trunc(this.#startMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer: FakeTimer = {
      dueMs: this.#elapsedMs + Math.max(0, delayMs),
      order: this.#created++,
      callback,
      cancel: () => void this.#timers.delete(timer),
    };
    this.#timers.add(timer);
    return timer;
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.setTimer(delayMs, resolve));
  }

  /** Moves time forward and runs what falls due on the way, yielding to promise callbacks after each timer. */
  async advance(deltaMs: number): Promise<void> {
    const targetMs = this.#elapsedMs + deltaMs;
    for (;;) {
      let next: FakeTimer | null = null;
      for (const timer of this.#timers) {
        if (timer.dueMs > targetMs) continue;
        if (next === null || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) next = timer;
      }
      if (next === null) break;
      this.#timers.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      next.callback();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#elapsedMs = targetMs;
  }
}
