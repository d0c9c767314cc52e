import type { Scope } from '../../kernel/scope.ts';
import type { StoredSpan } from '../../traces/count-once.ts';
import type { SpanKind } from '../../traces/model.ts';
import type { ClickHouseConnection } from './client.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';
import { readIndex, withinTraces } from './entry-reads.ts';

interface Row {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string;
  readonly kind: SpanKind;
  readonly is_request: number;
  readonly is_measured: number;
  readonly started_at_ns: string;
}

const MAX_SPANS = 100_000;
/** A statement may be 256 KiB long, and each id takes 35 bytes of it. */
const MAX_TRACES = 2_000;

export async function readStoredSpans(connection: ClickHouseConnection, scope: Scope, traceIds: readonly string[]): Promise<StoredSpan[]> {
  const spans: StoredSpan[] = [];
  for (let at = 0; at < traceIds.length; at += MAX_TRACES)
    for (const span of await readSome(connection, scope, traceIds.slice(at, at + MAX_TRACES))) spans.push(span);
  return spans;
}

async function readSome(connection: ClickHouseConnection, scope: Scope, traceIds: readonly string[]): Promise<StoredSpan[]> {
  const withEntries = [...(await readIndex(connection, scope, traceIds)).values()].filter(({ entries }) => entries !== '0');
  if (withEntries.length === 0) return [];
  const within = withinTraces(withEntries);
  const rows = await connection.read<Row>(
    `SELECT trace_id, span_id, parent_span_id, kind, is_request, started_at_ns, kind = 'gateway' OR notEmpty(usage) OR cost_pico_usd IS NOT NULL AS is_measured
     FROM spans WHERE ${SCOPE_FILTER} AND is_entry IN (0, 1) AND ${within.conditions.join(' AND ')} LIMIT ${MAX_SPANS}`,
    { ...scopeParameters(scope), ...within.parameters },
  );
  return rows.map((row) => ({
    traceId: row.trace_id,
    spanId: row.span_id,
    parentSpanId: row.parent_span_id || null,
    kind: row.kind,
    isRequest: row.is_request === 1,
    isMeasured: row.is_measured === 1,
    startedAtNs: BigInt(row.started_at_ns),
  }));
}
