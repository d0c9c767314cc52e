import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MetricRow, MetricSeries } from '../api/schema.ts';
import { chartsOf } from './charts.ts';

const EMPTY: MetricRow = {
  requests: 0,
  errors: 0,
  aborted: 0,
  errorRate: null,
  errorRateInterval: null,
  inputTokens: 0,
  outputTokens: 0,
  costPicoUsd: '0',
  unpricedRequests: 0,
  estimatedCostRequests: 0,
  durationMs: null,
  ttftMs: null,
  outputTokensPerSecond: null,
};
const AT = Date.UTC(2026, 10, 21, 14, 5);

function series(...rows: Partial<MetricRow>[]): MetricSeries {
  return {
    from: AT,
    to: AT + rows.length * 60_000,
    stepMs: 60_000,
    points: rows.map((row, index) => ({ ...EMPTY, ...row, at: AT + index * 60_000 })),
  };
}

describe('charts of the Overview', () => {
  it('show a step without calls as zero calls, but unknown latency and cost', () => {
    const [requests, latency, , , cost] = chartsOf(series({}), 'utc');
    assert.deepEqual(requests?.series[0]?.values, [0]);
    assert.deepEqual(latency?.series[0]?.values, [null]);
    assert.deepEqual(cost?.series[0]?.values, [null]);
    assert.equal(requests?.summary, 'No calls in this range');
  });

  it('leave wholly unpriced steps out of the cost', () => {
    const cost = chartsOf(
      series({ requests: 2, unpricedRequests: 2 }, { requests: 2, unpricedRequests: 1, costPicoUsd: '1000000000000' }),
      'utc',
    ).at(-1);
    assert.deepEqual(cost?.series[0]?.values, [null, 1]);
    assert.equal(cost?.summary, 'Most $1.00 at 21 Nov 14:06');
  });

  it('say in a sentence what they show', () => {
    const [requests, latency] = chartsOf(
      series({ requests: 3 }, { requests: 7, errors: 1, durationMs: { p50: 1, p95: 1240, p99: 3 } }),
      'utc',
    );
    assert.equal(requests?.summary, '10 calls, 1 failed (10 % of all); most 7 at 21 Nov 14:06');
    assert.equal(latency?.summary, 'Highest P95 1.24 s at 21 Nov 14:06');
  });
});
