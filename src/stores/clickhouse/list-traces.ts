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
import { decodeCursor, encodeCursor, isNotBehind, type Position, positionOf } from './list-position.ts';
import { readSnippets, readWordWindow, type WordFilter, wordFilter } from './word-search.ts';

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

/** Windows of matches that one page may look through; what they do not fill is the work of the next page. */
const MAX_WINDOWS = 25;
/** Matches that are looked at together. */
const FIRST_WINDOW = 250;
const NEXT_WINDOW = 2_000;
/** The walk meets so many entries of a trace: few steps are cheaper than few rows. */
const ENTRIES_PER_TRACE = 4;
const DAY_MS = 86_400_000;
const MAX_PIECES = 1_000;

interface Batch {
  readonly places: readonly Position[];
  /** Where to look on; null when there is nothing further. */
  readonly next: Position | null;
}

/**
 * Walks the entry spans newest first in the order of the table's key. A trace stands where its oldest matching entry span stands and is
 * emitted there only, so a page needs no memory of the pages before it. A trace of many entries is met once: its place is looked up, and the
 * walk leaves it out from there.
 */
export async function listTraces(connection: ClickHouseConnection, scope: Scope, query: TraceQuery): Promise<TracePage> {
  const where = await readWhere(connection, scope, query);
  if (where === null) return { traces: [], nextCursor: null };
  const filter = join(entryFilter(query), where);
  const words = query.q === undefined ? null : wordFilter(query.q);
  const options: ReadOptions = { lane: query.attribute === undefined ? 'dashboard' : 'adhoc' };
  /** Traces of one entry, which the walk has passed. */
  const single = new Map<string, Position>();
  /** Traces of several entries that match, and where they stand. */
  const several = new Map<string, Position>();
  const index = new Map<string, IndexRecord>();
  let reached = query.cursor === undefined ? null : decodeCursor(query.cursor);
  let isDone = false;
  const standing = (): Position[] => {
    const passed = [...several.values()].filter((place) => isDone || (reached !== null && isNotBehind(place, reached)));
    return [...single.values(), ...passed].sort((a, b) => (isNotBehind(a, b) ? -1 : 1));
  };
  let found: Position[] = [];
  for (let windows = 0; found.length <= query.limit && !isDone && (words === null || windows < MAX_WINDOWS); windows++) {
    const { places: candidates, next } =
      words === null
        ? await readNewest(connection, scope, without(filter, several), reached, (query.limit + 1) * ENTRIES_PER_TRACE, options)
        : await readMatching(
            connection,
            scope,
            without(filter, several),
            words,
            query,
            reached,
            windows === 0 ? FIRST_WINDOW : NEXT_WINDOW,
            options,
          );
    const ids = [...new Set(candidates.map((candidate) => candidate.traceId))];
    if (ids.length > 0) for (const [id, record] of await readIndex(connection, scope, ids)) index.set(id, record);
    const long = ids.flatMap((id) => index.get(id) ?? []).filter((record) => Number(record.entries) > 1);
    if (long.length > 0)
      for (const place of await readOldestMatching(connection, scope, filter, words, long, options)) several.set(place.traceId, place);
    for (const candidate of candidates) if (!several.has(candidate.traceId)) single.set(candidate.traceId, candidate);
    isDone = next === null;
    if (next !== null) reached = next;
    found = standing();
  }
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  const entries = await readAllEntries(connection, scope, page, index);
  const entriesOf = ({ traceId }: Position): readonly EntryRecord[] => entries.get(traceId) ?? [];
  const previews = await readPreviews(
    connection,
    scope,
    page.flatMap((place) => entriesOf(place).slice(0, MAX_PREVIEWED_ENTRIES)),
  );
  const matches = query.q === undefined ? null : await readSnippets(connection, scope, query.q, page);
  const next = found.length > query.limit && last ? last : isDone ? null : reached;
  return {
    traces: page.flatMap((place) => {
      const all = entriesOf(place);
      // Deleted between two of our reads.
      if (all.length === 0) return [];
      const summary = summarise(all, {
        spanCount: Number(index.get(place.traceId)?.spans ?? 1) - (all.length - withoutReplaced(all).length),
        ...firstPreviews(all.flatMap(({ span_id }) => previews.get(span_id) ?? [])),
      });
      return [{ ...summary, match: matches?.get(place.spanId) ?? null }];
    }),
    nextCursor: next === null ? null : encodeCursor(next),
  };
}

function join(filter: Filter, other: Pick<Filter, 'conditions' | 'parameters'>): Filter {
  return { conditions: [...filter.conditions, ...other.conditions], parameters: { ...filter.parameters, ...other.parameters } };
}

function without(filter: Filter, traces: ReadonlyMap<string, Position>): Filter {
  if (traces.size === 0) return filter;
  return join(filter, { conditions: ['trace_id NOT IN {passedTraces:Array(String)}'], parameters: { passedTraces: [...traces.keys()] } });
}

/**
 * Pieces of time in which the entries of a user or a session lie: all others need not be looked through. Null when there is none.
 * What is older than the pieces that are known stays in.
 */
