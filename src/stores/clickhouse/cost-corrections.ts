import type { ClickHouseConnection, QueryParameters } from './client.ts';
import { ANSWERING_MODEL, ATTEMPT_KEYS, ATTEMPT_MEASURE_NAMES, attemptSums, CALL_KEYS, HOUR_MS } from './cost-rollups.ts';
import { SCOPE_FILTER } from './entries.ts';
import { ATTEMPT_FACTS } from './schema.ts';

const BATCH = `${SCOPE_FILTER} AND run_id = {run:String} AND batch = {batch:UInt32}`;
/** The batch's own calls in the ledger: what they are grouped by does not change with their cost, so it does not matter whether they are corrected. */
const IN_LEDGER = `${SCOPE_FILTER} AND started_at_ms >= intDiv({fromNs:Int64}, 1000000) AND started_at_ms < intDiv({toNs:Int64}, 1000000)
  AND call_id IN (SELECT call_id FROM repricings WHERE ${BATCH})`;
const CALL_COLUMNS =
  'call_id, organisation_id, environment, started_at_ms, feature, team, key_id, route, operation, requested_model, status';

interface Delta {
  readonly cells: readonly string[];
}

/** An unsigned column takes a negative number as one that wraps, so that the sum comes out right. */
function callDeltas(): string {
  return `SELECT [${CALL_KEYS.split(', ')
    .map((name) => `toString(${name})`)
    .join(', ')}, toString(reinterpretAsUInt64(sum(d_unpriced))), toString(sum(d_cost)),
      toString(sumIf(d_cost, user_id != '')), toString(sumIf(d_cost, session_id != '')), toString(sumIf(d_cost, customer != ''))] AS cells
    FROM (
      SELECT call_id, toInt128(ifNull(cost_pico_usd, 0)) - ifNull(old_cost_pico_usd, 0) AS d_cost,
        toInt64(isNull(cost_pico_usd)) - isNull(old_cost_pico_usd) AS d_unpriced
      FROM repricings WHERE ${BATCH}
    ) AS r
    INNER JOIN (
      SELECT ${CALL_COLUMNS}, user_id, session_id, customer, intDiv(started_at_ms, ${HOUR_MS}) * ${HOUR_MS} AS at_ms, ${ANSWERING_MODEL} AS model
      FROM ledger WHERE ${IN_LEDGER}
    ) AS l USING (call_id)
    GROUP BY ${CALL_KEYS} ORDER BY ${CALL_KEYS}`;
}

/** Attempts as they were, taken away, and as they are, added. */
function attemptDeltas(): string {
  const facts = ATTEMPT_FACTS.replaceAll(/\s+/g, ' ');
  const side = (weight: string, attempts: string, cost: string) => `SELECT call_id, toInt64(${weight}) AS weight,
        JSONExtract(${attempts}, '${facts}') AS attempt_facts FROM repricings WHERE ${BATCH} AND ${cost} IS NOT NULL`;
  const source = `(
      SELECT l.*, r.weight AS weight, r.attempt_facts AS attempt_facts
      FROM (${side('-1', 'old_attempts', 'old_cost_pico_usd')} UNION ALL ${side('1', 'attempts', 'cost_pico_usd')}) AS r
      INNER JOIN (SELECT ${CALL_COLUMNS} FROM ledger WHERE ${IN_LEDGER}) AS l USING (call_id)
    )`;
  const names = [...ATTEMPT_KEYS.split(', '), ...ATTEMPT_MEASURE_NAMES];
  return `SELECT [${names.map((name) => `toString(${name})`).join(', ')}] AS cells
    FROM (${attemptSums(source, 'weight')})
    WHERE ${ATTEMPT_MEASURE_NAMES.map((name) => `${name} != 0`).join(' OR ')} ORDER BY ${ATTEMPT_KEYS}`;
}

/** Adds the differences of a batch to the hours of costs. Computed from what was staged, inserted under a token: again adds nothing. */
export async function correctCostHours(
  connection: ClickHouseConnection,
  run: string,
  batch: number,
  parameters: QueryParameters,
): Promise<void> {
  for (const [table, select, columns] of [
    ['cost_calls_1h', callDeltas(), `${CALL_KEYS}, unpriced, cost, user_cost, session_cost, customer_cost`],
    ['cost_attempts_1h', attemptDeltas(), `${ATTEMPT_KEYS}, ${ATTEMPT_MEASURE_NAMES.join(', ')}`],
  ] as const) {
    const rows = await connection.read<Delta>(select, parameters, { lane: 'adhoc' });
    if (rows.length === 0) continue;
    const lines = rows.map(({ cells }) => JSON.stringify(cells)).join('\n');
    await connection.insert(table, columns.split(', '), lines, `repricing/${run}/${batch}/${table}`);
  }
}
