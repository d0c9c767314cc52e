import type { Scope } from '../../kernel/scope.ts';
import { wilsonInterval } from '../../stats/intervals.ts';
import type { TargetGroupBy, TargetMetrics, TargetRow } from '../../traces/target-metrics.ts';
import type { ClickHouseConnection } from './client.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';
import { toQuantiles } from './metrics.ts';

interface TargetRecord {
  readonly provider: string;
  readonly target: string;
  readonly route: string;
  readonly attempts: string;
  readonly answered: string;
  readonly errors: string;
  readonly aborted: string;
  readonly error_types: Record<string, string>;
  readonly roles: Record<string, string>;
  readonly duration_ms: (number | null)[];
  readonly ttft_ms: (number | null)[];
  readonly ttft_samples: string;
}

const MAX_ROWS = 1_000;

/** What is grouped by, in the order of the three columns; an empty text stands for what is not. */
const COLUMNS: Readonly<Record<TargetGroupBy, string>> = {
  provider: "toString(spans.provider) AS provider, '' AS target, '' AS route",
  target: "toString(spans.provider) AS provider, toString(spans.target) AS target, '' AS route",
  route: 'toString(spans.provider) AS provider, toString(spans.target) AS target, toString(spans.route) AS route',
};

/** A probe is one token: it says whether a target answers, not how fast. A route's traffic is that of its callers. */
const WHOSE: Readonly<Record<TargetGroupBy, string>> = {
  provider: "purpose != 'probe'",
  target: "purpose != 'probe'",
  route: "purpose = '' AND spans.route != ''",
};

function counts(record: Record<string, string>): Record<string, number> {
  return Object.fromEntries(Object.entries(record).flatMap(([name, count]) => (name === '' ? [] : [[name, Number(count)]])));
}

function toRow(record: TargetRecord): TargetRow {
  const [attempts, answered, errors, aborted] = [record.attempts, record.answered, record.errors, record.aborted].map(Number) as [
    number,
    number,
    number,
    number,
  ]; // as many as were given
  const finished = attempts - aborted;
  const roles = counts(record.roles);
  return {
    provider: record.provider,
    target: record.target || null,
    route: record.route || null,
    attempts,
    answered,
    errors,
    aborted,
    errorRate: finished > 0 ? errors / finished : null,
    errorRateInterval: finished > 0 ? wilsonInterval(errors, finished) : null,
    errorTypes: counts(record.error_types),
    roles: {
      retry: roles.retry ?? 0,
      fallback: roles.fallback ?? 0,
      hedge: roles.hedge ?? 0,
      restart: roles.restart ?? 0,
      repair: roles.repair ?? 0,
    },
    durationMs: toQuantiles(record.duration_ms),
    ttftMs: toQuantiles(record.ttft_ms),
    ttftSamples: Number(record.ttft_samples),
  };
}

/** Attempts of [from, to), epoch ms, by where they went; most attempts first. */
export async function readTargetMetrics(
  connection: ClickHouseConnection,
  scope: Scope,
  from: number,
  to: number,
  groupBy: TargetGroupBy,
): Promise<TargetMetrics> {
  const rows = await connection.read<TargetRecord>(
    `SELECT ${COLUMNS[groupBy]}, count() AS attempts, countIf(status = 'ok') AS answered, countIf(status = 'error') AS errors,
       countIf(status = 'aborted') AS aborted,
       sumMapIf(map(toString(error_type), toUInt64(1)), status = 'error') AS error_types, sumMap(map(toString(attempt_role), toUInt64(1))) AS roles,
       quantilesDDIf(0.01, 0.5, 0.95, 0.99)(duration_ns / 1e6, status = 'ok') AS duration_ms,
       quantilesDDIf(0.01, 0.5, 0.95, 0.99)(ifNull(spans.ttft_ms, 0), spans.ttft_ms IS NOT NULL) AS ttft_ms,
       countIf(spans.ttft_ms IS NOT NULL) AS ttft_samples
     FROM spans
     WHERE ${SCOPE_FILTER} AND is_entry = 0 AND started_at_ns >= {fromNs:Int64} AND started_at_ns < {toNs:Int64}
       AND kind = 'llm' AND spans.target != '' AND ${WHOSE[groupBy]}
     GROUP BY provider, target, route ORDER BY attempts DESC, provider, target, route LIMIT ${MAX_ROWS}`,
    { ...scopeParameters(scope), fromNs: BigInt(from) * 1_000_000n, toNs: BigInt(to) * 1_000_000n },
  );
  return { from, to, groupBy, rows: rows.map(toRow) };
}
