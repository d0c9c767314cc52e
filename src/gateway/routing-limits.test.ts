import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import { formatUsd } from '../kernel/money.ts';
import { rules } from './admission/testing.ts';
import {
  completion,
  manyTurns,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  TEST_KEY,
  type TestGateway,
  testModel,
  testRoute,
  testSnapshot,
  until,
} from './testing.ts';

let upstream: ScriptedUpstream;
let running: TestGateway;
let clock: FakeClock;

before(async () => {
  upstream = await startUpstream(() => {});
});
after(() => upstream.close());
afterEach(async () => {
  await until(() => running.gateway.stats.activeCalls === 0, 'no call is in flight');
  assert.match(running.gateway.metrics(), /^plimsoll_reservations_outstanding 0$/m);
  await running.close();
});

async function start(route: ReturnType<typeof testRoute>, limits: readonly Record<string, unknown>[]): Promise<void> {
  clock = new FakeClock(Date.UTC(2026, 9, 14, 10, 0, 0));
  running = await startGateway(
    testSnapshot(upstream.baseUrl, {
      models: [testModel('small'), testModel('large'), testModel('candidate')],
      routes: [route],
      limitRules: rules(limits),
    }),
    clock,
    null,
    () => 0,
  );
  upstream.requests.length = 0;
  upstream.script = (_request, response) => sendJson(response, completion('Hello'));
}

async function call(): Promise<number> {
  const response = await fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 10 }),
  });
  await response.text();
  return response.status;
}

const asked = (model: string): number => upstream.requests.filter(({ json }) => json.model === `${model}-2026-01-01`).length;

describe('budgets and calls beside a call', () => {
  it('a hedge is not started when both attempts together could outspend the budget', async () => {
    // One attempt may cost about 75 µ$; the budget holds one of them and not two.
    const hedge = { delayMs: 100, maxRatio: 1, allowSideEffects: false };
    await start(testRoute({ small: {}, large: {} }, { hedge }), [{ scope: 'global', budgetUsd: 0.0001, per: 'day' }]);
    let finish = (): void => {};
    upstream.script = (_request, response) => {
      finish = () => sendJson(response, completion('Hello'));
    };
    const answered = call();
    await until(() => asked('small') === 1, 'the first target is asked');
    await clock.advance(100);
    await manyTurns();
    assert.equal(asked('large'), 0);
    finish();
    assert.equal(await answered, 200);
  });

  it('with room for both, both are reserved and the sum of what they cost is booked', async () => {
    const hedge = { delayMs: 100, maxRatio: 1, allowSideEffects: false };
    await start(testRoute({ small: {}, large: {} }, { hedge }), [{ scope: 'global', budgetUsd: 1, per: 'day' }]);
    upstream.script = (request, response) => {
      if (request.json.model === 'large-2026-01-01') sendJson(response, completion('Hello'));
    };
    const answered = call();
    await until(() => asked('small') === 1, 'the first target is asked');
    await clock.advance(100);
    assert.equal(await answered, 200);
    const row = running.journal.settled.at(-1);
    assert.equal(row?.attempts.length, 2);
    upstream.script = (_request, response) => sendJson(response, completion('Hello'));
    const next = await fetch(`${running.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'small', messages: [], max_tokens: 10 }),
    });
    await next.text();
    const spent = running.journal.settled.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? '0'), 0n);
    assert.equal(next.headers.get('x-plimsoll-budget-remaining-usd'), formatUsd(1_000_000_000_000n - spent));
  });

  it('a mirrored call is paid from the budget of the feature, and takes none of its rate', async () => {
    const shadow = { model: 'candidate', ratio: 1, maxUsdPerDay: 1, maxConcurrent: 9 };
    await start(testRoute({ small: {} }, { shadow }), [
      { scope: 'feature', name: 'support', requestsPerMinute: 3 },
      { scope: 'feature', name: 'support', budgetUsd: 0.0002, per: 'day' },
    ]);
    assert.equal(await call(), 200);
    await until(() => running.journal.settled.length === 2, 'the mirrored call is settled');
    assert.equal(await call(), 200);
    await until(() => running.journal.settled.length === 4, 'the second mirrored call is settled');
    // Four calls of 36 µ$; a fifth may cost some 70 µ$, for which there is no room. The rate has room for one more client's call.
    assert.equal(await call(), 429);
    assert.equal(running.journal.settled.at(-1)?.errorType, 'budget_exceeded');
    assert.equal(asked('candidate'), 2);
    const total = running.journal.settled.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? '0'), 0n);
    assert.equal(total, 144_000_000n);
  });
});
