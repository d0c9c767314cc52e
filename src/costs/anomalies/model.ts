import { z } from 'zod';
import { HOURLY_DIMENSIONS } from '../cost-queries.ts';
import { EFFECT_NAMES } from '../variance/decompose.ts';
import { DETECTORS } from './detect.ts';

/** One reason of an anomaly: an effect on one model for one feature and key. */
export const AnomalyCause = z.object({
  effect: z.enum(EFFECT_NAMES),
  feature: z.string(),
  model: z.string().describe('provider/model'),
  keyId: z.string(),
  picoUsd: z.string().describe('How much of the difference it is, pico-dollars'),
});
export type AnomalyCause = z.infer<typeof AnomalyCause>;

/** Against what causes were sought, and what came out. */
export const AnomalyCauses = z.object({
  before: z.object({ from: z.int(), to: z.int() }).describe('Compared with: the same hours of the week before'),
  after: z.object({ from: z.int(), to: z.int() }),
  differencePicoUsd: z.string().describe('Cost after less cost before; all effects of all segments add up to it'),
  effects: z.record(z.enum(EFFECT_NAMES), z.string()).describe('Pico-dollars'),
  ranked: z.array(AnomalyCause).describe('The largest first, at most 8'),
});
export type AnomalyCauses = z.infer<typeof AnomalyCauses>;

export const HANDLINGS = ['acknowledged', 'expected'] as const;

/** A cost that was too high by what is usual. */
export interface CostAnomaly {
  /** UUIDv7. */
  readonly id: string;
  readonly dimension: (typeof HOURLY_DIMENSIONS)[number];
  /** Name of the feature, team or model; empty = calls without one. */
  readonly key: string;
  readonly detector: (typeof DETECTORS)[number];
  /** Epoch ms, [from, to): what was found too dear when the score was highest. */
  readonly fromMs: number;
  readonly toMs: number;
  /** End of the last hour at which it was still seen. */
  readonly lastSeenMs: number;
  /** Null = still open. */
  readonly endedAtMs: number | null;
  readonly detectedAtMs: number;
  readonly observedPicoUsd: bigint;
  readonly expectedPicoUsd: bigint;
  readonly score: number;
  /** Null = not found out, as when the ledger could not be read then. */
  readonly causes: AnomalyCauses | null;
  readonly handling: {
    readonly kind: (typeof HANDLINGS)[number];
    readonly reason: string;
    readonly by: string;
    readonly atMs: number;
    /** Until then the series raises no new ones; only of `expected`. */
    readonly mutedUntilMs: number | null;
  } | null;
}

export const CostAnomalyView = z
  .object({
    id: z.string(),
    dimension: z.enum(HOURLY_DIMENSIONS),
    key: z.string().nullable().describe('Name of the feature, team or model; null = calls without one'),
    detector: z.enum(DETECTORS).describe('spike: an hour or a day; creep: a slow rise over days'),
    from: z.int().describe('Epoch ms'),
    to: z.int(),
    lastSeenAt: z.int(),
    endedAt: z.int().nullable().describe('Null = open'),
    detectedAt: z.int(),
    observedPicoUsd: z.string().describe('Cost from `from` to `to`, pico-dollars; of a spike, of the hours that stand out'),
    expectedPicoUsd: z.string().describe('What is usual then, rounded, pico-dollars'),
    excessPicoUsd: z.string(),
    score: z.number().describe('Deviations from what is usual; of a creep, evidence added up'),
    causes: AnomalyCauses.nullable().describe('Null = not found out'),
    handling: z
      .object({
        kind: z.enum(HANDLINGS),
        reason: z.string(),
        by: z.string(),
        at: z.int(),
        mutedUntil: z.int().nullable().describe('The series raises no new ones until then'),
      })
      .nullable(),
  })
  .meta({ id: 'CostAnomaly' });
export type CostAnomalyView = z.infer<typeof CostAnomalyView>;

export const CostAnomalyList = z
  .object({
    anomalies: z.array(CostAnomalyView).describe('Newest first'),
    nextCursor: z.string().nullable(),
    watch: z
      .object({
        checkedTo: z.int().nullable().describe('End of the last hour that was judged, epoch ms; null = none yet'),
        watched: z.int().describe('Features, teams and models that are judged'),
        learning: z
          .array(z.object({ dimension: z.enum(HOURLY_DIMENSIONS), key: z.string().nullable(), readyAt: z.int() }))
          .describe('Those that need more history, and when they have it'),
        minimumUsd: z.number().describe('Excess an hour from which on one matters, US dollars'),
      })
      .describe('What is being watched'),
  })
  .meta({ id: 'CostAnomalyList' });
export type CostAnomalyList = z.infer<typeof CostAnomalyList>;

export function toAnomalyView(anomaly: CostAnomaly): CostAnomalyView {
  const { fromMs, toMs, lastSeenMs, endedAtMs, detectedAtMs, observedPicoUsd, expectedPicoUsd, handling, key, ...same } = anomaly;
  return {
    ...same,
    key: key || null,
    from: fromMs,
    to: toMs,
    lastSeenAt: lastSeenMs,
    endedAt: endedAtMs,
    detectedAt: detectedAtMs,
    observedPicoUsd: observedPicoUsd.toString(),
    expectedPicoUsd: expectedPicoUsd.toString(),
    excessPicoUsd: (observedPicoUsd - expectedPicoUsd).toString(),
    handling:
      handling === null
        ? null
        : { kind: handling.kind, reason: handling.reason, by: handling.by, at: handling.atMs, mutedUntil: handling.mutedUntilMs },
  };
}
