import { isErrorCode } from '../../kernel/errors.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ExportedSpan } from '../../traces/export/columns.ts';
import type { TraceQuery } from '../../traces/model.ts';
import type { SpanRow } from '../../traces/store.ts';
import type { ClickHouseConnection, ReadOptions } from './client.ts';
import { SCOPE_FILTER, scopeParameters, withoutReplaced } from './entries.ts';
import { type IndexRecord, withinTraces } from './entry-reads.ts';
import { IO_COLUMNS, type IoRecord, parseAttributes, textsBySpan, toUsage } from './get-trace.ts';
import { encodeCursor } from './list-position.ts';
import { findTraces } from './list-traces.ts';
import { readTexts } from './text-parts.ts';

/** Traces that are looked for together. */
const TRACES_AT_ONCE = 200;
/** Spans that are in memory at one time, without their texts. */
const SPANS_AT_ONCE = 1_000;
/** Spans whose texts are in memory at one time: each may be as long as a payload may be. */
const TEXTS_AT_ONCE = 64;

const COLUMNS = `organisation_id, environment, trace_id, span_id, parent_span_id, call_id, is_entry, is_request, started_at_ns, duration_ns, name, kind, status,
  status_message, error_type, http_status, feature, team, user_id, session_id, customer, tags, key_id, route, provider, requested_model,
  request_model, response_model, response_id, finish_reasons, models, providers, model_names, usage, usage_source, cost_pico_usd, cost_status,
  price_id, ttft_ms, inter_token_mean_ms, inter_token_max_ms, attempts, fallback_from, is_stream, is_simulated, is_recovered, attributes`;

interface Row {
  readonly organisation_id: string;
  readonly environment: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string;
  readonly call_id: string;
  readonly is_entry: number;
  readonly is_request: number;
  readonly started_at_ns: string;
  readonly duration_ns: string;
  readonly name: string;
  readonly kind: SpanRow['kind'];
  readonly status: SpanRow['status'];
  readonly status_message: string;
  readonly error_type: string;
  readonly http_status: number;
  readonly feature: string;
  readonly team: string;
  readonly user_id: string;
  readonly session_id: string;
  readonly customer: string;
  readonly tags: Record<string, string>;
  readonly key_id: string;
  readonly route: string;
  readonly provider: string;
  readonly requested_model: string;
  readonly request_model: string;
  readonly response_model: string;
  readonly response_id: string;
  readonly finish_reasons: string[];
  readonly models: string[];
  readonly providers: string[];
  readonly model_names: string[];
  readonly usage: string[];
  readonly usage_source: 'reported' | 'estimated' | '';
  readonly cost_pico_usd: string | null;
  readonly cost_status: Exclude<SpanRow['costStatus'], null> | '';
  readonly price_id: string;
  readonly ttft_ms: number | null;
  readonly inter_token_mean_ms: number | null;
  readonly inter_token_max_ms: number | null;
  readonly attempts: number;
  readonly fallback_from: string;
  readonly is_stream: number;
  readonly is_simulated: number;
  readonly is_recovered: number;
  readonly attributes: string;
}

function toSpanRow(row: Row): SpanRow {
  return {
    organisationId: row.organisation_id,
    environment: row.environment,
    traceId: row.trace_id,
    spanId: row.span_id,
    parentSpanId: row.parent_span_id || null,
    callId: row.call_id || null,
    isEntry: row.is_entry === 1,
    isRequest: row.is_request === 1,
    startedAtNs: BigInt(row.started_at_ns),
    durationNs: BigInt(row.duration_ns),
    name: row.name,
    kind: row.kind,
    status: row.status,
    statusMessage: row.status_message,
    errorType: isErrorCode(row.error_type) ? row.error_type : null,
    httpStatus: row.http_status || null,
    feature: row.feature,
    team: row.team || null,
    user: row.user_id || null,
    session: row.session_id || null,
    customer: row.customer || null,
    tags: row.tags,
    keyId: row.key_id || null,
    route: row.route || null,
    provider: row.provider || null,
    requestedModel: row.requested_model || null,
    requestModel: row.request_model || null,
    responseModel: row.response_model || null,
    responseId: row.response_id || null,
    finishReasons: row.finish_reasons,
    models: row.models,
    providers: row.providers,
    modelNames: row.model_names,
    usage: toUsage(row.usage),
    usageSource: row.usage_source || null,
    costPicoUsd: row.cost_pico_usd === null ? null : BigInt(row.cost_pico_usd),
    costStatus: row.cost_status || null,
    priceId: row.price_id || null,
    ttftMs: row.ttft_ms,
    interTokenMeanMs: row.inter_token_mean_ms,
    interTokenMaxMs: row.inter_token_max_ms,
    attempts: row.attempts,
    fallbackFrom: row.fallback_from || null,
    isStream: row.is_stream === 1,
    isSimulated: row.is_simulated === 1,
    isRecovered: row.is_recovered === 1,
    attributes: parseAttributes(row.attributes),
  };
}

