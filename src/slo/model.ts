import { z } from 'zod';

export const LINE_IDS = [
  'ttft_p95',
  'duration_p50',
  'duration_p99',
  'error_rate',
  'cost_per_call',
  'hallucination',
  'refusal',
  'format_compliance',
  'context_utilisation',
  'satisfaction',
  'retry',
  'tone',
  'policy_violation',
] as const;
export type LineId = (typeof LINE_IDS)[number];

export const LineDimension = z.enum(['latency', 'errors', 'cost', 'quality', 'safety']);
export type LineDimension = z.infer<typeof LineDimension>;

export const LineVerdict = z
  .enum(['within', 'beyond', 'unclear', 'no_line', 'unmeasured'])
  .describe(
    'Where the 95 % interval lies: all of it on the good side of the line, all of it on the bad one, or on both (not enough evidence)',
  );
export type LineVerdict = z.infer<typeof LineVerdict>;

export const LoadLine = z
  .object({
    id: z.enum(LINE_IDS),
    dimension: LineDimension,
    title: z.string(),
    unit: z.enum(['ms', 'share', 'stars', 'usd']),
    sense: z.enum(['at_most', 'at_least']),
    line: z.number().nullable().describe('In the unit; null = none is drawn'),
    value: z.number().nullable().describe('In the unit; null = unmeasured'),
    interval: z.tuple([z.number(), z.number()]).nullable().describe('95 %; null = too few for one'),
    count: z.int().describe('What the value is of: calls, answers, judgements'),
    countOf: z.string(),
    verdict: LineVerdict,
    load: z
      .number()
      .nullable()
      .describe('How deep it lies: 0 = nothing of what the line allows is used, 1 = at the line; null = unmeasured or no line'),
    reason: z.string().nullable().describe('Why it is unmeasured'),
    note: z.string().nullable().describe('What one must know of the number'),
  })
  .meta({ id: 'LoadLine' });
export type LoadLine = z.infer<typeof LoadLine>;

export const FeatureLoadLines = z.object({ feature: z.string(), lines: z.array(LoadLine) }).meta({ id: 'FeatureLoadLines' });
export type FeatureLoadLines = z.infer<typeof FeatureLoadLines>;

export const LoadLines = z.object({ from: z.int(), to: z.int(), features: z.array(FeatureLoadLines) }).meta({ id: 'LoadLines' });
export type LoadLines = z.infer<typeof LoadLines>;
