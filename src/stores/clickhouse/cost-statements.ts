import type { CostPeriod, ModelDay, ShowbackRow, TeamUse } from '../../costs/cost-queries.ts';
import type { SharedRule } from '../../costs/shared/config.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection } from './client.ts';
import { attemptRows } from './cost-attempts.ts';
import { callHours } from './cost-hours-source.ts';
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

/**
 * The rule that a call belongs to, as a column: the place of the first that fits, from 1; 0 = none. Names are bound, never spliced in.
 */
export function sharedRuleColumn(rules: readonly SharedRule[]): {
  readonly sql: string;
  readonly parameters: Record<string, readonly string[]>;
} {
  const parameters: Record<string, readonly string[]> = {};
  const branches = rules.flatMap(({ calls }, place) => {
    if (calls === null) return [];
    const any: string[] = [];
    if (calls.features.length > 0) {
      parameters[`sharedFeatures${place}`] = calls.features;
      any.push(`has({sharedFeatures${place}:Array(String)}, toString(feature))`);
    }
    if (calls.keys.length > 0) {
      parameters[`sharedKeys${place}`] = calls.keys;
      any.push(`has({sharedKeys${place}:Array(String)}, toString(key_id))`);
    }
    if (calls.withoutTeam) any.push("team = ''");
    return [`${any.join(' OR ')}, ${place + 1}`];
  });
  return { sql: branches.length === 0 ? 'toUInt8(0)' : `toUInt8(multiIf(${branches.join(', ')}, 0))`, parameters };
}

/** By team and shared cost, in a fixed order. */
export async function readTeamUse(
  connection: ClickHouseConnection,
  scope: Scope,
  period: CostPeriod,
  rules: readonly SharedRule[],
): Promise<TeamUse[]> {
  const { sql, parameters } = sharedRuleColumn(rules);
  const source = callHours(period);
  const rows = await connection.read<{ team: string; rule: number; calls: string; unpriced: string; cost: string }>(
    `SELECT team, ${sql} AS rule, sum(h.calls) AS calls, sum(h.unpriced) AS unpriced, toString(sum(h.cost)) AS cost
     FROM ${source.sql} AS h GROUP BY team, rule ORDER BY team, rule`,
    { ...periodParameters(scope, period), ...source.parameters, ...parameters },
  );
  return rows.map(({ team, rule, calls, unpriced, cost }) => ({
    team: team || null,
    rule: rules[rule - 1]?.name ?? null,
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
