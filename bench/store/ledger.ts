import type { ClickHouseConnection } from '../../src/stores/clickhouse/client.ts';

const BLOCK = 250_000;
const DAY_MS = 86_400_000;

/** `n` spread over `count` values, unlike its neighbours. @param salt another one, another spread */
const spread = (count: number, salt: number): string => `cityHash64(n, ${salt}) % ${count}`;
const INPUT = '(200 + cityHash64(n, 5) % 4000)';
const OUTPUT = '(20 + cityHash64(n, 6) % 600)';
/** A session is of one user and one key. A key belongs to a feature, a feature to a team; each feature uses three of eight models, a model has its provider. */
const SESSION = 'intDiv(n, 6)';
const KEY = `cityHash64(${SESSION}, 10) % 40`;
const FEATURE = `((${KEY}) % 20)`;
const MODEL = `((${FEATURE} + ${spread(3, 4)}) % 8)`;
const PROVIDER = `(${MODEL} % 3)`;
const COST = `(${INPUT} * (1000 + 100 * ${MODEL}) + ${OUTPUT} * (4000 + 100 * ${MODEL}))`;
const HAS_RETRY = `${spread(20, 7)} = 0`;

/** JSON of an attempt. @param status our own text */
function attempt(span: string, status: string, usage: boolean): string {
  const counts = usage
    ? `'{"inputUncachedTokens":', toString(${INPUT}), ',"cacheReadTokens":0,"cacheWrite5mTokens":0,"cacheWrite1hTokens":0,"audioInputTokens":0,"outputTextTokens":', toString(${OUTPUT}), ',"reasoningTokens":0,"audioOutputTokens":0}'`
    : "'null'";
  const cost = usage ? `'"', toString(${COST}), '"'` : "'null'";
  return `concat('{"spanId":"', ${span}, '","provider":"provider-', toString(${PROVIDER}), '","model":"alias-', toString(${MODEL}), '","requestModel":"model-', toString(${MODEL}),
    '","responseModel":"model-', toString(${MODEL}), '-2026-01-01","status":"${status}","errorType":${status === 'ok' ? 'null' : '"provider_unavailable"'},"usage":', ${counts},
    ',"usageSource":${usage ? '"reported"' : 'null'},"providerUsage":"{\\\\"prompt_tokens\\\\":', toString(${INPUT}), ',\\\\"completion_tokens\\\\":', toString(${OUTPUT}), '}","costPicoUsd":', ${cost},
    ',"costStatus":"${usage ? 'priced' : 'unpriced'}","priceId":', ${usage ? `concat('"book:model-', toString(${MODEL}), '"')` : "'null'"}, '}')`;
}

const SPAN = "leftPad(lower(hex(cityHash64(n, 21))), 16, '0')";
const FAILED_SPAN = "leftPad(lower(hex(cityHash64(n, 22))), 16, '0')";
const TENANT = "'default' AS organisation_id, 'production' AS environment";
/** Ids are in the order of time, as UUIDv7 are. */
const CALL_ID = "concat('0192', leftPad(lower(hex(started_at_ms)), 12, '0'), leftPad(lower(hex(n)), 16, '0'))";
const TRACE_ID = 'lower(hex(MD5(toString(n))))';

/**
 * Calls over the last days, made by the engine itself: 20 features, 6 teams, 40 keys, 8 models, 20 000 users, sessions of six calls; every twentieth
 * call has a failed attempt, every hundredth failed, every fiftieth came from the cache. With `withSpans` each has the spans that a repricing corrects.
 */
