import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import type { RoutePolicy } from './routing/policy.ts';
import {
  completion,
  manyTurns,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  streamEvents,
  TEST_KEY,
  type TestGateway,
  testProvider,
  testRoute,
  testSnapshot,
  until,
} from './testing.ts';

const HEDGE = { delayMs: 100, maxRatio: 1, allowSideEffects: false };

let upstream: ScriptedUpstream;
let running: TestGateway;
let clock: FakeClock;
/** Answers that the test holds back, by model. */
let held: Map<string, ServerResponse>;
let closed: string[];

before(async () => {
  upstream = await startUpstream(() => {});
});
after(() => upstream.close());
beforeEach(async () => {
  clock = new FakeClock(1_760_000_000_000);
  running = await startGateway(null, clock);
  held = new Map();
  closed = [];
  upstream.script = (request, response) => {
    const model = String(request.json.model).split('-')[0] ?? '';
    held.set(model, response);
    response.on('close', () => {
      if (!response.writableFinished) closed.push(model);
    });
  };
  useHedge(HEDGE);
});
afterEach(() => running.close());

function useHedge(hedge: RoutePolicy['hedge']): void {
  const timeouts = { connectMs: 500, firstByteMs: 60_000, idleMs: 60_000, totalMs: 600_000 };
  running.snapshot = testSnapshot(upstream.baseUrl, {
    providers: [testProvider(upstream.baseUrl, { timeouts })],
    routes: [testRoute({ small: {}, large: {} }, { hedge })],
  });
}

function call(rest: Record<string, unknown> = {}): Promise<{ status: number; text: string; model: string | null }> {
  return fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content: 'Hi' }], ...rest }),
  }).then(async (response) => ({ status: response.status, text: await response.text(), model: response.headers.get('x-plimsoll-model') }));
}

function answer(model: string, text: string): void {
  const response = held.get(model);
  assert.ok(response !== undefined, `${model} was asked`);
  sendJson(response, completion(text));
}
function fail(model: string): void {
  const response = held.get(model);
  assert.ok(response !== undefined, `${model} was asked`);
  sendJson(response, { error: { message: 'broken' } }, 500);
}
const asked = (model: string) => until(() => held.has(model), `${model} is asked`);
const lastRow = () => running.journal.settled.at(-1);

/** The fake clock moves only once the gateway waits for the provider. */
async function afterDelay(ms: number): Promise<void> {
  await asked('small');
  await clock.advance(ms);
}

