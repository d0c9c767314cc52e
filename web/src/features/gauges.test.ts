import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MetricRow } from '../api/schema.ts';
import { gaugesOf } from './gauges.ts';

const ROW: MetricRow = {
  requests: 4,
  errors: 0,
  aborted: 0,
  errorRate: 0,
  errorRateInterval: [0, 0.49],
  inputTokens: 10,
  outputTokens: 10,
  costPicoUsd: '8000000000',
  unpricedRequests: 0,
  estimatedCostRequests: 0,
  durationMs: { p50: 500, p95: 1240, p99: 1300 },
  ttftMs: null,
  outputTokensPerSecond: null,
};

describe('gauges of a feature', () => {
  it('show values without a line as such', () => {
    const { latency, cost } = gaugesOf(ROW);
    assert.deepEqual(latency, { kind: 'noLine', value: '1.24 s', what: 'P95' });
    assert.deepEqual(cost, { kind: 'noLine', value: '$0.002', what: 'per call' });
  });

  it('show what is not known as unmeasured, never as zero', () => {
    for (const gauge of Object.values(gaugesOf(null))) assert.equal(gauge.kind, 'unmeasured');
    const unpriced = gaugesOf({ ...ROW, unpricedRequests: 4, costPicoUsd: '0' }).cost;
    assert.deepEqual(unpriced, { kind: 'unmeasured', reason: 'its models are unpriced' });
    assert.equal(gaugesOf(ROW).quality.kind, 'unmeasured');
    assert.equal(gaugesOf(ROW).safety.kind, 'unmeasured');
  });

  it('mark estimates', () => {
    const { cost } = gaugesOf({ ...ROW, estimatedCostRequests: 1 });
    assert.equal(cost.kind === 'noLine' && cost.value, '≈ $0.002');
  });
});
