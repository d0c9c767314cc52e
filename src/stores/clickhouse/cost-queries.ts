import type { CostFilter, CostGroup, CostPeriod, EconomicsRow, PeriodTotals, SavingsRow, Unallocated } from '../../costs/cost-queries.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection } from './client.ts';
import { callHours } from './cost-hours-source.ts';
import { ANSWERING_MODEL } from './cost-rollups.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';
import { BREAKDOWN_KEY, breakdownParameters, filterOf, LEDGER_PERIOD, OFF_DASHBOARD, periodParameters } from './ledger-conditions.ts';

const MAX_GROUPS = 500;

export async function readPeriodTotals(
  connection: ClickHouseConnection,
  scope: Scope,
  period: CostPeriod,
  filter: CostFilter = {},
): Promise<PeriodTotals> {
  const only = filterOf(filter);
  const source = callHours(period, only.sql);
  const [row] = await connection.read<{ calls: string; cached: string; unpriced: string; cost: string }>(
    `SELECT sum(h.calls) AS calls, sum(h.cached) AS cached, sum(h.unpriced) AS unpriced, toString(sum(h.cost)) AS cost FROM ${source.sql} AS h`,
    { ...periodParameters(scope, period), ...only.parameters, ...source.parameters },
  );
  return {
    calls: BigInt(row?.calls ?? '0'),
    cachedCalls: BigInt(row?.cached ?? '0'),
    unpricedCalls: BigInt(row?.unpriced ?? '0'),
    costPicoUsd: BigInt(row?.cost ?? '0'),
  };
}

const GROUP_KEY = {
  feature: 'feature',
  team: 'team',
  key: 'key_id',
  model: ANSWERING_MODEL,
  ...BREAKDOWN_KEY,
} as const satisfies Record<CostGroup, string>;

/** The groups that the hours know, and their column there. */
const HOUR_KEY: Readonly<Partial<Record<CostGroup, string>>> = {
  feature: 'feature',
  team: 'team',
  key: 'key_id',
  model: 'model',
  route: 'route',
  operation: 'operation',
  requestedModel: 'requested_model',
};

interface EconomicsRecord {
  readonly key: string;
  readonly is_total: number;
  readonly calls: string;
  readonly unpriced: string;
  readonly cost: string;
  readonly users: string;
  readonly user_cost: string;
  readonly sessions: string;
  readonly session_cost: string;
  readonly no_team: string;
  readonly no_customer: string;
}

function costWhere(condition: string): string {
  return `toString(sumIf(toInt128(ifNull(cost_pico_usd, 0)), ${condition}))`;
}

function toRow(row: EconomicsRecord | undefined): EconomicsRow {
  return {
    key: row?.key || null,
    calls: Number(row?.calls ?? 0),
    unpricedCalls: Number(row?.unpriced ?? 0),
    costPicoUsd: BigInt(row?.cost ?? '0'),
    users: Number(row?.users ?? 0),
    userCostPicoUsd: BigInt(row?.user_cost ?? '0'),
    sessions: Number(row?.sessions ?? 0),
    sessionCostPicoUsd: BigInt(row?.session_cost ?? '0'),
  };
}

export async function readEconomics(
  connection: ClickHouseConnection,
  scope: Scope,
  period: CostPeriod,
  groupBy: CostGroup,
  tag: string | null,
): Promise<{ groups: EconomicsRow[]; total: EconomicsRow; unallocated: Unallocated }> {
  const hourKey = HOUR_KEY[groupBy];
  const rows =
    hourKey === undefined
      ? await readFromLedger(connection, scope, period, groupBy, tag)
      : await readFromHours(connection, scope, period, hourKey);
  const whole = rows.find((row) => row.is_total === 1);
  const total = toRow(whole);
  return {
    groups: rows.filter((row) => row.is_total === 0).map(toRow),
    total: { ...total, key: null },
    unallocated: {
      team: BigInt(whole?.no_team ?? '0'),
      customer: BigInt(whole?.no_customer ?? '0'),
      user: total.costPicoUsd - total.userCostPicoUsd,
      session: total.costPicoUsd - total.sessionCostPicoUsd,
    },
  };
}

const GROUPED = `GROUP BY GROUPING SETS ((key), ()) ORDER BY is_total DESC, sum_cost DESC, key LIMIT ${MAX_GROUPS + 1}`;

