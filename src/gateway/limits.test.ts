import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import OpenAI, { RateLimitError, UnprocessableEntityError } from 'openai';
import { FakeClock } from '../kernel/clock.ts';
import { rulesOf } from './admission/config-rules.ts';
import { rules } from './admission/testing.ts';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  sendStream,
  startGateway,
  startUpstream,
  streamEvents,
  TEST_KEY,
  type TestGateway,
  testFeature,
  testModel,
  testProvider,
  testRoute,
  testSnapshot,
  until,
} from './testing.ts';

const START_MS = Date.UTC(2026, 9, 14, 10, 0, 0);
const CHAT = { model: 'main', messages: [{ role: 'user' as const, content: 'Hi' }], max_tokens: 10 };

let upstream: ScriptedUpstream;
let running: TestGateway;
let clock: FakeClock;
let client: OpenAI;

before(async () => {
  upstream = await startUpstream(() => {});
});
after(() => upstream.close());
afterEach(async () => {
  await until(() => running.gateway.stats.activeCalls === 0, 'no call is in flight');
  assert.match(running.gateway.metrics(), /^plimsoll_reservations_outstanding 0$/m);
  assert.equal(running.logLines.filter((line) => line.event === 'gateway_defect').length, 0);
  await running.close();
});

/** A gateway with these limits, on a clock that stands still. */
async function start(limits: readonly Record<string, unknown>[], overrides: Parameters<typeof testSnapshot>[1] = {}): Promise<void> {
  upstream.script = (_request, response) => sendJson(response, completion('Hello'));
  upstream.requests.length = 0;
  clock = new FakeClock(START_MS);
  running = await startGateway(testSnapshot(upstream.baseUrl, { limitRules: rules(limits), ...overrides }), clock);
  client = new OpenAI({ baseURL: running.baseUrl, apiKey: TEST_KEY, maxRetries: 0 });
}

const chat = (overrides: Record<string, unknown> = {}, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ ...CHAT, ...overrides }),
    ...(signal === undefined ? {} : { signal }),
  });

/** Refused or not, the body is read. */
async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.text();
  return response.status;
}

