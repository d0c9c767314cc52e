import { z } from 'zod';
import type { Scope } from '../../kernel/scope.ts';
import type { DecisionQuery, RouteDecisions, RoutingDecision, RoutingDecisions } from '../../traces/routing-decisions.ts';
import type { ClickHouseConnection, QueryParameters } from './client.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';

interface RouteRecord {
  readonly route: string;
  readonly calls: string;
  readonly errors: string;
  readonly decided: string;
  readonly tiers: Record<string, string>;
  readonly fell_back: string;
  readonly several: string;
  readonly saved: string;
  readonly saved_calls: string;
}

interface DecisionRecord {
  readonly trace_id: string;
  readonly call_id: string;
  readonly started_at_ns: string;
  readonly route: string;
  readonly feature: string;
  readonly status: RoutingDecision['status'];
  readonly error_type: string;
  readonly attributes: string;
}

interface AttemptRecord {
  readonly trace_id: string;
  readonly call_id: string;
  readonly target: string;
  readonly attempt_role: Exclude<RoutingDecision['attempts'][number]['role'], 'first'> | '';
  readonly purpose: string;
  readonly status: RoutingDecision['status'];
  readonly error_type: string;
}

/** Written by `routingAttributes` of traces/from-call.ts. */
const Attributes = z.object({
  'plimsoll.routing.strategy': z.string().optional(),
  'plimsoll.routing.reason': z.string().optional(),
  'plimsoll.routing.tier': z.string().optional(),
  'plimsoll.routing.counterfactual_model': z.string().optional(),
  'plimsoll.routing.estimated_saving_pico_usd': z.string().optional(),
});

const MAX_ROUTES = 500;
const MAX_ATTEMPTS_PER_TRACE = 50;
const HOUR_NS = 3_600_000_000_000n;

/** Entry spans of clients' calls that asked for a route, in the range. */
const CALLS = `${SCOPE_FILTER} AND is_entry = 1 AND started_at_ns >= {fromNs:Int64} AND started_at_ns < {toNs:Int64}
  AND spans.route != '' AND purpose = ''`;

export async function readDecisions(connection: ClickHouseConnection, scope: Scope, query: DecisionQuery): Promise<RoutingDecisions> {
  const { from, to, route, limit } = query;
  const parameters: QueryParameters = {
    ...scopeParameters(scope),
    fromNs: BigInt(from) * 1_000_000n,
    toNs: BigInt(to) * 1_000_000n,
    ...(route === undefined ? {} : { route }),
  };
  const where = route === undefined ? CALLS : `${CALLS} AND spans.route = {route:String}`;
  const [routes, recent] = await Promise.all([
    readRoutes(connection, where, parameters),
    readRecent(connection, scope, where, parameters, limit),
  ]);
  return { from, to, routes, recent };
}

async function readRoutes(connection: ClickHouseConnection, where: string, parameters: QueryParameters): Promise<RouteDecisions[]> {
  const rows = await connection.read<RouteRecord>(
    `SELECT toString(spans.route) AS route, count() AS calls, countIf(status = 'error') AS errors, countIf(routing_strategy != '') AS decided,
       sumMapIf(map(toString(routing_tier), toUInt64(1)), routing_tier != '') AS tiers,
       countIf(fallback_from != '') AS fell_back, countIf(attempts > 1) AS several,
       toString(sum(toInt128(ifNull(saving_pico_usd, 0)))) AS saved, countIf(saving_pico_usd IS NOT NULL) AS saved_calls
     FROM spans WHERE ${where} GROUP BY route ORDER BY calls DESC, route LIMIT ${MAX_ROUTES}`,
    parameters,
  );
  return rows.map((row) => ({
    route: row.route,
    calls: Number(row.calls),
    errors: Number(row.errors),
    decided: Number(row.decided),
    tiers: Object.fromEntries(Object.entries(row.tiers).map(([tier, calls]) => [tier, Number(calls)])),
    fellBack: Number(row.fell_back),
    severalAttempts: Number(row.several),
    savedPicoUsd: row.saved_calls === '0' ? null : row.saved,
    savedCalls: Number(row.saved_calls),
  }));
}

async function readRecent(
  connection: ClickHouseConnection,
  scope: Scope,
  where: string,
  parameters: QueryParameters,
  limit: number,
): Promise<RoutingDecision[]> {
  const rows = await connection.read<DecisionRecord>(
    `SELECT trace_id, call_id, started_at_ns, route, feature, status, error_type, attributes
     FROM spans WHERE ${where} AND (routing_strategy != '' OR attempts > 1)
     ORDER BY started_at_ns DESC, trace_id, span_id LIMIT {rows:UInt32}`,
    { ...parameters, rows: limit },
  );
  if (rows.length === 0) return [];
  const attempts = Map.groupBy(await readAttempts(connection, scope, rows), ({ trace_id }) => trace_id);
  return rows.map((row) => {
    const known = Attributes.parse(JSON.parse(row.attributes));
    const own = (attempts.get(row.trace_id) ?? []).filter(({ call_id, purpose }) => call_id === row.call_id || purpose !== '');
    return {
      traceId: row.trace_id,
      at: Number(BigInt(row.started_at_ns) / 1_000_000n),
      route: row.route,
      feature: row.feature,
      status: row.status,
      errorType: row.error_type || null,
      strategy: known['plimsoll.routing.strategy'] ?? null,
      reason: known['plimsoll.routing.reason'] ?? null,
      tier: known['plimsoll.routing.tier'] ?? null,
      counterfactualModel: known['plimsoll.routing.counterfactual_model'] ?? null,
      savedPicoUsd: known['plimsoll.routing.estimated_saving_pico_usd'] ?? null,
      attempts: own.map(({ target, attempt_role: role, purpose, status, error_type: errorType }) => ({
        target,
        role: role || 'first',
        purpose: purpose || null,
        status,
        errorType: errorType || null,
      })),
    };
  });
}

/** Attempts of these calls' traces: those of the calls, and of calls that the gateway made beside them. @param calls newest first, not empty */
function readAttempts(connection: ClickHouseConnection, scope: Scope, calls: readonly DecisionRecord[]): Promise<AttemptRecord[]> {
  return connection.read<AttemptRecord>(
    `SELECT trace_id, call_id, target, attempt_role, purpose, status, error_type
     FROM spans WHERE ${SCOPE_FILTER} AND is_entry = 0 AND started_at_ns >= {firstNs:Int64} AND started_at_ns < {lastNs:Int64}
       AND trace_id IN {traceIds:Array(String)} AND kind = 'llm' AND spans.target != ''
     ORDER BY started_at_ns, span_id LIMIT ${MAX_ATTEMPTS_PER_TRACE} BY trace_id`,
    // A call lasts minutes at most; the bound is what lets the key skip the rest of the table.
    {
      ...scopeParameters(scope),
      firstNs: BigInt(calls.at(-1)?.started_at_ns ?? 0),
      lastNs: BigInt(calls[0]?.started_at_ns ?? 0) + HOUR_NS,
      traceIds: [...new Set(calls.map(({ trace_id }) => trace_id))],
    },
  );
}
