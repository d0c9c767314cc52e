import { Pool } from 'undici';
import type { CompiledProvider } from './compiled-snapshot.ts';

/** Longer than the 4 s default, shorter than what common load balancers allow (AWS 60 s): a fresh connection costs a TLS handshake. */
const KEEP_ALIVE_MS = 30_000;
const KEEP_ALIVE_MAX_MS = 600_000;

function poolKey(provider: CompiledProvider): string {
  return `${provider.origin} ${provider.maxConnections} ${provider.timeouts.connectMs}`;
}

/** Connections to providers: one bounded pool per origin, kept across snapshots while some provider still uses it. */
export class UpstreamPools {
  readonly #pools = new Map<string, Pool>();
  /** Spares building the key on each call. */
  #byProvider = new WeakMap<CompiledProvider, Pool>();

  get(provider: CompiledProvider): Pool {
    const known = this.#byProvider.get(provider);
    if (known !== undefined && !known.closed) return known;
    const key = poolKey(provider);
    let pool = this.#pools.get(key);
    if (pool === undefined || pool.closed) {
      pool = new Pool(provider.origin, {
        connections: provider.maxConnections,
        pipelining: 1,
        allowH2: false,
        connectTimeout: provider.timeouts.connectMs,
        keepAliveTimeout: KEEP_ALIVE_MS,
        keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
        // The gateway's own deadlines replace undici's timers.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      this.#pools.set(key, pool);
    }
    this.#byProvider.set(provider, pool);
    return pool;
  }

  /** Closes what the new snapshot no longer names; running calls finish first. */
  retain(providers: readonly CompiledProvider[]): void {
    const wanted = new Set(providers.map(poolKey));
    for (const [key, pool] of this.#pools) {
      if (wanted.has(key)) continue;
      this.#pools.delete(key);
      void pool.close();
    }
  }

  /** Open connections and calls waiting for one, by origin. */
  stats(): { origin: string; connected: number; running: number; queued: number }[] {
    return [...this.#pools].map(([key, pool]) => ({
      origin: key.slice(0, key.indexOf(' ')),
      connected: pool.stats.connected,
      running: pool.stats.running,
      queued: pool.stats.queued,
    }));
  }

  /**
   * Cuts every connection. Not awaited: undici's promise was seen to stay open for ever when a pool is destroyed while it connects, and the
   * calls are all settled by then.
   */
  close(): void {
    for (const pool of this.#pools.values()) pool.destroy().catch(() => {});
    this.#pools.clear();
  }
}
