import type {
  CostFilter,
  CostGroup,
  CostPeriod,
  EconomicsRow,
  HourlyCost,
  HourlyDimension,
  MemberDimension,
  MemberHours,
  MemberQuery,
  PeriodTotals,
  PriceTiers,
  Unallocated,
  UsedAtPrice,
} from '../../costs/cost-queries.ts';
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

/** Further conditions on the ledger and what they bind. */
function filterOf(filter: CostFilter): { readonly sql: string; readonly parameters: Record<string, string> } {
  const parameters: Record<string, string> = {};
  let sql = '';
  for (const name of ['feature', 'team'] as const) {
    const value = filter[name];
    if (value === undefined) continue;
    sql += ` AND ${name} = {${name}:String}`;
    parameters[name] = value;
  }
  return { sql, parameters };
}

export async function readPeriodTotals(
  connection: ClickHouseConnection,
  scope: Scope,
  period: CostPeriod,
  filter: CostFilter = {},
): Promise<PeriodTotals> {
  const only = filterOf(filter);
  const [row] = await connection.read<{ calls: string; cached: string; unpriced: string; cost: string }>(
    `SELECT count() AS calls, countIf(cost_status = 'cached_zero') AS cached, countIf(cost_pico_usd IS NULL) AS unpriced, ${COST} AS cost
     FROM ledger WHERE ${PERIOD}${only.sql}`,
    { ...periodParameters(scope, period), ...only.parameters },
  );
  return {
    calls: BigInt(row?.calls ?? '0'),
    cachedCalls: BigInt(row?.cached ?? '0'),
    unpricedCalls: BigInt(row?.unpriced ?? '0'),
    costPicoUsd: BigInt(row?.cost ?? '0'),
  };
}

/** Attempts of priced calls, one a row. */
const attempts = (
  condition: string,
): string => `SELECT feature, team, key_id, started_at_ms, arrayJoin(JSONExtractArrayRaw(attempts)) AS attempt,
    JSONExtractString(attempt, 'priceId') AS price_id
  FROM ledger WHERE ${PERIOD} AND cost_pico_usd IS NOT NULL${condition}`;

export async function readPriceIds(connection: ClickHouseConnection, scope: Scope, period: CostPeriod): Promise<string[]> {
  const rows = await connection.read<{ price_id: string }>(
    `SELECT DISTINCT price_id FROM (${attempts('')}) WHERE price_id != '' ORDER BY price_id`,
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
  readonly response_model: string;
  readonly price_id: string;
  readonly tier: number;
  readonly is_failed: number;
  readonly attempts: string;
  readonly cost: string;
};

export async function readUsedAtPrices(
  connection: ClickHouseConnection,
  scope: Scope,
  period: CostPeriod,
  tiers: readonly PriceTiers[],
  filter: CostFilter = {},
): Promise<UsedAtPrice[]> {
  const only = filterOf(filter);
  const limits = tiers.flatMap(({ priceId, aboveInputTokens }) => aboveInputTokens.map((above) => [priceId, `${above}`] as const));
  const rows = await connection.read<UsedRecord>(
    `SELECT feature, team, key_id, JSONExtractString(attempt, 'provider') AS provider, JSONExtractString(attempt, 'requestModel') AS model,
       JSONExtractString(attempt, 'responseModel') AS response_model, price_id,
       toUInt32(arrayCount((id, above) -> id = price_id AND ${INPUT} > toUInt64(above), {tierIds:Array(String)}, {tierStarts:Array(String)})) AS tier,
       toUInt8(JSONExtractString(attempt, 'status') = 'error') AS is_failed, count() AS attempts, ${CLASS_SUMS}, toString(sum(toInt128(ifNull(toInt64OrNull(JSONExtractString(attempt, 'costPicoUsd')), 0)))) AS cost
     FROM (${attempts(only.sql)})
     GROUP BY feature, team, key_id, provider, model, response_model, price_id, tier, is_failed
     ORDER BY feature, team, key_id, provider, model, response_model, price_id, tier, is_failed`,
    {
      ...periodParameters(scope, period),
      ...only.parameters,
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
    responseModel: row.response_model || null,
    priceId: row.price_id || null,
    tier: row.tier,
    isFailed: row.is_failed === 1,
    attempts: BigInt(row.attempts),
    tokens: Object.fromEntries(USAGE_ORDER.map((name) => [name, BigInt(row[name])])) as UsedAtPrice['tokens'], // USAGE_ORDER has every class
    costPicoUsd: BigInt(row.cost),
  }));
}

