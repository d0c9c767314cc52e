import { z } from 'zod';
import { PlimsollError } from '../kernel/errors.ts';
import { picoUsdFromDecimal } from '../kernel/money.ts';
import { CALENDAR_PERIODS, isTimeZone } from './admission/calendar.ts';

export const LIMIT_SCOPES = [
  'global',
  'organisation',
  'team',
  'user',
  'key',
  'feature',
  'customer',
  'session',
  'model',
  'provider',
] as const;

export const ON_EXCEED = ['reject', 'downgrade', 'queue', 'alert'] as const;

/** Most that one budget can hold: counters are safe integers of nano-dollars. */
const MOST_USD = 9_000_000;

const name = z.string().trim().min(1).max(256);
const count = z.int().min(1).max(1_000_000_000_000);

/** @returns true for an amount that is a whole number of nano-dollars */
function isNanoUsd(usdAmount: number): boolean {
  try {
    return picoUsdFromDecimal(`${usdAmount}`) % 1000n === 0n;
  } catch (thrown) {
    if (thrown instanceof PlimsollError) return false;
    throw thrown;
  }
}

const usd = z.number().positive().max(MOST_USD).refine(isNanoUsd, 'an amount of dollars has at most 9 decimals');

const requests = (per: string) => count.optional().describe(`Requests in any ${per} (sliding, not by the clock)`);
const tokens = (per: string) => count.optional().describe(`Input and output tokens of the requests of any ${per} (sliding)`);

const AMOUNTS = [
  'requestsPerSecond',
  'requestsPerMinute',
  'requestsPerHour',
  'requestsPerDay',
  'tokensPerSecond',
  'tokensPerMinute',
  'tokensPerHour',
  'tokensPerDay',
  'concurrency',
  'budgetUsd',
  'maxSteps',
  'maxInputTokens',
  'maxOutputTokens',
  'maxCostUsd',
] as const;

