import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import OpenAI, { APIError } from 'openai';
import { FakeClock } from '../kernel/clock.ts';
import {
  completion,
  manyTurns,
  type ScriptedUpstream,
  sendJson,
  sendStream,
  startGateway,
  startUpstream,
  streamEvents,
  TEST_KEY,
  type TestGateway,
  testModel,
  testProvider,
  testSnapshot,
  until,
} from './testing.ts';

const FROZEN_LISTENER = `
const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

const CHAT = { model: 'main', messages: [{ role: 'user' as const, content: 'Hi' }] };

let first: ScriptedUpstream;
let second: ScriptedUpstream;
let running: TestGateway;
let client: OpenAI;

/** Route `main`: `small` at the first provider, then `large` at the second. */
function twoProviders(timeouts: Partial<ReturnType<typeof testProvider>['timeouts']> = {}, firstBaseUrl = first.baseUrl) {
  const provider = testProvider(firstBaseUrl);
  return testSnapshot(first.baseUrl, {
    providers: [
      { ...provider, name: 'one', timeouts: { ...provider.timeouts, ...timeouts } },
      { ...testProvider(second.baseUrl), name: 'two' },
    ],
    models: [testModel('small', { provider: 'one' }), testModel('large', { provider: 'two' })],
  });
}

before(async () => {
  first = await startUpstream((_request, response) => sendJson(response, completion('from one')));
  second = await startUpstream((_request, response) => sendJson(response, completion('from two')));
  running = await startGateway(twoProviders());
  client = new OpenAI({ baseURL: running.baseUrl, apiKey: TEST_KEY, maxRetries: 0 });
});
after(async () => {
  await running.close();
  await first.close();
  await second.close();
});
beforeEach(async () => {
  await until(() => running.gateway.stats.activeCalls === 0, 'no call is in flight');
  running.snapshot = twoProviders();
  second.script = (_request, response) => sendJson(response, completion('from two'));
});

function lastSettled() {
  const last = running.journal.settled.at(-1);
  assert.ok(last !== undefined);
  return last;
}

async function failureOf(
  promise: Promise<unknown>,
): Promise<{ status: number | undefined; code: unknown; message: string; headers: Headers | undefined }> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof APIError, String(error));
    return { status: error.status, code: error.code, message: error.message, headers: error.headers };
  }
  throw new assert.AssertionError({ message: 'the call should have failed' });
}

function openAiError(message: string, code: string | null = null, type = 'invalid_request_error'): unknown {
  return { error: { message, type, code, param: null } };
}

describe('fallback', () => {
  const passes: [name: string, code: string, script: ScriptedUpstream['script']][] = [
    [
      'a rate limit',
      'provider_rate_limited',
      (_request, response) => sendJson(response, openAiError('slow down'), 429, { 'retry-after': '7' }),
    ],
    ['a server error', 'provider_unavailable', (_request, response) => sendJson(response, openAiError('broken'), 503)],
    ['a closed connection', 'provider_unavailable', (_request, response) => void response.socket?.destroy()],
    [
      'an answer that is cut',
      'provider_unavailable',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"id":', () => response.socket?.destroy());
      },
    ],
    [
      'an answer that is not JSON',
      'provider_bad_response',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('<html>');
      },
    ],
    [
      'an error with status 200',
      'provider_unavailable',
      (_request, response) => sendJson(response, openAiError('overloaded', null, 'server_error')),
    ],
    ['a redirect', 'provider_bad_response', (_request, response) => sendJson(response, {}, 302)],
  ];
  for (const [name, code, script] of passes) {
    it(`asks the next target after ${name}`, async () => {
      first.script = script;
      const { data, response } = await client.chat.completions.create(CHAT).withResponse();
      assert.equal(data.choices[0]?.message.content, 'from two');
      assert.equal(response.headers.get('x-plimsoll-model'), 'large');
      const { attempts, status, costPicoUsd } = lastSettled();
      assert.equal(status, 'ok');
      assert.deepEqual(
        attempts.map((attempt) => [attempt.model, attempt.status, attempt.errorType]),
        [
          ['small', 'error', code],
          ['large', 'ok', null],
        ],
      );
      assert.equal(costPicoUsd, '36000000');
    });
  }

  it('asks the next target when the first event of a stream is an error', async () => {
    first.script = (_request, response) =>
      sendStream(response, [': waiting\n\n', `data: ${JSON.stringify(openAiError('overloaded', null, 'server_error'))}\n\n`]);
    second.script = (_request, response) => sendStream(response, streamEvents(['fine']));
    const stream = await client.chat.completions.create({ ...CHAT, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    assert.equal(text, 'fine');
    assert.equal(lastSettled().attempts.length, 2);
  });

  it('does not ask the next target what the first one refused for good', async () => {
    const asked = second.requests.length;
    const refusals: [status: number, body: unknown, clientStatus: number, code: string][] = [
      [400, openAiError('bad tool'), 400, 'provider_rejected'],
      [422, openAiError('bad field'), 400, 'provider_rejected'],
      [400, openAiError('too long', 'context_length_exceeded'), 400, 'context_length_exceeded'],
      [400, openAiError("This model's maximum context length is 8192 tokens"), 400, 'context_length_exceeded'],
      [400, openAiError('no', 'content_policy_violation'), 400, 'content_filtered'],
    ];
    for (const [status, body, clientStatus, code] of refusals) {
      first.script = (_request, response) => sendJson(response, body, status);
      const failure = await failureOf(client.chat.completions.create(CHAT));
      assert.deepEqual([failure.status, failure.code], [clientStatus, code]);
      assert.equal(lastSettled().costPicoUsd, '0');
    }
    assert.equal(second.requests.length, asked);
  });

  it('asks the next target when the first one refuses its credential, which says nothing of the request', async () => {
    first.script = (_request, response) => sendJson(response, openAiError('Incorrect API key provided: sk-secret'), 401);
    assert.equal((await client.chat.completions.create(CHAT)).choices[0]?.message.content, 'from two');
    second.script = first.script;
    const failure = await failureOf(client.chat.completions.create(CHAT));
    assert.deepEqual([failure.status, failure.code], [502, 'provider_auth_failed']);
    assert.ok(!failure.message.includes('sk-secret'));
    assert.equal(lastSettled().costPicoUsd, '0');
  });

  it('tells of all attempts, and passes retry-after on, when none answers', async () => {
    first.script = (_request, response) => sendJson(response, openAiError('broken'), 500);
    second.script = (_request, response) => sendJson(response, openAiError('slow down'), 429, { 'retry-after': '7' });
    const failure = await failureOf(client.chat.completions.create(CHAT));
    assert.equal(failure.status, 429);
    assert.equal(failure.code, 'provider_rate_limited');
    assert.match(
      failure.message,
      /All 2 targets failed: small: provider_unavailable \(broken\); large: provider_rate_limited \(slow down\)/,
    );
    assert.equal(failure.headers?.get('retry-after'), '7');
  });

  it('asks the next target when nothing listens', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    await new Promise((resolve) => server.close(resolve));
    running.snapshot = twoProviders({}, `http://127.0.0.1:${port}/v1`);
    assert.equal((await client.chat.completions.create(CHAT)).choices[0]?.message.content, 'from two');
    assert.equal(lastSettled().attempts[0]?.errorType, 'provider_unavailable');
    assert.equal(lastSettled().attempts[0]?.costPicoUsd, '0');
  });
});

