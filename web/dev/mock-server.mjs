// Serves web/dist with the product's CSP and answers the API with made-up data, so that the dashboard can be looked at without a server.
// node dev/mock-server.mjs [--mode normal|empty|unauthenticated|broken|degraded] [--live] [--port 0]
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FEATURES, makeTrace, makeTraces, metricRow } from './mock-data.mjs';
import { mockEvents, mockLimits, mockModels, mockProviders, mockTargets } from './mock-gateway.mjs';
import { mockLoadLines, mockOutcomes, mockScores } from './mock-quality.mjs';
import { mockCache, mockDecisions, mockRouting } from './mock-routing.mjs';

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};
/** Query parameters that the server accepts; it refuses every other one. */
const KNOWN = {
  '/api/v1/metrics/summary': ['from', 'to', 'groupBy'],
  '/api/v1/metrics/series': ['from', 'to', 'stepMs', 'feature', 'model', 'team'],
  '/api/v1/traces': [
    'from',
    'to',
    'feature',
    'team',
    'user',
    'session',
    'customer',
    'attribute',
    'model',
    'provider',
    'route',
    'status',
    'errorType',
    'traceId',
    'q',
    'minDurationMs',
    'minCostUsd',
    'cursor',
    'limit',
  ],
  '/api/v1/traces/values': ['from', 'to', 'field', 'name', 'search', 'limit'],
  '/api/v1/views': ['page'],
  '/api/v1/metrics/targets': ['from', 'to', 'groupBy'],
  '/api/v1/routing/decisions': ['from', 'to', 'route', 'limit'],
  '/api/v1/cache': ['from', 'to'],
  '/api/v1/limits': ['scope', 'q', 'limit'],
  '/api/v1/events': ['name', 'subject', 'cursor', 'limit'],
  '/api/v1/keys': ['cursor', 'limit', 'feature'],
  '/api/v1/features/{name}/switches': ['reason'],
  '/api/v1/load-lines': ['from', 'to', 'feature'],
  '/api/v1/costs/outcomes': ['from', 'to', 'feature'],
};
const ADMIN_KEY = 'pla_mock';

