import type { SqlTable } from '../../traces/sql-console/model.ts';

type Columns = Readonly<Record<string, readonly [type: string, description: string]>>;

const NAME = 'LowCardinality(String)';
const COUNT = 'SimpleAggregateFunction(sum, UInt64)';
const SKETCH = 'AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Float64)';

const TENANT: Columns = {
  organisation_id: [NAME, 'Organisation; only rows of your own are read'],
  environment: [NAME, 'Environment; only rows of your own are read'],
};

const SPANS: Columns = {
  ...TENANT,
  is_entry: ['UInt8', '1 = what lists find a trace by: a call with its totals, or the root of a client’s trace'],
  started_at_ns: ['Int64', 'Start, epoch nanoseconds'],
  trace_id: ['String', 'W3C trace id'],
  span_id: ['String', 'W3C span id'],
  parent_span_id: ['String', 'Empty = a root'],
  call_id: ['String', 'Call of the gateway; empty for spans from elsewhere'],
  duration_ns: ['Int64', 'Nanoseconds'],
  generation_ns: ['Int64', 'From the first to the last token, nanoseconds'],
  name: [NAME, 'Name of the span'],
  kind: [NAME, 'gateway, stage, llm, embedding, tool, retriever, reranker, agent, chain, …'],
  status: [NAME, 'ok, error or aborted'],
  status_message: ['String', 'What went wrong'],
  error_type: [NAME, 'Closed error code; empty = none'],
  http_status: ['UInt16', '0 = none'],
  feature: [NAME, 'Feature'],
  team: [NAME, 'Team; empty = none'],
  user_id: ['String', 'User; empty = none'],
  session_id: ['String', 'Session; empty = none'],
  customer: ['String', 'Customer; empty = none'],
  tags: ['Map(LowCardinality(String), String)', "Tags: tags['name']"],
  key_id: [NAME, 'Virtual key'],
  route: [NAME, 'Route; empty = none'],
  provider: [NAME, 'Provider that answered, else the last asked'],
  model: [NAME, 'Response model, else the one sent'],
  requested_model: [NAME, 'Route or alias that the client asked for'],
  request_model: [NAME, 'Model sent upstream'],
  response_model: [NAME, 'Model that answered'],
  response_id: ['String', 'Id of the provider’s answer'],
  finish_reasons: ['Array(LowCardinality(String))', 'Why the answer ended'],
  models: ['Array(LowCardinality(String))', 'Models of all attempts'],
  providers: ['Array(LowCardinality(String))', 'Providers of all attempts'],
  model_names: ['Array(LowCardinality(String))', 'All names of its models: requested, alias, upstream, response'],
  input_tokens: ['Nullable(UInt64)', 'NULL = not known'],
  output_tokens: ['Nullable(UInt64)', 'NULL = not known'],
  usage: [
    'Array(UInt64)',
    'Tokens by class: input, cache read, cache write 5 min, cache write 1 h, audio input, output text, reasoning, audio output; empty = not known',
  ],
  usage_source: [NAME, 'reported or estimated'],
  cost_pico_usd: ['Nullable(Int64)', 'US dollars × 10¹²; NULL = unpriced'],
  cost_status: [NAME, 'priced, estimated_tokens, unpriced, provider_reported, cached_zero; empty = cannot cost anything'],
  price_id: [NAME, 'Row of the price book'],
  ttft_ms: ['Nullable(Float64)', 'Time to first token, milliseconds'],
  inter_token_mean_ms: ['Nullable(Float64)', 'Mean time between tokens, milliseconds'],
  inter_token_max_ms: ['Nullable(Float64)', 'Longest time between tokens, milliseconds'],
  attempts: ['UInt16', 'Provider calls of an entry, else 0'],
  fallback_from: [NAME, 'Target that failed before'],
  is_stream: ['UInt8', '1 = streamed'],
  is_simulated: ['UInt8', '1 = a simulated provider answered'],
  is_recovered: ['UInt8', '1 = closed after a crash'],
  attributes: ['String', "All other attributes as JSON: JSONExtractString(attributes, 'name')"],
  started_at: ["DateTime64(9, 'UTC')", 'Start as a time; filter by started_at_ns, which the key knows'],
  ingested_at: ["DateTime('UTC')", 'When the row was written'],
  target: [NAME, 'Model alias of an attempt'],
  attempt_role: [NAME, 'What an attempt was for: first, retry, fallback, hedge, …'],
  purpose: [NAME, 'Of the gateway’s own calls: shadow, classifier, probe'],
  routing_strategy: [NAME, 'Strategy of the route'],
  routing_tier: [NAME, 'Difficulty by which a route chose'],
  saving_pico_usd: ['Nullable(Int64)', 'Estimated saving of the route’s choice'],
  is_request: ['UInt8', '1 = one request to a model: what metrics count and what costs'],
  is_unfinished: ['UInt8', '1 = a run whose end nobody has told of'],
  output_verdict: [NAME, 'How the answer stood against its output contract'],
};

