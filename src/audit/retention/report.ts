import { z } from 'zod';
import type { Scope } from '../../kernel/scope.ts';
import type { RetentionConfig } from './config.ts';
import { DATA_CLASSES, deletedAtMs, planRetention } from './plan.ts';
import type { RetentionStore } from './store.ts';

const days = z.int().nullable().describe('Whole days; null = never deleted');
const epochMs = z.int().describe('Epoch ms');

export const RetentionReport = z
  .object({
    at: epochMs,
    nextRunAt: epochMs.nullable().describe('When deletion runs next; null when it is not planned'),
    classes: z.array(
      z.object({
        name: z.enum(DATA_CLASSES),
        keptDays: days,
        by: z.string().describe('Where the configuration says it'),
        features: z.array(z.object({ feature: z.string(), keptDays: days, by: z.string() })).describe('Features with a rule of their own'),
        rows: z.int(),
        bytes: z.int().describe('On disk, compressed, indexes included'),
        oldestAt: epochMs.nullable(),
        due: z.object({ rows: z.int(), bytes: z.int().describe('Estimated: its share of the rows') }).describe('What goes in the next run'),
        next: z
          .object({ at: epochMs, rows: z.int(), day: epochMs.describe('The day that goes, midnight UTC'), by: z.string() })
          .nullable()
          .describe('What of the rest goes first, in the first run after `at`; null = nothing ever does'),
      }),
    ),
  })
  .meta({ id: 'RetentionReport' });
export type RetentionReport = z.infer<typeof RetentionReport>;

export interface RetentionSources {
  readonly store: RetentionStore;
  readonly config: RetentionConfig;
  readonly nowMs: number;
  readonly nextRunMs: number | null;
}

/** What is kept, for how long, and what would go: deletes nothing. */
export async function reportRetention(scope: Scope, { store, config, nowMs, nextRunMs }: RetentionSources): Promise<RetentionReport> {
  const classes: RetentionReport['classes'] = [];
  for (const plan of planRetention(config, nowMs)) {
    const holding = await store.holding(scope, plan);
    const [own, ...others] = plan.rules;
    const { next } = holding;
    const goesMs = next === null ? null : deletedAtMs(next.dayMs, next.rule.days);
    classes.push({
      name: plan.dataClass,
      keptDays: own.days,
      by: own.by,
      features: others.flatMap(({ feature, days: kept, by }) =>
        feature === null || feature === '' ? [] : [{ feature, keptDays: kept, by }],
      ),
      rows: holding.rows,
      bytes: holding.bytes,
      oldestAt: holding.oldestMs,
      due: { rows: holding.dueRows, bytes: holding.rows === 0 ? 0 : Math.round((holding.bytes * holding.dueRows) / holding.rows) },
      next: next === null || goesMs === null ? null : { at: goesMs, rows: next.rows, day: next.dayMs, by: next.rule.by },
    });
  }
  return { at: nowMs, nextRunAt: nextRunMs, classes };
}
