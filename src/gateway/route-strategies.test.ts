import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import type { CallSettled } from '../traces/call-record.ts';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  TEST_KEY,
  TEST_PRICE,
  type TestGateway,
  testModel,
  testRoute,
  testSnapshot,
} from './testing.ts';

const CHEAP = {
  ...TEST_PRICE,
  priceId: 'cheap@1',
  perToken: { inputUncachedTokens: '1000', cacheReadTokens: '500', outputTextTokens: '4000' },
};

let upstream: ScriptedUpstream;
let running: TestGateway;
let randomValue = 0;

before(async () => {
  upstream = await startUpstream((_request, response) => sendJson(response, completion('fine')));
  running = await startGateway(null, new FakeClock(Date.parse('2026-03-02T08:30:00Z')), null, () => randomValue);
});
after(async () => {
  await running.close();
  await upstream.close();
});
beforeEach(() => {
  upstream.script = (_request, response) => sendJson(response, completion('fine'));
  randomValue = 0;
});

function useRoute(route: ReturnType<typeof testRoute>, overrides: Parameters<typeof testSnapshot>[1] = {}): void {
  running.snapshot = testSnapshot(upstream.baseUrl, {
    models: [testModel('small', { price: CHEAP }), testModel('middle'), testModel('large')],
    routes: [route],
    ...overrides,
  });
}

async function call(
  content = 'Hi',
  headers: Record<string, string> = {},
  rest: Record<string, unknown> = {},
): Promise<{ model: string | null; reason: string | null; row: CallSettled }> {
  const response = await fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content }], ...rest }),
  });
  assert.equal(response.status, 200, await response.text());
  const row = running.journal.settled.at(-1);
  assert.ok(row !== undefined);
  return { model: response.headers.get('x-plimsoll-model'), reason: response.headers.get('x-plimsoll-route-reason'), row };
}

