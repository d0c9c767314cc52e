import { PlimsollError } from '../../kernel/errors.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { TracePage, TraceQuery } from '../../traces/model.ts';
import type { ClickHouseConnection, ReadOptions } from './client.ts';
import {
  ENTRY_COLUMNS,
  type EntryRecord,
  entryFilter,
  type Filter,
  firstPreviews,
  SCOPE_FILTER,
  scopeParameters,
  summarise,
  withoutReplaced,
} from './entries.ts';

/** A place in the list: (start, trace, span) of an entry span, falling. */
interface Position {
  readonly startedAtNs: string;
  readonly traceId: string;
  readonly spanId: string;
}

export interface IndexRecord {
  readonly trace_id: string;
  readonly first_ns: string;
  readonly last_ns: string;
  readonly spans: string;
  readonly entries: string;
}

interface PreviewRecord {
  readonly trace_id: string;
  readonly span_id: string;
  readonly input_preview: string;
  readonly output_preview: string;
}

/** Entry spans of one trace that are read for its line; a trace with more shows the totals of its first ones. */
const MAX_ENTRIES_PER_TRACE = 2_000;

/** The root of a client's trace often has no texts: then the first of its calls says what it is about. */
const MAX_PREVIEWED_ENTRIES = 5;

export function encodeCursor(position: Position): string {
  return Buffer.from(`${position.startedAtNs}.${position.traceId}.${position.spanId}`).toString('base64url');
}

