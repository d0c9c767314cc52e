import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import { spansFromCall } from '../traces/from-call.ts';
import type { RoutePolicy } from './routing/policy.ts';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  sendStream,
  startGateway,
  startUpstream,
  streamEvents,
  TEST_KEY,
  TEST_PRICE,
  type TestGateway,
  testModel,
  testRoute,
  testSnapshot,
  until,
} from './testing.ts';

let upstream: ScriptedUpstream;
let running: TestGateway;
let clock: FakeClock;
let candidate: (response: ServerResponse) => void;

before(async () => {
  upstream = await startUpstream(() => {});
});
after(() => upstream.close());
beforeEach(async () => {
  clock = new FakeClock(1_760_000_000_000);
  running = await startGateway(null, clock, null, () => 0.5);
  upstream.requests.length = 0;
  candidate = (response) => sendJson(response, completion('from the candidate'));
  upstream.script = (request, response) => {
    if (request.json.model === 'candidate-2026-01-01') candidate(response);
    else if (request.json.model === 'judge-2026-01-01') candidate(response);
    else if (request.json.stream === true) sendStream(response, streamEvents(['fine']));
    else sendJson(response, completion('fine'));
  };
});
afterEach(() => running.close());

function use(policy: Partial<RoutePolicy>, targets: Parameters<typeof testRoute>[0] = { small: {} }): void {
  running.snapshot = testSnapshot(upstream.baseUrl, {
    models: [
      testModel('small'),
      testModel('large'),
      testModel('candidate', { price: { ...TEST_PRICE, priceId: 'candidate@1' } }),
      testModel('judge'),
    ],
    routes: [testRoute(targets, policy)],
  });
}

async function call(rest: Record<string, unknown> = {}): Promise<{ text: string; model: string | null; reason: string | null }> {
  const response = await fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', 'x-plimsoll-session': 's1' },
    body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content: 'What is the capital of France?' }], ...rest }),
  });
  assert.equal(response.status, 200);
  const { headers } = response;
  return { text: await response.text(), model: headers.get('x-plimsoll-model'), reason: headers.get('x-plimsoll-route-reason') };
}

const settledAs = (purpose: string) => running.journal.settled.filter((row) => row.purpose === purpose);
const SHADOW = { model: 'candidate', ratio: 1, maxUsdPerDay: 1, maxConcurrent: 2 };

