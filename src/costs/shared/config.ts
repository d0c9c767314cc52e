import { z } from 'zod';
import { picoUsdFromDecimal } from '../../kernel/money.ts';

export const SPLITS = ['even', 'spend', 'requests', 'fixed'] as const;
const names = z.array(z.string().min(1).max(128)).min(1).max(200);

/** One of `costs.shared` in plimsoll.yaml. */
const SharedCostConfig = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'small letters, digits and -')
      .describe('How statements and exports call it'),
    features: names.optional().describe('Calls of these features are shared, e.g. an evaluation or plimsoll-probe'),
    keys: names.optional().describe('Calls through these virtual keys are shared; ids as `plimsoll keys list` shows them'),
    withoutTeam: z.boolean().default(false).describe('Calls that name no team are shared'),
    monthlyUsd: z
      .number()
      .positive()
      .max(1_000_000_000)
      .optional()
      .describe('Instead of calls: a fee or commitment that is on no call, US dollars a calendar month (UTC)'),
    split: z.enum(SPLITS).describe('even: the same for each team; spend, requests: in proportion to their own; fixed: by perMille'),
    teams: names.optional().describe('Who bears it; left out = every team with calls of its own in the period'),
    perMille: z
      .record(z.string().min(1).max(128), z.int().min(0).max(1000))
      .optional()
      .describe('Thousandths by team, for split: fixed; 1000 in all'),
  })
  .superRefine((rule, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const takesCalls = rule.features !== undefined || rule.keys !== undefined || rule.withoutTeam;
    if (takesCalls === (rule.monthlyUsd !== undefined))
      refuse(
        'monthlyUsd',
        'say which calls are shared (features, keys or withoutTeam) or what is paid a month (monthlyUsd): one of the two',
      );
    if ((rule.split === 'fixed') !== (rule.perMille !== undefined)) refuse('perMille', 'goes with split: fixed, and only with it');
    if (rule.perMille !== undefined) {
      const sum = Object.values(rule.perMille).reduce((total, share) => total + share, 0);
      if (sum !== 1000) refuse('perMille', `the thousandths add up to ${sum}, not to 1000`);
      if (rule.teams !== undefined) refuse('teams', 'perMille names the teams already');
    }
  });

export const sharedCostsConfig = z
  .array(SharedCostConfig)
  .max(50)
  .default([])
  .superRefine((rules, context) => {
    for (const [place, { name }] of rules.entries())
      if (rules.findIndex((rule) => rule.name === name) !== place)
        context.addIssue({ code: 'custom', path: [place, 'name'], message: `"${name}" is there twice` });
  })
  .describe('Costs that belong to no single team, and by what rule teams bear them. A call belongs to the first rule that fits');

/** Which calls are shared: any of it. */
interface SharedCalls {
  readonly features: readonly string[];
  readonly keys: readonly string[];
  readonly withoutTeam: boolean;
}

export interface SharedRule {
  readonly name: string;
  /** Null = a fee. */
  readonly calls: SharedCalls | null;
  /** Null = of calls. */
  readonly monthlyPicoUsd: bigint | null;
  readonly split: (typeof SPLITS)[number];
  /** Null = every team with calls of its own. */
  readonly teams: readonly string[] | null;
  readonly perMille: ReadonlyMap<string, number>;
}

export function sharedRules(config: z.infer<typeof sharedCostsConfig>): SharedRule[] {
  return config.map(({ name, features = [], keys = [], withoutTeam, monthlyUsd, split, teams = null, perMille = {} }) => ({
    name,
    calls: monthlyUsd === undefined ? { features, keys, withoutTeam } : null,
    monthlyPicoUsd: monthlyUsd === undefined ? null : picoUsdFromDecimal(`${monthlyUsd}`),
    split,
    teams,
    perMille: new Map(Object.entries(perMille)),
  }));
}