describe('timeouts', () => {
  const silent: ScriptedUpstream['script'] = () => {};
  /** Of one kind of limit each test sets its own; no other one can fire, however long the test lets time pass. */
  const NEVER = { connectMs: 86_400_000, firstByteMs: 86_400_000, idleMs: 86_400_000, totalMs: 86_400_000 };
  let clock: FakeClock;
  let timed: TestGateway;
  let timedClient: OpenAI;

  beforeEach(async () => {
    clock = new FakeClock(1_760_000_000_000);
    timed = await startGateway(null, clock);
    timedClient = new OpenAI({ baseURL: timed.baseUrl, apiKey: TEST_KEY, maxRetries: 0 });
  });
  afterEach(() => timed.close());

  function limit(limits: Partial<typeof NEVER>, firstBaseUrl = first.baseUrl): void {
    const snapshot = twoProviders({}, firstBaseUrl);
    const timeouts = { one: { ...NEVER, ...limits }, two: NEVER };
    timed.snapshot = {
      ...snapshot,
      providers: snapshot.providers.map((provider) => ({ ...provider, timeouts: timeouts[provider.name as 'one' | 'two'] })),
    };
  }

  function settled() {
    const last = timed.journal.settled.at(-1);
    assert.ok(last !== undefined);
    return last;
  }

  /** Lets time pass until the call is over. */
  async function passUntilOver<T>(answer: Promise<T>): Promise<T> {
    let isOver = false;
    const done = answer.finally(() => {
      isOver = true;
    });
    done.catch(() => {}); // whoever awaits what is returned hears of it
    while (!isOver) {
      await clock.advance(5);
      await manyTurns(1);
    }
    return done;
  }

  it('first byte: the next target is asked', async () => {
    let isAsked = false;
    first.script = () => {
      isAsked = true;
    };
    limit({ firstByteMs: 60 });
    const answer = timedClient.chat.completions.create(CHAT);
    await until(() => isAsked, 'the provider is asked');
    const asked = second.requests.length;
    await clock.advance(59);
    await manyTurns();
    assert.equal(second.requests.length, asked, 'not before its time is up');
    await clock.advance(26); // deadlines are checked every 25 ms
    assert.equal((await answer).choices[0]?.message.content, 'from two');
    const [attempt] = settled().attempts;
    assert.equal(attempt?.errorType, 'provider_timeout');
    assert.match(attempt?.errorMessage ?? '', /sent no byte within 60 ms/);
    assert.ok((attempt?.durationMs ?? 0) >= 60 && (attempt?.durationMs ?? 0) <= 85);
    // It was sent and perhaps worked on: what it cost is not known.
    assert.equal(attempt?.costPicoUsd, null);
  });

  it('connect: the next target is asked', async () => {
    // A listener that accepts nothing: once its backlog is full the system drops every further connection request.
    const child = spawn(process.execPath, ['-e', FROZEN_LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const port = Number(line.toString());
    const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect')));
    try {
      limit({ connectMs: 80 }, `http://127.0.0.1:${port}/v1`);
      const answer = timedClient.chat.completions.create(CHAT);
      assert.equal((await passUntilOver(answer)).choices[0]?.message.content, 'from two');
      const [attempt] = settled().attempts;
      assert.equal(attempt?.errorType, 'provider_timeout');
      assert.match(attempt?.errorMessage ?? '', /took no connection within 80 ms/);
      assert.equal(attempt?.costPicoUsd, '0');
    } finally {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  it('idle, before an answer is complete: the next target is asked', async () => {
    first.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id":');
    };
    limit({ idleMs: 60 });
    const answer = timedClient.chat.completions.create(CHAT);
    assert.equal((await passUntilOver(answer)).choices[0]?.message.content, 'from two');
    assert.match(settled().attempts[0]?.errorMessage ?? '', /went silent within 60 ms/);
  });

  it('idle, in the middle of a stream: an error event, then a broken connection', async () => {
    first.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of streamEvents(['one', 'two']).slice(0, 2)) response.write(event);
    };
    limit({ idleMs: 60 });
    const stream = await timedClient.chat.completions.create({ ...CHAT, stream: true });
    let text = '';
    const failure = await passUntilOver(
      failureOf(
        (async () => {
          for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
        })(),
      ),
    );
    assert.equal(text, 'one');
    assert.equal(failure.code, 'provider_stream_cut');
    assert.equal(settled().errorType, 'provider_stream_cut');
    assert.equal(settled().attempts[0]?.usageSource, 'estimated');
    assert.equal(settled().attempts.length, 1);
  });

  it('total: a stream that drips for ever is ended', async () => {
    const [head = '', piece = ''] = streamEvents(['x']);
    let drip = silent as () => void;
    first.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(head + piece);
      drip = () => response.write(piece);
    };
    limit({ idleMs: 60, totalMs: 120 });
    const stream = await timedClient.chat.completions.create({ ...CHAT, stream: true });
    let pieces = 0;
    const failure = await failureOf(
      (async () => {
        // Each piece comes 10 ms after the client has the one before: it is never silent.
        for await (const chunk of stream) {
          if (chunk.choices[0]?.delta.content !== 'x') continue;
          pieces++;
          await clock.advance(10);
          drip();
        }
      })(),
    );
    assert.equal(failure.code, 'provider_stream_cut');
    assert.match(settled().errorMessage ?? '', /did not finish within 120 ms/);
    assert.ok(pieces >= 12 && pieces <= 15, `${pieces} pieces`);
  });
});

describe('under random faults', () => {
  const faults: Record<string, ScriptedUpstream['script']> = {
    fine: (request, response) =>
      request.json.stream === true ? sendStream(response, streamEvents(['a', 'b'])) : sendJson(response, completion('a')),
    error500: (_request, response) => sendJson(response, openAiError('x'), 500),
    error400: (_request, response) => sendJson(response, openAiError('x'), 400),
    reset: (_request, response) => void response.socket?.destroy(),
    garbage: (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{');
    },
    cut: (request, response) => {
      response.writeHead(200, { 'content-type': request.json.stream === true ? 'text/event-stream' : 'application/json' });
      response.write(request.json.stream === true ? streamEvents(['a']).slice(0, 2).join('') : '{"id"', () => response.socket?.destroy());
    },
    stall: (request, response) => {
      if (request.json.stream !== true) return;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(streamEvents(['a']).slice(0, 2).join(''));
    },
  };

  it('every call is settled exactly once, and a complete answer always has its row', async () => {
    running.snapshot = twoProviders({ firstByteMs: 60, idleMs: 60 });
    const name = fc.constantFrom(...Object.keys(faults));
    const scenario = fc.record({ one: name, two: name, isStream: fc.boolean(), leaveAfterMs: fc.constantFrom(null, null, 0, 5, 20) });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(scenario, { minLength: 1, maxLength: 8 }), async (calls) => {
        const scenarios = new Map(calls.map((call, index) => [String(index), call]));
        const pick =
          (which: 'one' | 'two'): ScriptedUpstream['script'] =>
          (request, response, raw) => {
            const fault = scenarios.get(String(request.json.user))?.[which] ?? 'fine';
            return faults[fault]?.(request, response, raw);
          };
        first.script = pick('one');
        second.script = pick('two');
        // Calls of the run before may still arrive: a client that leaves at once does not wait for them.
        const runName = `run-${++runs}`;
        const results = await Promise.all(
          calls.map(async ({ isStream, leaveAfterMs }, index) => {
            const controller = new AbortController();
            const timer = leaveAfterMs === null ? null : setTimeout(() => controller.abort(), leaveAfterMs);
            try {
              const response = await fetch(`${running.baseUrl}/chat/completions`, {
                method: 'POST',
                headers: {
                  authorization: `Bearer ${TEST_KEY}`,
                  'content-type': 'application/json',
                  'x-plimsoll-session': `${runName}-${index}`,
                },
                body: JSON.stringify({ ...CHAT, user: String(index), stream: isStream }),
                signal: controller.signal,
              });
              const text = await response.text();
              return { isComplete: response.status === 200 && (!isStream || text.includes('[DONE]')), rows: running.journal.settled };
            } catch {
              return { isComplete: false, rows: [] };
            } finally {
              if (timer !== null) clearTimeout(timer);
            }
          }),
        );
        await until(() => running.gateway.stats.activeCalls === 0, 'all calls are over');
        const rows = running.journal.settled.filter((row) => row.session?.startsWith(`${runName}-`));
        assert.ok(rows.length <= calls.length);
        for (const [index, result] of results.entries()) {
          const own = rows.filter((row) => row.session === `${runName}-${index}`);
          if (result.isComplete) {
            assert.equal(own.length, 1);
            assert.equal(own[0]?.status, 'ok');
            assert.ok(result.rows.some((row) => row.callId === own[0]?.callId));
          } else assert.ok(own.length <= 1);
        }
        await until(() => running.gateway.stats.activeCalls === 0, 'all calls are over');
        const opened = new Set(running.journal.opened.map((call) => call.callId));
        for (const row of running.journal.settled) opened.delete(row.callId);
        assert.equal(opened.size, 0, 'nothing stays open');
        for (const row of rows) {
          const known = row.attempts.map((attempt) => attempt.costPicoUsd).filter((cost) => cost !== null);
          if (row.costPicoUsd !== null)
            assert.equal(
              BigInt(row.costPicoUsd),
              known.reduce((sum, cost) => sum + BigInt(cost), 0n),
            );
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('drain', () => {
  it('waits for calls in flight, then cuts and settles what is left', async (context) => {
    const own = await startGateway(twoProviders());
    // Also when an assertion fails: a server left listening would keep the whole run from ending.
    context.after(() => own.close());
    let finish: (() => void) | null = null;
    first.script = (request, response) => {
      // A call that its client left in the test before may still arrive.
      if (request.json.user === 'drain') finish = () => sendJson(response, completion('late'));
    };
    const call = new OpenAI({ baseURL: own.baseUrl, apiKey: TEST_KEY, maxRetries: 0 }).chat.completions.create({ ...CHAT, user: 'drain' });
    await until(() => finish !== null, 'the provider is asked');
    const drained = own.gateway.drain(600_000);
    assert.deepEqual(own.gateway.readiness().reasons, ['draining']);
    (finish as unknown as () => void)();
    assert.equal((await call).choices[0]?.message.content, 'late');
    await drained;

    const cut = await startGateway(twoProviders());
    context.after(() => cut.close());
    first.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(streamEvents(['a']).slice(0, 2).join(''));
    };
    const stream = await new OpenAI({ baseURL: cut.baseUrl, apiKey: TEST_KEY, maxRetries: 0 }).chat.completions.create({
      ...CHAT,
      stream: true,
    });
    await cut.gateway.drain(20);
    const failure = await failureOf(
      (async () => {
        for await (const _chunk of stream);
      })(),
    );
    assert.equal(failure.code, 'not_ready');
    assert.equal(cut.journal.settled.length, 1);
    assert.equal(cut.journal.settled[0]?.errorType, 'not_ready');
  });
});