/** @throws PlimsollError `invalid_argument` */
export function decodeCursor(cursor: string): Position {
  const match = /^(\d{1,19})\.([0-9a-f]{32})\.([0-9a-f]{16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match)
    throw new PlimsollError('invalid_argument', 'The cursor is not one that this API gave out.', { details: { param: 'cursor' } });
  const [, startedAtNs = '', traceId = '', spanId = ''] = match;
  return { startedAtNs, traceId, spanId };
}

export async function readIndex(
  connection: ClickHouseConnection,
  scope: Scope,
  traceIds: readonly string[],
): Promise<Map<string, IndexRecord>> {
  const rows = await connection.read<IndexRecord>(
    `SELECT trace_id, min(trace_index.first_ns) AS first_ns, max(trace_index.last_ns) AS last_ns,
       sum(trace_index.spans) AS spans, sum(trace_index.entries) AS entries
     FROM trace_index WHERE ${SCOPE_FILTER} AND trace_id IN {traceIds:Array(String)} GROUP BY trace_id`,
    { ...scopeParameters(scope), traceIds },
  );
  return new Map(rows.map((row) => [row.trace_id, row]));
}

/**
 * Walks the entry spans newest first in the order of the table's key. A trace stands where its oldest matching entry span stands and is
 * emitted there only, so a page needs no memory of the pages before it.
 */
export async function listTraces(connection: ClickHouseConnection, scope: Scope, query: TraceQuery): Promise<TracePage> {
  const filter = entryFilter(query);
  const options: ReadOptions = { lane: query.q === undefined && query.attribute === undefined ? 'dashboard' : 'adhoc' };
  const found: EntryRecord[] = [];
  const index = new Map<string, IndexRecord>();
  let position = query.cursor === undefined ? null : decodeCursor(query.cursor);
  while (found.length <= query.limit) {
    const wanted = query.limit + 1;
    const candidates = await readCandidates(connection, scope, filter, position, wanted, options);
    const ids = [...new Set(candidates.map((candidate) => candidate.trace_id))];
    if (ids.length > 0) for (const [id, record] of await readIndex(connection, scope, ids)) index.set(id, record);
    const several = ids.flatMap((id) => index.get(id) ?? []).filter((record) => Number(record.entries) > 1);
    const oldest = several.length === 0 ? new Map<string, string>() : await readOldestMatching(connection, scope, filter, several, options);
    for (const candidate of candidates) {
      const oldestSpan = oldest.get(candidate.trace_id);
      // A run that was shown before it ended has two rows in one place.
      if (candidate.trace_id === found.at(-1)?.trace_id && candidate.span_id === found.at(-1)?.span_id) continue;
      if (oldestSpan === undefined || oldestSpan === candidate.span_id) found.push(candidate);
    }
    const last = candidates.at(-1);
    if (candidates.length < wanted || !last) break;
    position = { startedAtNs: last.started_at_ns, traceId: last.trace_id, spanId: last.span_id };
  }
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  const entries = await readAllEntries(connection, scope, page, index);
  const speaking = page.flatMap((entry) => (entries.get(entry.trace_id) ?? [entry]).slice(0, MAX_PREVIEWED_ENTRIES));
  const previews = await readPreviews(connection, scope, speaking);
  return {
    traces: page.map((entry) => {
      const all = entries.get(entry.trace_id) ?? [entry];
      return summarise(all, {
        spanCount: Number(index.get(entry.trace_id)?.spans ?? 1) - (all.length - withoutReplaced(all).length),
        ...firstPreviews(all.flatMap(({ span_id }) => previews.get(span_id) ?? [])),
      });
    }),
    nextCursor:
      found.length > query.limit && last
        ? encodeCursor({ startedAtNs: last.started_at_ns, traceId: last.trace_id, spanId: last.span_id })
        : null,
  };
}

function readCandidates(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: Filter,
  after: Position | null,
  limit: number,
  options: ReadOptions,
): Promise<EntryRecord[]> {
  // The bare comparison of the start beside the tuple is what lets the key skip what is newer.
  const afterCondition =
    after === null
      ? []
      : [
          'started_at_ns <= {afterNs:Int64}',
          '(started_at_ns, trace_id, span_id) < ({afterNs:Int64}, {afterTrace:String}, {afterSpan:String})',
        ];
  const afterParameters: Record<string, string> =
    after === null ? {} : { afterNs: after.startedAtNs, afterTrace: after.traceId, afterSpan: after.spanId };
  const where = [SCOPE_FILTER, 'is_entry = 1', ...filter.conditions, ...afterCondition].join(' AND ');
  return connection.read<EntryRecord>(
    `SELECT ${ENTRY_COLUMNS} FROM spans WHERE ${where} ORDER BY started_at_ns DESC, trace_id DESC, span_id DESC LIMIT {rows:UInt32}`,
    { ...scopeParameters(scope), ...filter.parameters, ...afterParameters, rows: limit },
    options,
  );
}

/** Trace id → span id of its oldest entry span that matches; only for traces that have several entry spans. */
async function readOldestMatching(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: Filter,
  traces: readonly IndexRecord[],
  options: ReadOptions,
): Promise<Map<string, string>> {
  const where = [SCOPE_FILTER, 'is_entry = 1', WITHIN_BOUNDS, ...filter.conditions].join(' AND ');
  const rows = await connection.read<{ trace_id: string; span_id: string }>(
    `SELECT trace_id, argMin(spans.span_id, (started_at_ns, spans.span_id)) AS span_id FROM spans WHERE ${where} GROUP BY trace_id`,
    { ...scopeParameters(scope), ...filter.parameters, ...boundParameters(traces) },
    options,
  );
  return new Map(rows.map((row) => [row.trace_id, row.span_id]));
}

export const WITHIN_BOUNDS =
  'started_at_ns >= {firstNs:Int64} AND started_at_ns <= {lastNs:Int64} AND trace_id IN {traceIds:Array(String)}';

export function boundParameters(traces: readonly IndexRecord[]): { firstNs: bigint; lastNs: bigint; traceIds: string[] } {
  // bigint has no Math.min.
  let firstNs = BigInt(traces[0]?.first_ns ?? 0);
  let lastNs = firstNs;
  for (const trace of traces) {
    const first = BigInt(trace.first_ns);
    const last = BigInt(trace.last_ns);
    if (first < firstNs) firstNs = first;
    if (last > lastNs) lastNs = last;
  }
  return {
    firstNs,
    lastNs,
    traceIds: traces.map((trace) => trace.trace_id),
  };
}

/** All entry spans, matching or not, of the page's traces that have several. */
async function readAllEntries(
  connection: ClickHouseConnection,
  scope: Scope,
  page: readonly EntryRecord[],
  index: ReadonlyMap<string, IndexRecord>,
): Promise<Map<string, EntryRecord[]>> {
  const several = page.flatMap((entry) => index.get(entry.trace_id) ?? []).filter((record) => Number(record.entries) > 1);
  if (several.length === 0) return new Map();
  const rows = await connection.read<EntryRecord>(
    `SELECT ${ENTRY_COLUMNS} FROM spans WHERE ${SCOPE_FILTER} AND is_entry = 1 AND ${WITHIN_BOUNDS}
     ORDER BY started_at_ns, span_id LIMIT ${MAX_ENTRIES_PER_TRACE} BY trace_id`,
    { ...scopeParameters(scope), ...boundParameters(several) },
  );
  return Map.groupBy(rows, (row) => row.trace_id);
}

async function readPreviews(
  connection: ClickHouseConnection,
  scope: Scope,
  page: readonly EntryRecord[],
): Promise<Map<string, PreviewRecord>> {
  if (page.length === 0) return new Map();
  const rows = await connection.read<PreviewRecord>(
    `SELECT trace_id, span_id, input_preview, output_preview FROM span_io
     WHERE ${SCOPE_FILTER} AND trace_id IN {traceIds:Array(String)} AND span_id IN {spanIds:Array(String)}`,
    { ...scopeParameters(scope), traceIds: page.map((entry) => entry.trace_id), spanIds: page.map((entry) => entry.span_id) },
  );
  const previews = new Map<string, PreviewRecord>();
  // Texts may come in pieces: of each side the one that says something holds.
  for (const row of rows) {
    const other = previews.get(row.span_id);
    previews.set(row.span_id, {
      ...row,
      input_preview: other?.input_preview || row.input_preview,
      output_preview: other?.output_preview || row.output_preview,
    });
  }
  return previews;
}