export async function fillLedger(
  connection: ClickHouseConnection,
  calls: number,
  endMs: number,
  days: number,
  withSpans: boolean,
): Promise<void> {
  const stepMs = (days * DAY_MS) / calls;
  for (let from = 0; from < calls; from += BLOCK) {
    const count = Math.min(BLOCK, calls - from);
    const rows = `(SELECT number + ${from} AS n, toInt64(${endMs - days * DAY_MS} + n * ${stepMs}) AS started_at_ms FROM numbers(${count}))`;
    const facts = `${TENANT}, ${CALL_ID} AS call_id, ${TRACE_ID} AS trace_id, started_at_ms,
      concat('feature-', toString(${FEATURE})) AS feature, if(${FEATURE} % 7 = 0, '', concat('team-', toString(${FEATURE} % 7))) AS team,
      concat('user-', toString(cityHash64(${SESSION}, 9) % 20000)) AS user_id, concat('session-', toString(${SESSION})) AS session_id,
      concat('key-', toString(${KEY})) AS key_id, 'default' AS requested_model, 'main' AS route,
      multiIf(${spread(100, 11)} = 0, 'error', 'ok') AS status`;
    await connection.command(
      `INSERT INTO ledger (organisation_id, environment, call_id, trace_id, started_at_ms, feature, team, user_id, session_id, customer, tags, key_id,
         requested_model, route, status, error_type, input_tokens, output_tokens, cost_pico_usd, cost_status, attempts, is_simulated, is_recovered,
         operation, cache_outcome, saved_pico_usd)
       SELECT organisation_id, environment, call_id, trace_id, started_at_ms, feature, team, user_id, session_id, '' AS customer, map() AS tags, key_id,
         requested_model, route, status, '' AS error_type, ${INPUT} AS input_tokens, ${OUTPUT} AS output_tokens,
         if(is_hit, 0, toInt64(${COST})) AS cost_pico_usd, if(is_hit, 'cached_zero', 'priced') AS cost_status,
         if(is_hit, '[]', concat('[', if(${HAS_RETRY}, concat(${attempt(FAILED_SPAN, 'error', false)}, ','), ''), ${attempt(SPAN, 'ok', true)}, ']')) AS attempts,
         1 AS is_simulated, 0 AS is_recovered, 'chat' AS operation, if(is_hit, 'hit', '') AS cache_outcome, if(is_hit, toInt64(${COST}), NULL) AS saved_pico_usd
       FROM (SELECT *, ${spread(50, 12)} = 0 AS is_hit FROM (SELECT n, ${facts} FROM ${rows}))`,
    );
    if (!withSpans) continue;
    const span = (
      kind: 'gateway' | 'llm',
    ) => `INSERT INTO spans (organisation_id, environment, is_entry, is_request, started_at_ns, trace_id, span_id, call_id,
        duration_ns, generation_ns, name, kind, status, feature, team, user_id, session_id, key_id, route, provider, model, request_model, response_model,
        input_tokens, output_tokens, usage, usage_source, cost_pico_usd, cost_status, price_id, attempts, is_simulated, attributes)
      SELECT organisation_id, environment, ${kind === 'gateway' ? '1, 1' : '0, 0'}, started_at_ms * 1000000 + ${kind === 'gateway' ? 0 : 1_000_000}, trace_id,
        ${kind === 'gateway' ? "leftPad(lower(hex(cityHash64(n, 20))), 16, '0')" : SPAN}, call_id, 400000000, 400000000, 'chat', '${kind}', status, feature, team,
        user_id, session_id, key_id, route, concat('provider-', toString(${PROVIDER})), concat('model-', toString(${MODEL}), '-2026-01-01'),
        concat('model-', toString(${MODEL})), concat('model-', toString(${MODEL}), '-2026-01-01'), ${INPUT}, ${OUTPUT},
        [toUInt64(${INPUT}), 0, 0, 0, 0, toUInt64(${OUTPUT}), 0, 0], 'reported', if(is_hit, 0, toInt64(${COST})), if(is_hit, 'cached_zero', 'priced'),
        concat('book:model-', toString(${MODEL})), 1, 1, '{}'
      FROM (SELECT *, ${spread(50, 12)} = 0 AS is_hit FROM (SELECT n, ${facts} FROM ${rows}))`;
    await connection.command(span('gateway'));
    await connection.command(`${span('llm')} WHERE NOT is_hit`);
  }
}
