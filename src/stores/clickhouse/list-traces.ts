import type { Scope } from '../../kernel/scope.ts';
import type { TracePage, TraceQuery } from '../../traces/model.ts';
import type { ClickHouseConnection, ReadOptions } from './client.ts';
import {
  type EntryRecord,
  entryFilter,
  type Filter,
  firstPreviews,
  SCOPE_FILTER,
  scopeParameters,
  summarise,
  withoutReplaced,
} from './entries.ts';
import {
  type Candidate,
  type IndexRecord,
  PRECISION_NS,
  readAllEntries,
  readCandidates,
  readIndex,
  readOldestMatching,
  readPreviews,
  withinTimes,
} from './entry-reads.ts';
import { decodeCursor, encodeCursor, isNotBehind, type Position } from './list-position.ts';
import { readSnippets, readSpansThatHold, readWordWindow, type WordFilter, wordFilter } from './word-search.ts';

/** Windows of matches that one page may look through; what they do not fill is the work of the next page. */
const MAX_WINDOWS = 10;
/** Matches that are looked at together: more with each window, at most as many ids as a statement can hold. Of phrases few hold. */
const FIRST_WINDOW = 500;
const FIRST_PHRASE_WINDOW = 2_000;
const WINDOW_GROWTH = 4;
const MAX_WINDOW = 8_000;
/** Entries that pass the filters whose words are looked at together. */
const FIRST_FILTERED_WINDOW = 400;
const MAX_FILTERED_WINDOW = 1_000;
/** When fewer than one in so many matches pass the other filters, these are asked first and the words of what they find after. */
const RARE_FILTER = 16;
/** The walk meets so many entries of a trace: few steps are cheaper than few rows. */
const ENTRIES_PER_TRACE = 6;
/** Where filters tell the entries of a trace apart, and have to look through many for each. */
const PICKED_ENTRIES_PER_TRACE = 2;
/** Traces of at most so many spans are asked for what they are about before their entries are known. */
const MAX_SPANS_PREVIEWED = 30;
/** Traces that are looked up beyond those that the page still lacks: of some the place is further behind. */
const SPARE_TRACES = 8;
/** The root of a client's trace often has no texts: then the first of its calls says what it is about. */
const MAX_PREVIEWED_ENTRIES = 5;
const DAY_MS = 86_400_000;
const MAX_SESSIONS = 1_000;

interface Batch {
  readonly places: readonly Candidate[];
  /** Where to look on; null when there is nothing further. */
  readonly next: Position | null;
  /** Spans that were looked at for them. */
  readonly seen: number;
}

export interface FoundTraces {
  /** Where each trace stands, newest first; at most `limit` of the query. */
  readonly places: readonly Candidate[];
  readonly index: ReadonlyMap<string, IndexRecord>;
  /** Where the next page begins; null when there is none. */
  readonly next: Position | null;
}

/**
 * Walks the entry spans newest first in the order of the table's key. A trace stands where its oldest matching entry span stands and is
 * emitted there only, so a page needs no memory of the pages before it. Of a trace that reaches further back than the walk its place is looked
 * up, and the walk leaves it out from there.
 */