async function readWhere(connection: ClickHouseConnection, scope: Scope, query: TraceQuery): Promise<Filter | null> {
  const { user, session, from } = query;
  if (user === undefined && session === undefined) return { conditions: [], parameters: {} };
  const rows = await connection.read<{ first_ns: string; last_ns: string }>(
    `SELECT first_ns, last_ns FROM session_days WHERE ${[
      SCOPE_FILTER,
      ...(user === undefined ? [] : ['user_id = {user:String}']),
      ...(session === undefined ? [] : ['session_id = {session:String}']),
      ...(from === undefined ? [] : [`at_ms > {from:Int64} - ${DAY_MS}`]),
    ].join(' AND ')} ORDER BY first_ns DESC LIMIT ${MAX_PIECES}`,
    {
      ...scopeParameters(scope),
      ...(user === undefined ? {} : { user }),
      ...(session === undefined ? {} : { session }),
      ...(from === undefined ? {} : { from }),
    },
  );
  if (rows.length === 0) return null;
  const older = rows.length === MAX_PIECES ? [`started_at_ns < ${BigInt(rows.at(-1)?.first_ns ?? 0)}`] : [];
  return { conditions: [`(${[...pieces(rows), ...older].join(' OR ')})`], parameters: {} };
}

async function readNewest(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: Filter,
  after: Position | null,
  wanted: number,
  options: ReadOptions,
): Promise<Batch> {
  const places = await readCandidates(connection, scope, filter, after, wanted, options);
  return { places, next: places.length < wanted ? null : (places.at(-1) ?? null) };
}

/** Entries among the next window of spans that hold the words. */
async function readMatching(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: Filter,
  words: WordFilter,
  query: TraceQuery,
  after: Position | null,
  size: number,
  options: ReadOptions,
): Promise<Batch> {
  const window = await readWordWindow(connection, scope, words, query, after, size);
  if (window.spanIds.size === 0) return { places: [], next: window.end };
  const places = await readCandidates(connection, scope, join(filter, window), null, window.spanIds.size, options);
  return { places: places.filter(({ traceId, spanId }) => window.spanIds.has(`${traceId}/${spanId}`)), next: window.end };
}

async function readCandidates(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: Filter,
  after: Position | null,
  limit: number,
  options: ReadOptions,
): Promise<Position[]> {
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
  const rows = await connection.read<{ started_at_ns: string; trace_id: string; span_id: string }>(
    `SELECT started_at_ns, trace_id, span_id FROM spans WHERE ${where}
     ORDER BY started_at_ns DESC, trace_id DESC, span_id DESC LIMIT {rows:UInt32}`,
    { ...scopeParameters(scope), ...filter.parameters, ...afterParameters, rows: limit },
    options,
  );
  return rows.map(positionOf);
}

/** Where the oldest entry span that matches stands, of traces that have several entry spans. */
async function readOldestMatching(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: Filter,
  words: WordFilter | null,
  traces: readonly IndexRecord[],
  options: ReadOptions,
): Promise<Position[]> {
  const within = withinTraces(traces);
  const holding =
    words === null
      ? []
      : [
          `(spans.trace_id, spans.span_id) IN (SELECT trace_id, span_id FROM span_words WHERE ${[SCOPE_FILTER, ...within.conditions, ...words.conditions, words.holds].join(' AND ')})`,
        ];
  const where = [SCOPE_FILTER, 'is_entry = 1', ...within.conditions, ...filter.conditions, ...holding].join(' AND ');
  const rows = await connection.read<{ trace: string; oldest: [string, string] }>(
    `SELECT trace_id AS trace, min((started_at_ns, spans.span_id)) AS oldest FROM spans WHERE ${where} GROUP BY trace`,
    { ...scopeParameters(scope), ...filter.parameters, ...words?.parameters, ...within.parameters },
    options,
  );
  return rows.map(({ trace, oldest: [startedAtNs, spanId] }) => ({ startedAtNs, traceId: trace, spanId }));
}

/** Traces that follow each other within this time are read in one piece. */
const NEAR_NS = 2_000_000_000n;

/** Conditions that the key can use. */
function pieces(times: readonly Pick<IndexRecord, 'first_ns' | 'last_ns'>[]): string[] {
  const ranges = times
    .map((time) => ({ first: BigInt(time.first_ns), last: BigInt(time.last_ns) }))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  const joined: { first: bigint; last: bigint }[] = [];
  for (const range of ranges) {
    const before = joined.at(-1);
    if (before === undefined || range.first > before.last + NEAR_NS) joined.push(range);
    else if (range.last > before.last) before.last = range.last;
  }
  return joined.map(({ first, last }) => `started_at_ns BETWEEN ${first} AND ${last}`);
}

/** Spans of these traces: the pieces of time in which they lie, which the key finds, and their ids. At least one trace. */
export function withinTraces(traces: readonly IndexRecord[]): Filter {
  return {
    conditions: [`(${pieces(traces).join(' OR ')})`, 'trace_id IN {traceIds:Array(String)}'],
    parameters: { traceIds: traces.map((trace) => trace.trace_id) },
  };
}

/** All entry spans, matching or not, of the page's traces. */
async function readAllEntries(
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
     ORDER BY started_at_ns, span_id LIMIT ${MAX_ENTRIES_PER_TRACE} BY trace_id`,
    { ...scopeParameters(scope), ...within.parameters },
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
