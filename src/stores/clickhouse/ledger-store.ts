import type { CacheUse, LedgerAttempt, LedgerCounts, LedgerPage, LedgerRow } from '../../costs/store.ts';
import { isErrorCode } from '../../kernel/errors.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection } from './client.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';

interface LedgerRecord {
  readonly call_id: string;
  readonly trace_id: string;
  readonly started_at_ms: string;
  readonly feature: string;
  readonly team: string;
  readonly user_id: string;
  readonly session_id: string;
  readonly customer: string;
  readonly tags: Record<string, string>;
  readonly key_id: string;
  readonly requested_model: string;
  readonly operation: string;
  readonly route: string;
  readonly status: LedgerRow['status'];
  readonly error_type: string;
  readonly input_tokens: string | null;
  readonly output_tokens: string | null;
  readonly cost_pico_usd: string | null;
  readonly cost_status: LedgerRow['costStatus'];
  readonly attempts: string;
  readonly is_simulated: number;
  readonly is_recovered: number;
  readonly cache_outcome: NonNullable<LedgerRow['cacheOutcome']> | '';
  readonly saved_pico_usd: string | null;
  readonly saved_input_tokens: string | null;
  readonly saved_output_tokens: string | null;
}

type StoredAttempt = Omit<LedgerAttempt, 'costPicoUsd'> & { readonly costPicoUsd: string | null };

const ROW_COLUMNS = `call_id, trace_id, started_at_ms, feature, team, user_id, session_id, customer, tags, key_id, requested_model, operation, route, status,
  error_type, input_tokens, output_tokens, cost_pico_usd, cost_status, attempts, is_simulated, is_recovered,
  cache_outcome, saved_pico_usd, saved_input_tokens, saved_output_tokens`;

/** Rows in the order of call ids, for work over a long range: a page reads on where the one before ended. */
export async function readLedgerPage(connection: ClickHouseConnection, scope: Scope, page: LedgerPage): Promise<LedgerRow[]> {
  const conditions = [
    SCOPE_FILTER,
    'started_at_ms >= {from:Int64} AND started_at_ms < {to:Int64} AND call_id > {after:String}',
    ...(page.upTo === null ? [] : ['call_id <= {upTo:String}']),
    ...(page.feature === null ? [] : ['feature = {feature:String}']),
  ];
  const rows = await connection.read<LedgerRecord>(
    `SELECT ${ROW_COLUMNS} FROM ledger WHERE ${conditions.join(' AND ')} ORDER BY call_id LIMIT {limit:UInt32}`,
    {
      ...scopeParameters(scope),
      from: page.from,
      to: page.to,
      after: page.after,
      limit: page.limit,
      ...(page.upTo === null ? {} : { upTo: page.upTo }),
      ...(page.feature === null ? {} : { feature: page.feature }),
    },
    { lane: 'adhoc' },
  );
  return rows.map((row) => toLedgerRow(scope, row));
}

export async function readLedgerByCall(connection: ClickHouseConnection, scope: Scope, callId: string): Promise<LedgerRow[]> {
  const rows = await connection.read<LedgerRecord>(
    `SELECT ${ROW_COLUMNS} FROM ledger WHERE ${SCOPE_FILTER} AND call_id = {callId:String} ORDER BY started_at_ms LIMIT 100`,
    { ...scopeParameters(scope), callId },
  );
  return rows.map((row) => toLedgerRow(scope, row));
}

function toLedgerRow(scope: Scope, row: LedgerRecord): LedgerRow {
  const attempts: StoredAttempt[] = JSON.parse(row.attempts); // written by columns.ts from LedgerAttempt[]
  return {
    ...scope,
    callId: row.call_id,
    traceId: row.trace_id,
    startedAtMs: Number(row.started_at_ms),
    feature: row.feature,
    team: row.team || null,
    user: row.user_id || null,
    session: row.session_id || null,
    customer: row.customer || null,
    tags: row.tags,
    keyId: row.key_id,
    requestedModel: row.requested_model,
    operation: row.operation,
    route: row.route || null,
    status: row.status,
    errorType: isErrorCode(row.error_type) ? row.error_type : null,
    inputTokens: row.input_tokens === null ? null : Number(row.input_tokens),
    outputTokens: row.output_tokens === null ? null : Number(row.output_tokens),
    costPicoUsd: row.cost_pico_usd === null ? null : BigInt(row.cost_pico_usd),
    costStatus: row.cost_status,
    attempts: attempts.map((attempt) => ({ ...attempt, costPicoUsd: attempt.costPicoUsd === null ? null : BigInt(attempt.costPicoUsd) })),
    isSimulated: row.is_simulated === 1,
    isRecovered: row.is_recovered === 1,
    cacheOutcome: row.cache_outcome || null,
    savedPicoUsd: row.saved_pico_usd === null ? null : BigInt(row.saved_pico_usd),
    savedInputTokens: row.saved_input_tokens === null ? null : Number(row.saved_input_tokens),
    savedOutputTokens: row.saved_output_tokens === null ? null : Number(row.saved_output_tokens),
  };
}

export async function readLedgerCounts(connection: ClickHouseConnection, scope: Scope, from: number, to: number): Promise<LedgerCounts> {
  const rows = await connection.read<{ rows: string; calls: string; cost: string; unpriced: string }>(
    `SELECT count() AS rows, uniqExact(call_id) AS calls, toString(sum(toInt128(ifNull(cost_pico_usd, 0)))) AS cost,
       countIf(cost_pico_usd IS NULL) AS unpriced
     FROM ledger WHERE ${SCOPE_FILTER} AND started_at_ms >= {from:Int64} AND started_at_ms < {to:Int64}`,
    { ...scopeParameters(scope), from, to },
  );
  const row = rows[0];
  return {
    rows: Number(row?.rows ?? 0),
    calls: Number(row?.calls ?? 0),
    costPicoUsd: BigInt(row?.cost ?? '0'),
    unpricedRows: Number(row?.unpriced ?? 0),
  };
}

/** Calls of features with a cache, by feature and outcome. */
export async function readCacheUse(connection: ClickHouseConnection, scope: Scope, from: number, to: number): Promise<CacheUse[]> {
  const rows = await connection.read<{
    feature: string;
    outcome: CacheUse['outcome'];
    calls: string;
    saved: string;
    unpriced: string;
    input: string;
    output: string;
  }>(
    `SELECT feature, cache_outcome AS outcome, count() AS calls, toString(sum(toInt128(ifNull(saved_pico_usd, 0)))) AS saved,
       countIf(saved_pico_usd IS NULL AND cache_outcome NOT IN ('miss', 'bypass')) AS unpriced,
       sum(ifNull(saved_input_tokens, 0)) AS input, sum(ifNull(saved_output_tokens, 0)) AS output
     FROM ledger WHERE ${SCOPE_FILTER} AND started_at_ms >= {from:Int64} AND started_at_ms < {to:Int64} AND cache_outcome != ''
     GROUP BY feature, outcome ORDER BY feature, outcome`,
    { ...scopeParameters(scope), from, to },
  );
  return rows.map((row) => ({
    feature: row.feature,
    outcome: row.outcome,
    calls: Number(row.calls),
    savedPicoUsd: BigInt(row.saved),
    unpricedCalls: Number(row.unpriced),
    savedInputTokens: Number(row.input),
    savedOutputTokens: Number(row.output),
  }));
}
