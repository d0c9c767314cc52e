import type { Clock } from '../kernel/clock.ts';
import type { JournaledEvent } from '../kernel/event-log/journaled-event.ts';
import type { IsoTexts } from '../kernel/iso-texts.ts';
import type { JournalWriter } from '../kernel/journal/record.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Admission } from './admission/admission.ts';
import type { JsonScanner } from './body/json-scanner.ts';
import type { ResponseCache } from './cache/response-cache.ts';
import type { Call } from './call.ts';
import type { Deadlines } from './deadlines.ts';
import type { FeatureThrottles } from './feature-throttles.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { IdempotencyStore } from './idempotency/idempotency-store.ts';
import type { OutputSchemas } from './output/output-schema.ts';
import type { RoutingRegistry } from './routing/routing-registry.ts';
import type { UpstreamPools } from './upstream/upstream-pools.ts';

/** What the stages share; one per gateway. */
export interface GatewayContext {
  readonly clock: Clock;
  readonly journal: JournalWriter;
  readonly pools: UpstreamPools;
  readonly tokens: AccessTokens;
  readonly deadlines: Deadlines;
  /** For answers; requests have one with the depth limit of their snapshot. */
  readonly answerScanner: JsonScanner;
  readonly isoTexts: IsoTexts;
  readonly metrics: GatewayMetrics;
  readonly throttles: FeatureThrottles;
  readonly cache: ResponseCache;
  readonly admission: Admission;
  /** Through the journal to the event log of control. */
  readonly emitEvent: (event: JournaledEvent) => void;
  readonly outputSchemas: OutputSchemas;
  readonly writeLogLine: (line: string) => void;
  /** Calls in flight, this one included. */
  readonly activeCalls: { readonly size: number };
  /** Health of targets, state of routes. */
  readonly routing: RoutingRegistry;
  readonly idempotency: IdempotencyStore;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Counts a call as in flight until its run is over. */
  readonly track: (call: Call, run: Promise<unknown>) => void;
}
