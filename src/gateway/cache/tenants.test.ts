import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { FakeClock } from '../../kernel/clock.ts';
import { NO_USAGE } from '../../models/usage.ts';
import { Call } from '../call.ts';
import { type CompiledSnapshot, compileSnapshot } from '../compiled-snapshot.ts';
import { openAiChat } from '../dialects/openai-chat.ts';
import { TEST_KEY, testFeature, testKey, testSnapshot } from '../testing.ts';
import type { CachedAnswer } from './answer-cache.ts';
import { hashKey, keyPrefix, scopeOf } from './cache-key.ts';
import { nearForm } from './question-text.ts';
import { identifyRequest, requestContext } from './request-identity.ts';
import { ResponseCache } from './response-cache.ts';
import { cacheSettings } from './testing.ts';

const LOOKUPS = 100_000;
const response = { on: () => response } as unknown as ServerResponse; // only listened to
const clock = new FakeClock(1_760_000_000_000);

/** Few names that look alike, so that whatever could be confused is. */
const ORGANISATIONS = ['a', 'b', 'a"', 'a","b', ''];
const ENVIRONMENTS = ['production', 'staging', 'a', ''];
const FEATURES = ['a', 'b', 'faq'];
const CUSTOMERS = [null, 'a', 'b', 'faq'];
const TEXTS = ['What is the plan?', 'what is the plan', 'What is the Plan', 'Show invoice 1', 'Show invoice 2'];

interface Tenant {
  readonly organisationId: string;
  readonly environment: string;
  readonly feature: string;
  readonly customer: string | null;
  readonly isolation: 'feature' | 'customer';
}

describe('tenants', () => {
  it(`never meet: 0 hits across them in ${LOOKUPS} random lookups`, async () => {
    let state = 7;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 0x1_0000_0000) * limit);
    };
    const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T; // none is empty
    const snapshots = new Map<string, CompiledSnapshot>();
    const snapshotOf = (organisationId: string, environment: string): CompiledSnapshot => {
      const name = JSON.stringify([organisationId, environment]);
      const known = snapshots.get(name);
      if (known !== undefined) return known;
      const features = FEATURES.map((feature) => testFeature(feature));
      const made = compileSnapshot(testSnapshot('http://127.0.0.1:1/v1', { organisationId, environment, features }), () => null);
      snapshots.set(name, made);
      return made;
    };
    const cache = new ResponseCache(clock, null);

    function keysOf(tenant: Tenant, text: string): { call: Call; keys: [string, string]; circumstances: string; scope: string } {
      const snapshot = snapshotOf(tenant.organisationId, tenant.environment);
      const call = new Call({ headers: {}, url: '/' } as IncomingMessage, response, openAiChat, snapshot, clock); // only read here
      const body = Buffer.from(JSON.stringify({ model: 'main', messages: [{ role: 'user', content: text }] }));
      call.body = openAiChat.scan(body, snapshot.bodyScanner, '/');
      const feature = snapshot.features.get(tenant.feature);
      const destination = snapshot.destinations.get('main');
      assert.ok(feature !== undefined && destination !== undefined);
      call.caller = { key: testKey(TEST_KEY), feature };
      call.customer = tenant.customer;
      const identity = identifyRequest(call);
      assert.ok(typeof identity !== 'string' && identity.hub !== null);
      const context = requestContext(identity.hub);
      assert.ok(context !== null);
      const prefix = keyPrefix(call, destination, cacheSettings({ isolation: tenant.isolation }), clock.nowMs(), null);
      return {
        call,
        keys: [hashKey('exact', prefix, identity.canonical), hashKey('near', prefix, context.canonical, nearForm(context.text))],
        circumstances: hashKey('context', prefix, context.canonical),
        scope: scopeOf(tenant.organisationId, tenant.environment, tenant.feature),
      };
    }

    /** Who may share an answer, said without any of the code under test. */
    const owner = (tenant: Tenant): string =>
      [tenant.organisationId, tenant.environment, tenant.feature, tenant.isolation, tenant.isolation === 'customer' ? tenant.customer : '']
        .map((part) => `${part === null ? 'none' : part.length}:${part}`)
        .join('|');
    const randomTenant = (): Tenant => ({
      organisationId: pick(ORGANISATIONS),
      environment: pick(ENVIRONMENTS),
      feature: pick(FEATURES),
      customer: pick(CUSTOMERS),
      isolation: pick(['feature', 'customer'] as const),
    });
    const ofCircumstances = new Map<string, string>();
    let hits = 0;
    for (let lookup = 0; lookup < LOOKUPS; lookup++) {
      const tenant = randomTenant();
      // An absent customer is refused before a key is made where customers are kept apart.
      if (tenant.isolation === 'customer' && tenant.customer === null) continue;
      const { call, keys, circumstances, scope } = keysOf(tenant, pick(TEXTS));
      const known = ofCircumstances.get(circumstances);
      if (known === undefined) ofCircumstances.set(circumstances, owner(tenant));
      else assert.equal(known, owner(tenant), 'similar questions are looked for among the own ones only');
      const [exact, near] = await cache.find(call, keys, null);
      for (const found of [exact, near]) {
        if (found == null) continue;
        hits++;
        assert.equal(found.body.toString(), owner(tenant));
      }
      if (exact == null && below(2) === 0) await cache.store.put(keys[0], answerOf(owner(tenant), scope, tenant.feature), [keys[1]]);
    }
    assert.ok(hits > LOOKUPS / 4, `${hits} hits: the lookups would find something`);
  });
});

function answerOf(text: string, scope: string, feature: string): CachedAnswer {
  return {
    scope,
    feature,
    dialect: 'openai-chat',
    isStream: false,
    hasUsageChunk: false,
    isEventStream: true,
    body: Buffer.from(text),
    lastBytes: 0,
    cadence: [],
    hub: null,
    origin: {
      callId: '',
      traceId: '',
      model: 'small',
      provider: 'upstream',
      requestModel: '',
      responseModel: null,
      responseId: null,
      finishReasons: ['stop'],
      usage: NO_USAGE,
      costPicoUsd: '1',
    },
    storedAtMs: clock.nowMs(),
    expiresAtMs: clock.nowMs() + 60_000,
    tags: [],
    purgeSequence: 0,
  };
}
