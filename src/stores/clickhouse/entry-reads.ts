import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection, ReadOptions } from './client.ts';
import { ENTRY_COLUMNS, type EntryRecord, type Filter, SCOPE_FILTER, scopeParameters } from './entries.ts';
import { type Position, positionOf } from './list-position.ts';
import type { WordFilter } from './word-search.ts';

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
  readonly deleted_by: string;
  readonly deleted_after_days: number;
}

/** Entry spans of one trace that are read for its line; a trace with more shows the totals of its first ones. */
const MAX_ENTRIES_PER_TRACE = 2_000;

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

/** An entry span. */
export interface Candidate extends Position {
  readonly endedAtNs: string;
}

/** The next entry spans that pass the filter, newest first. */
export async function readCandidates(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: Filter,
  after: Position | null,
  limit: number,
  options: ReadOptions,
): Promise<Candidate[]> {
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
  const rows = await connection.read<{ started_at_ns: string; trace_id: string; span_id: string; ended_at_ns: string }>(
    `SELECT started_at_ns, trace_id, span_id, started_at_ns + duration_ns AS ended_at_ns FROM spans WHERE ${where}
     ORDER BY started_at_ns DESC, trace_id DESC, span_id DESC LIMIT {rows:UInt32}`,
    { ...scopeParameters(scope), ...filter.parameters, ...afterParameters, rows: limit },
    options,
  );
  return rows.map((row) => ({ ...positionOf(row), endedAtNs: row.ended_at_ns }));
}

/** Where the oldest entry span that matches stands, of traces that have several entry spans. */
export async function readOldestMatching(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: Filter,
  words: WordFilter | null,
  traces: readonly IndexRecord[],
  options: ReadOptions,
): Promise<Candidate[]> {
  const within = withinTraces(traces);
  const holding =
    words === null
      ? []
      : [
          `(spans.trace_id, spans.span_id) IN (SELECT trace_id, span_id FROM span_words WHERE ${[SCOPE_FILTER, ...within.conditions, ...words.conditions, words.holds].join(' AND ')})`,
        ];
  const where = [SCOPE_FILTER, 'is_entry = 1', ...within.conditions, ...filter.conditions, ...holding].join(' AND ');
  const rows = await connection.read<{ trace: string; oldest: [string, string, string] }>(
    `SELECT trace_id AS trace, min((started_at_ns, spans.span_id, started_at_ns + duration_ns)) AS oldest FROM spans WHERE ${where} GROUP BY trace`,
    { ...scopeParameters(scope), ...filter.parameters, ...words?.parameters, ...within.parameters },
    options,
  );
  return rows.map(({ trace, oldest: [startedAtNs, spanId, endedAtNs] }) => ({ startedAtNs, traceId: trace, spanId, endedAtNs }));
}

interface TimeRange {
  /** Epoch nanoseconds, decimal; both inclusive. */
  readonly first_ns: string;
  readonly last_ns: string;
}

const SHORTEST_PIECE_NS = 10_000_000_000n;
const MAX_PIECES = 2_000;

/**
 * Pieces of time that hold these ranges, as one set: the key finds them, and a row is told by one look-up. As many ranges joined by OR cost the
 * square of their number.
 * @param name of the parameter
 */
export function withinTimes(name: string, ranges: readonly TimeRange[]): Filter {
  let width = SHORTEST_PIECE_NS;
  const pieceOf = (ns: string): bigint => BigInt(ns) / width;
  const count = (): bigint => ranges.reduce((sum, { first_ns, last_ns }) => sum + pieceOf(last_ns) - pieceOf(first_ns) + 1n, 0n);
  while (count() > MAX_PIECES + ranges.length) width *= 2n;
  const pieces = new Set<bigint>();
  for (const { first_ns, last_ns } of ranges) for (let piece = pieceOf(first_ns); piece <= pieceOf(last_ns); piece++) pieces.add(piece);
  return { conditions: [`intDiv(started_at_ns, ${width}) IN {${name}:Array(Int64)}`], parameters: { [name]: [...pieces] } };
}

/** Of texts from before `span_words` no more than the millisecond is known. */
export const PRECISION_NS = 1_000_000n;

/** Where the texts of these spans may stand in `span_words`: where the span begins, or, when they came in logs, anywhere in it. */
export function wordsOf(spans: readonly Candidate[]): Filter {
  const within = withinTimes(
    'wordTimes',
    spans.map(({ startedAtNs, endedAtNs }) => ({ first_ns: String(BigInt(startedAtNs) - PRECISION_NS), last_ns: endedAtNs })),
  );
  return {
    conditions: [...within.conditions, 'span_id IN {wordSpans:Array(String)}'],
    parameters: { ...within.parameters, wordSpans: spans.map(({ spanId }) => spanId) },
  };
}

/** Spans of these traces: the pieces of time in which they lie, which the key finds, and their ids. */
export function withinTraces(traces: readonly IndexRecord[]): Filter {
  const within = withinTimes('traceTimes', traces);
  return {
    conditions: [...within.conditions, 'trace_id IN {traceIds:Array(String)}'],
    parameters: { ...within.parameters, traceIds: traces.map((trace) => trace.trace_id) },
  };
}

/** All entry spans, matching or not, of the page's traces. */
export async function readAllEntries(
  connection: ClickHouseConnection,
  scope: Scope,
  page: readonly Position[],
  index: ReadonlyMap<string, IndexRecord>,
): Promise<Map<string, EntryRecord[]>> {
  const several = page.flatMap(({ traceId }) => index.get(traceId) ?? []);
  if (several.length === 0) return new Map();
  const within = withinTraces(several);
  const rows = await connection.read<EntryRecord>(
    `SELECT ${ENTRY_COLUMNS} FROM spans WHERE ${SCOPE_FILTER} AND is_entry = 1 AND ${within.conditions.join(' AND ')}
     ORDER BY started_at_ns, span_id LIMIT ${MAX_ENTRIES_PER_TRACE} BY trace_id SETTINGS optimize_read_in_order = 0`,
    { ...scopeParameters(scope), ...within.parameters },
  );
  return Map.groupBy(rows, (row) => row.trace_id);
}

/** By `trace/span`. @param spanIds absent = of all spans of the traces */
export async function readPreviews(
  connection: ClickHouseConnection,
  scope: Scope,
  traceIds: readonly string[],
  spanIds?: readonly string[],
): Promise<Map<string, PreviewRecord>> {
  if (traceIds.length === 0) return new Map();
  const rows = await connection.read<PreviewRecord>(
    `SELECT trace_id, span_id, input_preview, output_preview, deleted_by, deleted_after_days FROM span_io
     WHERE ${SCOPE_FILTER} AND trace_id IN {traceIds:Array(String)}${spanIds === undefined ? '' : ' AND span_id IN {spanIds:Array(String)}'}`,
    { ...scopeParameters(scope), traceIds, ...(spanIds === undefined ? {} : { spanIds }) },
  );
  const previews = new Map<string, PreviewRecord>();
  // Texts may come in pieces: of each side the one that says something holds.
  for (const row of rows) {
    const key = `${row.trace_id}/${row.span_id}`;
    const other = previews.get(key);
    previews.set(key, {
      ...row,
      input_preview: other?.input_preview || row.input_preview,
      output_preview: other?.output_preview || row.output_preview,
    });
  }
  return previews;
}