describe('a hedged call', () => {
  it('is answered by the first target when that is in time: the second is never asked', async () => {
    const answered = call();
    await afterDelay(99);
    answer('small', 'one');
    assert.match((await answered).text, /one/);
    await clock.advance(1_000);
    assert.equal(held.has('large'), false);
    assert.equal(lastRow()?.attempts.length, 1);
  });

  it('is answered by whoever is first; the other is cancelled and recorded with what it used', async () => {
    const answered = call();
    await afterDelay(100);
    await asked('large');
    answer('large', 'two');
    const { text, model } = await answered;
    assert.match(text, /two/);
    assert.equal(model, 'large');
    await until(() => closed.includes('small'), 'the loser is let go');
    const row = lastRow();
    assert.deepEqual(
      row?.attempts.map((attempt) => [attempt.model, attempt.status, attempt.errorType, attempt.role, attempt.usageSource]),
      [
        ['small', 'aborted', 'superseded', undefined, 'estimated'],
        ['large', 'ok', null, 'hedge', 'reported'],
      ],
    );
    const costs = row?.attempts.map(({ costPicoUsd }) => BigInt(costPicoUsd ?? '0')) ?? [];
    assert.ok((costs[0] ?? 0n) > 0n, 'its input was read');
    assert.equal(row?.costPicoUsd, costs.reduce((sum, cost) => sum + cost, 0n).toString());
    assert.deepEqual([running.gateway.routing().routes[0]?.hedges, running.gateway.routing().routes[0]?.hedgesWon], [1, 1]);
  });

  it('a slow first target may still win after the second was asked', async () => {
    const answered = call();
    await afterDelay(100);
    await asked('large');
    answer('small', 'one');
    assert.equal((await answered).model, 'small');
    await until(() => closed.includes('large'), 'the second is let go');
    assert.equal(lastRow()?.attempts.at(-1)?.model, 'small');
  });

  it('of streams the first content wins, not the first sign of life', async () => {
    const answered = call({ stream: true });
    await afterDelay(100);
    await asked('large');
    const small = held.get('small');
    const large = held.get('large');
    const [role = '', ...rest] = streamEvents(['from large']);
    small?.writeHead(200, { 'content-type': 'text/event-stream' });
    small?.write(role);
    await manyTurns();
    large?.writeHead(200, { 'content-type': 'text/event-stream' });
    large?.end([role, ...rest].join(''));
    const { text, model } = await answered;
    assert.equal(model, 'large');
    assert.match(text, /from large.*\[DONE\]/s);
    assert.equal(text.match(/"role":"assistant"/g)?.length, 1, 'nothing of the loser is in the stream');
  });

  it('goes on with the second target when the first fails, and the other way round', async () => {
    const first = call();
    await afterDelay(100);
    await asked('large');
    fail('small');
    await manyTurns();
    answer('large', 'two');
    assert.equal((await first).model, 'large');
    held.clear();
    const second = call();
    await afterDelay(100);
    await asked('large');
    fail('large');
    await manyTurns();
    answer('small', 'one');
    assert.equal((await second).model, 'small');
    held.clear();
    const none = call();
    await afterDelay(100);
    await asked('large');
    fail('large');
    fail('small');
    const failed = await none;
    assert.equal(failed.status, 502);
    assert.match(failed.text, /All 2 targets failed/);
    assert.equal(lastRow()?.attempts.length, 2);
  });

  it('ends both attempts when the client leaves', async () => {
    const controller = new AbortController();
    const answered = fetch(`${running.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'main', messages: [] }),
      signal: controller.signal,
    });
    await afterDelay(100);
    await asked('large');
    controller.abort();
    await assert.rejects(answered);
    await until(() => closed.length === 2, 'both are let go');
    await until(() => running.journal.settled.length === 1, 'the call is settled');
    assert.equal(lastRow()?.status, 'aborted');
    assert.deepEqual(
      lastRow()?.attempts.map(({ status }) => status),
      ['aborted', 'aborted'],
    );
  });

  it('is never hedged beyond its share of the calls, nor with tools that the provider runs', async () => {
    useHedge({ ...HEDGE, maxRatio: 0.1 });
    for (let index = 0; index < 20; index++) {
      held.clear();
      const answered = call();
      await afterDelay(100);
      await new Promise((resolve) => setImmediate(resolve));
      answer('small', 'one');
      await answered;
    }
    assert.ok((running.gateway.routing().routes[0]?.hedges ?? 0) <= 2);
    useHedge(HEDGE);
    held.clear();
    const answered = call({ tools: [{ type: 'code_interpreter' }] });
    await afterDelay(1_000);
    answer('small', 'one');
    await answered;
    assert.equal(held.has('large'), false);
  });

  it('without a fixed delay waits until the 95th percentile is known', async () => {
    useHedge({ ...HEDGE, delayMs: null });
    for (let index = 0; index < 20; index++) {
      held.clear();
      const answered = call();
      await afterDelay(50);
      answer('small', 'one');
      await answered;
    }
    assert.equal(running.gateway.routing().routes[0]?.hedges, 0);
    held.clear();
    const answered = call();
    await afterDelay(49);
    assert.equal(held.has('large'), false);
    await clock.advance(1);
    await asked('large');
    answer('large', 'two');
    assert.equal((await answered).model, 'large');
  });
});
