import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import {
  completion,
  manyTurns,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  TEST_HEALTH,
  TEST_KEY,
  type TestGateway,
  testModel,
  testProvider,
  testRoute,
  testSnapshot,
  until,
} from './testing.ts';

const RETRIES = { maxAttempts: 3, baseDelayMs: 100, maxDelayMs: 2_000, budgetRatio: 0.2, deadlineMs: 30_000 };

let upstream: ScriptedUpstream;
let running: TestGateway;
let clock: FakeClock;

before(async () => {
  upstream = await startUpstream(() => {});
});
after(() => upstream.close());
afterEach(() => running.close());
beforeEach(async () => {
  clock = new FakeClock(1_760_000_000_000);
  // Jitter at its bound: the wait is what the schedule allows at most.
  running = await startGateway(null, clock, null, () => 0.999_999);
  useRoute(testRoute({ small: {} }, { retries: RETRIES }));
});

function useRoute(route: ReturnType<typeof testRoute>, overrides: Parameters<typeof testSnapshot>[1] = {}): void {
  const timeouts = { connectMs: 500, firstByteMs: 86_400_000, idleMs: 86_400_000, totalMs: 86_400_000 };
  running.snapshot = testSnapshot(upstream.baseUrl, {
    providers: [testProvider(upstream.baseUrl, { timeouts })],
    routes: [route],
    ...overrides,
  });
}

function call(rest: Record<string, unknown> = {}): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  return fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content: 'Hi' }], ...rest }),
  }).then(async (response) => ({
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  }));
}

/** Answers of the provider in order; the last one stays. */
function script(...answers: (number | { status: number; headers?: Record<string, string>; body?: unknown })[]): () => number {
  let asked = 0;
  upstream.script = (_request, response) => {
    const answer = answers[Math.min(asked++, answers.length - 1)] ?? 200;
    const {
      status,
      headers = {},
      body,
    } = typeof answer === 'number' ? ({ status: answer } as { status: number; headers?: Record<string, string>; body?: unknown }) : answer;
    sendJson(response, body ?? (status === 200 ? completion('fine') : { error: { message: `status ${status}` } }), status, headers);
  };
  return () => asked;
}

const lastRow = () => running.journal.settled.at(-1);
/** The attempt before is over and the wait for the next one has begun: the route counts it in the same breath. */
const waits = (retries: number) => until(() => running.gateway.routing().routes[0]?.retries === retries, `it waits for retry ${retries}`);
/** Time passes only when the attempt before is over. */
async function pass(ms: number, attempts: number, asked: () => number): Promise<void> {
  await waits(attempts);
  assert.equal(asked(), attempts);
  await clock.advance(ms);
  await manyTurns();
}

