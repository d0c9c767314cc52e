import { PlimsollError } from '../../kernel/errors.ts';
import { newUuidV7 } from '../../kernel/ids.ts';
import { picoUsdFromDecimal } from '../../kernel/money.ts';
import type { Scope } from '../../kernel/scope.ts';
import { MAX_REPLAYED_CALLS, type ReplayItem, type ReplayReport, type ReplayRequest, type ReplayRun } from './model.ts';
import type { ReplayStore } from './store.ts';
import { summarise } from './summary.ts';

export interface ReplayService {
  /** @throws PlimsollError `not_found` for a model that is neither route nor alias */
  create(scope: Scope, request: ReplayRequest, requestedBy: string): Promise<ReplayReport>;
  /** @throws PlimsollError `not_found`, `conflict` when it is not ready */
  start(scope: Scope, id: string): Promise<ReplayReport>;
  /** Calls under way end; no further one is begun. @throws PlimsollError `not_found`, `conflict` when it is over */
  cancel(scope: Scope, id: string, by: string): Promise<ReplayReport>;
  /** @throws PlimsollError `not_found` */
  get(scope: Scope, id: string): Promise<ReplayReport>;
  list(scope: Scope, page: { beforeId: string | null; limit: number }): Promise<ReplayRun[]>;
  items(scope: Scope, id: string, page: { afterNumber: number; limit: number }): Promise<ReplayItem[]>;
}

export interface ReplayServiceOptions {
  readonly store: ReplayStore;
  /** Routes and aliases that may be asked. */
  readonly models: () => readonly string[];
  /** Has the run taken on soon, in the caller's transaction. */
  readonly schedule: (id: string) => Promise<void>;
  readonly nowMs: () => number;
}

export function createReplayService({ store, models, schedule, nowMs }: ReplayServiceOptions): ReplayService {
  async function find(scope: Scope, id: string): Promise<ReplayRun> {
    const run = await store.get(scope, id);
    if (run === null) throw new PlimsollError('not_found', `There is no replay ${id}.`, { details: { id } });
    return run;
  }

  async function report(scope: Scope, run: ReplayRun): Promise<ReplayReport> {
    return { ...run, summary: summarise(await store.items(scope, run.id, { afterNumber: 0, limit: MAX_REPLAYED_CALLS })) };
  }

  return {
    async create(scope, request, requestedBy) {
      const { model } = request;
      if (model !== null && !models().includes(model))
        throw new PlimsollError('not_found', `There is no route or model "${model}". Known: ${models().join(', ')}.`, {
          details: { param: 'model' },
        });
      // Refused here, not when it runs: an amount finer than a pico-dollar.
      picoUsdFromDecimal(`${request.maxCostUsd}`);
      const requestedAtMs = nowMs();
      const run: ReplayRun = {
        id: newUuidV7(requestedAtMs),
        state: 'selecting',
        reason: null,
        request,
        requestedBy,
        requestedAtMs,
        startedAtMs: null,
        endedAtMs: null,
        selected: 0,
        skipped: {},
        estimatePicoUsd: null,
        expectedPicoUsd: null,
      };
      await store.put(scope, run);
      await schedule(run.id);
      return report(scope, run);
    },
    async start(scope, id) {
      const moved = await store.move(scope, id, ['ready'], 'running', null, nowMs());
      if (moved === null) {
        const { state } = await find(scope, id);
        throw new PlimsollError('conflict', `Replay ${id} is ${state}; only one that is ready can be started.`, { details: { state } });
      }
      await schedule(id);
      return report(scope, moved);
    },
    async cancel(scope, id, by) {
      const moved = await store.move(scope, id, ['selecting', 'ready', 'running'], 'cancelled', `Cancelled by ${by}.`, nowMs());
      if (moved === null) {
        const { state } = await find(scope, id);
        throw new PlimsollError('conflict', `Replay ${id} is ${state} already.`, { details: { state } });
      }
      return report(scope, moved);
    },
    get: async (scope, id) => report(scope, await find(scope, id)),
    list: (scope, page) => store.list(scope, page),
    items: async (scope, id, page) => store.items(scope, (await find(scope, id)).id, page),
  };
}