describe('limits on the wire', () => {
  it('shows the tightest limits in OpenAI’s headers instead of the provider’s, on JSON and on streams', async () => {
    await start([
      { scope: 'global', requestsPerMinute: 100, tokensPerMinute: 10_000 },
      { scope: 'feature', name: 'support', requestsPerMinute: 4, budgetUsd: 2, per: 'day' },
    ]);
    upstream.script = (request, response) => {
      response.setHeader('x-ratelimit-remaining-requests', '9999');
      if (request.json.stream === true) sendStream(response, streamEvents(['Hi']));
      else sendJson(response, completion('Hello'));
    };
    const { response } = await client.chat.completions.create(CHAT).withResponse();
    const header = (name: string) => response.headers.get(name);
    assert.equal(header('x-ratelimit-limit-requests'), '4');
    assert.equal(header('x-ratelimit-remaining-requests'), '3');
    assert.equal(header('x-ratelimit-reset-requests'), '1m1s');
    assert.equal(header('x-ratelimit-limit-tokens'), '10000');
    // Settled before the head was written: 25 tokens and 36 µ$.
    assert.equal(header('x-ratelimit-remaining-tokens'), '9975');
    assert.equal(header('x-plimsoll-budget-remaining-usd'), '1.999964');
    const stream = await chat({ stream: true });
    await stream.text();
    assert.equal(stream.headers.get('x-ratelimit-remaining-requests'), '2');
  });

  it('passes the provider’s headers where no rate is limited', async () => {
    await start([{ scope: 'global', concurrency: 5 }]);
    upstream.script = (_request, response) => sendJson(response, completion('Hello'), 200, { 'x-ratelimit-remaining-requests': '9999' });
    const { response } = await client.chat.completions.create(CHAT).withResponse();
    assert.equal(response.headers.get('x-ratelimit-remaining-requests'), '9999');
  });

  it('refuses with what an official client and a person need', async () => {
    await start([{ scope: 'key', requestsPerMinute: 1, owner: 'platform' }]);
    await client.chat.completions.create(CHAT);
    const error = await client.chat.completions.create(CHAT).then(
      () => assert.fail('the limit is 1'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof RateLimitError);
    assert.equal(error.code, 'rate_limited');
    assert.equal(error.headers.get('retry-after'), '61');
    assert.equal(error.headers.get('retry-after-ms'), '60001');
    assert.equal(error.headers.get('x-ratelimit-remaining-requests'), '0');
    assert.equal(error.headers.get('x-should-retry'), null);
    assert.match(error.message, /The key "plk_test_key_of_support" has used 1 of its 1 requests per minute/);
    const { limit } = error.error as { limit: Record<string, unknown> };
    assert.equal(limit.owner, 'platform');
    assert.equal(limit.used, 1);
    assert.equal(upstream.requests.length, 1);
    const refused = running.journal.settled.at(-1);
    assert.equal(refused?.errorType, 'rate_limited');
    assert.deepEqual(refused?.attempts, []);
    assert.equal(running.journal.opened.length, 1);
    await clock.advance(60_001);
    await client.chat.completions.create(CHAT);
  });

  it('tells clients not to repeat what waiting does not help, and answers before the body is sent', async () => {
    await start([
      { scope: 'feature', name: 'support', budgetUsd: 0.000_04, per: 'day' },
      { scope: 'session', maxSteps: 1 },
    ]);
    await client.chat.completions.create({ ...CHAT, max_tokens: 1 });
    const spent = await client.chat.completions.create({ ...CHAT, max_tokens: 1 }).catch((thrown: unknown) => thrown);
    assert.ok(spent instanceof RateLimitError && spent.code === 'budget_exceeded' && spent.type === 'insufficient_quota');
    assert.equal(spent.headers.get('x-should-retry'), 'false');
    assert.equal(spent.headers.get('x-plimsoll-budget-remaining-usd'), '0.000004');
    await running.close();
    await start([{ scope: 'session', maxSteps: 1 }]);
    const session = { headers: { 'x-plimsoll-session': 'run-1' } };
    await client.chat.completions.create(CHAT, session);
    const stopped = await client.chat.completions.create(CHAT, session).catch((thrown: unknown) => thrown);
    assert.ok(stopped instanceof UnprocessableEntityError && stopped.code === 'agent_loop_stopped');
    // The head alone is enough for a refusal: the body is never asked for.
    const head = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(running.origin).port), '127.0.0.1', () =>
        socket.write(
          `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${TEST_KEY}\r\nx-plimsoll-session: run-1\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n`,
        ),
      );
      socket.once('data', (bytes) => {
        resolve(bytes.toString().split('\r\n')[0] ?? '');
        socket.destroy();
      });
    });
    assert.match(head, /422/);
  });

  it('holds single requests to caps, and asks the provider for no more than the cap', async () => {
    await start([{ scope: 'feature', name: 'support', maxInputTokens: 100, maxOutputTokens: 50, maxCostUsd: 0.0002 }]);
    const refusal = async (overrides: Record<string, unknown>): Promise<string> => {
      const response = await chat(overrides);
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      assert.equal(response.status, 400);
      assert.equal(error.code, 'request_over_limit');
      return error.message;
    };
    assert.match(
      await refusal({ messages: [{ role: 'user', content: 'x'.repeat(500) }] }),
      /has about 1\d\d tokens; .* at most 100 tokens/,
    );
    assert.match(await refusal({ max_tokens: 51 }), /asks for up to 51 tokens; .* at most 50 tokens/);
    assert.match(await refusal({ max_tokens: 50 }), /may cost \$0\.000\d+; .* at most \$0\.0002/);
    await client.chat.completions.create({ ...CHAT, max_tokens: 20 });
    assert.equal(upstream.requests.at(-1)?.json.max_tokens, 20);
    await running.close();
    await start([{ scope: 'user', maxOutputTokens: 50 }]);
    await client.chat.completions.create({ ...CHAT, max_tokens: undefined as unknown as number, user: 'ada', stream: false });
    assert.equal(upstream.requests.at(-1)?.json.max_completion_tokens, 50);
    await client.chat.completions.create({ ...CHAT, max_tokens: undefined as unknown as number });
    assert.equal(upstream.requests.at(-1)?.json.max_completion_tokens, undefined, 'no user, no cap per user');
    assert.equal(await statusOf(chat({ max_tokens: null, user: 'ada' })), 400);
  });

  it('passes over a target whose model or provider is at its limit, and settles each attempt where it was made', async () => {
    await start([
      { scope: 'model', name: 'small', requestsPerMinute: 1 },
      { scope: 'provider', requestsPerMinute: 3 },
    ]);
    const models: string[] = [];
    for (let index = 0; index < 3; index++) {
      const { response } = await client.chat.completions.create(CHAT).withResponse();
      models.push(response.headers.get('x-plimsoll-model') ?? '');
    }
    assert.deepEqual(models, ['small', 'large', 'large']);
    const [refused, answered] = running.journal.settled.at(-1)?.attempts ?? [];
    assert.equal(refused?.errorType, 'rate_limited');
    assert.equal(refused?.costPicoUsd, '0');
    assert.equal(answered?.status, 'ok');
    const response = await chat();
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, 'rate_limited');
    assert.match(error.message, /The model "small" has used 1 of its 1 .*The provider "upstream" has used 3 of its 3/);
    assert.equal(upstream.requests.length, 3);
    await clock.advance(60_001);
    assert.equal(await statusOf(chat()), 200);
  });

  it('does not let a model without a price past a budget, unless it is told to', async () => {
    const models = [testModel('small', { price: null }), testModel('large')];
    await start([{ scope: 'global', budgetUsd: 1 }], { models });
    const { response } = await client.chat.completions.create(CHAT).withResponse();
    assert.equal(response.headers.get('x-plimsoll-model'), 'large');
    const refused = await chat({ model: 'small' });
    const { error } = (await refused.json()) as { error: { message: string } };
    assert.match(error.message, /No price is known for "small"/);
    await running.close();
    await start([{ scope: 'global', budgetUsd: 1, unpriced: 'allow' }], { models });
    assert.equal(await statusOf(chat({ model: 'small' })), 200);
  });

  it('counts what failed attempts have cost before the next one is tried', async () => {
    await start([{ scope: 'global', budgetUsd: 0.0002 }]);
    // The first target fails after it was paid for; what is left does not suffice for another one.
    const usage = { id: 'c', choices: [], usage: { prompt_tokens: 20, completion_tokens: 40 } };
    const failure = { error: { message: 'The server had an error', type: 'server_error', code: 500 } };
    upstream.script = (_request, response) =>
      sendStream(
        response,
        [usage, failure].map((event) => `data: ${JSON.stringify(event)}\n\n`),
      );
    const response = await chat({ max_tokens: 40, stream: true });
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    // The outage may pass: that is what the caller is told to act on, with the refusal named beside it.
    assert.equal(error.code, 'provider_unavailable');
    assert.match(error.message, /small: provider_unavailable .* large: budget_exceeded .*\$0\.00018\d* reserved/);
    assert.equal(upstream.requests.length, 1);
    assert.equal(running.journal.settled.at(-1)?.costPicoUsd, '180000000');
    assert.equal(await statusOf(chat({ max_tokens: 40 })), 429);
    upstream.script = (_request, answer) => sendJson(answer, completion('Hello'));
    assert.equal(await statusOf(chat({ max_tokens: 1, messages: [] })), 200);
  });

  it('gives everything back when clients leave, providers fail, or the request is wrong', async () => {
    await start([{ scope: 'global', concurrency: 2, requestsPerMinute: 50, tokensPerMinute: 5_000, budgetUsd: 1 }]);
    upstream.script = () => {};
    const abort = new AbortController();
    const calls = [chat({}, {}, abort.signal), chat({ stream: true }, {}, abort.signal)].map((call) => call.catch(() => null));
    await until(() => upstream.requests.length === 2, 'both are with the provider');
    assert.equal(await statusOf(chat()), 429);
    abort.abort();
    await Promise.all(calls);
    await until(() => running.gateway.stats.activeCalls === 0, 'both are over');
    upstream.script = (_request, response) => sendJson(response, { error: { message: 'no' } }, 500);
    assert.equal(await statusOf(chat()), 502);
    assert.equal(await statusOf(chat({ messages: 'wrong', stream: 5 })), 400);
    assert.equal(await statusOf(chat({ model: 'nothing' })), 404);
    upstream.script = (_request, response) => sendJson(response, completion('Hello'));
    const { response } = await client.chat.completions.create(CHAT).withResponse();
    // Two that left, one that failed, this one.
    assert.equal(response.headers.get('x-ratelimit-remaining-requests'), '46');
  });
});

