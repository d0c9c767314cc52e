import type { Clock, Timer } from '../../kernel/clock.ts';

export interface RunWatchOptions {
  /** When the next run is to be looked after, epoch ms; null = none waits. */
  readonly nextDueMs: () => Promise<number | null>;
  readonly lookAfter: (atMs: number) => void;
  readonly clock: Clock;
  readonly log: (level: 'warn', event: string, fields: Readonly<Record<string, unknown>>) => void;
}

const POLL_MS = 2_000;

/** Puts a mark into the journal when runs have waited long enough for their other half: the ingest acts on it in its place among the records. */
export class RunWatch {
  readonly #options: RunWatchOptions;
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(options: RunWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.setTimer(POLL_MS, () => void this.#look());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { nextDueMs, lookAfter, clock, log } = this.#options;
    try {
      const dueMs = await nextDueMs();
      if (dueMs !== null && dueMs <= clock.nowMs() && !this.#isStopped) lookAfter(clock.nowMs());
    } catch (error) {
      log('warn', 'open_runs_not_read', { message: (error as Error).message });
    }
    if (!this.#isStopped) this.start();
  }
}
