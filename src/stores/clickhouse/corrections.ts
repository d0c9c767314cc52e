import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection, QueryParameters } from './client.ts';
import { correctCostHours } from './cost-corrections.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';
import { DAY_ROLLUP, FEATURE_ROLLUP, ROLLUPS } from './rollups.ts';

const DAY_NS = 86_400_000_000_000n;

const BATCH = `${SCOPE_FILTER} AND run_id = {run:String} AND batch = {batch:UInt32}`;

function batchParameters(scope: Scope, run: string, batch: number): Record<string, string | number> {
  return { ...scopeParameters(scope), run, batch };
}

/** Takes back what was staged of a batch and never applied. */
export async function unstage(connection: ClickHouseConnection, scope: Scope, run: string, batch: number): Promise<void> {
  await connection.command(`ALTER TABLE repricings DELETE WHERE ${BATCH} SETTINGS mutations_sync = 2`, batchParameters(scope, run, batch));
}

/** When the calls of a batch began, ns: bounds for reads of `spans`, which is ordered by time. Null for a batch without calls. */
async function boundsOf(
  connection: ClickHouseConnection,
  parameters: QueryParameters,
): Promise<{ readonly fromNs: bigint; readonly toNs: bigint } | null> {
  const [row] = await connection.read<{ calls: string; first: string; last: string }>(
    `SELECT count() AS calls, min(started_at_ms) AS first, max(started_at_ms) AS last FROM repricings WHERE ${BATCH}`,
    parameters,
  );
  if (row === undefined || row.calls === '0') return null;
  return { fromNs: BigInt(row.first) * 1_000_000n, toNs: (BigInt(row.last) + 1n) * 1_000_000n };
}

/** The tables that sum costs, and what they sum them by. */
const SUMS: readonly { readonly table: string; readonly stepMs: number; readonly dimensions: readonly string[] }[] = [
  ...ROLLUPS.map((level) => ({ ...level, dimensions: ['feature', 'team', 'model', 'provider', 'status', 'error_type'] })),
  { ...FEATURE_ROLLUP, dimensions: ['feature'] },
  { table: 'session_days', stepMs: DAY_ROLLUP.stepMs, dimensions: ['session_id', 'user_id', 'feature'] },
];

interface RollupDelta {
  readonly at_ms: string;
  /** In the order of the table's dimensions. */
  readonly place: readonly string[];
  readonly first: string;
  readonly last: string;
  readonly cost: string;
  readonly unpriced: string;
  readonly estimated: string;
}

/** A negative count for a column that sums unsigned integers: it wraps, so that the sum comes out right. */
function unsigned(delta: string): string {
  return BigInt.asUintN(64, BigInt(delta)).toString();
}

/**
 * Adds the differences of a batch to every level of the rollups, as rows of their own that merging adds up. They are computed from what was
 * staged, not from what spans hold now, and inserted under a token: doing it again adds nothing. A call whose span is gone (retention) is left out.
 */
