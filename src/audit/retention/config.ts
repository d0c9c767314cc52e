import { z } from 'zod';
import { FeatureName } from '../../features/config.ts';

const kept = z.union([z.int().min(1).max(36_500), z.literal('never')], 'a number of days from 1 to 36500, or never');
/** Days, or never deleted. */
export type KeptDays = z.infer<typeof kept>;

const messages = 'Prompts, answers and the words by which they are found';

/** `retention:` of plimsoll.yaml: days that data is kept, by class. */
export const retentionConfig = z
  .strictObject({
    messages: kept.default(90).describe(`Days: ${messages.toLowerCase()}`),
    spans: kept.default(400).describe('Days: spans, and with them the lists of traces, sessions and users; at least as long as messages'),
    scores: kept.default(400).describe('Days: scores, feedback and outcomes'),
    rollups: kept.default(2_555).describe('Days: sums that dashboards and metrics of past periods are made of; at least as long as spans'),
    ledger: kept.default(2_555).describe('Days: what each call cost, the source of all cost reports; at least as long as spans'),
    features: z
      .record(
        FeatureName,
        z.strictObject({ messages: kept.describe(`${messages} of this feature; never = a hold, which holds its spans too`) }),
      )
      .default({})
      .describe('Features with a rule of their own'),
  })
  .superRefine((config, context) => {
    const order = [
      ['messages', 'spans', 'nobody could reach them'],
      ['spans', 'rollups', 'dashboards would show less than the traces below them'],
      ['spans', 'ledger', 'cost reports would show less than the traces below them'],
    ] as const;
    for (const [shorter, longer, why] of order)
      if (inDays(config[shorter]) > inDays(config[longer]))
        context.addIssue({
          code: 'custom',
          path: [longer],
          message: `${longer} (${config[longer]}) must be kept at least as long as ${shorter} (${config[shorter]}): ${why}`,
        });
  })
  .prefault({})
  .describe('How long data is kept, in whole days (UTC); never = until somebody changes it');
export type RetentionConfig = z.infer<typeof retentionConfig>;

export function inDays(value: KeptDays): number {
  return value === 'never' ? Number.POSITIVE_INFINITY : value;
}
