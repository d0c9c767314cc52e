import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type Clock, FakeClock, systemClock } from '../../kernel/clock.ts';
import type { SimulatedProviders } from '../../sim/provider-server.ts';
import { startSim } from '../../sim/testing.ts';
import { rules } from '../admission/testing.ts';
import type { Snapshot } from '../snapshot.ts';
import {
  completion,
  manyTurns,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
  testFeature,
  testModel,
  testProvider,
  until,
} from '../testing.ts';
import type { SemanticSettings } from './settings.ts';
import { asker, cachingSnapshot, question } from './testing.ts';

const EMBEDDER = { model: 'embed', timeoutMs: 60_000, id: 'model:sim-large' };
const FIRST = 'How do I reset my password today?';
const SIMILAR = 'How can I reset my password today?';

describe('a semantic cache that compares by a model of the gateway', () => {
  let sim: SimulatedProviders;
  let upstream: ScriptedUpstream;
  let running: TestGateway;
  const ask = asker(() => running.baseUrl);

  before(async () => {
    sim = await startSim({}, 3);
  });
  after(() => sim.close());
  beforeEach(async () => {
    upstream = await startUpstream((_request, response) => sendJson(response, completion('It takes 5 days.')));
    await begin(systemClock);
  });
  afterEach(async () => {
    await running.close();
    await upstream.close();
  });

  async function begin(clock: Clock): Promise<void> {
    running = await startGateway(snapshotWith(), clock);
  }

  /** @param embedderUrl where the embeddings come from; the simulator's when absent */
  function snapshotWith(changes: Partial<SemanticSettings> = {}, overrides: Partial<Snapshot> = {}, embedderUrl?: string): Snapshot {
    const semantic: SemanticSettings = {
      embedder: EMBEDDER,
      threshold: 0.7,
      maxFalseHitRatio: 0.02,
      shadowRatio: 0.000001,
      sameAnswerSimilarity: 1,
      maxEntries: 1000,
      state: 'live',
      checkId: 'check-1',
      ...changes,
    };
    const provider = testProvider(embedderUrl ?? `http://127.0.0.1:${sim.port}/openai/v1`, { name: 'vectors' });
    return cachingSnapshot(
      upstream.baseUrl,
      { mode: 'semantic', semantic },
      {},
      {
        providers: [testProvider(upstream.baseUrl), provider],
        models: [testModel('small'), testModel('large'), testModel('embed', { provider: 'vectors', upstreamModel: 'sim-large' })],
        ...overrides,
      },
    );
  }

  const outcome = async (text: string): Promise<string | null> => {
    const answer = await ask(question(text));
    assert.equal(answer.status, 200, answer.text);
    await until(() => running.gateway.stats.activeCalls === 0, 'everything is over');
    await manyTurns();
    return answer.headers.get('x-plimsoll-cache');
  };
  const rows = (feature: string) => running.journal.settled.filter((call) => call.feature === feature);

  it('gives the answer to a similar question; each vector is a call of its own, priced and in the trace of its parent', async () => {
    assert.equal(await outcome(FIRST), 'miss');
    assert.equal(await outcome(SIMILAR), 'semantic-hit');
    assert.equal(await outcome('What do you charge for shipping to Norway?'), 'miss');
    const calls = rows('support');
    assert.ok((calls[1]?.cache?.similarity ?? 0) >= 0.7 && (calls[1]?.cache?.similarity ?? 9) < 1);
    const vectors = rows('plimsoll-cache');
    assert.equal(vectors.length, 3);
    for (const [index, vector] of vectors.entries()) {
      assert.deepEqual([vector.operation, vector.purpose, vector.parentCallId], ['embeddings', 'embedding', calls[index]?.callId]);
      assert.equal(vector.traceId, calls[index]?.traceId);
      assert.deepEqual([vector.status, vector.costStatus, vector.attempts[0]?.usageSource], ['ok', 'priced', 'reported']);
      assert.ok(BigInt(vector.costPicoUsd ?? 0) > 0n);
      assert.equal(vector.cache, undefined, 'it knows no cache');
    }
    assert.equal(upstream.requests.length, 2);
    const settled = new Set(running.journal.settled.map(({ callId }) => callId));
    assert.ok(
      running.journal.opened.every(({ callId }) => settled.has(callId)),
      'nothing stays open',
    );
  });

  it('asks for no vector where the same question has its answer', async () => {
    await outcome(FIRST);
    assert.equal(await outcome(FIRST), 'hit');
    assert.equal(await outcome('how do I reset my password today'), 'near-hit');
    assert.equal(rows('plimsoll-cache').length, 1);
  });

  it('goes on as a miss, and says why, where there is no vector', async () => {
    const embedder = await startUpstream((_request, response) => sendJson(response, { error: { message: 'broken' } }, 500));
    try {
      running.snapshot = snapshotWith({}, {}, embedder.baseUrl);
      assert.equal(await outcome(FIRST), 'miss');
      assert.match(rows('support')[0]?.cache?.reason ?? '', /^not compared with similar questions: provider_unavailable: broken/);
      assert.match(running.gateway.metrics(), /plimsoll_cache_not_compared_total\{feature="support"\} 1/);
      for (const [index, data] of [[], [{ embedding: ['x'] }], [{ embedding: [] }]].entries()) {
        embedder.script = (_request, response) =>
          sendJson(response, { object: 'list', data, usage: { prompt_tokens: 3, total_tokens: 3 } });
        assert.equal(await outcome(`Where is parcel number ${index}?`), 'miss');
        assert.match(rows('support').at(-1)?.cache?.reason ?? '', /provider_bad_response: .*no list of numbers/);
      }
      // What was kept without a vector is found by the equal question still.
      assert.equal(await outcome(FIRST), 'hit');
      embedder.script = (request, response) =>
        sendJson(response, { data: [{ embedding: [1, 0, String(request.json.input).length] }], usage: { prompt_tokens: 3 } });
      assert.equal(await outcome('Do you ship abroad?'), 'miss');
      embedder.script = (_request, response) => sendJson(response, { data: [{ embedding: [1, 0] }], usage: { prompt_tokens: 3 } });
      assert.equal(await outcome('Would you ship abroad?'), 'miss', 'a vector of another length is compared with nothing');
    } finally {
      await embedder.close();
    }
  });

  it('waits no longer than its deadline', async () => {
    await running.close();
    const clock = new FakeClock(1_760_000_000_000);
    await begin(clock);
    let asked = 0;
    const embedder = await startUpstream(() => void asked++);
    try {
      const timeouts = { connectMs: 60_000, firstByteMs: 86_400_000, idleMs: 86_400_000, totalMs: 86_400_000 };
      const base = snapshotWith({ embedder: { ...EMBEDDER, timeoutMs: 300 } }, {}, embedder.baseUrl);
      running.snapshot = { ...base, providers: base.providers.map((provider) => ({ ...provider, timeouts })) };
      const answer = ask(question(FIRST));
      await until(() => asked === 1, 'the vector is asked for');
      await clock.advance(299);
      await manyTurns();
      assert.equal(upstream.requests.length, 0);
      await clock.advance(1);
      assert.equal((await answer).headers.get('x-plimsoll-cache'), 'miss');
      assert.match(rows('support')[0]?.cache?.reason ?? '', /provider_timeout: "vectors" did not finish within 300 ms/);
    } finally {
      await embedder.close();
    }
  });

  it('does not let a call wait while hits are only measured', async () => {
    const embedder = await startUpstream(() => {});
    const open: (() => void)[] = [];
    embedder.script = (_request, response) =>
      void open.push(() => sendJson(response, { data: [{ embedding: [1, 2, 3] }], usage: { prompt_tokens: 3 } }));
    try {
      running.snapshot = snapshotWith({ state: 'shadow' }, {}, embedder.baseUrl);
      const first = await ask(question(FIRST));
      assert.equal(first.headers.get('x-plimsoll-cache'), 'miss', 'answered before its vector is there');
      await until(() => open.length === 1, 'the vector is asked for');
      open.shift()?.();
      await until(() => running.gateway.stats.activeCalls === 0, 'everything is over');
      await manyTurns();
      await ask(question(SIMILAR));
      await until(() => open.length === 1, 'the next one is asked for');
      open.shift()?.();
      await until(
        () => /plimsoll_cache_shadow_total\{feature="support",verdict="same"\} 1/.test(running.gateway.metrics()),
        'it is compared',
      );
      assert.equal(upstream.requests.length, 2);
    } finally {
      await embedder.close();
    }
  });

  it('is paid within the budgets of its model and of its provider', async () => {
    for (const limit of [
      { scope: 'model', name: 'embed' },
      { scope: 'provider', name: 'vectors' },
    ] as const) {
      running.snapshot = snapshotWith({}, { limitRules: rules([{ ...limit, budgetUsd: 0.000001, per: 'day' }]) });
      assert.equal(await outcome(`Does a ${limit.scope} have a limit?`), 'miss');
      assert.match(rows('support').at(-1)?.cache?.reason ?? '', /^not compared with similar questions: budget_exceeded/);
      assert.deepEqual([rows('plimsoll-cache').at(-1)?.errorType, rows('plimsoll-cache').at(-1)?.costPicoUsd], ['budget_exceeded', '0']);
    }
  });

  it('shows its questions only to those who may see them', async () => {
    const { cache } = snapshotWith().features[0] ?? {};
    assert.ok(cache);
    running.snapshot = snapshotWith(
      {},
      { features: [testFeature('support', { cache, residency: { regions: ['eu'], selfHosted: false } }), testFeature('billing')] },
    );
    running.snapshot = {
      ...running.snapshot,
      models: running.snapshot.models.map((model) => (model.name === 'embed' ? model : { ...model, region: 'eu' })),
    };
    assert.equal(await outcome(FIRST), 'miss');
    assert.match(rows('support')[0]?.cache?.reason ?? '', /target_not_allowed: "embed" has no target/);
    running.snapshot = snapshotWith({ embedder: { ...EMBEDDER, id: 'model:another' } });
    assert.equal(await outcome(SIMILAR), 'miss');
    assert.match(rows('support')[1]?.cache?.reason ?? '', /target_not_allowed/, 'vectors of another model were checked');
    assert.equal(rows('plimsoll-cache').length, 0);
  });
});
