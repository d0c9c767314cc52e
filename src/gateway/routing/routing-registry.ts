import { HealthRegistry } from './health-registry.ts';
import { RouteState } from './route-state.ts';

/** What one gateway worker learns while it runs: the health of targets, the state of routes. Outlives snapshots; in memory. */
export class RoutingRegistry {
  readonly health = new HealthRegistry();
  readonly #routes = new Map<string, RouteState>();

  route(name: string): RouteState {
    let state = this.#routes.get(name);
    if (state === undefined) {
      state = new RouteState(name);
      this.#routes.set(name, state);
    }
    return state;
  }

  /** Forgets routes that no snapshot names any more. */
  retainRoutes(names: ReadonlySet<string>): void {
    for (const name of this.#routes.keys()) if (!names.has(name)) this.#routes.delete(name);
  }
}
