import type { SemanticState } from '../gateway/cache/settings.ts';
import { createEventBus, type EventBus } from '../kernel/events.ts';

/** What happens inside control and concerns more than one of its parts. */
export type ControlEvents = {
  /** A good configuration file was taken up. */
  'config.changed': { readonly atMs: number };
  /** An audited change was committed. */
  'change.committed': { readonly action: string };
  /** Gateways can have a new snapshot. */
  'snapshot.published': { readonly epoch: number };
  /** What comparisons showed of a semantic cache: it is served from now on, or no more. */
  'cache.semantic_changed': { readonly feature: string; readonly state: SemanticState; readonly reason: string };
};

export function createControlEvents(onError: (thrown: unknown, event: string) => void): EventBus<ControlEvents> {
  return createEventBus<ControlEvents>(onError);
}
