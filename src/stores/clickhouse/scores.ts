import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { Score, ScorePage, ScoreQuery } from '../../traces/scores/model.ts';
import type { OutcomeTotals, ScorePeriod, ScoreTotals } from '../../traces/scores/store.ts';
import type { ClickHouseConnection } from './client.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';
import { readIndex } from './entry-reads.ts';

const MAX_OF_TRACE = 500;
const MAX_TOTALS = 2_000;
const MAX_CATEGORIES = 20;
/** A score is looked for in traces that began up to so long before it. */
const LOOK_BACK_MS = 90 * 86_400_000;

/** FINAL before any condition on what may differ between rows of one score. */
const LIVE = `FROM scores FINAL WHERE ${SCOPE_FILTER} AND is_withdrawn = 0`;

const COLUMNS = `score_id, kind, at_ms, received_at_ms, feature, trace_id, span_id, session_id, external_id, name, data_type, number, text, source,
  evaluator, evaluator_trace_id, user_id, comment, value_pico_usd, metadata`;

interface ScoreRecord {
  readonly score_id: string;
  readonly kind: Score['kind'];
  readonly at_ms: string;
  readonly received_at_ms: string;
  readonly feature: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly session_id: string;
  readonly external_id: string;
  readonly name: string;
  readonly data_type: Score['dataType'];
  readonly number: number | null;
  readonly text: string;
  readonly source: Score['source'];
  readonly evaluator: string;
  readonly evaluator_trace_id: string;
  readonly user_id: string;
  readonly comment: string;
  readonly value_pico_usd: string | null;
  readonly metadata: string;
}

function givenValue({ data_type: dataType, number, text }: ScoreRecord): Score['value'] {
  if (dataType === 'boolean') return number === 1;
  return dataType === 'numeric' ? (number ?? 0) : text;
}

function toScore(row: ScoreRecord): Score {
  return {
    id: row.score_id,
    kind: row.kind,
    at: Number(row.at_ms),
    receivedAt: Number(row.received_at_ms),
    feature: row.feature || null,
    traceId: row.trace_id || null,
    spanId: row.span_id || null,
    session: row.session_id || null,
    externalId: row.external_id || null,
    name: row.name,
    dataType: row.data_type,
    value: givenValue(row),
    source: row.source,
    evaluator: row.evaluator || null,
    evaluatorTraceId: row.evaluator_trace_id || null,
    user: row.user_id || null,
    comment: row.comment || null,
    valuePicoUsd: row.value_pico_usd,
    metadata: parseJsonText(row.metadata === '' ? '{}' : row.metadata) as Score['metadata'], // written by columns.ts
  };
}

function readCursor(cursor: string): { at: number; id: string; name: string } {
  try {
    const [at, id, name] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (typeof at === 'number' && Number.isSafeInteger(at) && typeof id === 'string' && typeof name === 'string') return { at, id, name };
  } catch {
    // Answered below like every other text that is not ours.
  }
  throw new PlimsollError('invalid_argument', 'The cursor is not one that this list gave.', { details: { param: 'cursor' } });
}

export async function listScores(connection: ClickHouseConnection, scope: Scope, query: ScoreQuery): Promise<ScorePage> {
  const conditions: string[] = [];
  const parameters: Record<string, string | number> = { limit: query.limit + 1 };
  const add = (condition: string, name: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    parameters[name] = value;
  };
  add('at_ms >= {from:Int64}', 'from', query.from);
  add('at_ms < {to:Int64}', 'to', query.to);
  add('feature = {feature:String}', 'feature', query.feature);
  add('kind = {kind:String}', 'kind', query.kind);
  add('name = {name:String}', 'name', query.name);
  add('source = {source:String}', 'source', query.source);
  add('session_id = {session:String}', 'session', query.session);
  add('external_id = {externalId:String}', 'externalId', query.externalId);
  if (query.cursor !== undefined) {
    const { at, id, name } = readCursor(query.cursor);
    conditions.push('(at_ms, score_id, name) < ({cursorAt:Int64}, {cursorId:String}, {cursorName:String})');
    Object.assign(parameters, { cursorAt: at, cursorId: id, cursorName: name });
  }
  const rows = await connection.read<ScoreRecord>(
    `SELECT ${COLUMNS} ${[LIVE, ...conditions].join(' AND ')} ORDER BY at_ms DESC, score_id DESC, name DESC LIMIT {limit:UInt32}`,
    { ...scopeParameters(scope), ...parameters },
  );
  const shown = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? shown.at(-1) : undefined;
  const cursor = last && Buffer.from(JSON.stringify([Number(last.at_ms), last.score_id, last.name])).toString('base64url');
  return { scores: shown.map(toScore), nextCursor: cursor ?? null };
}

