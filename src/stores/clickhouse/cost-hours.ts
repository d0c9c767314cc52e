import type { CostPeriod, HourlyCost, HourlyDimension, MemberDimension, MemberHours, MemberQuery } from '../../costs/cost-queries.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection } from './client.ts';
import { ATTEMPT_COST, attemptRows } from './cost-attempts.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';
import { filterOf, LEDGER_COST, LEDGER_PERIOD, OFF_DASHBOARD } from './ledger-conditions.ts';

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
  model: { table: 'attempts', key: 'attempt.model' },
  provider: { table: 'attempts', key: 'attempt.provider' },
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
    ledger: `SELECT ${key} AS key, intDiv(started_at_ms, ${HOUR_MS}) * ${HOUR_MS} AS at_ms, ${LEDGER_COST} AS cost FROM ledger
      WHERE ${LEDGER_PERIOD}${only.sql}${ofMembers}`,
    attempts: `SELECT ${key} AS key, intDiv(started_at_ms, ${HOUR_MS}) * ${HOUR_MS} AS at_ms,
        ${ATTEMPT_COST} AS cost
      FROM (${attemptRows('started_at_ms', only.sql)}) WHERE 1${ofMembers}`,
  }[table];
  const rows = await connection.read<{ key: string; at_ms: string; cost: string }>(
    `${select} GROUP BY key, at_ms ORDER BY key, at_ms`,
    { ...scopeParameters(scope), ...only.parameters, from, to, ...(isWhole ? {} : { members }) },
    table === 'rollup_1h' ? {} : OFF_DASHBOARD,
  );
  return rows.map((row) => ({ key: row.key, atMs: Number(row.at_ms), costPicoUsd: BigInt(row.cost) }));
}
