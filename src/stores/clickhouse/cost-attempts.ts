import type { CostBreakdown, CostFilter, CostPeriod, PriceTiers, UsedAtPrice, WasteKind, WasteRow } from '../../costs/cost-queries.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection } from './client.ts';
import { USAGE_ORDER } from './columns.ts';
import { BREAKDOWN_KEY, breakdownParameters, filterOf, LEDGER_PERIOD, OFF_DASHBOARD, periodParameters } from './ledger-conditions.ts';

/** Attempts, one a row, of priced calls or of all. @param columns of the call, beside `attempt` */
export function attemptRows(columns: string, condition: string, calls: 'priced' | 'all' = 'priced'): string {
  const priced = calls === 'priced' ? ' AND cost_pico_usd IS NOT NULL' : '';
  return `SELECT ${columns}, arrayJoin(attempt_facts) AS attempt
    FROM ledger WHERE ${LEDGER_PERIOD}${priced}${condition}`;
}

export const ATTEMPT_COST = 'toString(sum(toInt128(ifNull(toInt64OrNull(attempt.costPicoUsd), 0))))';

export async function readPriceIds(connection: ClickHouseConnection, scope: Scope, period: CostPeriod): Promise<string[]> {
  const rows = await connection.read<{ price_id: string }>(
    `SELECT DISTINCT arrayJoin(attempt_facts.priceId) AS price_id
     FROM ledger WHERE ${LEDGER_PERIOD} AND cost_pico_usd IS NOT NULL AND price_id != '' ORDER BY price_id`,
    periodParameters(scope, period),
    OFF_DASHBOARD,
  );
  return rows.map((row) => row.price_id);
}

const CLASS_SUMS = USAGE_ORDER.map((name) => `sum(attempt.usage.${name}) AS ${name}`).join(', ');
const INPUT = ['inputUncachedTokens', 'cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens', 'audioInputTokens']
  .map((name) => `attempt.usage.${name}`)
  .join(' + ');
const KEYS = 'feature, team, key_id, extra, provider, model, response_model, price_id, tier, is_failed';

type UsedRecord = Record<(typeof USAGE_ORDER)[number], string> & {
  readonly feature: string;
  readonly team: string;
  readonly key_id: string;
  readonly extra: string;
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
  breakdown: CostBreakdown | null = null,
): Promise<UsedAtPrice[]> {
  const only = filterOf(filter);
  const limits = tiers.flatMap(({ priceId, aboveInputTokens }) => aboveInputTokens.map((above) => [priceId, `${above}`] as const));
  const extra = breakdown === null ? "''" : BREAKDOWN_KEY[breakdown.by];
  const rows = await connection.read<UsedRecord>(
    `SELECT feature, team, key_id, extra, attempt.provider AS provider, attempt.requestModel AS model, attempt.responseModel AS response_model,
       attempt.priceId AS price_id,
       toUInt32(arrayCount((id, above) -> id = price_id AND ${INPUT} > toUInt64(above), {tierIds:Array(String)}, {tierStarts:Array(String)})) AS tier,
       toUInt8(attempt.status = 'error') AS is_failed, count() AS attempts, ${CLASS_SUMS}, ${ATTEMPT_COST} AS cost
     FROM (${attemptRows(`feature, team, key_id, toString(${extra}) AS extra`, only.sql)})
     GROUP BY ${KEYS} ORDER BY ${KEYS}`,
    {
      ...periodParameters(scope, period),
      ...only.parameters,
      ...breakdownParameters(breakdown),
      tierIds: limits.map(([priceId]) => priceId),
      tierStarts: limits.map(([, above]) => above),
    },
    OFF_DASHBOARD,
  );
  return rows.map((row) => ({
    feature: row.feature,
    team: row.team || null,
    keyId: row.key_id,
    extra: row.extra || null,
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

/** The first that is true says what a paid attempt was wasted on. */
const WASTE_KIND = `multiIf(call_status = 'error', 'errors', call_status = 'aborted', 'aborted', attempt.status = 'error', 'retries',
  attempt.status = 'aborted', 'hedges', '')`;

export async function readWaste(connection: ClickHouseConnection, scope: Scope, period: CostPeriod): Promise<WasteRow[]> {
  const rows = await connection.read<{ feature: string; kind: WasteKind; calls: string; attempts: string; cost: string }>(
    `SELECT feature, ${WASTE_KIND} AS kind, uniqExact(call_id) AS calls, count() AS attempts, ${ATTEMPT_COST} AS cost
     FROM (${attemptRows('feature, call_id, toString(status) AS call_status', '')})
     WHERE kind != '' AND attempt.costPicoUsd NOT IN ('', '0') GROUP BY feature, kind ORDER BY feature, kind`,
    periodParameters(scope, period),
    OFF_DASHBOARD,
  );
  return rows.map(({ feature, kind, calls, attempts, cost }) => ({
    feature,
    kind,
    calls: Number(calls),
    attempts: Number(attempts),
    costPicoUsd: BigInt(cost),
  }));
}
