import { z } from 'zod';
import { quantiles } from './model.ts';

const count = z.int().nonnegative();

/** What is counted here is attempts: one try at one provider. A call with a fallback is two. */
export const TargetRow = z
  .object({
    provider: z.string().describe('Name in plimsoll.yaml'),
    target: z.string().nullable().describe('Model alias; null when grouped by provider'),
    route: z.string().nullable().describe('Null unless grouped by route'),
    attempts: count,
    answered: count,
    errors: count.describe('Attempts that ended in an error; aborted ones (the client left, another attempt was faster) are counted apart'),
    aborted: count,
    errorRate: z.number().nullable().describe('errors / (attempts − aborted); null without such attempts'),
    errorRateInterval: z.tuple([z.number(), z.number()]).nullable().describe('95 % Wilson interval'),
    errorTypes: z.record(z.string(), count).describe('Errors by our code'),
    roles: z
      .object({ retry: count, fallback: count, hedge: count, restart: count, repair: count })
      .describe('Attempts that were not the first of their call, by why they were made'),
    durationMs: quantiles.describe('Of attempts that answered (as many as `answered`), to the end of the answer; null without any'),
    ttftMs: quantiles.describe('To the first content; null without samples'),
    ttftSamples: count.describe('Attempts behind `ttftMs`'),
  })
  .meta({ id: 'TargetRow' });
export type TargetRow = z.infer<typeof TargetRow>;

export const TargetGroupBy = z.enum(['provider', 'target', 'route']);
export type TargetGroupBy = z.infer<typeof TargetGroupBy>;

export const TargetMetrics = z
  .object({
    from: z.int().describe('Epoch ms'),
    to: z.int().describe('Epoch ms'),
    groupBy: TargetGroupBy,
    rows: z.array(TargetRow).describe('Most attempts first, at most 1,000'),
  })
  .meta({ id: 'TargetMetrics' });
export type TargetMetrics = z.infer<typeof TargetMetrics>;
