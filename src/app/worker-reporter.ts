import { Pool } from 'undici';
import type { Clock, Timer } from '../kernel/clock.ts';

const INTERVAL_MS = 2_000;
const TIMEOUT_MS = 2_000;

export interface WorkerReporterOptions {
  readonly controlUrl: string;
  readonly clusterKey: string;
  readonly writer: string;
  /** What is told: `/internal/v1/<resource>/<writer>`. */
  readonly resource: 'routing' | 'limits';
  readonly clock: Clock;
  /** Null = there is nothing to say. */
  readonly report: () => object | null | Promise<object | null>;
}

/** Tells control every two seconds what this gateway worker knows of one thing: the whole state, so that nothing has to arrive. */
export class WorkerReporter {
  readonly #options: WorkerReporterOptions;
  readonly #pool: Pool;
  readonly #path: string;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: WorkerReporterOptions) {
    this.#options = options;
    const url = new URL(options.controlUrl);
    this.#pool = new Pool(url.origin, {
      connections: 1,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connect: { timeout: TIMEOUT_MS },
    });
    this.#path = `${url.pathname.replace(/\/+$/, '')}/internal/v1/${options.resource}/${options.writer}`;
  }

  start(): void {
    this.#timer = this.#options.clock.setTimer(INTERVAL_MS, () => void this.#send().then(() => this.#isClosed || this.start()));
  }

  async #send(): Promise<void> {
    try {
      const report = await this.#options.report();
      if (report === null) return;
      const answer = await this.#pool.request({
        method: 'POST',
        path: this.#path,
        headers: { authorization: `Bearer ${this.#options.clusterKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(report),
      });
      // An older control answers 404: it has no use for it.
      await answer.body.dump();
    } catch {
      // Control is away; the next report holds all that this one held.
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#pool.destroy();
  }
}
