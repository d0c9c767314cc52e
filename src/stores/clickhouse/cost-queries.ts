import type { CostGroup, CostPeriod, EconomicsRow, PeriodTotals, PriceTiers, Unallocated, UsedAtPrice } from '../../costs/cost-queries.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection } from './client.ts';
import { USAGE_ORDER } from './columns.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';

const PERIOD = `${SCOPE_FILTER} AND started_at_ms >= {from:Int64} AND started_at_ms < {to:Int64}`;
const COST = 'toString(sum(toInt128(ifNull(cost_pico_usd, 0))))';
const MAX_GROUPS = 500;
/** Reads the attempts of every call in the period. */
const LANE = { lane: 'adhoc' } as const;

function periodParameters(scope: Scope, { from, to }: CostPeriod): Record<string, string | number> {
  return { ...scopeParameters(scope), from, to };
}

export async function readPeriodTotals(connection: ClickHouseConnection, scope: Scope, period: CostPeriod): Promise<PeriodTotals> {
  const [row] = await connection.read<{ calls: string; cached: string; unpriced: string; cost: string }>(
    `SELECT count() AS calls, countIf(cost_status = 'cached_zero') AS cached, countIf(cost_pico_usd IS NULL) AS unpriced, ${COST} AS cost
     FROM ledger WHERE ${PERIOD}`,
    periodParameters(scope, period),
  );
  return {
    calls: BigInt(row?.calls ?? '0'),
    cachedCalls: BigInt(row?.cached ?? '0'),
    unpricedCalls: BigInt(row?.unpriced ?? '0'),
    costPicoUsd: BigInt(row?.cost ?? '0'),
  };
}

/** Attempts of priced calls, one a row. */
const ATTEMPTS = `SELECT feature, team, key_id, arrayJoin(JSONExtractArrayRaw(attempts)) AS attempt,
    JSONExtractString(attempt, 'priceId') AS price_id
  FROM ledger WHERE ${PERIOD} AND cost_pico_usd IS NOT NULL`;

export async function readPriceIds(connection: ClickHouseConnection, scope: Scope, period: CostPeriod): Promise<string[]> {
  const rows = await connection.read<{ price_id: string }>(
    `SELECT DISTINCT price_id FROM (${ATTEMPTS}) WHERE price_id != '' ORDER BY price_id`,
    periodParameters(scope, period),
    LANE,
  );
  return rows.map((row) => row.price_id);
}

const CLASS_SUMS = USAGE_ORDER.map((name) => `sum(JSONExtractUInt(attempt, 'usage', '${name}')) AS ${name}`).join(', ');
const INPUT = ['inputUncachedTokens', 'cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens', 'audioInputTokens']
  .map((name) => `JSONExtractUInt(attempt, 'usage', '${name}')`)
  .join(' + ');

type UsedRecord = Record<(typeof USAGE_ORDER)[number], string> & {
  readonly feature: string;
  readonly team: string;
  readonly key_id: string;
  readonly provider: string;
  readonly model: string;
  readonly price_id: string;
  readonly tier: number;
  readonly attempts: string;
  readonly cost: string;
};

export async function readUsedAtPrices(
  connection: ClickHouseConnection,
  scope: Scope,
  period: CostPeriod,
  tiers: readonly PriceTiers[],
): Promise<UsedAtPrice[]> {
  const limits = tiers.flatMap(({ priceId, aboveInputTokens }) => aboveInputTokens.map((above) => [priceId, `${above}`] as const));
  const rows = await connection.read<UsedRecord>(
    `SELECT feature, team, key_id, JSONExtractString(attempt, 'provider') AS provider, JSONExtractString(attempt, 'requestModel') AS model, price_id,
       toUInt32(arrayCount((id, above) -> id = price_id AND ${INPUT} > toUInt64(above), {tierIds:Array(String)}, {tierStarts:Array(String)})) AS tier,
       count() AS attempts, ${CLASS_SUMS}, toString(sum(toInt128(ifNull(toInt64OrNull(JSONExtractString(attempt, 'costPicoUsd')), 0)))) AS cost
     FROM (${ATTEMPTS})
     GROUP BY feature, team, key_id, provider, model, price_id, tier
     ORDER BY feature, team, key_id, provider, model, price_id, tier`,
    {
      ...periodParameters(scope, period),
      tierIds: limits.map(([priceId]) => priceId),
      tierStarts: limits.map(([, above]) => above),
    },
    LANE,
  );
  return rows.map((row) => ({
    feature: row.feature,
    team: row.team || null,
    keyId: row.key_id,
    provider: row.provider,
    model: row.model,
    priceId: row.price_id || null,
    tier: row.tier,
    attempts: BigInt(row.attempts),
    tokens: Object.fromEntries(USAGE_ORDER.map((name) => [name, BigInt(row[name])])) as UsedAtPrice['tokens'], // USAGE_ORDER has every class
    costPicoUsd: BigInt(row.cost),
  }));
}

/** The model of a call is the one that answered, else the last that was asked. */
const GROUP_KEY = {
  feature: 'feature',
  team: 'team',
  customer: 'customer',
  key: 'key_id',
  user: 'user_id',
  model: `JSONExtractString(arrayElement(arraySort(a -> JSONExtractString(a, 'status') != 'ok', JSONExtractArrayRaw(attempts)), 1), 'requestModel')`,
} as const satisfies Record<CostGroup, string>;

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
): Promise<{ groups: EconomicsRow[]; total: EconomicsRow; unallocated: Unallocated }> {
  const rows = await connection.read<EconomicsRecord>(
    `SELECT key, toUInt8(grouping(key)) AS is_total, count() AS calls, countIf(cost_pico_usd IS NULL) AS unpriced, ${COST} AS cost,
       uniqExactIf(user_id, user_id != '') AS users, ${costWhere("user_id != ''")} AS user_cost,
       uniqExactIf(session_id, session_id != '') AS sessions, ${costWhere("session_id != ''")} AS session_cost,
       ${costWhere("team = ''")} AS no_team, ${costWhere("customer = ''")} AS no_customer
     FROM (SELECT toString(${GROUP_KEY[groupBy]}) AS key, * FROM ledger WHERE ${PERIOD})
     GROUP BY GROUPING SETS ((key), ()) ORDER BY is_total DESC, sum(toInt128(ifNull(cost_pico_usd, 0))) DESC, key LIMIT ${MAX_GROUPS + 1}`,
    periodParameters(scope, period),
    LANE,
  );
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