describe('what happens when a limit is exceeded', () => {
  it('downgrade: calls go to the cheaper route, with a warning, and are counted', async () => {
    await start([{ scope: 'feature', name: 'support', requestsPerMinute: 1, onExceed: 'downgrade', downgradeTo: 'cheap' }], {
      routes: [
        { name: 'main', targets: ['large'] },
        { name: 'cheap', targets: ['small'] },
      ],
    });
    const models: (string | null)[] = [];
    const warnings: (string | null)[] = [];
    for (let index = 0; index < 3; index++) {
      const { response } = await client.chat.completions.create(CHAT).withResponse();
      models.push(response.headers.get('x-plimsoll-model'));
      warnings.push(response.headers.get('x-plimsoll-warnings'));
    }
    assert.deepEqual(models, ['large', 'small', 'small']);
    assert.deepEqual(warnings[0], null);
    assert.match(warnings[1] ?? '', /downgraded from main to cheap by the limit feature:support\/requests-per-minute/);
    const settled = running.journal.settled.at(-1);
    assert.equal(settled?.requestedModel, 'main');
    assert.equal(settled?.route, 'cheap');
  });

  it('queue: calls wait for room, first come first served within a priority, and leave when their client does', async () => {
    const queue = { maxWaitMs: 10_000, maxLength: 4 };
    await start([{ scope: 'global', concurrency: 1, onExceed: 'queue', queue }], {
      features: [testFeature('support', { priority: 5 }), testFeature('billing', { priority: 7 })],
    });
    const held: (() => void)[] = [];
    upstream.script = (_request, response) => void held.push(() => sendJson(response, completion('Hello')));
    const order: string[] = [];
    const call = (name: string, headers: Record<string, string> = {}, signal?: AbortSignal) =>
      chat({ user: name }, headers, signal).then(
        async (response) => {
          await response.text();
          order.push(`${name} ${response.status}`);
        },
        () => order.push(`${name} left`),
      );
    const waiting = (count: number) => until(() => running.gateway.stats.activeCalls === count, `${count} are in`);
    const calls = [call('a')];
    await until(() => held.length === 1, 'a is with the provider');
    const abort = new AbortController();
    const billing = { authorization: 'Bearer plk_test_unbound', 'x-plimsoll-feature': 'billing' };
    calls.push(call('b'));
    await waiting(2);
    calls.push(call('gone', {}, abort.signal));
    await waiting(3);
    calls.push(call('c'));
    await waiting(4);
    calls.push(call('first', billing));
    await waiting(5);
    await call('too many');
    abort.abort();
    await waiting(4);
    for (let index = 0; index < 4; index++) {
      await until(() => held.length === 1, 'one is with the provider');
      held.shift()?.();
      await until(() => order.length === 3 + index, 'it is answered');
    }
    await Promise.all(calls);
    assert.deepEqual(order, ['too many 429', 'gone left', 'a 200', 'first 200', 'b 200', 'c 200']);
  });

  it('queue: a window makes room by itself, and who waited too long is told', async () => {
    await start([{ scope: 'key', requestsPerMinute: 1, onExceed: 'queue', queue: { maxWaitMs: 90_000, maxLength: 5 } }]);
    assert.equal(await statusOf(chat()), 200);
    const second = statusOf(chat());
    await until(() => running.gateway.stats.activeCalls === 1, 'the second waits');
    const third = chat();
    await until(() => running.gateway.stats.activeCalls === 2, 'the third waits');
    await clock.advance(60_002);
    assert.equal(await second, 200);
    await clock.advance(30_000);
    const late = await third;
    assert.equal(late.status, 429);
    assert.match(await late.text(), /waited 90000 ms for room in vain/);
    assert.equal(upstream.requests.length, 2);
  });

  it('queue: a call larger than the limit is refused at once', async () => {
    await start([{ scope: 'key', tokensPerMinute: 20, onExceed: 'queue' }]);
    const response = await chat({ max_tokens: 100 });
    assert.equal(response.status, 429);
    assert.equal(response.headers.get('x-should-retry'), 'false');
    assert.match(await response.text(), /No waiting helps: the call is larger than the limit/);
  });

  it('reject wins over queue, and draining ends who waits', async () => {
    await start([
      { scope: 'global', concurrency: 1, onExceed: 'queue' },
      { scope: 'user', requestsPerMinute: 1 },
    ]);
    const held: (() => void)[] = [];
    upstream.script = (_request, response) => void held.push(() => sendJson(response, completion('Hello')));
    const first = statusOf(chat({ user: 'ada' }));
    await until(() => held.length === 1, 'it is with the provider');
    assert.equal(await statusOf(chat({ user: 'ada' })), 429);
    const waiting = statusOf(chat({ user: 'bob' }));
    await until(() => running.gateway.stats.activeCalls === 2, 'bob waits');
    const drained = running.gateway.drain(1_000);
    await clock.advance(1_000);
    assert.equal(await waiting, 503);
    await first.catch(() => {});
    await drained;
  });
});

