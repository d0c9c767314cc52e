// What gateways and the configuration say in the mock: providers, targets, limits, events.

const PICO = 10n ** 12n;

export function presence(now, mode) {
  if (mode === 'empty') return [];
  return [
    { worker: 'gateway-1', isAnswering: true, lastReportAt: now - 900 },
    { worker: 'gateway-2', isAnswering: mode !== 'degraded', lastReportAt: now - (mode === 'degraded' ? 41_000 : 400) },
  ];
}

function model(name, provider, upstreamModel, extra = {}) {
  return {
    name,
    provider,
    upstreamModel,
    isSimulated: provider === 'sim',
    region: null,
    isSelfHosted: provider === 'vllm',
    inputPerMillionUsd: null,
    outputPerMillionUsd: null,
    cacheReadPerMillionUsd: null,
    priceId: null,
    isPinned: /\d{4}/.test(upstreamModel),
    isDeprecated: false,
    deprecatedAt: null,
    retiresAt: null,
    successor: null,
    warning: null,
    approvals: [],
    ...extra,
  };
}

export function mockModels(now, mode) {
  const day = 86_400_000;
  const models = [
    model('gpt-5-mini', 'openai', 'gpt-5-mini-2025-08-07'),
    model('gpt-5-nano', 'openai', 'gpt-5-nano-2025-08-07'),
    model('gpt-4o', 'openai', 'gpt-4o-2024-05-13', {
      isDeprecated: true,
      retiresAt: now + 12 * day,
      successor: 'gpt-5-mini',
      warning: 'retires on 2026-12-03, in 12 days; use gpt-5-mini',
    }),
    model('claude-sonnet', 'anthropic', 'claude-sonnet-4-5'),
    model('llama-local', 'vllm', 'llama-3.3-70b'),
    model('sim-large', 'sim', 'sim-large'),
  ];
  return { models: mode === 'empty' ? models.slice(-1) : models, routes: [] };
}

function target(name, provider, extra = {}) {
  return {
    model: name,
    provider,
    state: 'healthy',
    blockedForMs: 0,
    since: null,
    ejectionReason: null,
    calls: 4120,
    failures: 3,
    ejections: 0,
    consecutiveFailures: 0,
    inFlight: 2,
    windowOk: 31,
    windowFailed: 0,
    ttftMs: 312,
    answerMs: 1240,
    lastError: null,
    ...extra,
  };
}

const NO_PAGE = {
  state: 'unmeasured',
  source: null,
  description: '',
  readAt: null,
  ageMs: null,
  changedAt: null,
  error: null,
  components: [],
  incidents: [],
};

export function mockProviders(now, mode) {
  const { models } = mockModels(now, mode);
  const provider = (name, extra) => ({
    name,
    kind: name,
    isSimulated: name === 'sim',
    region: null,
    isSelfHosted: name === 'vllm',
    models: models.filter((each) => each.provider === name).map((each) => each.name),
    status: NO_PAGE,
    targets: [],
    ...extra,
  });
  if (mode === 'empty') return { gateways: [], providers: [provider('sim')] };
  const page = {
    ...NO_PAGE,
    state: 'operational',
    source: 'https://status.example/api/v2/summary.json',
    readAt: now - 20_000,
    ageMs: 20_000,
  };
  return {
    gateways: presence(now, mode),
    providers: [
      provider('openai', {
        status: {
          ...page,
          state: 'partial_outage',
          description: 'Partial System Outage',
          changedAt: now - 610_000,
          incidents: [
            {
              id: 'i1',
              title: 'Elevated error rates <b>on small models</b>',
              state: 'partial_outage',
              startedAt: now - 640_000,
              url: 'https://status.example/i1',
            },
          ],
        },
        targets: [
          target('gpt-5-mini', 'openai', {
            state: 'ejected',
            blockedForMs: 41_000,
            since: now - 79_000,
            ejectionReason: 'consecutive_failures',
            consecutiveFailures: 5,
            ejections: 4,
            failures: 211,
            lastError: { code: 'provider_unavailable', atMs: now - 79_000 },
          }),
          target('gpt-5-nano', 'openai', {
            state: 'half_open',
            since: now - 130_000,
            ejectionReason: 'trial_failed',
            ejections: 2,
            lastError: { code: 'provider_timeout', atMs: now - 131_000 },
          }),
          target('gpt-4o', 'openai', { calls: 0, ttftMs: null, answerMs: null }),
        ],
      }),
      provider('anthropic', {
        region: 'eu',
        status: { ...page, changedAt: now - 8 * 86_400_000, description: 'All Systems Operational' },
        targets: [
          target('claude-sonnet', 'anthropic', {
            state: 'cooling',
            blockedForMs: 6_000,
            since: now - 2_000,
            lastError: { code: 'provider_rate_limited', atMs: now - 2_000 },
          }),
        ],
      }),
      provider('vllm', {
        status: { ...page, state: 'unmeasured', readAt: null, error: 'connect ECONNREFUSED 10.0.0.7:443' },
        targets: [target('llama-local', 'vllm')],
      }),
      provider('sim', { targets: [target('sim-large', 'sim')] }),
    ],
  };
}

