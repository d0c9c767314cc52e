import { z } from 'zod';
import type { Snapshot } from '../snapshot.ts';
import { conditionText } from './condition-text.ts';
import { STRATEGIES } from './policy.ts';

/** A route as the configuration in force has it. */
export const RouteView = z
  .object({
    name: z.string(),
    strategy: z.enum(STRATEGIES),
    stickyBy: z.enum(['session', 'user', 'customer']).nullable().describe('Null unless the strategy is sticky'),
    targets: z.array(
      z.object({
        model: z.string().describe('Model alias'),
        provider: z.string(),
        weight: z.int(),
        tier: z.string().nullable(),
        when: z.string().nullable().describe('In words, when it may be used; null = always'),
      }),
    ),
    features: z.array(z.string()).describe('Features whose route it is'),
    classifierModel: z.string().nullable().describe('Model that judges the difficulty; null = the built-in classifier, or none'),
    retries: z.object({ maxAttempts: z.int(), budgetRatio: z.number(), deadlineMs: z.int() }).nullable(),
    hedge: z
      .object({
        delayMs: z.int().nullable().describe('Null = the measured 95th percentile'),
        maxRatio: z.number(),
      })
      .nullable(),
    shadow: z.object({ model: z.string(), ratio: z.number(), maxUsdPerDay: z.number() }).nullable(),
    onContentFilter: z.enum(['fail', 'next']),
  })
  .meta({ id: 'Route' });
export type RouteView = z.infer<typeof RouteView>;

/** Routes of a snapshot, in the order of the configuration. Pure. */
export function routeViews({ routes, models, features }: Pick<Snapshot, 'routes' | 'models' | 'features'>): RouteView[] {
  const providers = new Map(models.map(({ name, provider }) => [name, provider]));
  return routes.map(({ name, targets, policy }) => ({
    name,
    strategy: policy?.strategy ?? 'priority',
    stickyBy: policy?.strategy === 'sticky' ? policy.stickyBy : null,
    targets: targets.map((model, index) => {
      const own = policy?.targets[index];
      return {
        model,
        provider: providers.get(model) ?? '',
        weight: own?.weight ?? 1,
        tier: own?.tier ?? null,
        when: own?.when == null ? null : conditionText(own.when),
      };
    }),
    features: features.flatMap((feature) => (feature.route === name ? [feature.name] : [])),
    classifierModel: policy?.classifier?.model ?? null,
    retries: policy?.retries == null ? null : pick(policy.retries),
    hedge: policy?.hedge == null ? null : { delayMs: policy.hedge.delayMs, maxRatio: policy.hedge.maxRatio },
    shadow:
      policy?.shadow == null ? null : { model: policy.shadow.model, ratio: policy.shadow.ratio, maxUsdPerDay: policy.shadow.maxUsdPerDay },
    onContentFilter: policy?.onContentFilter ?? 'fail',
  }));
}

function pick({ maxAttempts, budgetRatio, deadlineMs }: NonNullable<RouteView['retries']>): NonNullable<RouteView['retries']> {
  return { maxAttempts, budgetRatio, deadlineMs };
}