export async function readScoresOfTrace(connection: ClickHouseConnection, scope: Scope, traceId: string): Promise<Score[]> {
  const bounds = (await readIndex(connection, scope, [traceId])).get(traceId);
  const [names] = bounds
    ? await connection.read<{ sessions: string[]; externals: string[] }>(
        `SELECT groupUniqArray(100)(session_id) AS sessions, groupUniqArray(100)(tags['external_id']) AS externals FROM spans
         WHERE ${SCOPE_FILTER} AND is_entry = 1 AND started_at_ns >= {firstNs:Int64} AND started_at_ns <= {lastNs:Int64} AND trace_id = {traceId:String}`,
        { ...scopeParameters(scope), traceId, firstNs: bounds.first_ns, lastNs: bounds.last_ns },
      )
    : [];
  const known = (values: readonly string[] = []): string[] => values.filter((value) => value !== '');
  const rows = await connection.read<ScoreRecord>(
    `SELECT ${COLUMNS} ${LIVE} AND (trace_id = {traceId:String} OR (trace_id = '' AND
       (has({sessions:Array(String)}, session_id) OR has({externals:Array(String)}, external_id))))
     ORDER BY at_ms DESC, score_id DESC, name LIMIT ${MAX_OF_TRACE}`,
    { ...scopeParameters(scope), traceId, sessions: known(names?.sessions), externals: known(names?.externals) },
  );
  return rows.map(toScore);
}

/** Live scores of the period with the feature that they count for: their own, else that of their trace. */
const OF_PERIOD = `(
    SELECT *, if(own.feature != '', toString(own.feature), ifNull(of_trace.feature, '')) AS counted_for
    FROM (SELECT * ${LIVE} AND at_ms >= {from:Int64} AND at_ms < {to:Int64}) AS own
    LEFT JOIN (
      SELECT trace_id, toString(any(feature)) AS feature FROM spans
      WHERE ${SCOPE_FILTER} AND is_entry = 1 AND started_at_ns >= ({from:Int64} - ${LOOK_BACK_MS}) * 1000000 AND trace_id IN (
        SELECT trace_id FROM scores WHERE ${SCOPE_FILTER} AND feature = '' AND at_ms >= {from:Int64} AND at_ms < {to:Int64}
      ) GROUP BY trace_id
    ) AS of_trace ON own.trace_id = of_trace.trace_id
    SETTINGS join_use_nulls = 1
  )`;

function periodOf(scope: Scope, { from, to, feature }: ScorePeriod): { only: string; parameters: Record<string, string | number> } {
  return {
    only: feature === undefined ? '' : ' WHERE counted_for = {feature:String}',
    parameters: { ...scopeParameters(scope), from, to, ...(feature === undefined ? {} : { feature }) },
  };
}

interface TotalsRecord {
  readonly counted_for: string;
  readonly kind: ScoreTotals['kind'];
  readonly name: string;
  readonly data_type: ScoreTotals['dataType'];
  readonly source: ScoreTotals['source'];
  readonly scores: string;
  readonly sum: number;
  readonly squares: number;
  readonly least: number | null;
  readonly most: number | null;
  readonly categories: readonly (readonly [string, string])[];
}

export async function readScoreTotals(connection: ClickHouseConnection, scope: Scope, period: ScorePeriod): Promise<ScoreTotals[]> {
  const { only, parameters } = periodOf(scope, period);
  const rows = await connection.read<TotalsRecord>(
    `SELECT counted_for, kind, name, data_type, source, count() AS scores, ifNull(sum(number), 0) AS sum, ifNull(sum(number * number), 0) AS squares,
       min(number) AS least, max(number) AS most,
       arraySlice(arraySort(pair -> (-toInt64(pair.2), pair.1), arrayZip(
         (sumMapIf([text], [toUInt64(1)], data_type = 'categorical') AS counts).1, counts.2)), 1, ${MAX_CATEGORIES}) AS categories
     FROM ${OF_PERIOD}${only}
     GROUP BY counted_for, kind, name, data_type, source ORDER BY counted_for, kind, name, data_type, source LIMIT ${MAX_TOTALS}`,
    parameters,
  );
  return rows.map((row) => ({
    feature: row.counted_for || null,
    kind: row.kind,
    name: row.name,
    dataType: row.data_type,
    source: row.source,
    count: Number(row.scores),
    sum: row.sum,
    sumOfSquares: row.squares,
    least: row.least,
    most: row.most,
    categories: row.categories.map(([value, count]) => ({ value, count: Number(count) })),
  }));
}

export async function readOutcomeTotals(connection: ClickHouseConnection, scope: Scope, period: ScorePeriod): Promise<OutcomeTotals[]> {
  const { only, parameters } = periodOf(scope, period);
  const rows = await connection.read<{
    counted_for: string;
    name: string;
    reported: string;
    succeeded: string;
    value: string;
    valued: string;
  }>(
    `SELECT counted_for, name, count() AS reported, countIf(number = 1) AS succeeded,
       toString(sumIf(toInt128(ifNull(value_pico_usd, 0)), number = 1)) AS value, countIf(number = 1 AND value_pico_usd IS NOT NULL) AS valued
     FROM ${OF_PERIOD}${only === '' ? ' WHERE' : `${only} AND`} kind = 'outcome'
     GROUP BY counted_for, name ORDER BY counted_for, name LIMIT ${MAX_TOTALS}`,
    parameters,
  );
  return rows.map((row) => ({
    feature: row.counted_for || null,
    outcome: row.name,
    reported: Number(row.reported),
    succeeded: Number(row.succeeded),
    valuePicoUsd: BigInt(row.value),
    valued: Number(row.valued),
  }));
}