/** The traces of a page in groups that are read together; a trace of more spans stands alone. */
function groupsOf(traces: readonly IndexRecord[]): IndexRecord[][] {
  const groups: IndexRecord[][] = [];
  let spans = Number.POSITIVE_INFINITY;
  for (const trace of traces) {
    const own = Number(trace.spans);
    if (spans + own > SPANS_AT_ONCE) {
      groups.push([]);
      spans = 0;
    }
    groups.at(-1)?.push(trace);
    spans += own;
  }
  return groups;
}

/**
 * The spans of the traces that match, trace by trace, newest first, in pieces: never more than some hundred spans are in memory. `query.limit`
 * bounds the traces; what begins while it runs is not in it when `query.to` is given.
 */
export async function* readSpansWithTexts(
  connection: ClickHouseConnection,
  scope: Scope,
  query: TraceQuery,
  signal: AbortSignal,
): AsyncGenerator<readonly ExportedSpan[]> {
  let left = query.limit;
  let cursor = query.cursor;
  while (left > 0) {
    signal.throwIfAborted();
    const { places, index, next } = await findTraces(connection, scope, { ...query, cursor, limit: Math.min(left, TRACES_AT_ONCE) });
    for (const group of groupsOf(places.flatMap(({ traceId }) => index.get(traceId) ?? [])))
      yield* readGroup(connection, scope, group, signal);
    left -= places.length;
    if (next === null) return;
    cursor = encodeCursor(next);
  }
}

async function* readGroup(
  connection: ClickHouseConnection,
  scope: Scope,
  traces: readonly IndexRecord[],
  signal: AbortSignal,
): AsyncGenerator<readonly ExportedSpan[]> {
  const options: ReadOptions = { lane: 'adhoc', signal };
  const within = withinTraces(traces);
  const order = new Map(traces.map(({ trace_id }, place) => [trace_id, place]));
  for (let after: Row | null = null; ; ) {
    const behind: string =
      after === null ? '' : 'AND (started_at_ns, trace_id, span_id) > ({afterNs:Int64}, {afterTrace:String}, {afterSpan:String})';
    const rows: Row[] = await connection.read<Row>(
      `SELECT ${COLUMNS} FROM spans WHERE ${SCOPE_FILTER} AND is_entry IN (0, 1) AND ${within.conditions.join(' AND ')} ${behind}
       ORDER BY started_at_ns, trace_id, span_id LIMIT ${SPANS_AT_ONCE}`,
      {
        ...scopeParameters(scope),
        ...within.parameters,
        ...(after === null ? {} : { afterNs: after.started_at_ns, afterTrace: after.trace_id, afterSpan: after.span_id }),
      },
      options,
    );
    const kept = [...Map.groupBy(rows, ({ trace_id }) => trace_id).entries()]
      .sort(([a], [b]) => (order.get(a) ?? 0) - (order.get(b) ?? 0))
      .flatMap(([, spans]) => withoutReplaced(spans));
    for (let place = 0; place < kept.length; place += TEXTS_AT_ONCE)
      yield await withTexts(connection, scope, kept.slice(place, place + TEXTS_AT_ONCE), options);
    after = rows.at(-1) ?? null;
    if (after === null || rows.length < SPANS_AT_ONCE) return;
  }
}

async function withTexts(
  connection: ClickHouseConnection,
  scope: Scope,
  rows: readonly Row[],
  options: ReadOptions,
): Promise<readonly ExportedSpan[]> {
  const frames = await connection.read<IoRecord & { readonly trace_id: string; readonly started_at_ms: string }>(
    `SELECT trace_id, started_at_ms, ${IO_COLUMNS} FROM span_io
     WHERE ${SCOPE_FILTER} AND trace_id IN {traceIds:Array(String)} AND span_id IN {spanIds:Array(String)}`,
    {
      ...scopeParameters(scope),
      traceIds: [...new Set(rows.map(({ trace_id }) => trace_id))],
      spanIds: rows.map(({ span_id }) => span_id),
    },
    options,
  );
  const times = frames.map((frame) => Number(frame.started_at_ms)).sort((a, b) => a - b);
  const texts = await readTexts(connection, scope, frames, times[0] ?? 0, times.at(-1) ?? 0);
  const byTrace = new Map([...Map.groupBy(texts, ({ trace_id }) => trace_id)].map(([traceId, io]) => [traceId, textsBySpan(io)]));
  return rows.map((row) => {
    const io = byTrace.get(row.trace_id)?.get(row.span_id);
    return { span: toSpanRow(row), input: io?.input ?? null, output: io?.output ?? null, isTruncated: io?.is_truncated === 1 };
  });
}
