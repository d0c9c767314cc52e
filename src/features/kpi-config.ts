import { z } from 'zod';

/** Same form as the outcomes that applications report. */
const outcome = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'an outcome is named like "resolved": small letters, digits and "_"');

export const KpiConfig = z.strictObject({
  outcome: outcome.describe('Outcome that the application reports to POST /api/v1/outcomes: resolved, converted, task_done, or your own'),
  name: z.string().trim().min(1).max(120).optional().describe('What people call it, such as "Tickets solved without a person"'),
  target: z.number().min(0).max(1).optional().describe('Share of the reported outcomes that should come about, 0 to 1'),
  maxCostUsd: z
    .number()
    .min(0.000_001)
    .max(1_000_000)
    .multipleOf(0.000_001)
    .optional()
    .describe('What one successful outcome may cost in model calls, US dollars'),
});
export type KpiConfig = z.infer<typeof KpiConfig>;

export const KpiView = z
  .object({
    outcome: z.string(),
    name: z.string().nullable(),
    targetRatio: z.number().nullable().describe('Share of the reported outcomes that should come about, 0 to 1'),
    maxCostPicoUsd: z.string().nullable().describe('What one successful outcome may cost, pico-dollars'),
  })
  .meta({ id: 'Kpi' });
export type KpiView = z.infer<typeof KpiView>;
