import type { MetricRow } from '../api/schema.ts';
import { costPerRequest, formatUsd } from '../format/money.ts';
import { formatDuration } from '../format/number.ts';
import type { Gauges } from '../ui/load-line.tsx';

/** Gauges of a feature from its numbers; null = no call in the range. Quality and safety have no measurement before evals and guardrails exist. */
export function gaugesOf(row: MetricRow | null): Gauges {
  // The average of the few that have a price says nothing of the rest.
  const perRequest = row === null || row.unpricedRequests * 2 >= row.requests ? null : costPerRequest(row);
  const noTraffic = 'no calls in this range';
  return {
    quality: { kind: 'unmeasured', reason: 'no eval suite scores this feature' },
    latency:
      row?.durationMs == null
        ? { kind: 'unmeasured', reason: noTraffic }
        : { kind: 'noLine', value: formatDuration(row.durationMs.p95), what: 'P95' },
    cost:
      row === null || perRequest === null
        ? { kind: 'unmeasured', reason: row === null || row.requests === 0 ? noTraffic : 'its models are unpriced' }
        : { kind: 'noLine', value: `${row.estimatedCostRequests > 0 ? '≈ ' : ''}${formatUsd(perRequest)}`, what: 'per call' },
    safety: { kind: 'unmeasured', reason: 'no guardrail checks this feature' },
  };
}
