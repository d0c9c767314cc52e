import { PlimsollError } from '../../kernel/errors.ts';
import type { Actor, Scope } from '../../kernel/scope.ts';
import { type CostAnomaly, type CostAnomalyList, type CostAnomalyView, toAnomalyView } from './model.ts';
import type { AnomalyStore } from './store.ts';
import type { WatchState } from './watch.ts';

/** A muted series speaks again by then: by the time, four weeks, its new level is what is usual. */
const LONGEST_MUTE_MS = 60 * 86_400_000;

export interface AnomalyQuery {
  readonly state: 'open' | 'ended' | null;
  readonly key: string | null;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface AnomalyService {
  list(scope: Scope, query: AnomalyQuery): Promise<CostAnomalyList>;
  /** @throws PlimsollError `not_found`, `invalid_argument` */
  handle(
    scope: Scope,
    id: string,
    draft: { readonly kind: 'acknowledged' | 'expected'; readonly reason: string; readonly muteForMs: number | null },
    actor: Actor,
  ): Promise<CostAnomalyView>;
}

export interface AnomalyServiceOptions {
  readonly store: AnomalyStore;
  readonly watchState: (scope: Scope) => Promise<WatchState | null>;
  readonly minimumUsd: () => number;
  /** What people call an actor. */
  readonly nameOf: (scope: Scope, actor: Actor) => Promise<string>;
  readonly nowMs: () => number;
}

export function createAnomalyService({ store, watchState, minimumUsd, nameOf, nowMs }: AnomalyServiceOptions): AnomalyService {
  return {
    async list(scope, { cursor, ...query }) {
      const rows = await store.list(scope, { ...query, beforeId: cursor, limit: query.limit + 1 });
      const page = rows.slice(0, query.limit);
      const state = await watchState(scope);
      return {
        anomalies: page.map(toAnomalyView),
        nextCursor: rows.length > page.length ? (page.at(-1)?.id ?? null) : null,
        watch: {
          checkedTo: state?.checkedToMs ?? null,
          watched: state?.watched ?? 0,
          learning: (state?.learning ?? []).map(({ dimension, key, readyAtMs }) => ({ dimension, key: key || null, readyAt: readyAtMs })),
          minimumUsd: minimumUsd(),
        },
      };
    },
    async handle(scope, id, { kind, reason, muteForMs }, actor) {
      if (muteForMs !== null && (kind !== 'expected' || muteForMs > LONGEST_MUTE_MS))
        throw new PlimsollError('invalid_argument', 'muteForMs belongs to kind "expected" and is at most 60 days', {
          details: { param: 'muteForMs' },
        });
      const atMs = nowMs();
      const handling: NonNullable<CostAnomaly['handling']> = {
        kind,
        reason,
        by: await nameOf(scope, actor),
        atMs,
        mutedUntilMs: muteForMs === null ? null : atMs + muteForMs,
      };
      const handled = await store.handle(scope, id, handling);
      if (handled === null) throw new PlimsollError('not_found', `There is no cost anomaly ${id}.`, { details: { param: 'id' } });
      return toAnomalyView(handled);
    },
  };
}
