// Routes, their decisions, and caches in the mock.
import { mockProviders, presence } from './mock-gateway.mjs';

const RULES = {
  retries: { maxAttempts: 2, budgetRatio: 0.2, deadlineMs: 60_000 },
  hedge: null,
  shadow: null,
  onContentFilter: 'fail',
  classifierModel: null,
  stickyBy: null,
};

function target(model, provider, extra = {}) {
  return { model, provider, weight: 1, tier: null, when: null, ...extra };
}

const ROUTES = [
  {
    name: 'default',
    strategy: 'priority',
    targets: [target('gpt-5-mini', 'openai'), target('gpt-5-nano', 'openai')],
    features: ['customer-support', 'code-review'],
    ...RULES,
  },
  {
    name: 'careful',
    strategy: 'complexity',
    targets: [target('gpt-5-nano', 'openai', { tier: 'simple' }), target('claude-sonnet', 'anthropic', { tier: 'complex' })],
    features: ['contract-summary', 'claims-triage'],
    ...RULES,
    hedge: { delayMs: null, maxRatio: 0.05 },
    shadow: { model: 'gpt-4o', ratio: 0.02, maxUsdPerDay: 5 },
  },
  {
    name: 'fast',
    strategy: 'condition',
    targets: [
      target('llama-local', 'vllm', { when: 'language de, 08:00–18:00 mon tue wed thu fri Europe/Berlin' }),
      target('gpt-5-nano', 'openai'),
    ],
    features: ['search-rewrite'],
    ...RULES,
    onContentFilter: 'next',
  },
  {
    name: 'unused',
    strategy: 'weight',
    targets: [target('sim-large', 'sim', { weight: 3 }), target('gpt-4o', 'openai')],
    features: [],
    ...RULES,
  },
];

function live(name, strategy, extra = {}) {
  return { name, strategy, targets: [], calls: 4210, decisions: {}, retries: 0, hedges: 0, hedgesWon: 0, shadow: null, ...extra };
}

export function mockRouting(now, mode) {
  const state = { workers: mode === 'empty' ? 0 : 2, gateways: presence(now, mode), configured: [], routes: [], targets: [], byWorker: [] };
  if (mode === 'empty') return state;
  return {
    ...state,
    configured: ROUTES,
    targets: mockProviders(now, mode).providers.flatMap(({ targets }) => targets),
    routes: [
      live('default', 'priority', { retries: 402, decisions: { 'priority:unhealthy': 811 } }),
      live('careful', 'complexity', {
        decisions: { 'complexity:simple': 901, 'complexity:complex': 622, 'complexity:complex:unhealthy': 12 },
        hedges: 12,
        hedgesWon: 4,
        shadow: {
          model: 'gpt-4o',
          calls: 31,
          running: 1,
          skipped: 4,
          spentTodayPicoUsd: '1210000000000',
          maxTodayPicoUsd: '5000000000000',
        },
      }),
      live('fast', 'condition'),
    ],
  };
}

function decision(now, place) {
  const base = {
    traceId: place.toString(16).padStart(32, 'a'),
    at: now - place * 41_000,
    feature: 'customer-support',
    route: 'default',
    status: 'ok',
    errorType: null,
    strategy: 'priority',
    reason: 'priority; without gpt-5-mini (unhealthy)',
    tier: null,
    counterfactualModel: 'gpt-5-mini',
    savedPicoUsd: null,
    attempts: [],
  };
  const attempt = (name, role = 'first', extra = {}) => ({ target: name, role, purpose: null, status: 'ok', errorType: null, ...extra });
  const failed = { status: 'error', errorType: 'provider_unavailable' };
  if (place % 4 === 0)
    return {
      ...base,
      strategy: null,
      reason: null,
      attempts: [attempt('gpt-5-mini', 'first', failed), attempt('gpt-5-mini', 'retry', failed), attempt('gpt-5-nano', 'fallback')],
    };
  if (place % 4 === 1)
    return {
      ...base,
      route: 'careful',
      feature: 'contract-summary',
      strategy: 'complexity',
      reason: 'complexity simple 0.93',
      tier: 'simple',
      counterfactualModel: 'claude-sonnet',
      savedPicoUsd: '1840000000',
      attempts: [attempt('gpt-5-nano'), attempt('gpt-4o', 'first', { purpose: 'shadow' })],
    };
  if (place % 4 === 2)
    return {
      ...base,
      route: 'careful',
      feature: 'contract-summary',
      strategy: 'complexity',
      reason: 'complexity complex 0.71',
      tier: 'complex',
      savedPicoUsd: '0',
      attempts: [attempt('claude-sonnet', 'first', { status: 'aborted', errorType: 'superseded' }), attempt('gpt-5-nano', 'hedge')],
    };
  return { ...base, status: 'error', errorType: 'provider_unavailable', attempts: [attempt('gpt-5-nano', 'first', failed)] };
}