export async function findTraces(connection: ClickHouseConnection, scope: Scope, query: TraceQuery): Promise<FoundTraces> {
  const where = await readWhere(connection, scope, query);
  if (where === null) return { places: [], index: new Map(), next: null };
  const filter = join(entryFilter(query), where);
  const words = query.q === undefined ? null : wordFilter(query.q);
  const options: ReadOptions = { lane: query.attribute === undefined ? 'dashboard' : 'adhoc' };
  /** Traces of which the walk has passed all entries that match, and the oldest of these. */
  const passed = new Map<string, Candidate>();
  /** Traces that reach further back than the walk, and where they stand. */
  const open = new Map<string, Candidate>();
  const index = new Map<string, IndexRecord>();
  let reached = query.cursor === undefined ? null : decodeCursor(query.cursor);
  let isDone = false;
  /** Read, and not looked at yet: rows are cheap, and traces are dear. */
  let ahead: Batch = { places: [], next: reached, seen: 0 };
  let isFilterRare = false;
  const standing = (): Candidate[] => {
    const behind = [...open.values()].filter((place) => isDone || (reached !== null && isNotBehind(place, reached)));
    return [...passed.values(), ...behind].sort((a, b) => (isNotBehind(a, b) ? -1 : 1));
  };
  let found: Candidate[] = [];
  for (let windows = 0; found.length <= query.limit && !isDone; ) {
    if (ahead.places.length === 0) {
      if (words !== null && windows === MAX_WINDOWS) break;
      const rest = without(filter, open);
      const growth = WINDOW_GROWTH ** windows;
      if (words === null) {
        const wanted = (query.limit + 1) * (picksEntries(query) ? PICKED_ENTRIES_PER_TRACE * growth : ENTRIES_PER_TRACE);
        ahead = await readNewest(connection, scope, rest, ahead.next, Math.min(MAX_WINDOW, wanted), options);
      } else if (isFilterRare) {
        const wanted = Math.min(MAX_FILTERED_WINDOW, (FIRST_FILTERED_WINDOW * growth) / WINDOW_GROWTH);
        ahead = await readFiltered(connection, scope, rest, words, ahead.next, wanted, options);
      } else {
        const size = Math.min(MAX_WINDOW, (words.holds === '1' ? FIRST_WINDOW : FIRST_PHRASE_WINDOW) * growth);
        ahead = await readMatching(connection, scope, rest, words, query, ahead.next, size, options);
        isFilterRare = hasFilter(query) && ahead.seen >= RARE_FILTER && ahead.places.length * RARE_FILTER < ahead.seen;
      }
      windows += 1;
    }
    const taken = takeTraces(ahead.places, query.limit + 1 - found.length + SPARE_TRACES);
    ahead = { ...ahead, places: ahead.places.slice(taken.length) };
    reached = ahead.places.length > 0 ? (taken.at(-1) ?? reached) : ahead.next;
    isDone = reached === null;
    const candidates = taken.filter(({ traceId }) => !open.has(traceId));
    const ids = [...new Set(candidates.map(({ traceId }) => traceId))].filter((id) => !index.has(id));
    if (ids.length > 0) for (const [id, record] of await readIndex(connection, scope, ids)) index.set(id, record);
    const further = ids
      .flatMap((id) => index.get(id) ?? [])
      .filter((record) => Number(record.entries) > 1 && reachesBehind(record, reached));
    if (further.length > 0)
      for (const place of await readOldestMatching(connection, scope, filter, words, further, options)) open.set(place.traceId, place);
    for (const candidate of candidates) if (!open.has(candidate.traceId)) passed.set(candidate.traceId, candidate);
    found = standing();
  }
  const places = found.slice(0, query.limit);
  const last = places.at(-1);
  return { places, index, next: found.length > query.limit && last ? last : isDone ? null : reached };
}

export async function listTraces(connection: ClickHouseConnection, scope: Scope, query: TraceQuery): Promise<TracePage> {
  const { places: page, index, next } = await findTraces(connection, scope, query);
  const isShort = ({ traceId }: Position): boolean => Number(index.get(traceId)?.spans ?? 1) <= MAX_SPANS_PREVIEWED;
  const short = page.filter(isShort).map(({ traceId }) => traceId);
  const [entries, ofShort, matches] = await Promise.all([
    readAllEntries(connection, scope, page, index),
    readPreviews(connection, scope, short),
    query.q === undefined ? null : readSnippets(connection, scope, query.q, page),
  ]);
  const entriesOf = ({ traceId }: Position): readonly EntryRecord[] => entries.get(traceId) ?? [];
  const previewed = (place: Position): readonly EntryRecord[] => entriesOf(place).slice(0, MAX_PREVIEWED_ENTRIES);
  const long = page.filter((place) => !isShort(place)).flatMap(previewed);
  const ofLong = await readPreviews(
    connection,
    scope,
    [...new Set(long.map(({ trace_id }) => trace_id))],
    long.map(({ span_id }) => span_id),
  );
  const previewsOf = ({ trace_id, span_id }: EntryRecord) =>
    ofShort.get(`${trace_id}/${span_id}`) ?? ofLong.get(`${trace_id}/${span_id}`) ?? [];
  return {
    traces: page.flatMap((place) => {
      const all = entriesOf(place);
      // Deleted between two of our reads.
      if (all.length === 0) return [];
      const summary = summarise(all, {
        spanCount: Number(index.get(place.traceId)?.spans ?? 1) - (all.length - withoutReplaced(all).length),
        ...firstPreviews(previewed(place).flatMap(previewsOf)),
      });
      return [{ ...summary, match: matches?.get(place.spanId) ?? null }];
    }),
    nextCursor: next === null ? null : encodeCursor(next),
  };
}

