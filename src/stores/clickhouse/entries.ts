import { isErrorCode } from '../../kernel/errors.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { CostStatus } from '../../models/usage.ts';
import type { TraceQuery, TraceSummary } from '../../traces/model.ts';
import type { QueryParameters } from './client.ts';

/** Columns of an entry span that a trace summary needs. 64-bit integers come as text. */
export const ENTRY_COLUMNS = `trace_id, span_id, parent_span_id, name, status, error_type, started_at_ns, duration_ns, feature, team, user_id,
  session_id, customer, tags, models, providers, requested_model, input_tokens, output_tokens, cost_pico_usd, cost_status, ttft_ms, attempts,
  is_stream, is_simulated, is_request, is_unfinished`;

export interface EntryRecord {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string;
  readonly name: string;
  readonly status: TraceSummary['status'];
  readonly error_type: string;
  readonly started_at_ns: string;
  readonly duration_ns: string;
  readonly feature: string;
  readonly team: string;
  readonly user_id: string;
  readonly session_id: string;
  readonly customer: string;
  readonly tags: Record<string, string>;
  readonly models: string[];
  readonly providers: string[];
  readonly requested_model: string;
  readonly input_tokens: string | null;
  readonly output_tokens: string | null;
  readonly cost_pico_usd: string | null;
  readonly cost_status: CostStatus | '';
  readonly ttft_ms: number | null;
  readonly attempts: number;
  readonly is_stream: number;
  readonly is_simulated: number;
  readonly is_request: number;
  readonly is_unfinished: number;
}

/** The tenant filter. Every statement that reads tables starts its WHERE with it. */
export const SCOPE_FILTER = 'organisation_id = {organisation:String} AND environment = {environment:String}';

export function scopeParameters(scope: Scope): Record<string, string> {
  return { organisation: scope.organisationId, environment: scope.environment };
}

export interface Filter {
  readonly conditions: readonly string[];
  readonly parameters: QueryParameters;
}

const MS_TO_NS = 1_000_000n;

/** Conditions on entry spans, all but the text's. All values are bound; only our own text is in the conditions. */
export function entryFilter(query: TraceQuery): Filter {
  const conditions: string[] = [];
  const parameters: Record<string, string | number | bigint> = {};
  const add = (condition: string, name: string, value: string | number | bigint | undefined) => {
    if (value === undefined) return;
    conditions.push(condition);
    parameters[name] = value;
  };
  add('started_at_ns >= {from:Int64}', 'from', query.from === undefined ? undefined : BigInt(query.from) * MS_TO_NS);
  add('started_at_ns < {to:Int64}', 'to', query.to === undefined ? undefined : BigInt(query.to) * MS_TO_NS);
  add('feature = {feature:String}', 'feature', query.feature);
  add('team = {team:String}', 'team', query.team);
  add('user_id = {user:String}', 'user', query.user);
  add('session_id = {session:String}', 'session', query.session);
  add('customer = {customer:String}', 'customer', query.customer);
  add('has(model_names, {model:String})', 'model', query.model);
  add('has(providers, {provider:String})', 'provider', query.provider);
  add('route = {route:String}', 'route', query.route);
  add('status = {status:String}', 'status', query.status);
  add('error_type = {errorType:String}', 'errorType', query.errorType);
  add('trace_id = {traceId:String}', 'traceId', query.traceId?.toLowerCase());
  add('duration_ns >= {minDurationNs:Float64}', 'minDurationNs', query.minDurationMs === undefined ? undefined : query.minDurationMs * 1e6);
  add('cost_pico_usd >= {minCost:Float64}', 'minCost', query.minCostUsd === undefined ? undefined : query.minCostUsd * 1e12);
  if (query.attribute !== undefined) {
    const separator = query.attribute.indexOf('=');
    parameters.attributeName = query.attribute.slice(0, separator);
    // Any span of the trace may carry it; one that ends a day after the range belongs to no trace of it.
    const time = [
      ...(query.from === undefined ? [] : ['started_at_ns >= {from:Int64}']),
      ...(query.to === undefined ? [] : ['started_at_ns < {to:Int64} + 86400000000000']),
    ];
    add(
      `trace_id IN (SELECT trace_id FROM spans WHERE ${[SCOPE_FILTER, 'is_entry IN (0, 1)', ...time].join(' AND ')}
        AND position(attributes, {attributeName:String}) > 0
        AND {attributeValue:String} IN (JSONExtractString(attributes, {attributeName:String}), JSONExtractRaw(attributes, {attributeName:String})))`,
      'attributeValue',
      query.attribute.slice(separator + 1),
    );
  }
  return { conditions, parameters };
}

/** Later start first: the order of lists. */
export function byStart(a: { started_at_ns: string; span_id: string }, b: { started_at_ns: string; span_id: string }): number {
  const difference = BigInt(a.started_at_ns) - BigInt(b.started_at_ns);
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return a.span_id < b.span_id ? -1 : a.span_id > b.span_id ? 1 : 0;
}

const COST_STATUS_WEAKEST_FIRST: readonly CostStatus[] = ['unpriced', 'estimated_tokens', 'provider_reported', 'priced', 'cached_zero'];

/** Adds up what is known; null when any part is not, because a sum with a hole is not the total. */
function sumOrNull(values: readonly (string | null)[]): bigint | null {
  let sum = 0n;
  for (const value of values) {
    if (value === null) return null;
    sum += BigInt(value);
  }
  return sum;
}