export async function correctRollups(connection: ClickHouseConnection, scope: Scope, run: string, batch: number): Promise<void> {
  const parameters = batchParameters(scope, run, batch);
  const bounds = await boundsOf(connection, parameters);
  if (bounds === null) return;
  for (const { table, stepMs, dimensions } of SUMS) {
    const place = dimensions.join(', ');
    const hasTimes = table === 'session_days';
    const rows = await connection.read<RollupDelta>(
      `SELECT intDiv(started_at_ns, {stepNs:Int64}) * {stepMs:Int64} AS at_ms, [${dimensions.map((name) => `toString(${name})`).join(', ')}] AS place,
         min(started_at_ns) AS first, max(ended_at_ns) AS last, toString(sum(r.cost)) AS cost, toString(sum(r.unpriced)) AS unpriced, toString(sum(r.estimated)) AS estimated
       FROM (
         SELECT call_id, toInt128(ifNull(cost_pico_usd, 0)) - ifNull(old_cost_pico_usd, 0) AS cost,
           toInt64(isNull(cost_pico_usd)) - isNull(old_cost_pico_usd) AS unpriced,
           toInt64(isNotNull(cost_pico_usd) AND cost_status = 'estimated_tokens')
             - (isNotNull(old_cost_pico_usd) AND old_cost_status = 'estimated_tokens') AS estimated
         FROM repricings WHERE ${BATCH}
       ) AS r
       INNER JOIN (
         SELECT call_id, started_at_ns, started_at_ns + duration_ns AS ended_at_ns, ${place} FROM spans
         WHERE ${SCOPE_FILTER} AND is_entry = 1 AND is_request = 1 AND kind = 'gateway' AND started_at_ns >= {fromNs:Int64} AND started_at_ns < {toNs:Int64}
           AND call_id IN (SELECT call_id FROM repricings WHERE ${BATCH})
       ) AS s USING (call_id)
       GROUP BY at_ms, ${place}
       ORDER BY at_ms, ${place}`,
      { ...parameters, ...bounds, stepMs, stepNs: BigInt(stepMs) * 1_000_000n },
      { lane: 'adhoc' },
    );
    if (rows.length === 0) continue;
    const lines = rows.map((row) =>
      JSON.stringify([
        scope.organisationId,
        scope.environment,
        row.at_ms,
        ...row.place,
        // Where the least and the greatest time are kept, a row without them would be the least.
        ...(hasTimes ? [row.first, row.last] : []),
        row.cost,
        unsigned(row.unpriced),
        unsigned(row.estimated),
      ]),
    );
    const columns = ['organisation_id', 'environment', 'at_ms', ...dimensions, ...(hasTimes ? ['first_ns', 'last_ns'] : [])];
    await connection.insert(
      table,
      [...columns, 'cost_pico_usd', 'unpriced_requests', 'estimated_requests'],
      lines.join('\n'),
      `repricing/${run}/${batch}/${table}`,
    );
  }
  await correctCostHours(connection, run, batch, { ...parameters, ...bounds });
}

/** One staged column, as the list in the order of `keys`. A scalar: it is read once per statement. */
function list(expression: string, source: string): string {
  return `(SELECT groupArray(value) FROM (SELECT ${expression} AS value FROM ${source}))`;
}

/**
 * Puts the staged values into spans, then into the ledger. Values are absolute: a second time changes nothing. Only parts with such calls are
 * rewritten, and of them only these columns.
 */
export async function correctRows(connection: ClickHouseConnection, scope: Scope, run: string, batch: number): Promise<void> {
  const parameters = batchParameters(scope, run, batch);
  const bounds = await boundsOf(connection, parameters);
  if (bounds === null) return;
  const calls = `(SELECT * FROM repricings WHERE ${BATCH} ORDER BY call_id)`;
  const spans = `(SELECT arrayJoin(arrayZip(span_ids, span_costs, span_statuses, span_price_ids)) AS span FROM repricings WHERE ${BATCH} ORDER BY span.1)`;
  const byCall = (value: string) => `transform(call_id, ${list('call_id', calls)}, ${list(value, calls)}, '')`;
  const bySpan = (place: number) => `transform(span_id, ${list('span.1', spans)}, ${list(`toString(span.${place})`, spans)}, '')`;
  const either = (value: string, place: number) => `if(kind = 'gateway', ${byCall(value)}, ${bySpan(place)})`;
  const cost = "ifNull(toString(cost_pico_usd), '')";
  const inBatch = `call_id IN (SELECT call_id FROM repricings WHERE ${BATCH})`;
  // Attempts begin after their call: a call is long over after a day.
  await connection.command(
    `ALTER TABLE spans UPDATE cost_pico_usd = toInt64OrNull(${either(cost, 2)}), cost_status = ${either('toString(cost_status)', 3)},
       price_id = ${either('toString(price_id)', 4)}
     WHERE ${SCOPE_FILTER} AND started_at_ns >= {fromNs:Int64} AND started_at_ns < {toNs:Int64} AND ${inBatch}
       AND (kind = 'gateway' OR (kind = 'llm' AND span_id IN (SELECT arrayJoin(span_ids) FROM repricings WHERE ${BATCH})))
     SETTINGS mutations_sync = 2`,
    { ...parameters, fromNs: bounds.fromNs, toNs: bounds.toNs + DAY_NS },
  );
  await connection.command(
    `ALTER TABLE ledger UPDATE cost_pico_usd = toInt64OrNull(${byCall(cost)}), cost_status = ${byCall('toString(cost_status)')},
       attempts = ${byCall('attempts')}
     WHERE ${SCOPE_FILTER} AND started_at_ms >= intDiv({fromNs:Int64}, 1000000) AND started_at_ms < intDiv({toNs:Int64}, 1000000) AND ${inBatch}
     SETTINGS mutations_sync = 2`,
    { ...parameters, ...bounds },
  );
}
