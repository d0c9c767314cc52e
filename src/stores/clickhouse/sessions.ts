import { PlimsollError } from '../../kernel/errors.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { CostStatus } from '../../models/usage.ts';
import type { TraceStatus } from '../../traces/model.ts';
import type {
  SessionDetail,
  SessionPage,
  SessionQuery,
  SessionSummary,
  SessionTurn,
  UserDetail,
  UserPage,
  UserQuery,
  UserSummary,
} from '../../traces/sessions.ts';
import type { ClickHouseConnection, QueryParameters } from './client.ts';
import { splitWords } from './columns.ts';
import { SCOPE_FILTER, scopeParameters, withoutReplaced } from './entries.ts';

const DAY_MS = 86_400_000;
const TURNS = 200;

interface Range {
  readonly from: number;
  readonly to: number;
}

interface UsageRecord {
  readonly requests: string;
  readonly errors: string;
  readonly aborted: string;
  readonly input: string;
  readonly output: string;
  readonly cost: string;
  readonly unpriced: string;
  readonly estimated: string;
  readonly first: string;
  readonly last: string;
  readonly features: string[];
}

const USAGE = `sum(session_days.requests) AS requests, sum(session_days.errors) AS errors, sum(session_days.aborted) AS aborted,
  sum(input_tokens) AS input, sum(output_tokens) AS output, toString(sum(cost_pico_usd)) AS cost, sum(unpriced_requests) AS unpriced,
  sum(estimated_requests) AS estimated, min(first_ns) AS first, max(last_ns) AS last, groupUniqArray(5)(toString(feature)) AS features`;

/** By what the names of a page are chosen; the rest is read for these alone. */
const ORDER: Readonly<Record<SessionQuery['sort'], string>> = {
  recent: 'max(last_ns)',
  cost: 'sum(cost_pico_usd)',
  requests: 'sum(requests)',
  errors: 'sum(errors)',
};

type Name = 'session_id' | 'user_id';

/**
 * Names in the order of the list. The newest are looked for in few days first: whoever is found in the last days comes before all who are not.
 */
async function readNames(
  connection: ClickHouseConnection,
  scope: Scope,
  name: Name,
  query: UserQuery & Range & { readonly user?: string | undefined },
): Promise<{ readonly names: string[]; readonly hasMore: boolean }> {
  const filter = optional(query, name);
  const wanted = query.limit + 1;
  const firstDay = Math.floor(query.from / DAY_MS) * DAY_MS;
  const spans = query.sort === 'recent' ? [1, 4] : [];
  const starts = [...spans.map((count) => Math.floor((query.to - 1) / DAY_MS) * DAY_MS - (count - 1) * DAY_MS), firstDay];
  for (const from of starts) {
    if (from < firstDay) continue;
    const range = days({ from, to: query.to });
    const rows = await connection.read<{ name: string }>(
      `SELECT ${name} AS name FROM session_days WHERE ${[range.condition, `${name} != ''`, ...filter.conditions].join(' AND ')}
       GROUP BY name HAVING sum(requests) > 0 ORDER BY ${ORDER[query.sort]} DESC, name LIMIT {rows:UInt32} OFFSET {offset:UInt32}`,
      { ...scopeParameters(scope), ...range.parameters, ...filter.parameters, rows: wanted, offset: query.offset },
    );
    if (rows.length === wanted || from === firstDay) {
      const names = rows.map((row) => row.name);
      return { names: names.slice(0, query.limit), hasMore: names.length === wanted };
    }
  }
  return { names: [], hasMore: false };
}

/** Rows in the order of the names. */
function inOrder<Row>(names: readonly string[], rows: readonly Row[], nameOf: (row: Row) => string): Row[] {
  const byName = new Map(rows.map((row) => [nameOf(row), row]));
  return names.flatMap((name) => byName.get(name) ?? []);
}

function usageOf(row: UsageRecord): Omit<SessionSummary, 'session' | 'users' | 'userCount' | 'features'> {
  return {
    requests: Number(row.requests),
    errors: Number(row.errors),
    aborted: Number(row.aborted),
    inputTokens: Number(row.input),
    outputTokens: Number(row.output),
    costPicoUsd: row.cost,
    unpricedRequests: Number(row.unpriced),
    estimatedCostRequests: Number(row.estimated),
    firstAt: Number(BigInt(row.first) / 1_000_000n),
    lastAt: Number(BigInt(row.last) / 1_000_000n),
  };
}

