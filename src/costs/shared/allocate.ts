import { z } from 'zod';
import type { CostPeriod, TeamUse } from '../cost-queries.ts';
import { type SharedRule, SPLITS } from './config.ts';
import { feeOf } from './fees.ts';
import { splitExactly, type Weight } from './split.ts';

const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);

export const CostAllocation = z
  .object({
    teams: z
      .array(
        z.object({
          team: z
            .string()
            .nullable()
            .describe('Null = nobody: calls without a team that no rule shares, and shares that nobody could bear'),
          calls: z.int().describe('Of its own'),
          unpricedCalls: z.int().describe('Of its own; in no sum'),
          ownPicoUsd: pico('Cost of its own calls'),
          sharedPicoUsd: pico('Its part of shared costs, the sum of the shares'),
          totalPicoUsd: pico('own + shared'),
          shares: z.array(z.object({ rule: z.string(), picoUsd: pico('Part of this shared cost') })),
        }),
      )
      .describe('The largest total first'),
    shared: z
      .array(
        z.object({
          rule: z.string(),
          source: z.enum(['calls', 'fee']).describe('fee: on no call, and so not in the ledger'),
          split: z.enum(SPLITS),
          calls: z.int(),
          unpricedCalls: z.int().describe('In no sum: what they cost is not known'),
          picoUsd: pico('What was split'),
          borneByNobodyPicoUsd: pico('Of it: no team had anything to measure its share by'),
        }),
      )
      .describe('In the order of costs.shared'),
    ledgerPicoUsd: pico('Cost of all calls'),
    feesPicoUsd: pico('Fees that are on no call'),
    totalPicoUsd: pico('ledger + fees, the sum of the teams’ totals'),
  })
  .meta({ id: 'CostAllocation' });
export type CostAllocation = z.infer<typeof CostAllocation>;

interface Own {
  calls: number;
  unpricedCalls: number;
  pico: bigint;
}

function ownByTeam(uses: readonly TeamUse[]): Map<string | null, Own> {
  const own = new Map<string | null, Own>();
  for (const { team, rule, calls, unpricedCalls, costPicoUsd } of uses) {
    if (rule !== null) continue;
    const known = own.get(team) ?? { calls: 0, unpricedCalls: 0, pico: 0n };
    own.set(team, { calls: known.calls + calls, unpricedCalls: known.unpricedCalls + unpricedCalls, pico: known.pico + costPicoUsd });
  }
  return own;
}

/** By what teams bear a shared cost. Measured on what is their own alone, so that the order of rules does not matter. */
function weightsOf({ split, teams, perMille }: SharedRule, own: ReadonlyMap<string | null, Own>): Weight[] {
  if (split === 'fixed') return [...perMille].map(([name, share]) => ({ name, weight: BigInt(share) }));
  const bearers = teams ?? [...own.keys()].filter((team) => team !== null);
  return [...new Set(bearers)].map((name) => {
    const { calls = 0, pico: spent = 0n } = own.get(name) ?? {};
    return { name, weight: split === 'even' ? 1n : split === 'spend' ? spent : BigInt(calls) };
  });
}

/**
 * Who bears what: what is a team's own, and its parts of what is shared. Exact: the totals of the teams add up to ledger plus fees, to the
 * pico-dollar. Pure.
 * @param uses of the period, by team and the rule that its calls belong to
 */
export function allocate(rules: readonly SharedRule[], uses: readonly TeamUse[], period: CostPeriod): CostAllocation {
  const own = ownByTeam(uses);
  const shares = new Map<string | null, { rule: string; pico: bigint }[]>();
  const give = (team: string | null, rule: string, amount: bigint): void => {
    shares.set(team, [...(shares.get(team) ?? []), { rule, pico: amount }]);
  };
  let fees = 0n;
  const shared = rules.map((rule): CostAllocation['shared'][number] => {
    const { name, monthlyPicoUsd, split } = rule;
    const calls = uses.filter((use) => use.rule === name);
    const amount = monthlyPicoUsd === null ? calls.reduce((sum, use) => sum + use.costPicoUsd, 0n) : feeOf(monthlyPicoUsd, period);
    if (monthlyPicoUsd !== null) fees += amount;
    const parts = splitExactly(amount, weightsOf(rule, own));
    for (const [team, part] of parts ?? [[null, amount] as const]) if (part !== 0n) give(team, name, part);
    return {
      rule: name,
      source: monthlyPicoUsd === null ? 'calls' : 'fee',
      split,
      calls: calls.reduce((sum, use) => sum + use.calls, 0),
      unpricedCalls: calls.reduce((sum, use) => sum + use.unpricedCalls, 0),
      picoUsd: amount.toString(),
      borneByNobodyPicoUsd: (parts === null ? amount : 0n).toString(),
    };
  });
  const teams = [...new Set([...own.keys(), ...shares.keys()])].map((team) => {
    const { calls, unpricedCalls, pico: ownPico } = own.get(team) ?? { calls: 0, unpricedCalls: 0, pico: 0n };
    const borne = shares.get(team) ?? [];
    const sharedPico = borne.reduce((sum, share) => sum + share.pico, 0n);
    return { team, calls, unpricedCalls, ownPico, sharedPico, borne };
  });
  const total = ({ ownPico, sharedPico }: (typeof teams)[number]): bigint => ownPico + sharedPico;
  teams.sort((a, b) => (total(a) === total(b) ? ((a.team ?? '') < (b.team ?? '') ? -1 : 1) : total(a) > total(b) ? -1 : 1));
  const ledger = uses.reduce((sum, use) => sum + use.costPicoUsd, 0n);
  return {
    teams: teams.map(({ team, calls, unpricedCalls, ownPico, sharedPico, borne }) => ({
      team,
      calls,
      unpricedCalls,
      ownPicoUsd: ownPico.toString(),
      sharedPicoUsd: sharedPico.toString(),
      totalPicoUsd: (ownPico + sharedPico).toString(),
      shares: borne.map((share) => ({ rule: share.rule, picoUsd: share.pico.toString() })),
    })),
    shared,
    ledgerPicoUsd: ledger.toString(),
    feesPicoUsd: fees.toString(),
    totalPicoUsd: (ledger + fees).toString(),
  };
}