describe('retries at one target', () => {
  it('wait twice as long each time, and every try is in the record of the one call', async () => {
    const asked = script(503, 503, 200);
    const answer = call();
    await pass(99, 1, asked);
    assert.equal(asked(), 1, 'not before the wait is over');
    await clock.advance(1);
    await pass(200, 2, asked);
    assert.equal((await answer).status, 200);
    const row = lastRow();
    assert.deepEqual(
      row?.attempts.map(({ status, role }) => [status, role]),
      [
        ['error', undefined],
        ['error', 'retry'],
        ['ok', 'retry'],
      ],
    );
    assert.equal(running.journal.settled.length, 1);
    assert.equal(row?.costPicoUsd, '36000000', 'refusals cost nothing');
    assert.equal(running.gateway.routing().routes[0]?.retries, 2);
  });

  it('honour retry-after in seconds, in milliseconds and as a date', async () => {
    const date = new Date(clock.nowMs() + 5_000).toUTCString();
    for (const [headers, waitMs] of [
      [{ 'retry-after': '3' }, 3_000],
      [{ 'retry-after-ms': '1234' }, 1_234],
      [{ 'retry-after': date }, 5_000],
    ] as const) {
      clock = new FakeClock(1_760_000_000_000);
      await running.close();
      running = await startGateway(running.snapshot, clock, null, () => 0.999_999);
      const asked = script({ status: 429, headers }, 200);
      const answer = call();
      await pass(waitMs - 1, 1, asked);
      assert.equal(asked(), 1, JSON.stringify(headers));
      await clock.advance(1);
      assert.equal((await answer).status, 200);
    }
  });

  it('do not wait beyond the deadline: the client is told what the provider asked', async () => {
    const asked = script({ status: 429, headers: { 'retry-after': '31' } });
    const answer = await call();
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get('retry-after'), '31');
    assert.equal(asked(), 1);
  });

  it('end when the client leaves, or the gateway stops, in the middle of a wait', async () => {
    const asked = script(503);
    const controller = new AbortController();
    const answer = fetch(`${running.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'main', messages: [] }),
      signal: controller.signal,
    });
    await waits(1);
    controller.abort();
    await assert.rejects(answer);
    await until(() => running.journal.settled.length === 1, 'the call is settled');
    assert.equal(lastRow()?.status, 'aborted');

    const second = call();
    await waits(2);
    const drained = running.gateway.drain(10);
    await clock.advance(10);
    assert.equal(((await second).body.error as { code: string }).code, 'not_ready');
    await drained;
    assert.equal(asked(), 2);
  });

  it('stop when the budget of the route is spent: an outage is not made twice as large', async () => {
    useRoute(testRoute({ small: {} }, { retries: { ...RETRIES, maxAttempts: 2, baseDelayMs: 1, maxDelayMs: 1 } }));
    const asked = script(503);
    const calls = 100;
    for (let index = 0; index < calls; index++) {
      const before = asked();
      const answer = call();
      await until(() => asked() > before, 'the provider was asked');
      let isOver = false;
      void answer.then(() => {
        isOver = true;
      });
      while (!isOver) {
        await clock.advance(1);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const retries = asked() - calls;
    // The reserve is full at the start, so that the first call's share has no room.
    assert.equal(retries, 10 + 0.2 * (calls - 1) - 0.8);
  });
});

describe('what is safe to repeat', () => {
  const dies: ScriptedUpstream['script'] = (_request, response) => void response.socket?.destroy();

  it('a lost connection is tried again for plain generation, and not where the provider runs tools itself', async () => {
    useRoute(testRoute({ small: {}, large: {} }, { retries: { ...RETRIES, maxAttempts: 1 } }));
    let asked = 0;
    upstream.script = (request, response, raw) => {
      asked++;
      if (request.json.model === 'small-2026-01-01') dies(request, response, raw);
      else sendJson(response, completion('fine'));
    };
    assert.equal((await call({ tools: [{ type: 'function', function: { name: 'f' } }] })).status, 200);
    assert.equal(asked, 2);
    const refused = await call({ tools: [{ type: 'mcp', server_url: 'https://example.com' }] });
    assert.equal(refused.status, 502);
    assert.equal(asked, 3);
  });
});

describe('fallback by class of error', () => {
  it('too long a context goes to a larger window, past those that are no larger', async () => {
    useRoute(testRoute({ small: {}, medium: {}, unknown: {}, large: {} }), {
      models: [
        testModel('small', { contextTokens: 8_000 }),
        testModel('medium', { contextTokens: 8_000 }),
        testModel('unknown'),
        testModel('large', { contextTokens: 200_000 }),
      ],
    });
    const asked: unknown[] = [];
    upstream.script = (request, response) => {
      asked.push(request.json.model);
      if (request.json.model === 'large-2026-01-01') sendJson(response, completion('fine'));
      else sendJson(response, { error: { message: 'too long', code: 'context_length_exceeded' } }, 400);
    };
    assert.equal((await call()).status, 200);
    assert.deepEqual(asked, ['small-2026-01-01', 'large-2026-01-01']);
    assert.deepEqual(
      lastRow()?.attempts.map(({ errorType, role }) => [errorType, role]),
      [
        ['context_length_exceeded', undefined],
        [null, 'fallback'],
      ],
    );
  });

  it('a content filter goes to the next target only where the route says so', async () => {
    const filtered = { status: 400, body: { error: { message: 'no', code: 'content_filter' } } };
    useRoute(testRoute({ small: {}, large: {} }));
    script(filtered, 200);
    assert.equal((await call()).status, 400);
    useRoute(testRoute({ small: {}, large: {} }, { onContentFilter: 'next' }));
    script(filtered, 200);
    assert.equal((await call()).status, 200);
  });

  it('tells the client of the error that may pass when one target is broken for good', async () => {
    useRoute(testRoute({ small: {}, large: {} }));
    script({ status: 429, headers: { 'retry-after': '9' } }, 401);
    const answer = await call();
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [429, '9']);
  });
});

describe('a target that fails', () => {
  it('is left out after failures in a row, tried by one call when its time is up, and comes back', async () => {
    useRoute(testRoute({ small: {}, large: {} }), { health: TEST_HEALTH });
    const asked: string[] = [];
    let isBroken = true;
    upstream.script = (request, response) => {
      const model = String(request.json.model).split('-')[0] ?? '';
      asked.push(model);
      if (model === 'small' && isBroken) sendJson(response, { error: { message: 'broken' } }, 500);
      else sendJson(response, completion('fine'));
    };
    for (let index = 0; index < 3; index++) assert.equal((await call()).status, 200);
    assert.deepEqual(asked.splice(0), ['small', 'large', 'small', 'large', 'small', 'large']);
    const around = await call();
    assert.deepEqual(asked.splice(0), ['large'], 'ejected');
    assert.equal(around.headers.get('x-plimsoll-route-reason'), 'priority; without small (unhealthy)');
    assert.match(running.gateway.metrics(), /^plimsoll_target_healthy\{model="small",provider="upstream"\} 0$/m);
    assert.match(running.gateway.metrics(), /^plimsoll_target_ejections_total\{model="small",provider="upstream"\} 1$/m);
    assert.equal(running.gateway.routing().targets.find(({ model }) => model === 'small')?.state, 'ejected');

    await clock.advance(30_000);
    await call();
    assert.deepEqual(asked.splice(0), ['small', 'large'], 'one call tries it');
    await call();
    assert.deepEqual(asked.splice(0), ['large'], 'and it is out again, for longer');
    await clock.advance(59_999);
    await call();
    assert.deepEqual(asked.splice(0), ['large']);
    isBroken = false;
    await clock.advance(1);
    await call();
    await call();
    assert.deepEqual(asked.splice(0), ['small', 'small'], 'it is back');
  });

  it('is asked all the same when it is the only one, and a new snapshot does not forget what was learned', async () => {
    useRoute(testRoute({ small: {} }), { health: TEST_HEALTH });
    let asked = script(500);
    for (let index = 0; index < 5; index++) assert.equal((await call()).status, 502);
    assert.equal(asked(), 5);
    useRoute(testRoute({ small: {}, large: {} }), { health: TEST_HEALTH, epoch: 8 });
    asked = script(200);
    await call();
    assert.equal(lastRow()?.attempts[0]?.model, 'large');
    assert.equal(asked(), 1);
  });

  it('that limits its rate is left alone for as long as it asked', async () => {
    useRoute(testRoute({ small: {}, large: {} }), { health: TEST_HEALTH });
    script({ status: 429, headers: { 'retry-after': '20' } }, 200);
    await call();
    await call();
    assert.equal(lastRow()?.attempts[0]?.model, 'large');
    await clock.advance(20_000);
    await call();
    assert.equal(lastRow()?.attempts[0]?.model, 'small');
  });

  it('is probed off the path of requests where the operator wants it, at a price that is in the ledger', async () => {
    useRoute(testRoute({ small: {}, large: {} }), {
      health: { ...TEST_HEALTH, probes: { intervalMs: 5_000, timeoutMs: 1_000, idleAfterMs: null } },
    });
    let isBroken = true;
    upstream.script = (request, response) => {
      if (request.json.model === 'small-2026-01-01' && isBroken) sendJson(response, { error: { message: 'broken' } }, 500);
      else sendJson(response, completion('fine'));
    };
    for (let index = 0; index < 3; index++) await call();
    const rows = running.journal.settled.length;
    const probe = async (): Promise<void> => {
      const before = running.journal.settled.length;
      await clock.advance(5_000);
      await until(() => running.journal.settled.length > before, 'the probe is settled');
    };
    await probe();
    const failed = running.journal.settled[rows];
    assert.deepEqual([failed?.feature, failed?.purpose, failed?.status], ['plimsoll-probe', 'probe', 'error']);
    assert.equal(running.gateway.routing().targets.find(({ model }) => model === 'small')?.state, 'ejected');
    isBroken = false;
    await probe();
    const passed = running.journal.settled.at(-1);
    assert.deepEqual([passed?.status, passed?.costPicoUsd], ['ok', '36000000']);
    await until(() => running.gateway.routing().targets.find(({ model }) => model === 'small')?.state === 'healthy', 'it is back');
    await call();
    assert.equal(lastRow()?.attempts[0]?.model, 'small');
    const opened = running.journal.opened.map(({ callId }) => callId).sort();
    assert.deepEqual(running.journal.settled.map(({ callId }) => callId).sort(), opened, 'probes leave nothing open');
  });
});
