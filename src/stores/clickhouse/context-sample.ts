import type { SampledCall } from '../../costs/context/report.ts';
import type { CostPeriod } from '../../costs/cost-queries.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { Usage } from '../../models/usage.ts';
import type { ClickHouseConnection } from './client.ts';
import { USAGE_ORDER } from './columns.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';
import { OFF_DASHBOARD, periodParameters } from './ledger-conditions.ts';
import { readTexts } from './text-parts.ts';

const WINDOW_MS = 300_000;
const MAX_WINDOWS = 24;
const MIN_WINDOWS = 10;
/** Calls whose texts are read. */
const MAX_CALLS = 2_000;
const IS_CALL = `kind = 'gateway' AND is_entry = 1 AND is_request = 1 AND purpose = '' AND status = 'ok' AND attempts = 1 AND price_id != '' AND length(usage) > 0`;

interface CallRecord {
  readonly trace_id: string;
  readonly span_id: string;
  readonly started_at_ms: string;
  readonly window: string;
  readonly feature: string;
  readonly provider: string;
  readonly request_model: string;
  readonly price_id: string;
  readonly usage: readonly string[];
}

interface TextRecord {
  readonly span_id: string;
  readonly input: string | null;
  readonly output: string | null;
  readonly text_group: string;
  readonly input_parts: readonly string[];
  readonly output_parts: readonly string[];
  readonly is_truncated: number;
}

/** Windows with calls, drawn by the hash of their number: anybody who asks again gets the same. Fewer where they are full. */
async function drawWindows(connection: ClickHouseConnection, scope: Scope, period: CostPeriod): Promise<number[]> {
  const rows = await connection.read<{ window: string; calls: string }>(
    `SELECT intDiv(started_at_ms, ${WINDOW_MS}) AS window, count() AS calls FROM ledger
     WHERE ${SCOPE_FILTER} AND started_at_ms >= {from:Int64} AND started_at_ms < {to:Int64} AND status = 'ok'
     GROUP BY window ORDER BY cityHash64(window) LIMIT ${MAX_WINDOWS}`,
    periodParameters(scope, period),
    OFF_DASHBOARD,
  );
  const calls = rows.reduce((sum, row) => sum + Number(row.calls), 0);
  // Twice: each window is read with the five minutes before it.
  const fitting = calls === 0 ? 0 : Math.floor((rows.length * MAX_CALLS) / (2 * calls));
  return rows.slice(0, Math.max(MIN_WINDOWS, fitting)).map((row) => Number(row.window));
}

/** Calls of windows of five minutes drawn at random, and of the five minutes before each, with their recorded texts. */
export async function readContextSample(connection: ClickHouseConnection, scope: Scope, period: CostPeriod): Promise<SampledCall[]> {
  const windows = await drawWindows(connection, scope, period);
  if (windows.length === 0) return [];
  const perWindow = Math.ceil(MAX_CALLS / windows.length);
  // Numbers of our own, spliced in so that the key of the table is used.
  const ranges = windows.map(
    (window) => `started_at_ns >= ${(window - 1) * WINDOW_MS}000000 AND started_at_ns < ${(window + 1) * WINDOW_MS}000000`,
  );
  const calls = await connection.read<CallRecord>(
    `SELECT trace_id, span_id, started_at_ms, arrayJoin(arrayFilter(each -> each = own OR each = own + 1, {windows:Array(Int64)})) AS window,
       feature, provider, request_model, price_id, usage
     FROM (
       SELECT *, intDiv(started_at_ns, 1000000) AS started_at_ms, intDiv(started_at_ms, ${WINDOW_MS}) AS own
       FROM spans WHERE ${SCOPE_FILTER} AND ${IS_CALL} AND (${ranges.join(' OR ')})
     )
     ORDER BY window, started_at_ms DESC, span_id LIMIT ${perWindow} BY window`,
    { ...scopeParameters(scope), windows: windows.map(BigInt) },
    OFF_DASHBOARD,
  );
  const texts = await textsOf(connection, scope, calls);
  return calls.map((call): SampledCall => {
    const text = texts.get(call.span_id);
    const startedAtMs = Number(call.started_at_ms);
    return {
      window: Number(call.window),
      isMeasured: Math.floor(startedAtMs / WINDOW_MS) === Number(call.window),
      startedAtMs,
      feature: call.feature,
      provider: call.provider,
      model: call.request_model,
      priceId: call.price_id,
      usage: Object.fromEntries(USAGE_ORDER.map((name, place) => [name, Number(call.usage[place] ?? 0)])) as unknown as Usage, // USAGE_ORDER has every class
      input: text?.input ?? null,
      output: text?.output ?? null,
      isTruncated: text?.is_truncated === 1,
    };
  });
}

/** Calls that are asked for at one time: they stand in the address of the request. */
const CALLS_AT_ONCE = 500;

async function textsOf(connection: ClickHouseConnection, scope: Scope, calls: readonly CallRecord[]): Promise<Map<string, TextRecord>> {
  const texts = new Map<string, TextRecord>();
  for (let place = 0; place < calls.length; place += CALLS_AT_ONCE) {
    const some = calls.slice(place, place + CALLS_AT_ONCE);
    const times = some.map((call) => Number(call.started_at_ms));
    const frames = await connection.read<TextRecord>(
      `SELECT span_id, input, output, text_group, input_parts, output_parts, is_truncated FROM span_io
       WHERE ${SCOPE_FILTER} AND trace_id IN {traces:Array(String)} AND span_id IN {spans:Array(String)} LIMIT 1 BY span_id`,
      { ...scopeParameters(scope), traces: [...new Set(some.map((call) => call.trace_id))], spans: some.map((call) => call.span_id) },
      OFF_DASHBOARD,
    );
    for (const row of await readTexts(connection, scope, frames, Math.min(...times), Math.max(...times))) texts.set(row.span_id, row);
  }
  return texts;
}
