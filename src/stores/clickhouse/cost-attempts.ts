import type { CostBreakdown, CostFilter, CostPeriod, PriceTiers, UsedAtPrice, WasteKind, WasteRow } from '../../costs/cost-queries.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection, QueryParameters } from './client.ts';
import { USAGE_ORDER } from './columns.ts';
import { attemptHours } from './cost-hours-source.ts';
import { ATTEMPT_INPUT, HOUR_MS, INPUT_STEPS } from './cost-rollups.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';
import { BREAKDOWN_KEY, breakdownParameters, filterOf, LEDGER_PERIOD, OFF_DASHBOARD, periodParameters } from './ledger-conditions.ts';

/** Attempts, one a row, of priced calls or of all. @param columns of the call, beside `attempt` */
export function attemptRows(columns: string, condition: string, calls: 'priced' | 'all' = 'priced'): string {
  const priced = calls === 'priced' ? ' AND cost_pico_usd IS NOT NULL' : '';
  return `SELECT ${columns}, arrayJoin(attempt_facts) AS attempt
    FROM ledger WHERE ${LEDGER_PERIOD}${priced}${condition}`;
}

export const ATTEMPT_COST = 'toString(sum(toInt128(ifNull(toInt64OrNull(attempt.costPicoUsd), 0))))';

/** Of all hours that the period touches: one price too many does no harm to who looks them up. */
export async function readPriceIds(connection: ClickHouseConnection, scope: Scope, { from, to }: CostPeriod): Promise<string[]> {
  const rows = await connection.read<{ price_id: string }>(
    `SELECT price_id FROM cost_attempts_1h WHERE ${SCOPE_FILTER} AND at_ms >= {firstHour:Int64} AND at_ms < {to:Int64} AND price_id != ''
     GROUP BY price_id HAVING sum(tries) > 0 ORDER BY price_id`,
    { ...scopeParameters(scope), firstHour: Math.floor(from / HOUR_MS) * HOUR_MS, to },
  );
  return rows.map((row) => row.price_id);
}

const CLASS_SUMS = USAGE_ORDER.map((name) => `sum(attempt.usage.${name}) AS ${name}`).join(', ');
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

/** The breakdowns that the hours know. */
const IN_ROLLUP: ReadonlySet<CostBreakdown['by'] | undefined> = new Set([undefined, 'route', 'operation', 'requestedModel'] as const);

/** From the hours: each tier is found by the steps that the input is above. */
function usedFromHours(period: CostPeriod, only: string, extra: string, tiers: readonly PriceTiers[]): QueryText {
  const source = attemptHours(period, only);
  const steps = tiers.flatMap(({ priceId, aboveInputTokens }) =>
    aboveInputTokens.map((above) => [priceId, INPUT_STEPS.indexOf(above) + 1] as const),
  );
  return {
    sql: `SELECT feature, team, key_id, toString(${extra}) AS extra, provider, model, response_model, price_id,
       toUInt32(arrayCount((id, step) -> id = price_id AND input_step >= toUInt8(step), {tierIds:Array(String)}, {tierSteps:Array(String)})) AS tier,
       is_failed, sum(tries) AS attempts, ${USAGE_ORDER.map((name) => `sum(h.${name}) AS ${name}`).join(', ')}, toString(sum(h.cost)) AS cost
     FROM ${source.sql} AS h GROUP BY ${KEYS} HAVING attempts > 0 ORDER BY ${KEYS}`,
    parameters: { ...source.parameters, tierIds: steps.map(([priceId]) => priceId), tierSteps: steps.map(([, step]) => `${step}`) },
  };
}

/** From every call: for breakdowns by customer, user and tag, and for prices that change at a length of input that the hours do not know. */
function usedFromLedger(only: string, extra: string, tiers: readonly PriceTiers[]): QueryText {
  const limits = tiers.flatMap(({ priceId, aboveInputTokens }) => aboveInputTokens.map((above) => [priceId, `${above}`] as const));
  return {
    sql: `SELECT feature, team, key_id, extra, attempt.provider AS provider, attempt.requestModel AS model, attempt.responseModel AS response_model,
       attempt.priceId AS price_id,
       toUInt32(arrayCount((id, above) -> id = price_id AND ${ATTEMPT_INPUT} > toUInt64(above), {tierIds:Array(String)}, {tierStarts:Array(String)})) AS tier,
       toUInt8(attempt.status = 'error') AS is_failed, count() AS attempts, ${CLASS_SUMS}, ${ATTEMPT_COST} AS cost
     FROM (${attemptRows(`feature, team, key_id, toString(${extra}) AS extra`, only)})
     GROUP BY ${KEYS} ORDER BY ${KEYS}`,
    parameters: { tierIds: limits.map(([priceId]) => priceId), tierStarts: limits.map(([, above]) => above) },
  };
}

interface QueryText {
  readonly sql: string;
  readonly parameters: QueryParameters;
}

export async function readUsedAtPrices(
  connection: ClickHouseConnection,
  scope: Scope,
  period: CostPeriod,
  tiers: readonly PriceTiers[],
  filter: CostFilter = {},
  breakdown: CostBreakdown | null = null,
): Promise<UsedAtPrice[]> {
  const only = filterOf(filter);
  const extra = breakdown === null ? "''" : BREAKDOWN_KEY[breakdown.by];
  const isInHours =
    IN_ROLLUP.has(breakdown?.by) && tiers.every(({ aboveInputTokens }) => aboveInputTokens.every((above) => INPUT_STEPS.includes(above)));
  const { sql, parameters } = isInHours ? usedFromHours(period, only.sql, extra, tiers) : usedFromLedger(only.sql, extra, tiers);
  const rows = await connection.read<UsedRecord>(
    sql,
    { ...periodParameters(scope, period), ...only.parameters, ...breakdownParameters(breakdown), ...parameters },
    isInHours ? {} : OFF_DASHBOARD,
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

export async function readWaste(connection: ClickHouseConnection, scope: Scope, period: CostPeriod): Promise<WasteRow[]> {
  const source = attemptHours(period);
  const rows = await connection.read<{ feature: string; kind: WasteKind; calls: string; attempts: string; cost: string }>(
    `SELECT feature, waste_kind AS kind, sum(wasted_calls) AS calls, sum(tries) AS attempts, toString(sum(h.cost)) AS cost
     FROM ${source.sql} AS h WHERE waste_kind != '' GROUP BY feature, kind HAVING attempts > 0 ORDER BY feature, kind`,
    { ...periodParameters(scope, period), ...source.parameters },
  );
  return rows.map(({ feature, kind, calls, attempts, cost }) => ({
    feature,
    kind,
    calls: Number(calls),
    attempts: Number(attempts),
    costPicoUsd: BigInt(cost),
  }));
}
