import { type AnomalyService, createAnomalyService } from '../costs/anomalies/service.ts';
import { type WatchState, watchCosts } from '../costs/anomalies/watch.ts';
import type { CostQueries } from '../costs/cost-queries.ts';
import { actorName } from '../identity/actor-name.ts';
import type { Clock } from '../kernel/clock.ts';
import { toPlimsollError } from '../kernel/errors.ts';
import type { Scope } from '../kernel/scope.ts';
import type { ControlStore, ControlStores } from '../stores/sql/control-store.ts';
import type { ChildContext } from './child-process.ts';
import type { Config } from './config.ts';
import type { PriceHistory } from './price-history.ts';

const WATCH_SETTING = 'costs.watch';

export interface CostWatchOptions {
  readonly store: ControlStore;
  readonly scope: Scope;
  readonly costs: CostQueries;
  readonly prices: PriceHistory;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: ChildContext['log'];
}

/** The hourly look at costs, and what people do with what it finds. */
export class CostWatch {
  readonly #options: CostWatchOptions;

  constructor(options: CostWatchOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { store, scope, costs, prices, config, clock, log } = this.#options;
    const found = await watchCosts(scope, {
      costs,
      findPrice: (priceId) => prices.find(priceId),
      anomalies: store.anomalies,
      eventLog: store.eventLog,
      state: { get: (tenant) => watchState(store, tenant), put: (tenant, state) => store.settings.put(tenant, WATCH_SETTING, state) },
      minimumUsd: config().costs.anomalies.minimumUsd,
      nowMs: clock.nowMs(),
      onError: (thrown) => log('error', 'cost_anomaly_causes_failed', { message: toPlimsollError(thrown).message }),
    });
    if (found > 0) log('warn', 'cost_anomalies_found', { found });
  }

  service(stores: ControlStores): AnomalyService {
    const { config, clock } = this.#options;
    return createAnomalyService({
      store: stores.anomalies,
      watchState: (tenant) => watchState(stores, tenant),
      minimumUsd: () => config().costs.anomalies.minimumUsd,
      nameOf: (tenant, actor) => actorName(stores.adminKeys, tenant, actor),
      nowMs: () => clock.nowMs(),
    });
  }
}

async function watchState(stores: ControlStores, scope: Scope): Promise<WatchState | null> {
  return (await stores.settings.get(scope, WATCH_SETTING)) as WatchState | null; // written by `run`
}
