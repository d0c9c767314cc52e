import type { CostPeriod, ModelDay, ShowbackRow } from '../../costs/cost-queries.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection } from './client.ts';
import { attemptRows } from './cost-attempts.ts';
import { LEDGER_COST, LEDGER_PERIOD, OFF_DASHBOARD, periodParameters } from './ledger-conditions.ts';

/** Who used what in a period: every team, feature and customer, in a fixed order. */
export async function readShowback(connection: ClickHouseConnection, scope: Scope, period: CostPeriod): Promise<ShowbackRow[]> {
  const rows = await connection.read<{ team: string; feature: string; customer: string; calls: string; unpriced: string; cost: string }>(
    `SELECT team, feature, customer, count() AS calls, countIf(cost_pico_usd IS NULL) AS unpriced, ${LEDGER_COST} AS cost
     FROM ledger WHERE ${LEDGER_PERIOD} GROUP BY team, feature, customer ORDER BY team, feature, customer`,
    periodParameters(scope, period),
    OFF_DASHBOARD,
  );
  return rows.map(({ team, feature, customer, calls, unpriced, cost }) => ({
    team: team || null,
    feature,
    customer: customer || null,
    calls: Number(calls),
    unpricedCalls: Number(unpriced),
    costPicoUsd: BigInt(cost),
  }));
}

const DAY_MS = 86_400_000;
const MODEL = "if(attempt.responseModel != '', attempt.responseModel, attempt.requestModel)";
const DAY = `formatDateTime(toDateTime(intDiv(started_at_ms, ${DAY_MS}) * ${DAY_MS / 1000}, 'UTC'), '%F')`;
const COST = 'toInt128(ifNull(toInt64OrNull(attempt.costPicoUsd), 0))';

/** Cost by day (UTC) and model of some providers; attempts without a price are counted. */
export async function readModelDays(
  connection: ClickHouseConnection,
  scope: Scope,
  period: CostPeriod,
  providers: readonly string[],
): Promise<ModelDay[]> {
  const rows = await connection.read<{ day: string; model: string; cost: string; estimated: string; unpriced: string }>(
    `SELECT ${DAY} AS day, ${MODEL} AS model, toString(sum(${COST})) AS cost,
       toString(sumIf(${COST}, attempt.costStatus = 'estimated_tokens')) AS estimated,
       countIf(attempt.costPicoUsd = '' AND attempt.usageSource != '') AS unpriced
     FROM (${attemptRows('started_at_ms', '', 'all')}) WHERE has({providers:Array(String)}, attempt.provider)
     GROUP BY day, model ORDER BY day, model`,
    { ...periodParameters(scope, period), providers },
    OFF_DASHBOARD,
  );
  return rows.map(({ day, model, cost, estimated, unpriced }) => ({
    day,
    model,
    costPicoUsd: BigInt(cost),
    estimatedPicoUsd: BigInt(estimated),
    unpricedAttempts: Number(unpriced),
  }));
}