describe('events and loops', () => {
  const events = () =>
    running.journal.records
      .filter((record) => record.type === 'event')
      .map(
        (record) =>
          JSON.parse(record.payload.toString()) as { name: string; key: string; message: string; details: Record<string, unknown> },
      );

  it('journals each share of a budget once, and what passes a limit that only alerts', async () => {
    await start([
      { scope: 'feature', name: 'support', budgetUsd: 0.0001, per: 'day', onExceed: 'alert', costOwner: 'finance' },
      { scope: 'key', requestsPerMinute: 2, onExceed: 'alert' },
    ]);
    for (let index = 0; index < 4; index++) assert.equal(await statusOf(chat()), 200);
    // 36 µ$ a call.
    assert.deepEqual(
      events().map(({ name, details }) => `${name} ${String(details.percent ?? details.used)}`),
      ['limit.budget_reached 50', 'limit.exceeded 3', 'limit.budget_reached 80', 'limit.budget_reached 100', 'limit.budget_reached 120'],
    );
    const [first] = events();
    assert.match(
      first?.message ?? '',
      /50 % of the budget of the feature "support" is spent: \$0\.000072 of \$0\.0001 per day, which ends at/,
    );
    assert.equal(first?.details.costOwner, 'finance');
    assert.equal(new Set(events().map(({ key }) => key)).size, 5);
  });

  it('stops a run that goes in circles, with a reason for the agent and an event for the owner', async () => {
    await start([], { features: [testFeature('support', { loopBreaker: { sameToolCalls: 2, sameAnswers: null }, owner: 'agents' })] });
    const step = [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'search', arguments: '{"q":1}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'nothing' },
    ];
    const messages = [...CHAT.messages, ...step];
    assert.equal(await statusOf(chat({ messages })), 200);
    const response = await chat({ messages: [...messages, ...step] }, { 'x-plimsoll-session': 'run-7' });
    assert.equal(response.status, 422);
    assert.equal(response.headers.get('x-should-retry'), 'false');
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, 'agent_loop_stopped');
    assert.match(error.message, /The tool call search\(\{"q":1\}\) was made 2 times in this run, .* Say what you have found/);
    assert.equal(upstream.requests.length, 1);
    assert.equal(events()[0]?.name, 'agent.loop_stopped');
    assert.equal(events()[0]?.details.session, 'run-7');
  });

  it('stops a run that spends too fast, and lets it go on later', async () => {
    const features = { support: { loopBreaker: { maxUsdPerMinute: 0.00006, maxSteps: 4 } } };
    await start([], { limitRules: rulesOf([], features) });
    const session = { 'x-plimsoll-session': 'run-1' };
    assert.equal(await statusOf(chat({}, session)), 200);
    assert.equal(await statusOf(chat({}, session)), 200);
    const fast = await chat({}, session);
    assert.equal(fast.status, 422);
    assert.match(await fast.text(), /has spent \$0\.000072 in the last minute, more than \$0\.00006/);
    assert.equal(await statusOf(chat({}, { 'x-plimsoll-session': 'run-2' })), 200);
    await clock.advance(60_002);
    assert.equal(await statusOf(chat({}, session)), 200);
    await clock.advance(60_002);
    assert.equal(await statusOf(chat({}, session)), 200);
    const over = await chat({}, session);
    assert.equal(over.status, 422);
    assert.match(await over.text(), /it has made all of its 4 calls/);
  });
});

