import { z } from 'zod';
import { type RoutePolicy, STRATEGIES, TIERS, WEEKDAYS } from './policy.ts';

const name = z.string().min(1).max(128);
const label = z.string().min(1).max(256);
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day reads "HH:MM", 00:00 to 23:59');

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false; // Intl says so by throwing; there is nothing else to ask
  }
}

function range(what: string) {
  return z
    .strictObject({
      min: z.number().optional().describe(`Least ${what}, inclusive`),
      max: z.number().optional().describe(`Most ${what}, inclusive`),
    })
    .refine(({ min, max }) => min !== undefined || max !== undefined, 'needs min or max')
    .refine(({ min, max }) => min === undefined || max === undefined || min <= max, 'min is above max');
}

/** Sampling parameters that the gateway reads from a request. */
const NUMERIC_PARAMETERS = [
  'temperature',
  'top_p',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'presence_penalty',
  'frequency_penalty',
] as const;

const Condition = z
  .strictObject({
    tags: z
      .record(label, z.array(label).min(1).max(32))
      .optional()
      .describe('Tags of the call (x-plimsoll-tags or metadata): name → values, one of which it must have'),
    features: z.array(name).min(1).max(64).optional().describe('Features that call'),
    teams: z.array(name).min(1).max(64).optional().describe('Teams whose key calls'),
    inputTokens: range('input tokens').optional().describe('Input tokens, estimated from the size of the request'),
    languages: z
      .array(z.string().regex(/^[a-z]{2}$/, 'a language is a two-letter ISO 639-1 code such as "de"'))
      .min(1)
      .max(32)
      .optional()
      .describe('Language of the last user message, ISO 639-1'),
    time: z
      .strictObject({
        zone: z.string().refine(isTimeZone, 'not an IANA time zone such as "Europe/Berlin"').default('UTC').describe('IANA time zone'),
        from: timeOfDay.optional().describe('From this time of day, "HH:MM", inclusive'),
        to: timeOfDay.optional().describe('Until this time of day, "HH:MM", exclusive; before "from" = past midnight'),
        days: z.array(z.enum(WEEKDAYS)).min(1).optional().describe('Days of the week on which it holds, judged at the time of the call'),
      })
      .optional()
      .describe('Time of day and week'),
    parameters: z
      .partialRecord(z.enum(NUMERIC_PARAMETERS), range('value'))
      .optional()
      .describe('Sampling parameters of the request; one that it does not name matches no range'),
    isStream: z.boolean().optional().describe('Whether a stream is asked for'),
    hasTools: z.boolean().optional().describe('Whether the request offers tools'),
  })
  .refine((condition) => Object.values(condition).some((value) => value !== undefined), 'an empty condition always holds; leave it out')
  .describe('When this target may be used: everything given must hold. A target without "when" may always be used');

const RouteTarget = z.strictObject({
  model: name.describe('Model alias'),
  weight: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1)
    .describe('Share of the traffic relative to the other targets (weight, sticky); 0 = only when the others fail'),
  tier: z.enum(TIERS).optional().describe('Difficulty that this target serves; for strategy complexity'),
  when: Condition.optional(),
});

const retries = z
  .strictObject({
    maxAttempts: z.int().min(1).max(10).default(2).describe('Tries at one target, the first included; 1 = no retry'),
    baseDelayMs: z.int().min(1).max(60_000).default(200).describe('First wait is 0 to this, then twice as much each time, milliseconds'),
    maxDelayMs: z
      .int()
      .min(1)
      .max(60_000)
      .default(2_000)
      .describe('Longest wait; a longer retry-after is waited for only where no other target is left, milliseconds'),
    budgetRatio: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe('Retries per call over time, with a reserve of 10: an outage is not made worse by retries'),
    deadlineMs: z.int().min(100).max(3_600_000).default(60_000).describe('No try starts later than this after the call came, milliseconds'),
  })
  .prefault({})
  .describe('Tries at the same target, before the next one is asked and before the first byte of an answer');

const hedge = z
  .strictObject({
    delayMs: z
      .int()
      .min(1)
      .max(600_000)
      .optional()
      .describe(
        'Wait before the second target is asked too, milliseconds; absent = the measured 95th percentile of the time to first token',
      ),
    maxRatio: z.number().min(0.001).max(1).default(0.05).describe('Most hedged calls, as a share of all calls of the route'),
    allowSideEffects: z
      .boolean()
      .default(false)
      .describe('Also hedge requests with tools that the provider runs itself, which may then run twice'),
  })
  .optional()
  .describe('Ask a second target when the first is slow; the first content wins, the other is cancelled. Both may cost');

const shadow = z
  .strictObject({
    model: name.describe('Model alias of the candidate'),
    ratio: z.number().min(0.0001).max(1).default(0.01).describe('Share of the calls that are mirrored'),
    maxUsdPerDay: z.number().positive().max(1_000_000).describe('Most that mirrored calls may cost a day (UTC), US dollars, per machine'),
    maxConcurrent: z.int().min(1).max(1_000).default(4).describe('Mirrored calls in flight per worker'),
  })
  .optional()
  .describe('Mirror calls to a candidate: its answers are recorded and never returned, its cost is counted');