const LEDGER: Columns = {
  ...TENANT,
  call_id: ['String', 'UUIDv7 of the call'],
  trace_id: ['String', 'W3C trace id'],
  started_at_ms: ['Int64', 'Start, epoch milliseconds'],
  feature: [NAME, 'Feature'],
  team: [NAME, 'Team; empty = none'],
  user_id: ['String', 'User; empty = none'],
  session_id: ['String', 'Session; empty = none'],
  customer: ['String', 'Customer; empty = none'],
  tags: ['Map(LowCardinality(String), String)', "Tags: tags['name']"],
  key_id: [NAME, 'Virtual key'],
  requested_model: [NAME, 'Route or alias that the client asked for'],
  route: [NAME, 'Route; empty = none'],
  status: [NAME, 'ok, error or aborted'],
  error_type: [NAME, 'Closed error code; empty = none'],
  input_tokens: ['Nullable(UInt64)', 'Of all attempts; NULL = not known'],
  output_tokens: ['Nullable(UInt64)', 'Of all attempts; NULL = not known'],
  cost_pico_usd: ['Nullable(Int64)', 'US dollars × 10¹², of all attempts; NULL = unpriced. Add up as sum(toInt128(cost_pico_usd))'],
  cost_status: [NAME, 'priced, estimated_tokens, unpriced, provider_reported, cached_zero'],
  attempts: ['String', 'Attempts with usage, cost and price, as JSON'],
  is_simulated: ['UInt8', '1 = a simulated provider answered'],
  is_recovered: ['UInt8', '1 = closed after a crash'],
  cache_outcome: [NAME, 'What the answer cache did; empty = feature without one'],
  saved_pico_usd: ['Nullable(Int64)', 'What the cache saved, US dollars × 10¹²'],
  saved_input_tokens: ['Nullable(UInt64)', 'Tokens that the cache saved'],
  saved_output_tokens: ['Nullable(UInt64)', 'Tokens that the cache saved'],
  operation: [NAME, 'chat, embeddings, rerank, …; empty = chat'],
};

const SCORES: Columns = {
  ...TENANT,
  feature: [NAME, 'Feature'],
  name: [NAME, 'Name of the score'],
  score_id: ['String', 'Of several rows of one id the latest holds: read FROM scores FINAL'],
  kind: [NAME, 'score, feedback or outcome'],
  at_ms: ['Int64', 'When it was given, epoch milliseconds'],
  received_at_ms: ['Int64', 'When it arrived, epoch milliseconds'],
  key_id: [NAME, 'Virtual key that reported it'],
  trace_id: ['String', 'Trace; empty = by session or external id'],
  span_id: ['String', 'Span; empty = the whole trace'],
  session_id: ['String', 'Session; empty = none'],
  external_id: ['String', 'Id that the application knows; empty = none'],
  data_type: [NAME, 'numeric, categorical, boolean or text'],
  number: ['Nullable(Float64)', 'Value of a numeric or boolean score'],
  text: ['String', 'Value of the others'],
  source: [NAME, 'human, llm, code or user'],
  evaluator: [NAME, 'Who or what judged'],
  evaluator_trace_id: ['String', 'Trace of the judgement'],
  user_id: ['String', 'User; empty = none'],
  comment: ['String', 'Comment'],
  value_pico_usd: ['Nullable(Int64)', 'Value of an outcome, US dollars × 10¹²'],
  metadata: ['String', 'JSON'],
  is_withdrawn: ['UInt8', '1 = taken back'],
};

const MEASURES: Columns = {
  requests: [COUNT, 'Add up with sum()'],
  errors: [COUNT, 'Requests that failed'],
  aborted: [COUNT, 'Requests whose client left'],
  input_tokens: [COUNT, 'Input tokens'],
  output_tokens: [COUNT, 'Output tokens'],
  cost_pico_usd: ['SimpleAggregateFunction(sum, Int128)', 'US dollars × 10¹² of the priced requests'],
  unpriced_requests: [COUNT, 'Requests that are not in the cost'],
  estimated_requests: [COUNT, 'Requests whose tokens are estimated'],
};

