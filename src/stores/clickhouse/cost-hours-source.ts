import type { CostPeriod } from '../../costs/cost-queries.ts';
import { ATTEMPT_KEYS, ATTEMPT_MEASURE_NAMES, attemptSums, CALL_KEYS, CALL_MEASURES, callSums, HOUR_MS } from './cost-rollups.ts';
import { SCOPE_FILTER } from './entries.ts';

const IN_HOURS = `${SCOPE_FILTER} AND at_ms >= {firstHour:Int64} AND at_ms < {lastHour:Int64}`;
const IN_EDGES = `${SCOPE_FILTER} AND started_at_ms >= {from:Int64} AND started_at_ms < {to:Int64}
  AND (started_at_ms < {firstHour:Int64} OR started_at_ms >= {lastHour:Int64})`;

interface HoursSource {
  /** A subquery with rows as the rollup has them; several of one key are to be added up. */
  readonly sql: string;
  /** To be bound, with those of the period. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** Whole hours from the rollup, what begins or ends within an hour from the ledger: exact for every period. */
function hours({ from, to }: CostPeriod, rollup: string, edges: string): HoursSource {
  const firstHour = Math.ceil(from / HOUR_MS) * HOUR_MS;
  const lastHour = Math.max(firstHour, Math.floor(to / HOUR_MS) * HOUR_MS);
  const parts = [...(firstHour < lastHour ? [rollup] : []), ...(from < firstHour || to > lastHour ? [edges] : [])];
  return { sql: `(${parts.join('\n UNION ALL ')})`, parameters: { firstHour, lastHour } };
}

/** @param only further conditions on columns that rollup and ledger share, beginning with AND */
export function callHours(period: CostPeriod, only = ''): HoursSource {
  const names = `${CALL_KEYS}, ${Object.keys(CALL_MEASURES).join(', ')}`;
  return hours(
    period,
    `SELECT ${names} FROM cost_calls_1h WHERE ${IN_HOURS}${only}`,
    `SELECT ${names} FROM (${callSums(`ledger WHERE ${IN_EDGES}${only}`)})`,
  );
}

export function attemptHours(period: CostPeriod, only = ''): HoursSource {
  const names = `${ATTEMPT_KEYS}, ${ATTEMPT_MEASURE_NAMES.join(', ')}`;
  return hours(
    period,
    `SELECT ${names} FROM cost_attempts_1h WHERE ${IN_HOURS}${only}`,
    `SELECT ${names} FROM (${attemptSums(`ledger WHERE ${IN_EDGES} AND cost_pico_usd IS NOT NULL${only}`)})`,
  );
}