const classifier = z
  .strictObject({
    model: name.describe('Model alias that judges the difficulty'),
    timeoutMs: z.int().min(50).max(10_000).default(800).describe('After this the local classifier decides, milliseconds'),
  })
  .optional()
  .describe('Let a small model judge the difficulty instead of the built-in classifier; its calls cost and add their latency');

export const RouteConfig = z
  .strictObject({
    strategy: z
      .enum(STRATEGIES)
      .default('priority')
      .describe(
        'priority: in order; weight: at random by weight; latency: the faster of two at random; cost: the cheapest first; complexity: by tier; condition: in order of those whose "when" holds; sticky: by session',
      ),
    targets: z
      .array(z.union([name, RouteTarget]))
      .min(1)
      .max(16)
      .describe('Model aliases, or objects with more about each; the first is the primary, the rest are fallbacks in this order'),
    stickyBy: z
      .enum(['session', 'user', 'customer'])
      .default('session')
      .describe('What keeps its target under strategy sticky; a call without it is spread by weight'),
    classifier,
    shadow,
    retries,
    hedge,
    onContentFilter: z
      .enum(['fail', 'next'])
      .default('fail')
      .describe("When a provider's content filter refuses: tell the client, or ask the next target"),
  })
  .superRefine((route, context) => {
    const issue = (path: (string | number)[], message: string): void => void context.addIssue({ code: 'custom', path, message });
    const targets = route.targets.map((target) => (typeof target === 'string' ? null : target));
    if (targets.every((target) => target?.when !== undefined))
      issue(['targets'], 'every target has a "when": give one without, which takes the calls that match none');
    if (route.strategy === 'condition' && targets.every((target) => target?.when === undefined))
      issue(['strategy'], 'strategy condition needs a target with "when"');
    if (route.strategy === 'complexity')
      for (const [index, target] of targets.entries())
        if (target?.tier === undefined) issue(['targets', index], `strategy complexity needs a tier for each target: ${TIERS.join(', ')}`);
    if ((route.strategy === 'weight' || route.strategy === 'sticky') && targets.every((target) => target?.weight === 0))
      issue(['targets'], 'every weight is 0');
    if (route.classifier !== undefined && route.strategy !== 'complexity') issue(['classifier'], 'only for strategy complexity');
    if (route.hedge !== undefined && targets.length < 2) issue(['hedge'], 'needs a second target');
  });
export type RouteConfig = z.output<typeof RouteConfig>;

/** `routes:` of plimsoll.yaml. */
export const routesConfig = z
  .record(
    z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/,
        'a name is 1 to 128 of: letters, digits, . _ : / @ -, and starts with a letter or digit',
      ),
    RouteConfig,
  )
  .describe('What a request may ask for as its "model": a route tries its targets in order. Routes and models share one namespace');

/** Model aliases of a route's targets, in order. */
export function targetNames(route: Pick<RouteConfig, 'targets'>): string[] {
  return route.targets.map((target) => (typeof target === 'string' ? target : target.model));
}

/** Model aliases that serve a feature: those of its route, or the model itself where it names one. */
export function featureTargets(routes: Readonly<Record<string, RouteConfig>>, route: string): string[] {
  const found = Object.hasOwn(routes, route) ? routes[route] : undefined;
  return found === undefined ? [route] : targetNames(found);
}

/** Every model alias that a route can call, targets first, with where it stands in the route. */
export function routeModels(route: RouteConfig): { readonly model: string; readonly path: readonly (string | number)[] }[] {
  const models: { model: string; path: (string | number)[] }[] = route.targets.map((target, index) =>
    typeof target === 'string' ? { model: target, path: ['targets', index] } : { model: target.model, path: ['targets', index, 'model'] },
  );
  if (route.shadow !== undefined) models.push({ model: route.shadow.model, path: ['shadow', 'model'] });
  if (route.classifier !== undefined) models.push({ model: route.classifier.model, path: ['classifier', 'model'] });
  return models;
}

/** A route's policy as the snapshot carries it. */
export function routePolicy(route: RouteConfig): RoutePolicy {
  const { hedge: hedging } = route;
  return {
    strategy: route.strategy,
    targets: route.targets.map((target) =>
      typeof target === 'string'
        ? { weight: 1, tier: null, when: null }
        : { weight: target.weight, tier: target.tier ?? null, when: target.when ?? null },
    ),
    stickyBy: route.stickyBy,
    classifier: route.classifier ?? null,
    shadow: route.shadow ?? null,
    retries: route.retries,
    hedge: hedging === undefined ? null : { ...hedging, delayMs: hedging.delayMs ?? null },
    onContentFilter: route.onContentFilter,
  };
}