function attempts(provider, name, route, count, errors, p50, roles = {}) {
  const finished = count;
  const rate = finished === 0 ? null : errors / finished;
  return {
    provider,
    target: name,
    route,
    attempts: count,
    answered: count - errors,
    errors,
    aborted: 0,
    errorRate: rate,
    errorRateInterval: rate === null ? null : [Math.max(0, rate * 0.8 - 0.001), Math.min(1, rate * 1.2 + 0.002)],
    errorTypes: errors > 0 ? { provider_unavailable: errors } : {},
    roles: { retry: 0, fallback: 0, hedge: 0, restart: 0, repair: 0, ...roles },
    durationMs: count === errors ? null : { p50, p95: p50 * 2.6, p99: p50 * 4.1 },
    ttftMs: count === errors ? null : { p50: p50 / 4, p95: p50 / 1.6, p99: p50 },
    ttftSamples: count - errors,
  };
}

const TARGETS = [
  attempts('openai', 'gpt-5-mini', 'default', 4120, 811, 940, { retry: 402 }),
  attempts('openai', 'gpt-5-nano', 'default', 1209, 14, 410, { fallback: 790 }),
  attempts('openai', 'gpt-5-nano', 'fast', 2290, 9, 380),
  attempts('anthropic', 'claude-sonnet', 'careful', 1530, 2, 2210, { hedge: 12 }),
  attempts('openai', 'gpt-5-mini', 'careful', 18, 3, 1040, { fallback: 18 }),
  attempts('sim', 'sim-large', 'demo', 402, 0, 620),
  attempts('vllm', 'llama-local', 'local', 288, 1, 3120),
];

export function mockTargets(query, mode) {
  const from = Number(query.from);
  const to = Number(query.to);
  const groupBy = query.groupBy ?? 'target';
  const list = mode === 'empty' ? [] : TARGETS;
  const keyOf = {
    provider: ({ provider }) => provider,
    target: ({ provider, target: name }) => `${provider} ${name}`,
    route: ({ provider, target: name, route }) => `${route} ${provider} ${name}`,
  }[groupBy];
  const rows = [...Map.groupBy(list, keyOf).values()].map((group) => {
    const sum = (name) => group.reduce((total, row) => total + row[name], 0);
    const [first] = group;
    return {
      ...attempts(first.provider, first.target, first.route, sum('attempts'), sum('errors'), first.durationMs.p50, first.roles),
      target: groupBy === 'provider' ? null : first.target,
      route: groupBy === 'route' ? first.route : null,
    };
  });
  return { from, to, groupBy, rows: rows.sort((a, b) => b.attempts - a.attempts) };
}

function limit(id, scope, extra) {
  const { capacity, used = null, reserved = null, unit } = extra;
  const amount = (value) => (value === null ? null : unit === 'usd' ? String(BigInt(Math.round(value * 1e6)) * 10n ** 6n) : String(value));
  const whole = Number(capacity);
  const counted = used === null ? null : used + (reserved ?? 0);
  const ratio = counted === null ? null : counted / whole;
  const percents = extra.alertAtPercent ?? [];
  return {
    id,
    scope,
    name: null,
    isPerMember: false,
    feature: null,
    kind: 'window',
    period: 'minute',
    timeZone: null,
    isLowerBound: false,
    waiting: counted === null ? null : 0,
    resetAt: null,
    onExceed: 'reject',
    downgradeTo: null,
    isLoopBreaker: false,
    owner: null,
    costOwner: null,
    refused: counted === null ? null : 0,
    state: ratio === null ? 'unmeasured' : ratio >= 1 ? 'exceeded' : ratio >= 0.8 ? 'near' : ratio === 0 ? 'unused' : 'within',
    ...extra,
    capacity: unit === 'usd' ? String(BigInt(Math.round(whole * 1e6)) * (PICO / 10n ** 6n)) : String(capacity),
    used: amount(used),
    reserved: amount(reserved),
    remaining: counted === null ? null : amount(Math.max(0, whole - counted)),
    usedRatio: ratio,
    alertAtPercent: percents,
    passedPercent: percents.filter((percent) => used !== null && (used / whole) * 100 >= percent),
  };
}