const ROLLUP: Columns = {
  ...TENANT,
  at_ms: ['Int64', 'Start of the step, epoch milliseconds'],
  feature: [NAME, 'Feature'],
  team: [NAME, 'Team; empty = none'],
  model: [NAME, 'Response model, else the one sent'],
  provider: [NAME, 'Provider'],
  status: [NAME, 'ok, error or aborted'],
  error_type: [NAME, 'Closed error code; empty = none'],
  ...MEASURES,
  generated_tokens: [COUNT, 'Output tokens of successful requests'],
  generation_ns: ['SimpleAggregateFunction(sum, Int64)', 'Their generation time, nanoseconds'],
  duration_state: [SKETCH, 'Durations, ms: quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(duration_state)'],
  ttft_state: [SKETCH, 'Times to first token, ms: quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(ttft_state)'],
};

const SESSION_DAYS: Columns = {
  ...TENANT,
  at_ms: ['Int64', 'Start of the UTC day, epoch milliseconds'],
  session_id: ['String', 'Session; empty = none'],
  user_id: ['String', 'User; empty = none'],
  feature: [NAME, 'Feature'],
  ...MEASURES,
  first_ns: ['SimpleAggregateFunction(min, Int64)', 'Start of the first request, epoch nanoseconds'],
  last_ns: ['SimpleAggregateFunction(max, Int64)', 'End of the last request, epoch nanoseconds'],
};

function table(name: string, description: string, columns: Columns, example: string): SqlTable {
  return {
    name,
    description,
    columns: Object.entries(columns).map(([column, [type, meaning]]) => ({ name: column, type, description: meaning })),
    example,
  };
}

const HOURLY = `SELECT feature, sum(requests) AS requests, sum(errors) AS errors,
  quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(duration_state) AS duration_ms
FROM rollup_1h
WHERE at_ms >= toUnixTimestamp(now() - INTERVAL 7 DAY) * 1000
GROUP BY feature ORDER BY requests DESC`;

/** What the SQL console may read. A test holds names and types against the store. */
export const CONSOLE_TABLES: readonly SqlTable[] = [
  table(
    'spans',
    'One row a span, without its texts; is_request = 1 are the requests that metrics count',
    SPANS,
    `SELECT started_at, feature, model, duration_ns / 1e6 AS duration_ms, cost_pico_usd / 1e12 AS cost_usd
FROM spans
WHERE is_entry = 1 AND started_at_ns >= toUnixTimestamp(now() - INTERVAL 1 DAY) * 1000000000
ORDER BY started_at_ns DESC LIMIT 100`,
  ),
  table(
    'ledger',
    'One row a call of the gateway, with its cost',
    LEDGER,
    `SELECT customer, count() AS calls, sum(toInt128(ifNull(cost_pico_usd, 0))) / 1e12 AS cost_usd, countIf(cost_pico_usd IS NULL) AS unpriced
FROM ledger
WHERE started_at_ms >= toUnixTimestamp(now() - INTERVAL 30 DAY) * 1000
GROUP BY customer ORDER BY cost_usd DESC LIMIT 50`,
  ),
  table(
    'scores',
    'Scores, feedback and outcomes',
    SCORES,
    `SELECT feature, name, source, count() AS n, avg(number) AS mean
FROM scores FINAL
WHERE is_withdrawn = 0
GROUP BY feature, name, source ORDER BY n DESC`,
  ),
  table('rollup_1m', 'Requests by minute, feature, team, model, provider and status', ROLLUP, HOURLY.replace('rollup_1h', 'rollup_1m')),
  table('rollup_1h', 'The same by hour', ROLLUP, HOURLY),
  table('rollup_1d', 'The same by UTC day', ROLLUP, HOURLY.replace('rollup_1h', 'rollup_1d')),
  table(
    'session_days',
    'Requests by UTC day, session, user and feature',
    SESSION_DAYS,
    `SELECT user_id, uniqExact(session_id) AS sessions, sum(requests) AS requests, sum(cost_pico_usd) / 1e12 AS cost_usd
FROM session_days
WHERE user_id != ''
GROUP BY user_id ORDER BY cost_usd DESC LIMIT 50`,
  ),
];