function readFromHours(connection: ClickHouseConnection, scope: Scope, period: CostPeriod, key: string): Promise<EconomicsRecord[]> {
  const source = callHours(period);
  return connection.read<EconomicsRecord>(
    `SELECT toString(${key}) AS key, toUInt8(grouping(key)) AS is_total, sum(h.calls) AS calls, sum(h.unpriced) AS unpriced, sum(h.cost) AS sum_cost,
       toString(sum_cost) AS cost, uniqExactMerge(h.users) AS users, toString(sum(h.user_cost)) AS user_cost,
       uniqExactMerge(h.sessions) AS sessions, toString(sum(h.session_cost)) AS session_cost,
       toString(sumIf(h.cost, team = '')) AS no_team, toString(sum_cost - sum(h.customer_cost)) AS no_customer
     FROM ${source.sql} AS h ${GROUPED}`,
    { ...periodParameters(scope, period), ...source.parameters },
  );
}

function readFromLedger(
  connection: ClickHouseConnection,
  scope: Scope,
  period: CostPeriod,
  groupBy: CostGroup,
  tag: string | null,
): Promise<EconomicsRecord[]> {
  return connection.read<EconomicsRecord>(
    `SELECT key, toUInt8(grouping(key)) AS is_total, count() AS calls, countIf(cost_pico_usd IS NULL) AS unpriced, sum(toInt128(ifNull(cost_pico_usd, 0))) AS sum_cost,
       toString(sum_cost) AS cost, uniqExactIf(cityHash64(user_id), user_id != '') AS users, ${costWhere("user_id != ''")} AS user_cost,
       uniqExactIf(cityHash64(session_id), session_id != '') AS sessions, ${costWhere("session_id != ''")} AS session_cost,
       ${costWhere("team = ''")} AS no_team, ${costWhere("customer = ''")} AS no_customer
     FROM (SELECT toString(${GROUP_KEY[groupBy]}) AS key, * FROM ledger WHERE ${LEDGER_PERIOD})
     ${GROUPED}`,
    { ...periodParameters(scope, period), ...breakdownParameters(groupBy === 'tag' && tag !== null ? { by: 'tag', tag } : null) },
    OFF_DASHBOARD,
  );
}

const MS_TO_NS = 1_000_000n;

/** What answers from the cache cost when they were new, and what routes estimate that they saved. By feature. */
export async function readSavings(connection: ClickHouseConnection, scope: Scope, period: CostPeriod): Promise<SavingsRow[]> {
  const source = callHours(period);
  const cached = await connection.read<{ feature: string; saved: string; hits: string; unpriced: string }>(
    `SELECT feature, toString(sum(h.saved)) AS saved, sum(h.hits) AS hits, sum(unpriced_hits) AS unpriced
     FROM ${source.sql} AS h GROUP BY feature HAVING hits > 0 ORDER BY feature`,
    { ...periodParameters(scope, period), ...source.parameters },
  );
  const routed = await connection.read<{ feature: string; saved: string; decisions: string }>(
    `SELECT feature, toString(sum(toInt128(saving_pico_usd))) AS saved, count() AS decisions FROM spans
     WHERE ${SCOPE_FILTER} AND is_entry = 1 AND is_request = 1 AND started_at_ns >= {from:Int64} AND started_at_ns < {to:Int64}
       AND saving_pico_usd IS NOT NULL GROUP BY feature ORDER BY feature`,
    { ...scopeParameters(scope), from: BigInt(period.from) * MS_TO_NS, to: BigInt(period.to) * MS_TO_NS },
    OFF_DASHBOARD,
  );
  const features = [...new Set([...cached, ...routed].map(({ feature }) => feature))].sort();
  return features.map((feature) => {
    const hit = cached.find((row) => row.feature === feature);
    const route = routed.find((row) => row.feature === feature);
    return {
      feature,
      cachePicoUsd: BigInt(hit?.saved ?? '0'),
      cacheHits: Number(hit?.hits ?? 0),
      unpricedHits: Number(hit?.unpriced ?? 0),
      routingPicoUsd: BigInt(route?.saved ?? '0'),
      routedCalls: Number(route?.decisions ?? 0),
    };
  });
}