interface Previews {
  readonly input_preview: string;
  readonly output_preview: string;
  /** Place of the rule in the configuration; empty = nothing was deleted. */
  readonly deleted_by: string;
  readonly deleted_after_days: number;
}

/** What retention did to texts; null = nothing. */
export function deletionOf(texts: Pick<Previews, 'deleted_by' | 'deleted_after_days'> | undefined): TraceSummary['textsDeleted'] {
  return texts === undefined || texts.deleted_by === '' ? null : { by: texts.deleted_by, afterDays: texts.deleted_after_days };
}

/** What a trace is about: the texts of its first entry that has any. */
export function firstPreviews(entries: readonly Previews[]): Pick<TraceSummary, 'inputPreview' | 'outputPreview' | 'textsDeleted'> {
  const first = entries.find((entry) => entry.input_preview !== '' || entry.output_preview !== '');
  const textsDeleted = first === undefined ? deletionOf(entries.find((entry) => entry.deleted_by !== '')) : null;
  return { inputPreview: first?.input_preview ?? '', outputPreview: first?.output_preview ?? '', textsDeleted };
}

/** For tokens: an entry without a provider's answer used none that anybody knows of; null only when nothing is known. */
function sumOfKnown(values: readonly (string | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + Number(value), 0);
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/**
 * One line of the list from a trace's entry spans (at least one).
 * Error beats aborted beats ok; times span from the first start to the last end.
 */
/**
 * A run that was shown before its end was told of has two rows: the later one takes the place of the other. It is the one that ended, or lasted longer.
 */
export function withoutReplaced<T extends Pick<EntryRecord, 'span_id' | 'status' | 'duration_ns'>>(rows: readonly T[]): T[] {
  const kept = new Map<string, T>();
  for (const row of rows) {
    const other = kept.get(row.span_id);
    if (other === undefined || holdsBefore(row, other)) kept.set(row.span_id, row);
  }
  return kept.size === rows.length ? [...rows] : rows.filter((row) => kept.get(row.span_id) === row);
}

function holdsBefore(a: Pick<EntryRecord, 'status' | 'duration_ns'>, b: Pick<EntryRecord, 'status' | 'duration_ns'>): boolean {
  if ((a.status === 'aborted') !== (b.status === 'aborted')) return b.status === 'aborted';
  return BigInt(a.duration_ns) > BigInt(b.duration_ns);
}

export function summarise(
  unordered: readonly EntryRecord[],
  extra: Pick<TraceSummary, 'spanCount' | 'inputPreview' | 'outputPreview' | 'textsDeleted'>,
): Omit<TraceSummary, 'match'> {
  const entries = withoutReplaced(unordered).sort(byStart);
  // Clocks of two processes, or one that counts milliseconds: the root may not be the first.
  const first = entries.find((entry) => entry.parent_span_id === '') ?? entries[0];
  if (!first) throw new RangeError('a trace summary needs an entry span');
  const failed = entries.find((entry) => entry.status === 'error') ?? entries.find((entry) => entry.status === 'aborted') ?? null;
  // An error is an error, whatever has no end yet.
  const isUnfinished = failed?.status !== 'error' && entries.some((entry) => entry.is_unfinished === 1);
  const startNs = BigInt(entries[0]?.started_at_ns ?? first.started_at_ns);
  let endNs = startNs;
  for (const entry of entries) {
    const end = BigInt(entry.started_at_ns) + BigInt(entry.duration_ns);
    if (end > endNs) endNs = end;
  }
  // The root of a client's trace shows the trace; only requests use tokens and cost.
  const requests = entries.filter((entry) => entry.is_request === 1);
  const models = distinct(requests.flatMap((entry) => (entry.models.length > 0 ? entry.models : [entry.requested_model])));
  const errorType = failed?.error_type;
  const ttftEntry = requests.find((entry) => entry.ttft_ms !== null);
  return {
    traceId: first.trace_id,
    name: first.name,
    startedAt: Number(startNs / MS_TO_NS),
    feature: first.feature,
    team: first.team || null,
    user: first.user_id || null,
    session: first.session_id || null,
    customer: first.customer || null,
    tags: first.tags,
    models: models.filter((model) => model !== ''),
    providers: distinct(entries.flatMap((entry) => entry.providers)),
    status: failed?.status ?? 'ok',
    errorType: isErrorCode(errorType) ? errorType : null,
    inputTokens: sumOfKnown(requests.map((entry) => entry.input_tokens)),
    outputTokens: sumOfKnown(requests.map((entry) => entry.output_tokens)),
    costPicoUsd:
      isUnfinished && requests.length === 0 ? null : (sumOrNull(requests.map((entry) => entry.cost_pico_usd))?.toString() ?? null),
    // A trace that called no model cost nothing.
    costStatus:
      requests.length === 0
        ? 'priced'
        : (COST_STATUS_WEAKEST_FIRST.find((status) => requests.some((entry) => entry.cost_status === status)) ?? 'unpriced'),
    ttftMs: ttftEntry?.ttft_ms ?? null,
    durationMs: Number(endNs - startNs) / 1e6,
    spanCount: extra.spanCount,
    requests: requests.length,
    attempts: entries.reduce((sum, entry) => sum + entry.attempts, 0),
    isUnfinished,
    isStream: entries.some((entry) => entry.is_stream === 1),
    isSimulated: entries.some((entry) => entry.is_simulated === 1),
    inputPreview: extra.inputPreview,
    outputPreview: extra.outputPreview,
    textsDeleted: extra.textsDeleted,
  };
}
