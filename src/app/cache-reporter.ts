import { Pool } from 'undici';
import type { CacheReport } from '../gateway/cache/response-cache.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import { newSecret } from '../kernel/ids.ts';
import type { GatewayCacheReport } from './cache-control.ts';

const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 2_000;

export interface CacheReporterOptions {
  readonly controlUrl: string;
  readonly clusterKey: string;
  readonly writer: string;
  readonly clock: Clock;
  readonly report: () => CacheReport;
  /** Nothing to say for a gateway whose features have no cache. */
  readonly isNeeded: () => boolean;
}

/** Tells control each second what the cache of this gateway holds and what its comparisons showed. What did not arrive is sent again. */
export class CacheReporter {
  readonly #options: CacheReporterOptions;
  readonly #pool: Pool;
  readonly #path: string;
  readonly #bootId = newSecret(9);
  #sequence = 1;
  /** Sent and not acknowledged: sent again as it was. */
  #pending: GatewayCacheReport | null = null;
  #waiting: CacheReport['shadow'][number][] = [];
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: CacheReporterOptions) {
    this.#options = options;
    const url = new URL(options.controlUrl);
    this.#pool = new Pool(url.origin, {
      connections: 1,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connect: { timeout: TIMEOUT_MS },
    });
    this.#path = `${url.pathname.replace(/\/+$/, '')}/internal/v1/cache`;
  }

  start(): void {
    this.#timer = this.#options.clock.setTimer(INTERVAL_MS, () => void this.#send().then(() => this.#isClosed || this.start()));
  }

  async #send(): Promise<void> {
    if (!this.#options.isNeeded()) return;
    const now = this.#options.report();
    this.#waiting = mergeComparisons([...this.#waiting, ...now.shadow]);
    if (this.#pending === null) {
      const { writer } = this.#options;
      this.#pending = { ...now, shadow: this.#waiting, writer, bootId: this.#bootId, sequence: this.#sequence };
      this.#waiting = [];
    }
    try {
      const answer = await this.#pool.request({
        method: 'POST',
        path: this.#path,
        headers: { authorization: `Bearer ${this.#options.clusterKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(this.#pending),
      });
      await answer.body.dump();
      // An older control does not know of it: nothing is lost that it could use.
      if (answer.statusCode !== 204 && answer.statusCode !== 404) return;
      this.#pending = null;
      this.#sequence++;
    } catch {
      // Control is away: the same report is sent again.
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#pool.destroy();
  }
}

/** One entry per feature and check. */
function mergeComparisons(entries: CacheReport['shadow']): CacheReport['shadow'][number][] {
  const merged = new Map<string, CacheReport['shadow'][number]>();
  for (const entry of entries) {
    const key = `${entry.feature} ${entry.checkId}`;
    const known = merged.get(key);
    merged.set(
      key,
      known === undefined ? entry : { ...entry, samples: known.samples + entry.samples, falseHits: known.falseHits + entry.falseHits },
    );
  }
  return [...merged.values()];
}