function mockLimitLines(now) {
  const budget = {
    kind: 'total',
    unit: 'usd',
    period: 'day',
    timeZone: 'UTC',
    alertAtPercent: [50, 80, 100, 120, 150],
    resetAt: now + 7 * 3_600_000,
  };
  const lines = [
    limit('feature:search-rewrite/budget-per-day', 'feature', {
      ...budget,
      name: 'search-rewrite',
      capacity: 20,
      used: 24.31,
      reserved: 0.04,
      onExceed: 'alert',
      owner: 'search',
      costOwner: 'search-leads@example.com',
    }),
    limit('user:*/requests-per-minute', 'user', {
      name: 'a-very-long-user-name-that-somebody-made-up@customer.example.com',
      isPerMember: true,
      unit: 'requests',
      capacity: 20,
      used: 18,
      reserved: 2,
      waiting: 3,
      refused: 41,
      onExceed: 'queue',
      resetAt: now + 48_000,
    }),
    limit('team:support/budget-per-month', 'team', {
      ...budget,
      period: 'month',
      timeZone: 'Europe/Berlin',
      name: 'support',
      capacity: 500,
      used: 401.5,
      reserved: 1.2,
      owner: 'support-team',
      costOwner: 'finance@example.com',
      onExceed: 'downgrade',
      downgradeTo: 'cheap',
      resetAt: now + 9 * 86_400_000,
    }),
    limit('global/concurrency', 'global', { kind: 'gauge', unit: 'concurrency', period: null, capacity: 200, used: 0, reserved: 37 }),
    limit('loop-breaker@code-review/steps', 'session', {
      name: '<img src=x onerror=alert(1)>',
      isPerMember: true,
      feature: 'code-review',
      kind: 'total',
      unit: 'steps',
      period: 'run',
      capacity: 40,
      used: 12,
      reserved: 0,
      isLoopBreaker: true,
      isLowerBound: true,
      owner: 'platform',
    }),
    ...Array.from({ length: 130 }, (_, place) =>
      limit('user:*/tokens-per-day', 'user', {
        name: `user-${place}`,
        isPerMember: true,
        unit: 'tokens',
        period: 'day',
        capacity: 2_000_000,
        used: 9_000 * (131 - place),
        reserved: place % 9 === 0 ? 1_200 : 0,
        resetAt: now + 80_000_000,
      }),
    ),
    limit('customer:*/requests-per-hour', 'customer', {
      isPerMember: true,
      unit: 'requests',
      period: 'hour',
      capacity: 500,
      used: 0,
      reserved: 0,
    }),
    {
      ...limit('provider:vllm/requests-per-second', 'provider', { name: 'vllm', unit: 'requests', period: 'second', capacity: 12 }),
      state: 'unmeasured',
    },
    {
      ...limit('organisation:*/input-tokens-per-request', 'organisation', {
        isPerMember: true,
        kind: 'request',
        unit: 'input_tokens',
        period: null,
        capacity: 32_000,
      }),
      state: 'cap',
    },
  ];
  const order = ['exceeded', 'near', 'within', 'unused', 'unmeasured', 'cap'];
  return lines.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || (b.usedRatio ?? 0) - (a.usedRatio ?? 0));
}

export function mockLimits(now, query, mode) {
  if (mode === 'empty') return { gateways: presence(now, 'normal'), configured: 0, total: 0, limits: [] };
  const wanted = (query.q ?? '').toLowerCase();
  const lines = mockLimitLines(now).filter(
    (line) =>
      (!query.scope || line.scope === query.scope) &&
      [line.id, line.name, line.feature, line.owner, line.costOwner].some((text) => text?.toLowerCase().includes(wanted)),
  );
  return { gateways: presence(now, mode), configured: 9, total: lines.length, limits: lines.slice(0, Number(query.limit ?? 200)) };
}

export function mockEvents(now, query, mode) {
  const all = mode === 'empty' ? [] : Array.from({ length: 83 }, (_, place) => mockEvent(now, place));
  const at = query.cursor ? all.findIndex(({ id }) => id === query.cursor) + 1 : 0;
  const page = all.slice(at, at + Number(query.limit ?? 50));
  return { events: page, nextCursor: at + page.length < all.length ? page.at(-1).id : null };
}

function mockEvent(now, place) {
  const at = now - place * 1_940_000 - 60_000;
  const base = { id: `event-${place}`, at, details: {} };
  if (place % 5 === 2)
    return {
      ...base,
      name: 'limit.exceeded',
      subject: `user/user-${place}`,
      severity: 'warning',
      message: `user "user-${place}" is over its limit: 23 of 20 requests per minute. The limit only alerts. Owner: growth.`,
    };
  if (place % 7 === 3)
    return {
      ...base,
      name: 'agent.loop_stopped',
      subject: 'feature/code-review',
      severity: 'warning',
      message: 'An agent run of "code-review" (session "s-81") was stopped: it called `read_file` with the same arguments 6 times.',
    };
  const percent = [120, 100, 80, 50][place % 4];
  return {
    ...base,
    name: 'limit.budget_reached',
    subject: 'feature/search-rewrite',
    severity: percent >= 100 ? 'critical' : percent >= 80 ? 'warning' : 'info',
    message: `${percent} % of the budget of feature "search-rewrite" is spent: $${(percent / 5).toFixed(2)} of $20 per day, which ends at 2026-11-22T00:00:00.000Z. Owner: search, paid by search-leads@example.com.`,
  };
}
