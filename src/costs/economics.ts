import { z } from 'zod';
import { COST_GROUPS, type CostGroup, type CostPeriod, type CostQueries, type EconomicsRow } from './cost-queries.ts';
import { CostAllocation } from './shared/allocate.ts';
import { ratio, round } from './variance/ratio.ts';

const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);
const each = (what: string) => z.string().nullable().describe(`${what}, pico-dollars to the nearest one; null = there are none`);

const Row = z.object({
  calls: z.int(),
  unpricedCalls: z.int().describe('In no sum: what they cost is not known'),
  costPicoUsd: pico('Cost'),
  users: z.int().describe('Different users that calls name'),
  sessions: z.int().describe('Different sessions that calls name'),
  perCallPicoUsd: each('Cost of a priced call'),
  perUserPicoUsd: each('Cost of the calls that name a user, per user'),
  perSessionPicoUsd: each('Cost of the calls that name a session, per session'),
});

const Share = z.object({
  costPicoUsd: pico('Cost of calls that name none'),
  ratio: z.number().nullable().describe('Share of the whole cost, 0 to 1; null = nothing was spent'),
});

export const CostEconomics = z
  .object({
    from: z.int(),
    to: z.int(),
    groupBy: z.enum(COST_GROUPS),
    total: Row,
    groups: z
      .array(Row.extend({ key: z.string().nullable().describe('Null = calls without one') }))
      .describe('The dearest first, at most 500'),
    unallocated: z
      .object({ team: Share, customer: Share, user: Share, session: Share })
      .describe('Cost that belongs to nobody, by what is missing'),
    allocation: CostAllocation.nullable().describe(
      'By team: what is its own and its part of shared costs (costs.shared); null = another grouping, or nothing is shared',
    ),
  })
  .meta({ id: 'CostEconomics' });
export type CostEconomics = z.infer<typeof CostEconomics>;

function per(cost: bigint, count: number): string | null {
  return count === 0 ? null : round(ratio(cost, BigInt(count))).toString();
}

function view(row: EconomicsRow): z.infer<typeof Row> {
  const { calls, unpricedCalls, costPicoUsd, users, userCostPicoUsd, sessions, sessionCostPicoUsd } = row;
  return {
    calls,
    unpricedCalls,
    costPicoUsd: costPicoUsd.toString(),
    users,
    sessions,
    perCallPicoUsd: per(costPicoUsd, calls - unpricedCalls),
    perUserPicoUsd: per(userCostPicoUsd, users),
    perSessionPicoUsd: per(sessionCostPicoUsd, sessions),
  };
}

/** Unit costs from sums. Pure. */
export function costEconomics(
  period: CostPeriod,
  groupBy: CostGroup,
  { groups, total, unallocated }: Awaited<ReturnType<CostQueries['economics']>>,
  allocation: CostAllocation | null = null,
): CostEconomics {
  const share = (cost: bigint) => ({
    costPicoUsd: cost.toString(),
    ratio: total.costPicoUsd === 0n ? null : Number((cost * 1_000_000n) / total.costPicoUsd) / 1_000_000,
  });
  return {
    ...period,
    groupBy,
    total: view(total),
    groups: groups.map((row) => ({ key: row.key, ...view(row) })),
    unallocated: {
      team: share(unallocated.team),
      customer: share(unallocated.customer),
      user: share(unallocated.user),
      session: share(unallocated.session),
    },
    allocation,
  };
}