function days({ from, to }: Range): { condition: string; parameters: QueryParameters } {
  return {
    condition: `${SCOPE_FILTER} AND at_ms >= {fromDay:Int64} AND at_ms < {to:Int64}`,
    parameters: { fromDay: Math.floor(from / DAY_MS) * DAY_MS, to },
  };
}

function optional(
  query: UserQuery & { readonly user?: string | undefined },
  name: string,
): { conditions: string[]; parameters: Record<string, string> } {
  const conditions: string[] = [];
  const parameters: Record<string, string> = {};
  const add = (condition: string, parameter: string, value: string | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    parameters[parameter] = value;
  };
  add('feature = {feature:String}', 'feature', query.feature);
  add('user_id = {user:String}', 'user', query.user);
  add(`positionCaseInsensitiveUTF8(${name}, {search:String}) > 0`, 'search', query.search);
  return { conditions, parameters };
}

const SESSION_COLUMNS = `groupUniqArray(5)(user_id) AS users, uniqExactIf(user_id, user_id != '') AS user_count, ${USAGE}`;

interface SessionRecord extends UsageRecord {
  readonly session_id: string;
  readonly users: string[];
  readonly user_count: string;
}

function toSession(row: SessionRecord): SessionSummary {
  return {
    session: row.session_id,
    users: row.users.filter((user) => user !== '').sort(),
    userCount: Number(row.user_count),
    features: row.features.toSorted(),
    ...usageOf(row),
  };
}

export async function readSessions(connection: ClickHouseConnection, scope: Scope, query: SessionQuery & Range): Promise<SessionPage> {
  const { names, hasMore } = await readNames(connection, scope, 'session_id', query);
  if (names.length === 0) return { sessions: [], hasMore };
  const range = days(query);
  const filter = optional(query, 'session_id');
  const rows = await connection.read<SessionRecord>(
    `SELECT session_id, ${SESSION_COLUMNS} FROM session_days
     WHERE ${[range.condition, 'session_id IN {names:Array(String)}', ...filter.conditions].join(' AND ')} GROUP BY session_id`,
    { ...scopeParameters(scope), ...range.parameters, ...filter.parameters, names },
  );
  return { sessions: inOrder(names, rows, (row) => row.session_id).map(toSession), hasMore };
}

interface TurnRecord {
  readonly trace_id: string;
  readonly span_id: string;
  readonly started_at_ns: string;
  readonly duration_ns: string;
  readonly name: string;
  readonly feature: string;
  readonly user_id: string;
  readonly models: string[];
  readonly requested_model: string;
  readonly status: TraceStatus;
  readonly status_message: string;
  readonly input_tokens: string | null;
  readonly output_tokens: string | null;
  readonly cost_pico_usd: string | null;
  readonly cost_status: CostStatus | '';
}

/** @throws PlimsollError `invalid_argument` */
function placeOf(after: string | null): { readonly ns: string; readonly span: string } {
  if (after === null) return { ns: '0', span: '' };
  const match = /^(\d{1,19})\.([0-9a-f]{16})$/.exec(after);
  if (!match) throw new PlimsollError('invalid_argument', 'after is not one that this API gave out.', { details: { param: 'after' } });
  return { ns: match[1] ?? '0', span: match[2] ?? '' };
}

export async function readSession(
  connection: ClickHouseConnection,
  scope: Scope,
  session: string,
  after: string | null,
): Promise<SessionDetail | null> {
  const place = placeOf(after);
  const [summary] = await connection.read<SessionRecord>(
    `SELECT session_id, ${SESSION_COLUMNS} FROM session_days WHERE ${SCOPE_FILTER} AND session_id = {session:String} GROUP BY session_id HAVING requests > 0`,
    { ...scopeParameters(scope), session },
  );
  if (summary === undefined) return null;
  const bounds = { firstNs: summary.first, lastNs: summary.last };
  const rows = await connection.read<TurnRecord>(
    `SELECT trace_id, span_id, started_at_ns, duration_ns, name, feature, user_id, models, requested_model, status, status_message,
       input_tokens, output_tokens, cost_pico_usd, cost_status
     FROM spans WHERE ${SCOPE_FILTER} AND is_entry = 1 AND is_request = 1 AND started_at_ns >= {firstNs:Int64} AND started_at_ns <= {lastNs:Int64}
       AND session_id = {session:String} AND (started_at_ns, span_id) > ({afterNs:Int64}, {afterSpan:String})
     ORDER BY started_at_ns, span_id LIMIT ${TURNS + 1}`,
    { ...scopeParameters(scope), ...bounds, session, afterNs: place.ns, afterSpan: place.span },
  );
  const shown = withoutReplaced(rows.slice(0, TURNS));
  const last = shown.at(-1);
  const words = await readWords(connection, scope, shown);
  return {
    session: toSession(summary),
    turns: shown.map((row) => toTurn(row, words.get(row.span_id))),
    nextAfter: rows.length > TURNS && last ? `${last.started_at_ns}.${last.span_id}` : null,
  };
}