describe('a shadow', () => {
  it('is called after the answer, with the same request; its answer is recorded and never returned', async () => {
    use({ shadow: SHADOW });
    const { text } = await call({ stream: true, temperature: 0.3 });
    assert.match(text, /fine/);
    assert.ok(!text.includes('candidate'));
    await until(() => settledAs('shadow').length === 1, 'the shadow is settled');
    const [shadow] = settledAs('shadow');
    const client = running.journal.settled.find((row) => row.purpose === undefined);
    assert.equal(shadow?.parentCallId, client?.callId);
    assert.deepEqual([shadow?.traceId, shadow?.parentSpanId], [client?.traceId, client?.spanId]);
    assert.deepEqual([shadow?.feature, shadow?.session, shadow?.status, shadow?.costPicoUsd], ['support', 's1', 'ok', '36000000']);
    const mirrored = upstream.requests.find(({ json }) => json.model === 'candidate-2026-01-01')?.json;
    assert.deepEqual([mirrored?.temperature, mirrored?.stream, mirrored?.messages], [0.3, false, upstream.requests[0]?.json.messages]);
    assert.ok(running.journal.payloads.some(({ callId, output }) => callId === shadow?.callId && output?.includes('from the candidate')));
    assert.ok(shadow !== undefined && spansFromCall(shadow, null).spans.every(({ isEntry }) => !isEntry), 'no request of a client');
  });

  it('that hangs or fails does not touch the client, and ends', async () => {
    use({ shadow: SHADOW });
    candidate = () => {};
    await call();
    assert.equal(running.journal.settled.length, 1, 'the client does not wait');
    await until(() => upstream.requests.length === 2, 'the candidate is asked');
    await clock.advance(120_000);
    await until(() => settledAs('shadow').length === 1, 'the shadow is settled');
    assert.equal(settledAs('shadow')[0]?.status, 'error');
    candidate = (response) => void response.socket?.destroy();
    await call();
    await until(() => settledAs('shadow').length === 2, 'the shadow is settled');
    assert.deepEqual(
      running.journal.settled.filter(({ purpose }) => purpose === undefined).map(({ status }) => status),
      ['ok', 'ok'],
    );
    assert.match(running.gateway.metrics(), /llm_request_duration_seconds_count\{model="small",feature="support",status="ok"\} 2/);
    assert.ok(!/llm_errors_total/.test(running.gateway.metrics().replace(/^#.*$/gm, '')), 'a failed shadow is no failed request');
  });

  it('stays within its budget for the day, its share and its number at once', async () => {
    use({ shadow: { ...SHADOW, maxUsdPerDay: 0.005 } });
    // Expected at most 30 input and 400 output tokens, 1.63 m$; the true cost of 36 µ$ is booked afterwards.
    const answered: ServerResponse[] = [];
    candidate = (response) => void answered.push(response);
    for (let index = 0; index < 5; index++) await call();
    await until(() => answered.length === 2, 'two run');
    assert.equal(running.gateway.routing().routes[0]?.shadow?.running, 2);
    assert.equal(running.gateway.routing().routes[0]?.shadow?.skipped, 3);
    for (const response of answered) sendJson(response, completion('x'));
    await until(() => settledAs('shadow').length === 2, 'they are settled');
    await until(() => running.gateway.routing().routes[0]?.shadow?.spentTodayPicoUsd === '72000000', 'the true cost is booked');
    use({ shadow: { ...SHADOW, maxUsdPerDay: 0.000_07 } });
    await call();
    assert.equal(running.gateway.routing().routes[0]?.shadow?.skipped, 4, 'over budget');
    use({ shadow: { ...SHADOW, ratio: 0.5 } });
    await call();
    assert.equal(running.gateway.routing().routes[0]?.shadow?.calls, 2, 'not in the share');
  });

  it('is cut at once when the gateway drains', async () => {
    use({ shadow: SHADOW });
    candidate = () => {};
    await call();
    await until(() => upstream.requests.length === 2, 'the candidate is asked');
    await running.gateway.drain(60_000);
    assert.deepEqual([settledAs('shadow')[0]?.status, settledAs('shadow')[0]?.errorType], ['aborted', 'superseded']);
  });
});

describe('a model that judges difficulty', () => {
  const tiers = { small: { tier: 'simple' }, large: { tier: 'complex' } } as const;
  const policy: Partial<RoutePolicy> = { strategy: 'complexity', classifier: { model: 'judge', timeoutMs: 500 } };

  it('decides instead of the local classifier, at a cost of its own', async () => {
    use(policy, tiers);
    candidate = (response) => sendJson(response, completion('Complex.'));
    const { model, reason } = await call();
    assert.deepEqual([model, reason], ['large', 'complexity complex by model']);
    const [judged] = settledAs('classifier');
    assert.deepEqual([judged?.feature, judged?.costPicoUsd], ['support', '36000000']);
    const own = running.journal.settled.find((row) => row.purpose === undefined);
    assert.equal(judged?.parentCallId, own?.callId);
    assert.equal(own?.costPicoUsd, '36000000', 'each is paid in its own row');
  });

  it('that is slow, fails or talks leaves it to the local one', async () => {
    use(policy, tiers);
    candidate = () => {};
    const slow = call();
    await until(() => upstream.requests.length === 1, 'the judge is asked');
    await clock.advance(500);
    assert.match((await slow).reason ?? '', /^complexity simple 0\.\d\d$/);
    candidate = (response) => sendJson(response, { error: { message: 'no' } }, 500);
    assert.match((await call()).reason ?? '', /^complexity simple 0\.\d\d$/);
    candidate = (response) => sendJson(response, completion('I would rather not say.'));
    assert.equal((await call()).model, 'small');
  });
});
