import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type RouteReport, type RoutingReport, routingState, RoutingReport as Schema, type TargetReport } from './report.ts';

function target(overrides: Partial<TargetReport> = {}): TargetReport {
  return {
    model: 'small',
    provider: 'p',
    state: 'healthy',
    blockedForMs: 0,
    since: null,
    ejectionReason: null,
    calls: 10,
    failures: 1,
    ejections: 0,
    consecutiveFailures: 0,
    inFlight: 1,
    windowOk: 4,
    windowFailed: 1,
    ttftMs: null,
    answerMs: 20,
    lastError: null,
    ...overrides,
  };
}

function route(overrides: Partial<RouteReport> = {}): RouteReport {
  return {
    name: 'main',
    strategy: 'weight',
    targets: [{ model: 'small', weight: 1, tier: null, isConditional: false }],
    calls: 3,
    decisions: { weight: 3 },
    retries: 1,
    hedges: 0,
    hedgesWon: 0,
    shadow: { model: 'c', calls: 1, running: 0, skipped: 2, spentTodayPicoUsd: '9007199254740993', maxTodayPicoUsd: '5' },
    ...overrides,
  };
}

function report(targets: TargetReport[], routes: RouteReport[]): RoutingReport {
  return { targets, routes, idempotency: { entries: 0, bytes: 0, repeats: 0, conflicts: 0 } };
}

describe('reports of several workers', () => {
  it('amounts are added up, also beyond what a double holds; states and times are the worst', () => {
    const one = report([target({ lastError: { code: 'provider_timeout', atMs: 5 } })], [route()]);
    const ejected = target({
      state: 'ejected',
      blockedForMs: 400,
      since: 3,
      ejectionReason: 'consecutive_failures',
      ejections: 2,
      ttftMs: 7,
      answerMs: 50,
      lastError: { code: 'provider_unavailable', atMs: 9 },
    });
    const two = report([ejected, target({ model: 'large' })], [route({ decisions: { weight: 1, 'weight:unhealthy': 2 } })]);
    const gateways = [{ worker: 'gateway-3', isAnswering: false, lastReportAt: 5 }];
    const state = routingState(
      [
        { worker: 'gateway-1', report: one },
        { worker: 'gateway-2', report: two },
      ],
      gateways,
    );
    assert.equal(state.workers, 2);
    assert.equal(state.gateways, gateways);
    assert.deepEqual(state.targets[0], {
      ...target(),
      state: 'ejected',
      blockedForMs: 400,
      since: 3,
      ejectionReason: 'consecutive_failures',
      calls: 20,
      failures: 2,
      ejections: 2,
      inFlight: 2,
      windowOk: 8,
      windowFailed: 2,
      ttftMs: 7,
      answerMs: 50,
      lastError: { code: 'provider_unavailable', atMs: 9 },
    });
    assert.deepEqual(
      state.targets.map(({ model }) => model),
      ['small', 'large'],
    );
    assert.deepEqual(state.routes[0]?.decisions, { weight: 4, 'weight:unhealthy': 2 });
    assert.equal(state.routes[0]?.shadow?.spentTodayPicoUsd, '18014398509481986');
    assert.equal(state.byWorker[1]?.targets[0]?.state, 'ejected');
  });

  it('no worker is no knowledge', () => {
    assert.deepEqual(routingState([], []), { workers: 0, gateways: [], routes: [], targets: [], byWorker: [] });
  });

  it('what a worker sends is what control reads', () => {
    const sent = report([target()], [route(), route({ name: 'other', shadow: null })]);
    assert.deepEqual(Schema.parse(JSON.parse(JSON.stringify(sent))), sent);
  });
});
