import type { CacheUse } from '../costs/store.ts';
import type { CacheReport } from '../gateway/cache/response-cache.ts';
import { UNMEASURED } from '../gateway/cache/semantic-standing.ts';
import { allowingCheck, type CacheService, createCacheService, type LiveHoldings, whyNotAllowed } from '../gateway/cache/service.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventBus } from '../kernel/events.ts';
import type { Scope } from '../kernel/scope.ts';
import type { ControlStore, ControlStores } from '../stores/sql/control-store.ts';
import { embedderId } from './cache-embedder.ts';
import type { CacheKnowledge } from './cache-snapshot.ts';
import type { Config } from './config.ts';
import type { ControlEvents } from './control-events.ts';
import { WorkerReports } from './worker-reports.ts';

/** What a gateway process posts to control. Comparisons are numbered per boot, so that a repeated post counts once. */
export interface GatewayCacheReport extends CacheReport {
  readonly writer: string;
  readonly bootId: string;
  readonly sequence: number;
}

export interface CacheControlOptions {
  readonly store: ControlStore;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly config: () => Config;
  readonly events: EventBus<ControlEvents>;
  readonly use: (scope: Scope, from: number, to: number) => Promise<CacheUse[]>;
}

/** Control's side of the caches: what gateways report, what the snapshot says of them, and which semantic caches are allowed. */
export class CacheControl {
  readonly #options: CacheControlOptions;
  readonly #reports = new WorkerReports<GatewayCacheReport>();
  /** As of the last compile; the configuration is held against it without waiting. */
  #checks: Awaited<ReturnType<CacheService['checks']>> | null = null;

  constructor(options: CacheControlOptions) {
    this.#options = options;
  }

  service(stores: ControlStores): CacheService {
    const { clock, config, use } = this.#options;
    return createCacheService({
      store: stores.settings,
      clock,
      features: () => new Map(Object.entries(config().features).map(([name, feature]) => [name, feature.cache])),
      shared: () => config().cache,
      embedderId: (embedder) => embedderId(config(), embedder),
      live: (feature) => this.#live(feature),
      use,
      gateways: () => this.#reports.presence(clock.nowMs()),
    });
  }

  /** For the snapshot. */
  async knowledge(): Promise<CacheKnowledge> {
    const { scope, store, config: catalogue } = this.#options;
    const service = this.service(store);
    const [purges, checks, standings] = await Promise.all([service.purges(scope), service.checks(scope), service.standings(scope)]);
    this.#checks = checks;
    return {
      purges,
      semanticState(feature, config) {
        const check = allowingCheck(checks[feature], config, embedderId(catalogue(), config.semantic.embedder));
        if (check === null) return null;
        const standing = standings[feature];
        return { checkId: check.id, state: standing?.checkId === check.id ? standing.state : UNMEASURED.state };
      },
    };
  }

  /**
   * Why a configuration may not be put in force; null = it may. A semantic cache needs a check that passed; nothing is known before the first
   * compile, and then it works as near.
   */
  refusal(config: Config): string | null {
    if (this.#checks === null) return null;
    for (const [name, { cache }] of Object.entries(config.features)) {
      if (cache?.mode !== 'semantic') continue;
      const embedder = embedderId(config, cache.semantic.embedder);
      if (allowingCheck(this.#checks[name], cache, embedder) === null) return whyNotAllowed(name, this.#checks[name], cache, embedder);
    }
    return null;
  }

  /** Takes a gateway's report; its comparisons are durable when this resolves. */
  async receive(report: GatewayCacheReport): Promise<void> {
    const { store, scope, clock, events } = this.#options;
    this.#reports.receive(report.writer, report, clock.nowMs());
    if (report.shadow.length === 0) return;
    const changed = await store.transaction(async (tx) => {
      const found = await this.service(tx).addComparisons(scope, report);
      for (const { feature, standing } of found) {
        await tx.eventLog.append(scope, {
          name: standing.state === 'live' ? 'cache.semantic_started' : 'cache.semantic_stopped',
          subject: `feature/${feature}`,
          severity: standing.state === 'off' ? 'warning' : 'info',
          message: `Semantic answers of "${feature}" are ${standing.state === 'live' ? 'given from now on' : 'given no more'}: ${standing.reason}.`,
          details: { state: standing.state, samples: standing.samples, falseHits: standing.falseHits },
          atMs: clock.nowMs(),
        });
      }
      return found;
    });
    for (const { feature, standing } of changed)
      events.emit('cache.semantic_changed', { feature, state: standing.state, reason: standing.reason });
  }

  /** Memory is added up over workers; a shared store is the same from each. */
  #live(feature: string): LiveHoldings | null {
    let sum: LiveHoldings | null = null;
    for (const { report } of this.#reports.present(this.#options.clock.nowMs())) {
      const own = report.features.find((entry) => entry.feature === feature) ?? { entries: 0, bytes: 0, questions: 0 };
      const total: LiveHoldings = sum ?? { entries: 0, bytes: 0, questions: 0 };
      const isShared = report.driver === 'redis';
      sum = {
        entries: isShared ? Math.max(total.entries, own.entries) : total.entries + own.entries,
        bytes: isShared ? Math.max(total.bytes, own.bytes) : total.bytes + own.bytes,
        questions: total.questions + own.questions,
      };
    }
    return sum;
  }
}