async function readWords(connection: ClickHouseConnection, scope: Scope, turns: readonly TurnRecord[]): Promise<Map<string, string>> {
  const [first] = turns;
  const last = turns.at(-1);
  if (first === undefined || last === undefined) return new Map();
  const rows = await connection.read<{ span_id: string; words: string }>(
    `SELECT span_id, words FROM span_words WHERE ${SCOPE_FILTER} AND started_at_ns >= {firstNs:Int64} AND started_at_ns <= {lastNs:Int64}
       AND span_id IN {spanIds:Array(String)}`,
    { ...scopeParameters(scope), firstNs: first.started_at_ns, lastNs: last.started_at_ns, spanIds: turns.map((turn) => turn.span_id) },
  );
  return new Map(rows.map((row) => [row.span_id, row.words]));
}

function toTurn(row: TurnRecord, words: string | undefined): SessionTurn {
  const texts = words === undefined ? null : splitWords(words);
  return {
    traceId: row.trace_id,
    spanId: row.span_id,
    startedAt: Number(BigInt(row.started_at_ns) / 1_000_000n),
    name: row.name,
    feature: row.feature,
    user: row.user_id || null,
    models: row.models.length > 0 ? row.models : row.requested_model === '' ? [] : [row.requested_model],
    status: row.status,
    statusMessage: row.status_message,
    inputTokens: row.input_tokens === null ? null : Number(row.input_tokens),
    outputTokens: row.output_tokens === null ? null : Number(row.output_tokens),
    costPicoUsd: row.cost_pico_usd,
    costStatus: row.cost_status || 'unpriced',
    durationMs: Number(row.duration_ns) / 1e6,
    input: texts?.input || null,
    output: texts?.output || null,
  };
}

const USER_COLUMNS = `uniqExactIf(session_id, session_id != '') AS session_count, ${USAGE}`;

interface UserRecord extends UsageRecord {
  readonly user_id: string;
  readonly session_count: string;
}

function toUser(row: UserRecord): UserSummary {
  return { user: row.user_id, sessionCount: Number(row.session_count), features: row.features.toSorted(), ...usageOf(row) };
}

export async function readUsers(connection: ClickHouseConnection, scope: Scope, query: UserQuery & Range): Promise<UserPage> {
  const { names, hasMore } = await readNames(connection, scope, 'user_id', query);
  if (names.length === 0) return { users: [], hasMore };
  const range = days(query);
  const filter = optional(query, 'user_id');
  const rows = await connection.read<UserRecord>(
    `SELECT user_id, ${USER_COLUMNS} FROM session_days
     WHERE ${[range.condition, 'user_id IN {names:Array(String)}', ...filter.conditions].join(' AND ')} GROUP BY user_id`,
    { ...scopeParameters(scope), ...range.parameters, ...filter.parameters, names },
  );
  return { users: inOrder(names, rows, (row) => row.user_id).map(toUser), hasMore };
}

export async function readUser(connection: ClickHouseConnection, scope: Scope, user: string, range: Range): Promise<UserDetail | null> {
  const { condition, parameters } = days(range);
  const where = `${condition} AND user_id = {user:String}`;
  const bound = { ...scopeParameters(scope), ...parameters, user };
  const [total] = await connection.read<UserRecord>(
    `SELECT user_id, ${USER_COLUMNS} FROM session_days WHERE ${where} GROUP BY user_id HAVING requests > 0`,
    bound,
  );
  if (total === undefined) return null;
  const rows = await connection.read<{ at: string; requests: string; errors: string; cost: string }>(
    `SELECT at_ms AS at, sum(session_days.requests) AS requests, sum(session_days.errors) AS errors, toString(sum(cost_pico_usd)) AS cost
     FROM session_days WHERE ${where} GROUP BY at ORDER BY at`,
    bound,
  );
  return {
    user: toUser(total),
    days: rows.map((row) => ({ at: Number(row.at), requests: Number(row.requests), errors: Number(row.errors), costPicoUsd: row.cost })),
  };
}
