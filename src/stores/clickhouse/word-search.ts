import type { Scope } from '../../kernel/scope.ts';
import type { TextMatch, TraceQuery } from '../../traces/model.ts';
import { isByCharacter, parseTextQuery, snippetOf } from '../../traces/text-query.ts';
import type { ClickHouseConnection, QueryParameters } from './client.ts';
import { splitWords } from './columns.ts';
import { type Filter, SCOPE_FILTER, scopeParameters } from './entries.ts';
import { type Candidate, wordsOf } from './entry-reads.ts';
import type { Position } from './list-position.ts';
import { indexedWords } from './text-tables.ts';

/** A question in the store's terms. */
export interface WordFilter extends Filter {
  /** Tells in which rows that fulfil the conditions the phrases really stand; a phrase has to be read, its words are found in the index. */
  readonly holds: string;
}

/** Outside of the index the words are told apart here, as the index does it. */
function phraseCondition(phrase: string, parameter: string): string {
  const normal = (text: string): string => (isByCharacter(phrase) ? indexedWords(text) : `lowerUTF8(${text})`);
  return `hasPhrase(${normal('words')}, ${normal(parameter)})`;
}

/**
 * Spans in which every word and phrase occurs.
 * @throws PlimsollError `invalid_argument` when there is no word in it
 */
export function wordFilter(q: string): WordFilter {
  const { words, phrases } = parseTextQuery(q);
  const parameters: Record<string, string> = { words: [...words, ...phrases].join(' ') };
  for (const [place, phrase] of phrases.entries()) parameters[`phrase${place}`] = phrase;
  return {
    conditions: ['hasAllTokens(words, {words:String})'],
    holds: phrases.length === 0 ? '1' : phrases.map((phrase, place) => phraseCondition(phrase, `{phrase${place}:String}`)).join(' AND '),
    parameters,
  };
}

export interface WordWindow {
  readonly spanIds: ReadonlySet<string>;
  readonly conditions: readonly string[];
  readonly parameters: QueryParameters;
  /** Where the next window begins; null when there is none. */
  readonly end: Position | null;
}

/** Start, trace, span. */
type Place = readonly [startedAtNs: string, traceId: string, spanId: string];

interface WindowRecord {
  readonly candidates: string;
  readonly oldest: Place;
  readonly found: readonly Place[];
  /** Of what was found. */
  readonly first_ns: string;
  readonly last_ns: string;
}

/** The newest spans before `after` that match: conditions on entry spans that hold for them and few others, within `end`. */
export async function readWordWindow(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: WordFilter,
  range: Pick<TraceQuery, 'from' | 'to'>,
  after: Position | null,
  size: number,
): Promise<WordWindow> {
  const conditions = [
    SCOPE_FILTER,
    ...(range.from === undefined ? [] : ['started_at_ns >= {wordsFrom:Int64}']),
    ...(range.to === undefined ? [] : ['started_at_ns < {wordsTo:Int64}']),
    ...(after === null
      ? []
      : [
          'started_at_ns <= {afterNs:Int64}',
          '(started_at_ns, trace_id, span_id) < ({afterNs:Int64}, {afterTrace:String}, {afterSpan:String})',
        ]),
    ...filter.conditions,
  ];
  // The rows are taken before the phrases are looked for: a rare phrase of frequent words must not be searched for through all of them at once.
  const [window] = await connection.read<WindowRecord>(
    `SELECT count() AS candidates, min((started_at_ns, trace_id, span_id)) AS oldest, groupArrayIf((started_at_ns, trace_id, span_id), holds) AS found,
       minIf(started_at_ns, holds) AS first_ns, maxIf(started_at_ns, holds) AS last_ns
     FROM (SELECT started_at_ns, trace_id, span_id, ${filter.holds} AS holds FROM span_words WHERE ${conditions.join(' AND ')}
       ORDER BY started_at_ns DESC, trace_id DESC, span_id DESC LIMIT ${size})`,
    {
      ...scopeParameters(scope),
      ...filter.parameters,
      ...(range.from === undefined ? {} : { wordsFrom: BigInt(range.from) * 1_000_000n }),
      ...(range.to === undefined ? {} : { wordsTo: BigInt(range.to) * 1_000_000n }),
      ...(after === null ? {} : { afterNs: after.startedAtNs, afterTrace: after.traceId, afterSpan: after.spanId }),
    },
  );
  const found = window?.found ?? [];
  const candidates = Number(window?.candidates ?? 0);
  const [startedAtNs = '', traceId = '', spanId = ''] = window?.oldest ?? [];
  return {
    spanIds: new Set(found.map(([, trace, span]) => `${trace}/${span}`)),
    conditions: ['started_at_ns >= {oldestNs:Int64} AND started_at_ns <= {newestNs:Int64} AND span_id IN {wordSpans:Array(String)}'],
    parameters: {
      oldestNs: window?.first_ns ?? '0',
      newestNs: window?.last_ns ?? '0',
      wordSpans: found.map(([, , span]) => span),
    },
    end: candidates < size ? null : { startedAtNs, traceId, spanId },
  };
}

/** Those of the spans in which the question is answered: `trace/span`. */
export async function readSpansThatHold(
  connection: ClickHouseConnection,
  scope: Scope,
  filter: WordFilter,
  spans: readonly Candidate[],
): Promise<ReadonlySet<string>> {
  const own = wordsOf(spans);
  const rows = await connection.read<{ trace_id: string; span_id: string }>(
    `SELECT trace_id, span_id FROM span_words WHERE ${[SCOPE_FILTER, ...own.conditions, ...filter.conditions, filter.holds].join(' AND ')}`,
    { ...scopeParameters(scope), ...filter.parameters, ...own.parameters },
  );
  return new Set(rows.map((row) => `${row.trace_id}/${row.span_id}`));
}

/** What was found in the spans of a page, with its surroundings, by span id. */
export async function readSnippets(
  connection: ClickHouseConnection,
  scope: Scope,
  q: string,
  spans: readonly Candidate[],
): Promise<Map<string, TextMatch>> {
  if (spans.length === 0) return new Map();
  const own = wordsOf(spans);
  const rows = await connection.read<{ span_id: string; words: string }>(
    `SELECT span_id, words FROM span_words WHERE ${[SCOPE_FILTER, ...own.conditions].join(' AND ')}`,
    { ...scopeParameters(scope), ...own.parameters },
  );
  const query = parseTextQuery(q);
  const found = new Map<string, TextMatch>();
  for (const row of rows) {
    const { input, output } = splitWords(row.words);
    const inInput = snippetOf(input, query);
    const snippet = inInput ?? snippetOf(output, query);
    if (snippet !== null)
      found.set(row.span_id, {
        spanId: row.span_id,
        place: inInput === null ? 'output' : 'input',
        text: snippet.text,
        marks: snippet.marks.map(([from, to]) => [from, to]),
      });
  }
  return found;
}