describe('a route', () => {
  it('by priority: the first, with nothing to tell of', async () => {
    useRoute(testRoute({ large: {}, small: {} }));
    const { model, reason, row } = await call();
    assert.deepEqual([model, reason, row.routing], ['large', null, undefined]);
  });

  it('by weight: as chance has it; the record says so', async () => {
    useRoute(testRoute({ small: { weight: 1 }, large: { weight: 3 } }, { strategy: 'weight' }));
    assert.equal((await call()).model, 'small');
    randomValue = 0.3;
    const { model, reason, row } = await call();
    assert.deepEqual([model, reason], ['large', 'weight']);
    assert.deepEqual(row.routing?.candidates, ['large', 'small']);
    assert.equal(row.firstTarget?.model, 'large', 'a crash would be priced with the model that was asked');
  });

  it('by cost: the cheapest; what it saved against the first is counted with the true tokens', async () => {
    useRoute(testRoute({ large: {}, small: {} }, { strategy: 'cost' }));
    const { model, reason, row } = await call();
    assert.deepEqual([model, reason, row.routing?.counterfactualModel], ['small', 'cost', 'large']);
    // 12 uncached + 8 cached input tokens and 5 output tokens: at 1, 0.5 and 4 µ$ against a thousandth of it.
    const atLarge = 12n * 1_000_000n + 8n * 500_000n + 5n * 4_000_000n;
    assert.equal(row.routing?.estimatedSavingPicoUsd, (atLarge - BigInt(row.costPicoUsd ?? '0')).toString());
    assert.equal(row.costPicoUsd, (atLarge / 1000n).toString());
  });

  it('by condition: the first whose rule holds, and the one without a rule for the rest', async () => {
    useRoute(
      testRoute(
        {
          large: { when: { tags: { plan: ['gold'] } } },
          middle: { when: { languages: ['de'], time: { zone: 'Europe/Berlin', from: '09:00', to: '18:00' } } },
          small: {},
        },
        { strategy: 'condition' },
      ),
    );
    assert.deepEqual((await call('Hi', { 'x-plimsoll-tags': 'plan=gold' })).model, 'large');
    const german = await call('Wie komme ich morgen früh am schnellsten vom Bahnhof zur Messe?');
    assert.deepEqual([german.model, german.reason], ['middle', 'condition 2']);
    const other = await call('How do I get from the station to the fair tomorrow morning?');
    assert.deepEqual([other.model, other.reason], ['small', 'condition none']);
  });

  it('a condition holds for fallbacks too: what it excludes is not asked, whatever fails', async () => {
    useRoute(testRoute({ large: { when: { hasTools: true } }, small: {} }));
    const asked: unknown[] = [];
    upstream.script = (request, response) => {
      asked.push(request.json.model);
      sendJson(response, { error: { message: 'x' } }, 503);
    };
    const response = await fetch(`${running.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content: 'Hi' }] }),
    });
    assert.equal(response.status, 502);
    assert.deepEqual(asked, ['small-2026-01-01']);
  });

  it('by session: the same target for the same session, spread over all of them', async () => {
    useRoute(testRoute({ small: {}, middle: {}, large: {} }, { strategy: 'sticky' }));
    const first = new Map<string, string | null>();
    for (let session = 0; session < 30; session++)
      first.set(`${session}`, (await call('Hi', { 'x-plimsoll-session': `${session}` })).model);
    assert.equal(new Set(first.values()).size, 3);
    for (const [session, model] of first) assert.equal((await call('Hi', { 'x-plimsoll-session': session })).model, model);
    assert.equal((await call()).reason, 'sticky by weight');
  });

  it('by latency: the one that answers sooner', async () => {
    const clock = new FakeClock(0);
    const gateway = await startGateway(null, clock);
    try {
      gateway.snapshot = testSnapshot(upstream.baseUrl, {
        models: [testModel('slow'), testModel('fast')],
        routes: [testRoute({ slow: {}, fast: {} }, { strategy: 'latency' })],
      });
      upstream.script = async (request, response) => {
        await clock.advance(request.json.model === 'slow-2026-01-01' ? 200 : 5);
        sendJson(response, completion('fine'));
      };
      const models: (string | null)[] = [];
      for (let index = 0; index < 8; index++) {
        const response = await fetch(`${gateway.baseUrl}/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'main', messages: [] }),
        });
        await response.arrayBuffer();
        models.push(response.headers.get('x-plimsoll-model'));
      }
      // With two targets both are always compared: each is measured once, then the faster one has them all.
      assert.deepEqual(models.slice(2), new Array(6).fill('fast'), JSON.stringify(models));
    } finally {
      await gateway.close();
    }
  });

  it('by complexity: tiers, probabilities and the saving are in the record; a quality floor raises the tier', async () => {
    const route = testRoute(
      { small: { tier: 'simple' }, middle: { tier: 'medium' }, large: { tier: 'complex' } },
      { strategy: 'complexity' },
    );
    useRoute(route);
    const easy = await call('What is the capital of France?');
    assert.equal(easy.model, 'small');
    assert.match(easy.reason ?? '', /^complexity simple 0\.\d\d$/);
    assert.equal(easy.row.routing?.tier, 'simple');
    assert.ok((easy.row.routing?.probabilities?.simple ?? 0) > 0.5);
    assert.equal(easy.row.routing?.counterfactualModel, 'large');
    assert.ok(BigInt(easy.row.routing?.estimatedSavingPicoUsd ?? '0') > 0n);
    const hard = await call(
      'Prove step by step that the algorithm terminates, analyse its complexity under concurrent updates, and design a fault-tolerant variant that must not lose any acknowledged write, considering network partitions.',
    );
    assert.equal(hard.model, 'large');
    assert.equal(hard.row.routing?.estimatedSavingPicoUsd, '0');
    useRoute(route, { qualityFloors: [{ feature: 'support', minimum: 0.8, scores: { simple: 0.6 } }] });
    const raised = await call('What is the capital of France?');
    assert.equal(raised.model, 'middle');
    assert.match(raised.reason ?? '', /simple is below the quality floor/);
  });

  it('counts its decisions, in the report and for Prometheus', async () => {
    useRoute(testRoute({ small: { weight: 1 }, large: { weight: 1 } }, { strategy: 'weight' }, 'counted'));
    const snapshot = running.snapshot;
    assert.ok(snapshot !== null);
    running.snapshot = {
      ...snapshot,
      features: [{ ...snapshot.features[0], name: 'support', owner: null, costOwner: null, route: 'counted', payloads: 'none' }],
    };
    for (let index = 0; index < 3; index++) await call('Hi', {}, { model: 'counted' });
    const report = running.gateway.routing().routes.find(({ name }) => name === 'counted');
    assert.deepEqual([report?.calls, report?.decisions], [3, { weight: 3 }]);
    const text = running.gateway.metrics();
    assert.match(text, /^plimsoll_route_decisions_total\{route="counted",reason="weight"\} 3$/m);
    assert.match(text, /^plimsoll_target_healthy\{model="small",provider="upstream"\} 1$/m);
  });
});