export function mockDecisions(now, query, mode) {
  const summary = (route, calls, extra = {}) => ({
    route,
    calls,
    errors: 9,
    decided: 0,
    tiers: {},
    fellBack: 0,
    severalAttempts: 0,
    savedPicoUsd: null,
    savedCalls: 0,
    ...extra,
  });
  const routes = [
    summary('default', 4130, { decided: 811, fellBack: 790, severalAttempts: 802 }),
    summary('fast', 2290, { decided: 2290 }),
    summary('careful', 1535, {
      decided: 1535,
      tiers: { simple: 901, complex: 634 },
      fellBack: 18,
      severalAttempts: 30,
      savedPicoUsd: '2310000000000',
      savedCalls: 1490,
    }),
  ];
  const isWanted = ({ route }) => query.route === undefined || route === query.route;
  const recent = Array.from({ length: 40 }, (_, place) => decision(now, place));
  return {
    from: Number(query.from),
    to: Number(query.to),
    routes: mode === 'empty' ? [] : routes.filter(isWanted),
    recent: mode === 'empty' ? [] : recent.filter(isWanted),
  };
}

function cached(feature, mode, extra = {}) {
  const { calls = 0, hits = 0, nearHits = 0, semanticHits = 0 } = extra;
  const share = (count) => ({
    hits: count,
    ratio: calls === 0 ? null : count / calls,
    interval: calls === 0 ? null : [Math.max(0, count / calls - 0.014), Math.min(1, count / calls + 0.015)],
  });
  const all = share(hits + nearHits + semanticHits);
  return {
    feature,
    mode,
    entries: mode === 'off' ? null : 0,
    bytes: mode === 'off' ? null : 0,
    calls,
    hits,
    nearHits,
    semanticHits,
    misses: calls - hits - nearHits - semanticHits,
    bypasses: 0,
    hitRatio: all.ratio,
    hitInterval: all.interval,
    kinds: { exact: share(hits), near: share(nearHits), semantic: share(semanticHits) },
    savedPicoUsd: '0',
    unpricedHits: 0,
    savedInputTokens: 0,
    savedOutputTokens: 0,
    embeddingModel: null,
    semantic: null,
    check: null,
    ...extra,
  };
}

function semantic(state, samples, falseHits, reason, check) {
  return {
    state,
    reason,
    threshold: 0.95,
    maxFalseHitRatio: 0.02,
    samples,
    falseHits,
    falseHitRatio: samples === 0 ? null : falseHits / samples,
    falseHitInterval: samples === 0 ? null : [Math.max(0, falseHits / samples - 0.006), falseHits / samples + 0.009],
    questions: 1840,
    check,
  };
}

export function mockCache(now, query, mode, purges) {
  const check = {
    id: 'check-1',
    at: now - 8 * 86_400_000,
    embedder: 'lexical-1',
    verdict: 'safe',
    reason: 'at 0.94 and above at most 1.1 % of different pairs would share an answer',
    recommendedThreshold: 0.94,
    maxFalseHitRatio: 0.02,
    same: 420,
    different: 1210,
  };
  const features = [
    cached('customer-support', 'semantic', {
      calls: 4120,
      hits: 902,
      nearHits: 211,
      semanticHits: 88,
      bypasses: 41,
      entries: 2210,
      bytes: 9_810_000,
      savedPicoUsd: '3120000000000',
      savedInputTokens: 1_210_000,
      savedOutputTokens: 410_000,
      check,
      semantic: semantic(
        'live',
        812,
        6,
        '6 of 812 compared hits were wrong: 0.74 %, 95 % interval 0.34 % to 1.60 %; the bound is 2.00 %',
        check,
      ),
    }),
    cached('contract-summary', 'semantic', {
      calls: 530,
      hits: 12,
      nearHits: 3,
      entries: 498,
      bytes: 4_100_000,
      savedPicoUsd: '210000000000',
      savedInputTokens: 98_000,
      savedOutputTokens: 7_000,
      check,
      semantic: semantic(
        'off',
        240,
        14,
        '14 of 240 compared hits were wrong: 5.83 %, 95 % interval 3.51 % to 9.55 %; the bound is 2.00 %',
        check,
      ),
    }),
    cached('search-rewrite', 'exact', {
      calls: 2290,
      hits: 1490,
      entries: 640,
      bytes: 410_000,
      unpricedHits: 1490,
      savedInputTokens: 44_000,
      savedOutputTokens: 9_000,
    }),
    cached('onboarding-guide', 'near', {}),
    cached('code-review', 'off'),
    cached('local-notes', 'off'),
  ];
  return {
    from: Number(query.from),
    to: Number(query.to),
    driver: 'memory',
    maxBytes: 67_108_864,
    purges,
    gateways: mode === 'empty' ? [] : presence(now, mode),
    features: mode === 'empty' ? features.slice(-1) : features,
  };
}