export const LimitConfig = z
  .strictObject({
    scope: z
      .enum(LIMIT_SCOPES)
      .describe('Whose use is counted. session = one agent run or conversation; model and provider count attempts, the others count calls'),
    name: name
      .optional()
      .describe('The one member that it is for, e.g. a team’s name; left out = the limit holds for each member of the scope on its own'),
    feature: name.optional().describe('Only calls of this feature are counted; left out = calls of all features'),
    requestsPerSecond: requests('second'),
    requestsPerMinute: requests('minute'),
    requestsPerHour: requests('hour'),
    requestsPerDay: requests('24 hours'),
    tokensPerSecond: tokens('second'),
    tokensPerMinute: tokens('minute'),
    tokensPerHour: tokens('hour'),
    tokensPerDay: tokens('24 hours'),
    concurrency: count.optional().describe('Calls in flight at the same time'),
    budgetUsd: usd.optional().describe(`Money per period, US dollars, at most ${MOST_USD}`),
    per: z
      .enum([...CALENDAR_PERIODS, 'run'])
      .optional()
      .describe(
        'Period of budgetUsd: calendar day, week (from Monday) or month (the default); sessions have `run` only: the whole session',
      ),
    timeZone: z
      .string()
      .refine(isTimeZone, 'not a time zone; use an IANA name such as Europe/Berlin')
      .default('UTC')
      .describe('Whose midnight begins a period; an IANA name'),
    unpriced: z
      .enum(['reject', 'allow'])
      .default('reject')
      .describe('Calls to a model without a price, which budgetUsd and maxCostUsd could not count: refused, or allowed and not counted'),
    maxSteps: count.optional().describe('Calls of one session (agent run) in all; only for scope session'),
    maxInputTokens: count.optional().describe('Largest input of one request, tokens (estimated from its bytes)'),
    maxOutputTokens: count.optional().describe('Most output that one request may ask for, tokens; set for requests that ask for no number'),
    maxCostUsd: usd.optional().describe('Most that one request may cost by its estimate, US dollars'),
    onExceed: z
      .enum(ON_EXCEED)
      .default('reject')
      .describe('What happens to a call that does not fit: refused; sent to downgradeTo; held until it fits; let through with an event'),
    downgradeTo: name.optional().describe('Route or model that calls go to instead; required for onExceed: downgrade'),
    queue: z
      .strictObject({
        maxWaitMs: z.int().min(1).max(600_000).default(10_000).describe('Longest wait of a call, milliseconds'),
        maxLength: z
          .int()
          .min(1)
          .max(100_000)
          .default(1_000)
          .describe('Most calls that wait for one member of the scope; further ones are refused'),
      })
      .optional()
      .describe('The waiting line of onExceed: queue'),
    alertAtPercent: z
      .array(z.int().min(1).max(1_000))
      .max(20)
      .default([50, 80, 100, 120, 150])
      .describe('Shares of budgetUsd at which an event is sent, once per period each'),
    owner: name.optional().describe('Who answers for the limit; left out = the owner of the feature that it is for'),
    costOwner: name.optional().describe('Who pays; left out = the cost owner of the feature that it is for'),
  })
  .superRefine((limit, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (AMOUNTS.every((amount) => limit[amount] === undefined)) issue('scope', `limits nothing; give one of ${AMOUNTS.join(', ')}`);
    if (limit.scope === 'global' && limit.name !== undefined) issue('name', 'there is only one global scope; leave the name out');
    if (limit.scope === 'feature' && limit.feature !== undefined) issue('feature', 'the scope is the feature already; use name');
    if (limit.maxSteps !== undefined && limit.scope !== 'session') issue('maxSteps', 'steps are counted per session: use scope: session');
    if (limit.per !== undefined && limit.budgetUsd === undefined) issue('per', 'is the period of budgetUsd, which is not given');
    if (limit.budgetUsd !== undefined && (limit.scope === 'session') !== ((limit.per ?? 'run') === 'run') && limit.per !== undefined)
      issue('per', limit.scope === 'session' ? 'a session has no calendar: use run' : 'only a session is a run: use day, week or month');
    if ((limit.onExceed === 'downgrade') !== (limit.downgradeTo !== undefined))
      issue('downgradeTo', 'belongs to onExceed: downgrade, and is required there');
    if (limit.queue !== undefined && limit.onExceed !== 'queue') issue('queue', 'belongs to onExceed: queue');
    const isOfTarget = limit.scope === 'model' || limit.scope === 'provider';
    if (isOfTarget && (limit.onExceed === 'downgrade' || limit.onExceed === 'queue'))
      issue('onExceed', `a ${limit.scope} that is at its limit is passed over for the route’s next target; use reject or alert`);
    if (isOfTarget) {
      for (const cap of ['maxInputTokens', 'maxOutputTokens', 'maxCostUsd'] as const)
        if (limit[cap] !== undefined) issue(cap, `is checked before a target is chosen; use another scope than ${limit.scope}`);
    }
  });
export type LimitConfig = z.output<typeof LimitConfig>;

/** `limits:` of plimsoll.yaml. */
export const limitsConfig = z
  .array(LimitConfig)
  .max(1_000)
  .default([])
  .describe(
    'Limits of rate, concurrency and money. A call is let in when it fits under all that apply to it, else it uses none of them. They hold for all gateways together: the workers of one machine, and replicas that share a Redis (limitSharing)',
  );

/** `limitSharing:` of plimsoll.yaml. */
export const limitSharingConfig = z
  .strictObject({
    driver: z
      .enum(['machine', 'redis'])
      .default('machine')
      .describe('With whom gateways keep limits together: the workers of one machine, or all that know the Redis of PLIMSOLL_REDIS_URL'),
    onUnavailable: z
      .enum(['fail-closed', 'local-share'])
      .default('fail-closed')
      .describe(
        'While Redis is away, after the 2.5 s for which a gateway may use what it has borrowed: limited calls are refused (503), or each gateway goes on with its share, limit ÷ replicas, which all together can pass the limit by what some had used beyond their share',
      ),
    replicas: z.int().min(1).max(1_000).default(1).describe('Gateway processes in all, workers counted; divides limits for local-share'),
  })
  .prefault({})
  .describe('How several gateways keep one limit');

/** Whole nano-dollars of an amount that `LimitConfig` accepted. */
export function nanoUsd(usdAmount: number): number {
  return Number(picoUsdFromDecimal(`${usdAmount}`) / 1000n);
}