/** @returns the address and a way to stop */
export async function startMockServer({ mode = 'normal', isLive = false, isOneCallNow = false, port = 0, count = 3200 } = {}) {
  let now = Date.now();
  const made = mode === 'empty' ? [] : isOneCallNow ? [makeTrace(1, now - 1000, { fate: 'ok' })] : makeTraces(now, count);
  const byId = new Map(made.map((each) => [each.trace.traceId, each]));
  const traces = made.map((each) => each.trace);
  const features = mockFeatures(now).slice(0, mode === 'empty' ? 1 : undefined);
  const keys = mode === 'empty' ? [] : mockKeys(now);
  let isOpen = mode !== 'unauthenticated';
  let seed = 500_000;
  let purges = 3;
  const reviews = new Map();
  const timer = isLive
    ? setInterval(() => {
        const each = makeTrace(++seed, Date.now());
        byId.set(each.trace.traceId, each);
        traces.unshift(each.trace);
      }, 700)
    : null;

  const problem = (status, code, detail, fix) => ({
    status,
    body: { type: 'about:blank', title: code.replaceAll('_', ' '), status, detail, code, fix, owner: 'caller', retryable: false },
  });
  const ok = (body, status = 200, headers = {}) => ({ status, body, headers });

  async function answer(request, url) {
    const path = url.pathname;
    const query = Object.fromEntries(url.searchParams);
    now = Date.now();
    const inRange = () =>
      traces.filter(
        (trace) =>
          trace.startedAt >= Number(query.from ?? 0) &&
          trace.startedAt < Number(query.to ?? Number.POSITIVE_INFINITY) &&
          (!query.feature || trace.feature === query.feature),
      );
    if (request.method !== 'GET' && request.headers['x-plimsoll-csrf'] !== '1')
      return problem(403, 'permission_denied', 'The x-plimsoll-csrf header is missing.', 'Send it.');
    if (path === '/api/v1/sessions' && request.method === 'POST') {
      const { adminKey } = JSON.parse(await text(request));
      if (!adminKey.startsWith(ADMIN_KEY)) return problem(401, 'unauthenticated', 'This admin key is not valid.', 'Send a valid key.');
      isOpen = true;
      return ok({}, 201, { 'set-cookie': 'plimsoll_session=mock; HttpOnly; SameSite=Strict; Path=/' });
    }
    if (!isOpen) return problem(401, 'unauthenticated', 'There is no session.', 'Log in.');
    if (path === '/api/v1/sessions/current' && request.method === 'DELETE') {
      isOpen = false;
      return ok(undefined, 204);
    }
    if (mode === 'broken' && path !== '/api/v1/status')
      return problem(
        503,
        'store_unavailable',
        'The trace store did not answer within 10 s.',
        'Run `plimsoll doctor`; nothing that was acknowledged is lost.',
      );
    if (path === '/api/v1/status') return ok(mockStatus(mode, now));
    const unknown = Object.keys(query).find(
      (name) => !(KNOWN[path.replace(/\/features\/[^/]+\//, '/features/{name}/')] ?? []).includes(name),
    );
    if (unknown) return problem(400, 'invalid_argument', `Unknown parameter "${unknown}".`, 'Remove it.');
    if (path === '/api/v1/features') return ok({ features });
    if (path === '/api/v1/views') return ok({ views: [] });
    if (path === '/api/v1/traces/values') return ok({ values: [], counted: 'requests' });
    const switched = /^\/api\/v1\/features\/([^/]+)\/switches$/.exec(path)?.[1];
    if (switched) return throwSwitch(switched, request, query);
    if (path === '/api/v1/metrics/summary') {
      const list = inRange();
      const groups = Map.groupBy(list, (trace) =>
        query.groupBy === 'model' ? (trace.models[0] ?? null) : trace[query.groupBy ?? 'feature'],
      );
      return ok({
        from: Number(query.from),
        to: Number(query.to),
        groupBy: query.groupBy,
        total: metricRow(list),
        groups: [...groups].map(([key, group]) => ({ key, ...metricRow(group) })).sort((a, b) => b.requests - a.requests),
      });
    }
    if (path === '/api/v1/metrics/targets') return ok(mockTargets(query, mode));
    if (path === '/api/v1/routes') return ok(mockRouting(now, mode));
    if (path === '/api/v1/routing/decisions') return ok(mockDecisions(now, query, mode));
    if (path === '/api/v1/cache') return ok(mockCache(now, query, mode, purges));
    if (path === '/api/v1/cache/purge') {
      const { feature, tag, all } = JSON.parse(await text(request));
      if (!feature && !tag && all !== true)
        return problem(400, 'invalid_argument', 'name a feature, a tag or both, or say all: true', 'Say what.');
      purges += 1;
      return ok({ sequence: purges });
    }
    if (path === '/api/v1/providers') return ok(mockProviders(now, mode));
    if (path === '/api/v1/models') return ok(mockModels(now, mode));
    if (path === '/api/v1/limits') return ok(mockLimits(now, query, mode));
    if (path === '/api/v1/events') return ok(mockEvents(now, query, mode));
    if (path === '/api/v1/metrics/series') {
      const list = inRange();
      const stepMs =
        [10_000, 30_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000, 21_600_000].find(
          (step) => (query.to - query.from) / step <= 120,
        ) ?? 86_400_000;
      const first = Math.floor(Number(query.from) / stepMs) * stepMs;
      const steps = Map.groupBy(list, (trace) => Math.floor(trace.startedAt / stepMs) * stepMs);
      const points = [];
      for (let at = first; at < Number(query.to); at += stepMs) points.push({ at, ...metricRow(steps.get(at) ?? []) });
      return ok({ from: Number(query.from), to: Number(query.to), stepMs, points });
    }
    if (path === '/api/v1/traces') return ok(tracePage(inRange(), query));
    if (path === '/api/v1/load-lines') return ok(mockLoadLines(inRange(), query, features));
    if (path === '/api/v1/costs/outcomes') return ok(mockOutcomes(inRange(), query, features));
    const scored = /^\/api\/v1\/traces\/([0-9a-f]{32})\/scores$/.exec(path)?.[1];
    if (scored) return ok({ scores: [...(reviews.get(scored) ?? []), ...mockScores(byId.get(scored)?.trace)] });
    if (path === '/api/v1/scores' && request.method === 'POST') {
      const { traceId: of, value, comment = null } = JSON.parse(await text(request));
      const mine = mockScores(null, { id: `review-${of}`, at: now, traceId: of, value, comment });
      reviews.set(of, value === null ? [] : mine);
      return ok({ ids: [`review-${of}`] }, 202);
    }
    const traceId = /^\/api\/v1\/traces\/([0-9a-f]{32})$/.exec(path)?.[1];
    if (traceId)
      return byId.has(traceId)
        ? ok(byId.get(traceId))
        : problem(404, 'not_found', `There is no trace ${traceId}.`, 'Check the id; a trace may be older than the retention.');
    if (path === '/api/v1/keys' && request.method === 'GET') return ok({ keys, nextCursor: null });
    if (path === '/api/v1/keys' && request.method === 'POST') {
      const draft = JSON.parse(await text(request));
      const key = {
        id: `key-${keys.length}`,
        prefix: 'Zk8Qw21x',
        feature: null,
        team: null,
        models: null,
        expiresAt: null,
        revokedAt: null,
        lastUsedAt: null,
        rotatedFrom: null,
        createdAt: now,
        source: 'api',
        ...draft,
      };
      keys.unshift(key);
      return ok({ ...key, key: 'plk_Zk8Qw21xN0rVqj3mYt6hBs5LdPc9Ae7UfGi4KoXw_c7d1' }, 201);
    }
    const keyId = /^\/api\/v1\/keys\/(.+)$/.exec(path)?.[1];
    if (keyId && request.method === 'DELETE') {
      const key = keys.find((each) => each.id === decodeURIComponent(keyId));
      if (!key) return problem(404, 'not_found', 'There is no such key.', 'Reload the list.');
      key.revokedAt = now;
      return ok(undefined, 204);
    }
    return problem(404, 'not_found', `No route ${request.method} ${path}`, 'Check the path.');
  }

  async function throwSwitch(name, request, query) {
    const feature = features.find((each) => each.name === decodeURIComponent(name));
    if (!feature) return problem(404, 'not_found', `There is no feature "${name}".`, 'Check the name.');
    if (request.method === 'POST') {
      const { forMs, ...draft } = JSON.parse(await text(request));
      feature.switch = mockSwitch(feature.name, now, { expiresAt: forMs ? now + forMs : null, ...draft });
      return ok(feature.switch, 201);
    }
    if (!feature.switch) return problem(404, 'not_found', `${name} is neither paused nor throttled.`, 'Reload the list.');
    const ended = { ...feature.switch, isInForce: false, endedAt: now, endedBy: 'Ada Lovelace', endReason: query.reason ?? null };
    feature.switch = null;
    return ok(ended);
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    response.setHeader('content-security-policy', CSP);
    response.setHeader('x-content-type-options', 'nosniff');
    if (url.pathname.startsWith('/api/')) {
      const { status, body, headers = {} } = await answer(request, url);
      response.writeHead(status, { 'content-type': status >= 400 ? 'application/problem+json' : 'application/json', ...headers });
      response.end(body === undefined ? undefined : JSON.stringify(body));
      return;
    }
    const file = normalize(url.pathname);
    const name = extname(file) === '' ? '/index.html' : file;
    try {
      const content = readFileSync(join(DIST, name));
      response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    adminKey: ADMIN_KEY,
    close: () => {
      clearInterval(timer);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function tracePage(list, query) {
  const has = (value, part) =>
    String(value ?? '')
      .toLowerCase()
      .includes(part.toLowerCase());
  const matching = list.filter(
    (trace) =>
      (!query.status || trace.status === query.status) &&
      (!query.user || trace.user === query.user) &&
      (!query.session || trace.session === query.session) &&
      (!query.team || trace.team === query.team) &&
      (!query.errorType || trace.errorType === query.errorType) &&
      (!query.traceId || trace.traceId === query.traceId) &&
      (!query.model || trace.models.includes(query.model)) &&
      (!query.provider || trace.providers.includes(query.provider)) &&
      (!query.q || has(trace.inputPreview, query.q) || has(trace.outputPreview, query.q)) &&
      (!query.minDurationMs || trace.durationMs >= Number(query.minDurationMs)) &&
      (!query.minCostUsd || Number(trace.costPicoUsd ?? 0) >= Number(query.minCostUsd) * 1e12),
  );
  const limit = Number(query.limit ?? 50);
  const at = query.cursor ? matching.findIndex((trace) => trace.traceId === query.cursor) + 1 : 0;
  const page = matching.slice(at, at + limit);
  return { traces: page, nextCursor: at + limit < matching.length ? page.at(-1).traceId : null };
}

function mockStatus(mode, now) {
  const isDegraded = mode === 'degraded';
  return {
    version: '0.1.0',
    environment: 'default',
    isSimulatedOnly: mode === 'empty',
    gateway: { ready: true, reasons: [], workers: 1 },
    engine: {
      ready: mode !== 'broken' && !isDegraded,
      message: mode === 'broken' || isDegraded ? 'restarting after "memory limit exceeded"' : '',
    },
    ingest: { lagMs: isDegraded ? 42_000 : 380, pendingBytes: isDegraded ? 9_400_000 : 0, quarantined: 0, lastError: null },
    journal: { shedPayloads: isDegraded ? 128 : 0, isDegraded },
    config: {
      epoch: 12,
      loadedAt: now - 3_600_000,
      error: isDegraded ? 'line 14, column 3: unknown key "rotues"; did you mean "routes"?' : null,
    },
  };
}

function mockSwitch(feature, now, extra) {
  return {
    id: `switch-${now}`,
    feature,
    kind: 'pause',
    requestsPerSecond: null,
    shareRatio: null,
    reason: '',
    setBy: 'Ada Lovelace',
    setAt: now,
    expiresAt: null,
    isInForce: true,
    endedAt: null,
    endedBy: null,
    endReason: null,
    ...extra,
  };
}

function mockFeatures(now) {
  const features = structuredClone(FEATURES);
  const set = (name, extra) => {
    features.find((each) => each.name === name).switch = mockSwitch(name, now - 340_000, extra);
  };
  set('search-rewrite', {
    kind: 'throttle',
    shareRatio: 0.2,
    reason: 'Quota of openai is used up until midnight',
    expiresAt: now + 1_460_000,
  });
  set('claims-triage', { reason: 'INC-42: answers name the wrong policy; legal wants it off until the prompt is rolled back' });
  return features;
}

function mockKeys(now) {
  const day = 86_400_000;
  const key = (id, name, prefix, feature, team, extra = {}) => ({
    id,
    name,
    prefix,
    feature,
    team,
    models: null,
    createdAt: now - 40 * day,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    rotatedFrom: null,
    source: 'api',
    ...extra,
  });
  return [
    key('config:dev', 'dev', '', 'customer-support', 'support', { source: 'config', createdAt: null, lastUsedAt: now - 20_000 }),
    key('01', 'support widget, production', 'Hq2mTz9a', 'customer-support', 'support-team', { lastUsedAt: now - 4000 }),
    key('02', 'contract tool', 'b7KxW0pe', 'contract-summary', 'legal-tools', {
      models: ['careful', 'claude-sonnet'],
      lastUsedAt: now - 310_000,
    }),
    key('03', 'search service', 'N4rVqj3m', 'search-rewrite', 'search', { lastUsedAt: now - 1000, revokedAt: now + 7_200_000 }),
    key('04', 'search service (rotated)', 'Yt6hBs5L', 'search-rewrite', 'search', { createdAt: now - 3_600_000, rotatedFrom: '03' }),
    key('05', 'CI evaluation runs', 'dPc9Ae7U', null, 'platform', { expiresAt: now + 20 * day, lastUsedAt: now - 5 * 3_600_000 }),
    key('06', 'workshop in October', 'fGi4KoXw', 'onboarding-guide', 'growth', { expiresAt: now - 18 * day, lastUsedAt: now - 19 * day }),
    key('07', 'laptop of a former colleague', 'c7d1Zk8Q', null, 'platform', { revokedAt: now - 9 * day, lastUsedAt: now - 10 * day }),
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      mode: { type: 'string', default: 'normal' },
      live: { type: 'boolean', default: false },
      port: { type: 'string', default: '0' },
    },
  });
  const { base, adminKey } = await startMockServer({ mode: values.mode, isLive: values.live, port: Number(values.port) });
  process.stdout.write(`${base} (admin key ${adminKey})\n`);
}
