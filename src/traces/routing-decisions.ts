import { z } from 'zod';
import { TraceStatus } from './model.ts';

const count = z.int().nonnegative();
const picoUsd = z.string().regex(/^-?\d+$/);

/** What was decided for the calls of one route. */
export const RouteDecisions = z
  .object({
    route: z.string(),
    calls: count.describe('Calls of clients that asked for the route, cached answers included'),
    errors: count,
    decided: count.describe('Of these, calls for which there was something to decide: not a plain route whose targets were all fine'),
    tiers: z.record(z.string(), count).describe('Decided calls by the difficulty that was chosen'),
    fellBack: count.describe('Calls that were answered, or given up, at another target than the first that was asked'),
    severalAttempts: count.describe('Calls for which a provider was asked more than once'),
    savedPicoUsd: picoUsd
      .nullable()
      .describe(
        'Estimate: what the model that would have been asked otherwise had cost for the same tokens, less what was paid; negative when it cost more. Null = not known for any call',
      ),
    savedCalls: count.describe('Calls for which that is known, and whose sum it is'),
  })
  .meta({ id: 'RouteDecisions' });
export type RouteDecisions = z.infer<typeof RouteDecisions>;

/** One call for which there was something to decide, or for which more than one attempt was made. */
export const RoutingDecision = z
  .object({
    traceId: z.string(),
    at: z.int().describe('Epoch ms'),
    route: z.string(),
    feature: z.string(),
    status: TraceStatus,
    errorType: z.string().nullable(),
    strategy: z.string().nullable().describe('Null = a plain route, and nothing to decide'),
    reason: z.string().nullable(),
    tier: z.string().nullable(),
    counterfactualModel: z.string().nullable().describe('Model alias that would have been asked without the strategy'),
    savedPicoUsd: picoUsd.nullable().describe('Estimate; null = not known'),
    attempts: z
      .array(
        z.object({
          target: z.string().describe('Model alias'),
          role: z.enum(['first', 'retry', 'fallback', 'hedge', 'restart', 'repair']).describe('Why the attempt was made'),
          purpose: z.string().nullable().describe('Of a call that the gateway made by itself, e.g. shadow'),
          status: TraceStatus,
          errorType: z.string().nullable(),
        }),
      )
      .describe('In order of their start, at most 50'),
  })
  .meta({ id: 'RoutingDecision' });
export type RoutingDecision = z.infer<typeof RoutingDecision>;

export const RoutingDecisions = z
  .object({
    from: z.int().describe('Epoch ms'),
    to: z.int().describe('Epoch ms'),
    routes: z.array(RouteDecisions).describe('Most calls first'),
    recent: z.array(RoutingDecision).describe('Newest first'),
  })
  .meta({ id: 'RoutingDecisions' });
export type RoutingDecisions = z.infer<typeof RoutingDecisions>;

export interface DecisionQuery {
  /** Epoch ms, [from, to). */
  readonly from: number;
  readonly to: number;
  /** Absent = of all. */
  readonly route?: string | undefined;
  /** Newest decisions, at most. */
  readonly limit: number;
}