const HOUR_MS = 3_600_000;
/** Of one dimension, at most; the dearest. */
const MAX_SERIES = 500;

export async function readHourlyCosts(
  connection: ClickHouseConnection,
  scope: Scope,
  { from, to }: CostPeriod,
  dimension: HourlyDimension,
): Promise<HourlyCost[]> {
  const where = `${SCOPE_FILTER} AND at_ms >= {from:Int64} AND at_ms < {to:Int64}`;
  // Our own word from a closed list.
  const key = `toString(${dimension})`;
  const rows = await connection.read<{ key: string; at_ms: string; cost: string }>(
    `SELECT ${key} AS key, at_ms, toString(sum(cost_pico_usd)) AS cost FROM rollup_1h
     WHERE ${where} AND key IN (
       SELECT ${key} AS key FROM rollup_1h WHERE ${where} GROUP BY key HAVING sum(cost_pico_usd) > 0
       ORDER BY sum(cost_pico_usd) DESC, key LIMIT ${MAX_SERIES}
     ) GROUP BY key, at_ms HAVING sum(cost_pico_usd) > 0 ORDER BY key, at_ms`,
    { ...scopeParameters(scope), from: Math.ceil(from / HOUR_MS) * HOUR_MS, to: Math.floor(to / HOUR_MS) * HOUR_MS },
  );
  return rows.map((row) => ({ key: row.key, atMs: Number(row.at_ms), costPicoUsd: BigInt(row.cost) }));
}

/** Where the hours of a scope's members are. Attempts know the alias and the provider that was asked. */
const MEMBER_SOURCE = {
  global: { table: 'rollup_1h', key: "''" },
  organisation: { table: 'rollup_1h', key: "''" },
  feature: { table: 'rollup_1h', key: 'toString(feature)' },
  team: { table: 'rollup_1h', key: 'toString(team)' },
  customer: { table: 'ledger', key: 'customer' },
  user: { table: 'ledger', key: 'user_id' },
  key: { table: 'ledger', key: 'toString(key_id)' },
  model: { table: 'attempts', key: "JSONExtractString(attempt, 'model')" },
  provider: { table: 'attempts', key: "JSONExtractString(attempt, 'provider')" },
} as const satisfies Record<MemberDimension, { table: 'rollup_1h' | 'ledger' | 'attempts'; key: string }>;

export async function readMemberHours(
  connection: ClickHouseConnection,
  scope: Scope,
  { from, to }: CostPeriod,
  { dimension, members, feature }: MemberQuery,
): Promise<MemberHours[]> {
  const { table, key } = MEMBER_SOURCE[dimension];
  const isWhole = key === "''";
  if (!isWhole && members.length === 0) return [];
  const only = filterOf(feature === null ? {} : { feature });
  const ofMembers = isWhole ? '' : ' AND key IN {members:Array(String)}';
  const select = {
    rollup_1h: `SELECT ${key} AS key, at_ms, toString(sum(cost_pico_usd)) AS cost FROM rollup_1h
      WHERE ${SCOPE_FILTER} AND at_ms >= {from:Int64} AND at_ms < {to:Int64}${only.sql}${ofMembers}`,
    ledger: `SELECT ${key} AS key, intDiv(started_at_ms, ${HOUR_MS}) * ${HOUR_MS} AS at_ms, ${COST} AS cost FROM ledger
      WHERE ${PERIOD}${only.sql}${ofMembers}`,
    attempts: `SELECT ${key} AS key, intDiv(started_at_ms, ${HOUR_MS}) * ${HOUR_MS} AS at_ms,
        toString(sum(toInt128(ifNull(toInt64OrNull(JSONExtractString(attempt, 'costPicoUsd')), 0)))) AS cost
      FROM (${attempts(only.sql)}) WHERE 1${ofMembers}`,
  }[table];
  const rows = await connection.read<{ key: string; at_ms: string; cost: string }>(
    `${select} GROUP BY key, at_ms ORDER BY key, at_ms`,
    { ...scopeParameters(scope), ...only.parameters, from, to, ...(isWhole ? {} : { members }) },
    table === 'rollup_1h' ? {} : LANE,
  );
  return rows.map((row) => ({ key: row.key, atMs: Number(row.at_ms), costPicoUsd: BigInt(row.cost) }));
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
