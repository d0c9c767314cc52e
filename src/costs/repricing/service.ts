import { PlimsollError } from '../../kernel/errors.ts';
import { newUuidV7 } from '../../kernel/ids.ts';
import type { Scope } from '../../kernel/scope.ts';
import { newRun, type RepricingProgress, RepricingRun } from './run.ts';

/** Where runs are kept. One at a time per scope. */
export interface RepricingStore {
  get(scope: Scope, id: string): Promise<RepricingProgress | null>;
  put(scope: Scope, progress: RepricingProgress): Promise<void>;
  /** Id of the run that was begun last; null = none ever. */
  latest(scope: Scope): Promise<string | null>;
  /** Notes the run as the latest. */
  begin(scope: Scope, progress: RepricingProgress): Promise<void>;
}

export interface RepricingRequest {
  readonly from: number;
  readonly to: number | undefined;
  readonly feature: string | undefined;
  readonly isDryRun: boolean;
}

export interface RepricingService {
  /** @throws PlimsollError `invalid_argument` for an empty range, `conflict` while another run is not done */
  start(scope: Scope, request: RepricingRequest, requestedBy: string): Promise<RepricingRun>;
  /** @throws PlimsollError `not_found` */
  get(scope: Scope, id: string): Promise<RepricingRun>;
}

/** @param schedule lets the run be done soon, in the caller's transaction */
export function createRepricingService(
  store: RepricingStore,
  schedule: (id: string) => Promise<void>,
  nowMs: () => number,
): RepricingService {
  return {
    async start(scope, request, requestedBy) {
      const requestedAtMs = nowMs();
      const { from, to = requestedAtMs, feature = null, isDryRun } = request;
      if (from >= to)
        throw new PlimsollError('invalid_argument', `"from" (${from}) must be before "to" (${to}).`, {
          details: { param: 'from', from, to },
        });
      const latest = await store.latest(scope);
      const active = latest === null ? null : await store.get(scope, latest);
      if (active !== null && active.state !== 'done')
        throw new PlimsollError('conflict', `Repricing ${active.id} is ${active.state}; one runs at a time.`, {
          details: { id: active.id },
        });
      const run = newRun({ id: newUuidV7(requestedAtMs), from, to, feature, isDryRun, requestedBy, requestedAtMs });
      await store.begin(scope, run);
      await schedule(run.id);
      return RepricingRun.parse(run);
    },
    async get(scope, id) {
      const run = await store.get(scope, id);
      if (run === null) throw new PlimsollError('not_found', `There is no repricing ${id}.`, { details: { id } });
      return RepricingRun.parse(run);
    },
  };
}