describe('calls that cost money besides the answer', () => {
  it('a hedge is not started when the budget has no room for two answers at once', async () => {
    const hedge = { delayMs: 100, maxRatio: 1, allowSideEffects: false };
    // A call may cost about 60 µ$.
    await start([{ scope: 'global', budgetUsd: 0.0001 }], { routes: [testRoute({ small: {}, large: {} }, { hedge })] });
    const held: (() => void)[] = [];
    upstream.script = (_request, response) => void held.push(() => sendJson(response, completion('Hello')));
    const answer = chat();
    await until(() => held.length === 1, 'the first target is asked');
    await clock.advance(150);
    await until(
      () => /plimsoll_limit_refusals_total\{limit="global\/budget-per-month"\} 1/.test(running.gateway.metrics()),
      'the hedge is refused',
    );
    held[0]?.();
    assert.equal(await statusOf(answer), 200);
    assert.equal(upstream.requests.length, 1);
    assert.equal(running.journal.settled.at(-1)?.costPicoUsd, '36000000');
  });

  it('mirrored calls spend the same budget, and stop with it; they are no requests and no steps', async () => {
    const shadow = { model: 'candidate', ratio: 1, maxUsdPerDay: 10, maxConcurrent: 8 };
    await start(
      [
        { scope: 'feature', name: 'support', budgetUsd: 0.00012 },
        { scope: 'session', maxSteps: 2, requestsPerDay: 2 },
      ],
      {
        models: [testModel('small'), testModel('large'), testModel('candidate')],
        routes: [testRoute({ small: {} }, { shadow })],
      },
    );
    const session = { 'x-plimsoll-session': 'run-1' };
    const spent = () => running.gateway.limits(9).find(({ unit }) => unit === 'nano_usd')?.top[0]?.used;
    assert.equal(await statusOf(chat({ max_tokens: 1 }, session)), 200);
    await until(() => running.journal.settled.length === 2, 'the mirrored call is settled');
    assert.equal(spent(), '72000000');
    assert.equal(await statusOf(chat({ max_tokens: 1 }, session)), 200);
    await until(() => running.journal.settled.length === 4, 'the second mirrored call is over');
    // 12 µ$ were left: too little for another answer.
    assert.equal(running.journal.settled.at(-1)?.errorType, 'budget_exceeded');
    assert.equal(spent(), '108000000');
    assert.equal(await statusOf(chat({ max_tokens: 1 }, session)), 422);
  });

  it('a call that was sent to the cheaper route may be tried again there', async () => {
    await start([{ scope: 'global', budgetUsd: 0.00001, onExceed: 'downgrade', downgradeTo: 'cheap' }], {
      routes: [
        { name: 'main', targets: ['large'] },
        { name: 'cheap', targets: ['small', 'large'] },
      ],
    });
    const usage = { id: 'c', choices: [], usage: { prompt_tokens: 20, completion_tokens: 40 } };
    const failure = { error: { message: 'The server had an error', type: 'server_error', code: 500 } };
    upstream.script = (request, response) => {
      if (request.json.model === 'large-2026-01-01') sendStream(response, streamEvents(['Hi']));
      else
        sendStream(
          response,
          [usage, failure].map((event) => `data: ${JSON.stringify(event)}\n\n`),
        );
    };
    const response = await chat({ stream: true });
    await response.text();
    assert.equal(response.headers.get('x-plimsoll-model'), 'large');
    assert.equal(running.journal.settled.at(-1)?.route, 'cheap');
    assert.equal(running.journal.settled.at(-1)?.attempts.length, 2);
  });
});

describe('limits of several providers', () => {
  it('count per provider', async () => {
    await start([{ scope: 'provider', name: 'upstream', concurrency: 1 }], {
      providers: [testProvider(upstream.baseUrl), testProvider(upstream.baseUrl, { name: 'other' })],
      models: [testModel('small'), testModel('large', { provider: 'other' })],
    });
    const held: (() => void)[] = [];
    upstream.script = (request, response) => {
      if (request.json.model === 'small-2026-01-01') held.push(() => sendJson(response, completion('Hello')));
      else sendJson(response, completion('Hello'));
    };
    const first = statusOf(chat());
    await until(() => held.length === 1, 'it is with the provider');
    const { response } = await client.chat.completions.create(CHAT).withResponse();
    assert.equal(response.headers.get('x-plimsoll-model'), 'large');
    held[0]?.();
    assert.equal(await first, 200);
  });
});
