import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { DEFAULT_SCOPE } from '../kernel/scope.ts';
import { traceRoutes } from './routes.ts';
import type { SessionStore } from './sessions.ts';
import type { SeriesQuery, TraceStore } from './store.ts';

const NOW = Date.UTC(2026, 0, 2);

/** Calls a route as the router does: its own schemas parse what comes in and check what goes out. */
async function call(path: string, input: { params?: object; query?: object }, traces: Partial<TraceStore>): Promise<unknown> {
  const route = traceRoutes.find((candidate) => candidate.path === path);
  assert.ok(route);
  const answer = await route.handler({
    params: route.params?.parse(input.params ?? {}),
    query: route.query?.parse(input.query ?? {}),
    body: undefined,
    scope: DEFAULT_SCOPE,
    actor: { kind: 'admin_key', id: 'a', organisationId: 'default', grants: ['*'] },
    services: { traces: traces as TraceStore, sessionStore: {} as SessionStore, clock: new FakeClock(NOW) }, // each case answers what its route asks
    headers: {},
    isSecure: false,
    remoteAddress: '127.0.0.1',
  });
  return route.response.parse(answer);
}

describe('trace routes', () => {
  it('all need the right to read traces', () => {
    assert.deepEqual(
      traceRoutes.map((route) => [route.method, route.path, route.permission]),
      [
        'traces',
        'traces/:traceId',
        'traces/:traceId/spans/:spanId/texts',
        'metrics/summary',
        'metrics/targets',
        'routing/decisions',
        'metrics/series',
      ].map((path) => ['GET', `/api/v1/${path}`, 'traces:read']),
    );
  });

  it('default to the last 24 hours by feature, and take numbers from text', async () => {
    const asked: unknown[] = [];
    const traces: Partial<TraceStore> = {
      async summary(_, from, to, groupBy) {
        asked.push([from, to, groupBy]);
        return { from, to, groupBy, total: EMPTY, groups: [] };
      },
      async series(_, query: SeriesQuery) {
        asked.push(query);
        return { from: query.from, to: query.to, stepMs: 1000, points: [] };
      },
    };
    await call('/api/v1/metrics/summary', {}, traces);
    await call('/api/v1/metrics/summary', { query: { from: '5', to: '9', groupBy: 'user' } }, traces);
    await call('/api/v1/metrics/series', { query: { to: '86400005', stepMs: '60000', model: 'm' } }, traces);
    assert.deepEqual(asked, [
      [NOW - 86_400_000, NOW, 'feature'],
      [5, 9, 'user'],
      { from: 5, to: 86_400_005, stepMs: 60_000, feature: undefined, model: 'm', team: undefined },
    ]);
  });

  it('refuse an empty range and unknown parameters', async () => {
    await assert.rejects(
      call('/api/v1/metrics/summary', { query: { from: '9', to: '9' } }, {}),
      (error) => error instanceof PlimsollError && error.code === 'invalid_argument',
    );
    await assert.rejects(call('/api/v1/metrics/series', { query: { step: '1' } }, {}), { name: 'ZodError' });
    await assert.rejects(call('/api/v1/traces/:traceId', { params: { traceId: '../etc' } }, {}), { name: 'ZodError' });
  });

  it('say that a fresh call takes a moment when a trace is not there', async () => {
    const traces: Partial<TraceStore> = { getTrace: async () => null };
    await assert.rejects(
      call('/api/v1/traces/:traceId', { params: { traceId: 'AB'.repeat(16) } }, traces),
      (error) =>
        error instanceof PlimsollError &&
        error.code === 'not_found' &&
        /up to 2 s/.test(error.message) &&
        error.message.includes('ab'.repeat(16)),
    );
  });
});

const EMPTY = {
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
