import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RouteView, TargetRow } from '../api/schema.ts';
import { attemptText, policyTexts, strategyText, targetShares } from './route-text.ts';
import { parseRoutesSearch } from './routes-search.ts';

function route(changes: Partial<RouteView> = {}): RouteView {
  return {
    name: 'main',
    strategy: 'priority',
    stickyBy: null,
    targets: [
      { model: 'small', provider: 'p', weight: 1, tier: null, when: null },
      { model: 'large', provider: 'p', weight: 1, tier: null, when: null },
    ],
    features: [],
    classifierModel: null,
    retries: { maxAttempts: 2, budgetRatio: 0.2, deadlineMs: 60_000 },
    hedge: null,
    shadow: null,
    onContentFilter: 'fail',
    ...changes,
  };
}

function row(target: string, answered: number, changes: Partial<TargetRow> = {}): TargetRow {
  return {
    provider: 'p',
    target,
    route: 'main',
    attempts: answered,
    answered,
    errors: 0,
    aborted: 0,
    errorRate: 0,
    errorRateInterval: [0, 1],
    errorTypes: {},
    roles: { retry: 0, fallback: 0, hedge: 0, restart: 0, repair: 0 },
    durationMs: null,
    ttftMs: null,
    ttftSamples: 0,
    ...changes,
  };
}

describe('routes in words', () => {
  it('share out the answers, keep targets that are gone, and count a model that stands twice once', () => {
    const twice = route({ targets: [...route().targets, { model: 'small', provider: 'p', weight: 1, tier: null, when: 'streams' }] });
    const shares = targetShares(twice, [row('small', 30), row('gone', 10), row('large', 99, { route: 'other' })]);
    assert.deepEqual(
      shares.map(({ model, share, isConfigured }) => [model, share, isConfigured]),
      [
        ['small', 0.75, true],
        ['large', 0, true],
        ['small', 0, true],
        ['gone', 0.25, false],
      ],
    );
  });

  it('know no share before anything is read, and none of nothing', () => {
    assert.deepEqual(
      targetShares(route(), undefined).map(({ row: read, share }) => [read, share]),
      [
        [undefined, null],
        [undefined, null],
      ],
    );
    assert.deepEqual(
      targetShares(route(), []).map(({ row: read, share }) => [read, share]),
      [
        [null, null],
        [null, null],
      ],
    );
  });

  it('say the strategy and the rules', () => {
    assert.equal(strategyText({ strategy: 'sticky', stickyBy: 'session', classifierModel: null }), 'the same target again for a session');
    assert.equal(
      strategyText({ strategy: 'complexity', stickyBy: null, classifierModel: 'mini' }),
      'by how difficult the request is, judged by mini',
    );
    assert.deepEqual(
      policyTexts(route({ hedge: { delayMs: null, maxRatio: 0.05 }, shadow: { model: 'new', ratio: 0.01, maxUsdPerDay: 5 } })),
      [
        'up to 2 tries a target, at most 20 % of calls retried',
        'hedged after the measured P95, at most 5 % of calls',
        '1 % mirrored to new, at most $5 a day',
      ],
    );
    assert.deepEqual(policyTexts(route({ retries: null })), []);
  });

  it('tell the attempts of a call', () => {
    const attempt = { target: 'small', role: 'fallback', purpose: null, status: 'ok', errorType: null } as const;
    assert.equal(attemptText(attempt), 'then small');
    assert.equal(attemptText({ ...attempt, role: 'first', purpose: 'shadow' }), 'shadow small');
    assert.deepEqual(parseRoutesSearch({ route: ' a ', range: '7d', x: 1 }), { route: 'a', range: '7d' });
  });
});