/** Whether anything but time and words is asked for. */
function hasFilter({ limit: _limit, cursor: _cursor, q: _q, from: _from, to: _to, ...rest }: TraceQuery): boolean {
  return Object.values(rest).some((value) => value !== undefined);
}

/** Whether it is asked for single entries, and not for all of a trace, a user or a feature. */
function picksEntries({ status, errorType, minDurationMs, minCostUsd, model, provider, attribute }: TraceQuery): boolean {
  return [status, errorType, minDurationMs, minCostUsd, model, provider, attribute].some((value) => value !== undefined);
}

/** The first of the places, of so many traces. */
function takeTraces(places: readonly Candidate[], traces: number): readonly Candidate[] {
  const ids = new Set<string>();
  const end = places.findIndex(({ traceId }) => ids.add(traceId).size > traces);
  return end < 0 ? places : places.slice(0, end);
}

/** Whether spans of the trace may be older than what the walk has reached; null = the end. */
function reachesBehind(trace: IndexRecord, reached: Position | null): boolean {
  return reached !== null && BigInt(trace.first_ns) - PRECISION_NS <= BigInt(reached.startedAtNs);
}

function join(filter: Filter, other: Pick<Filter, 'conditions' | 'parameters'>): Filter {
  return { conditions: [...filter.conditions, ...other.conditions], parameters: { ...filter.parameters, ...other.parameters } };
}

function without(filter: Filter, traces: ReadonlyMap<string, Position>): Filter {
  if (traces.size === 0) return filter;
  return join(filter, { conditions: ['trace_id NOT IN {passedTraces:Array(String)}'], parameters: { passedTraces: [...traces.keys()] } });
}

/**
 * Pieces of time in which the entries of a session lie: all others need not be looked through. Null when there is none.
 * What is older than the pieces that are known stays in.
 */
async function readWhere(connection: ClickHouseConnection, scope: Scope, query: TraceQuery): Promise<Filter | null> {
  const { session, from } = query;
  // Users have an index of their own, which tells the same.
  if (session === undefined) return { conditions: [], parameters: {} };
  const rows = await connection.read<{ first_ns: string; last_ns: string }>(
    `SELECT first_ns, last_ns FROM session_days WHERE ${[
      SCOPE_FILTER,
      'session_id = {session:String}',
      ...(from === undefined ? [] : [`at_ms > {from:Int64} - ${DAY_MS}`]),
    ].join(' AND ')} ORDER BY first_ns DESC LIMIT ${MAX_SESSIONS}`,
    {
      ...scopeParameters(scope),
      session,
      ...(from === undefined ? {} : { from }),
    },
  );
  if (rows.length === 0) return null;
  const { conditions, parameters } = withinTimes('sessionTimes', rows);
  const older = rows.length === MAX_SESSIONS ? [`started_at_ns < ${BigInt(rows.at(-1)?.first_ns ?? 0)}`] : [];
  return { conditions: [`(${[...conditions, ...older].join(' OR ')})`], parameters };
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
  return { places, next: places.length < wanted ? null : (places.at(-1) ?? null), seen: places.length };
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
  if (window.spanIds.size === 0) return { places: [], next: window.end, seen: 0 };
  // A run that was shown before it ended has two rows.
  const places = await readCandidates(connection, scope, join(filter, window), null, window.spanIds.size * 2, options);
  return {
    places: places.filter(({ traceId, spanId }) => window.spanIds.has(`${traceId}/${spanId}`)),
    next: window.end,
    seen: window.spanIds.size,
  };
}

/** Of the next entries that pass the filters those that hold the words. */
async function readFiltered(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: Filter,
  words: WordFilter,
  after: Position | null,
  wanted: number,
  options: ReadOptions,
): Promise<Batch> {
  const { places, next, seen } = await readNewest(connection, scope, filter, after, wanted, options);
  if (places.length === 0) return { places, next, seen };
  const holding = await readSpansThatHold(connection, scope, words, places);
  return { places: places.filter(({ traceId, spanId }) => holding.has(`${traceId}/${spanId}`)), next, seen };
}
