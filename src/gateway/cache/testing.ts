/** What the tests of the cache share: a feature with one, a way to ask, and a way to read a stream as bytes. */
import type { Snapshot } from '../snapshot.ts';
import { TEST_KEY, testFeature, testKey, testSnapshot } from '../testing.ts';
import type { CacheSettings, FeatureCacheSettings } from './settings.ts';
import { DEFAULT_CACHE_SETTINGS } from './settings.ts';

export function cacheSettings(overrides: Partial<FeatureCacheSettings> = {}): FeatureCacheSettings {
  return {
    mode: 'exact',
    ttlMs: 60_000,
    maxTemperature: 0,
    replay: 'instant',
    keepsToolCalls: false,
    keepsTruncated: false,
    isolation: 'feature',
    semantic: null,
    ...overrides,
  };
}

export const BILLING_KEY = 'plk_test_billing';

/** `support` and `billing` with the same cache settings, each with a key. */
export function cachingSnapshot(
  baseUrl: string,
  feature: Partial<FeatureCacheSettings> = {},
  shared: Partial<CacheSettings> = {},
  overrides: Partial<Snapshot> = {},
): Snapshot {
  const cache = cacheSettings(feature);
  return testSnapshot(baseUrl, {
    features: [testFeature('support', { cache }), testFeature('billing', { cache })],
    keys: [testKey(TEST_KEY), testKey(BILLING_KEY, { feature: 'billing' }), testKey('plk_test_small_only', { models: ['small'] })],
    cache: { ...DEFAULT_CACHE_SETTINGS, ...shared },
    ...overrides,
  });
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export type Ask = (body: Record<string, unknown>, headers?: Record<string, string>, signal?: AbortSignal) => Promise<Answered>;

/** Posts chat requests to a gateway; `question` makes the shortest one. */
export function asker(baseUrl: () => string): Ask {
  return async (body, headers = {}, signal) => {
    const answer = await fetch(`${baseUrl()}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
}

export function question(content: string, rest: Record<string, unknown> = {}): Record<string, unknown> {
  return { model: 'main', messages: [{ role: 'user', content }], ...rest };
}
