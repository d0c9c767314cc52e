import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoadLine } from '../slo/model.ts';
import { readConfig } from './config.ts';
import { dailyBudgets, loadLineMetrics } from './load-line-metrics.ts';

const CONFIG = `version: 1
providers: { sim: { kind: sim } }
models: { small: { provider: sim, model: sim-small } }
routes: { main: { targets: [small] } }
features: { a: { route: main }, b: { route: main }, c: { route: main } }
limits:
  - { scope: feature, budgetUsd: 304 }
  - { scope: feature, name: b, budgetUsd: 14, per: week }
  - { scope: global, feature: c, budgetUsd: 1.5, per: day }
  - { scope: user, feature: c, budgetUsd: 0.01, per: day }
  - { scope: session, feature: c, budgetUsd: 0.01, per: run }
  - { scope: feature, name: a, requestsPerMinute: 5 }
`;

describe('gauges of control', () => {
  it('say what the tightest budget of a feature allows per day, to the pico-dollar', () => {
    const budgets = dailyBudgets(readConfig(CONFIG, 'plimsoll.yaml', null));
    assert.deepEqual(Object.fromEntries(budgets), { a: 10_000_000_000_000n, b: 2_000_000_000_000n, c: 1_500_000_000_000n });
    assert.match(loadLineMetrics(null, budgets), /plimsoll_feature_budget_usd_per_day\{feature="c"\} 1\.5\n/);
  });

  it('have no sample for what is unmeasured', () => {
    const line = { id: 'error_rate', unit: 'share', value: 0.5, line: null, load: null, count: 2, verdict: 'no_line' } as LoadLine; // what is read
    const unmeasured = { ...line, id: 'retry', value: null, count: 0 } as LoadLine;
    const text = loadLineMetrics({ from: 0, to: 1, features: [{ feature: 'a', lines: [line, unmeasured] }] }, new Map());
    assert.match(text, /plimsoll_load_line_value\{feature="a",line="error_rate",unit="share"\} 0\.5\n/);
    assert.match(text, /plimsoll_load_line_beyond\{.*\} 0\n/);
    assert.doesNotMatch(text, /retry|plimsoll_load_line_limit\{/);
  });
});
