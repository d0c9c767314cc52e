import type { Clock } from '../../kernel/clock.ts';
import type { CompiledProvider } from '../compiled-snapshot.ts';
import { HeaderNames } from '../http1/header-names.ts';
import type { ConnectionShare } from './connection.ts';
import { ConnectionPool, type ConnectionPoolStats } from './connection-pool.ts';

/** More than one read of a socket brings in practice; libuv asks for as much. */
const READ_BUFFER_BYTES = 64 * 1024;

function poolKey(provider: CompiledProvider): string {
  return `${provider.origin} ${provider.maxConnections} ${provider.timeouts.connectMs}`;
}

/** Connections to providers: one bounded pool per origin, kept across snapshots while some provider still uses it. */
export class UpstreamPools {
  readonly #share: ConnectionShare;
  readonly #pools = new Map<string, ConnectionPool>();
  /** Spares building the key on each call. */
  readonly #byProvider = new WeakMap<CompiledProvider, ConnectionPool>();

  constructor(clock: Clock) {
    this.#share = { clock, readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES), headerNames: new HeaderNames() };
  }

  get(provider: CompiledProvider): ConnectionPool {
    const known = this.#byProvider.get(provider);
    if (known !== undefined && !known.isClosed) return known;
    const key = poolKey(provider);
    let pool = this.#pools.get(key);
    if (pool === undefined || pool.isClosed) {
      const { origin, maxConnections, timeouts } = provider;
      pool = new ConnectionPool({ origin, maxConnections, connectTimeoutMs: timeouts.connectMs }, this.#share);
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
      pool.close();
    }
  }

  /** Open connections, calls on them and calls waiting for one, by origin. */
  stats(): (ConnectionPoolStats & { readonly origin: string })[] {
    return [...this.#pools].map(([key, pool]) => ({ origin: key.slice(0, key.indexOf(' ')), ...pool.stats }));
  }

  /** Cuts every connection. */
  close(): void {
    for (const pool of this.#pools.values()) pool.destroy();
    this.#pools.clear();
  }
}
