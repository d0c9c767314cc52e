import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import OpenAI from 'openai';
import { FakeClock } from '../../kernel/clock.ts';
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
  testKey,
  testSnapshot,
  until,
} from '../testing.ts';

const OTHER_KEY = 'plk_test_other';

let upstream: ScriptedUpstream;
let running: TestGateway;
let clock: FakeClock;

before(async () => {
  upstream = await startUpstream(() => {});
});
after(() => upstream.close());
beforeEach(async () => {
  clock = new FakeClock(1_760_000_000_000);
  const snapshot = testSnapshot(upstream.baseUrl);
  running = await startGateway({ ...snapshot, keys: [...snapshot.keys, testKey(OTHER_KEY)] }, clock);
  upstream.requests.length = 0;
  let count = 0;
  upstream.script = (request, response) => {
    const text = `answer ${++count}`;
    if (request.json.stream === true) sendStream(response, streamEvents([text, '!']));
    else sendJson(response, completion(text));
  };
});
afterEach(() => running.close());

interface Sent {
  readonly content?: string;
  readonly isStream?: boolean;
  readonly key?: string;
  readonly token?: string;
  readonly signal?: AbortSignal;
}

async function send({ content = 'Hi', isStream = false, key = 'once', token = TEST_KEY, signal }: Sent = {}) {
  const response = await fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content }], stream: isStream }),
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    status: response.status,
    text: await response.text(),
    isReplay: response.headers.get('x-plimsoll-idempotent-replay') === 'true',
    model: response.headers.get('x-plimsoll-model'),
    cost: response.headers.get('x-plimsoll-cost-usd'),
  };
}

describe('a repeated idempotency key', () => {
  it('gets the same answer, asks no provider and costs nothing', async () => {
    const first = await send();
    const second = await send();
    assert.deepEqual([first.isReplay, second.isReplay], [false, true]);
    assert.equal(second.text, first.text);
    assert.equal(second.model, 'small');
    assert.equal(second.cost, '0');
    assert.equal(upstream.requests.length, 1);
    const [paid, repeated] = running.journal.settled;
    assert.equal(paid?.costPicoUsd, '36000000');
    assert.deepEqual([repeated?.costPicoUsd, repeated?.costStatus, repeated?.attempts.length], ['0', 'cached_zero', 0]);
    assert.equal(repeated?.parentCallId, paid?.callId);
    assert.match(running.gateway.metrics(), /^plimsoll_idempotent_replays_total 1$/m);
  });

  it('replays a stream event by event the same, also through the SDK', async () => {
    const first = await send({ isStream: true });
    const second = await send({ isStream: true });
    assert.equal(second.text, first.text);
    assert.match(second.text, /answer 1.*\[DONE\]\n\n$/s);
    assert.equal(second.isReplay, true);
    const client = new OpenAI({ baseURL: running.baseUrl, apiKey: TEST_KEY, maxRetries: 0 });
    const ask = async (): Promise<string> => {
      const stream = await client.chat.completions.create(
        { model: 'main', messages: [{ role: 'user', content: 'Hi' }], stream: true },
        { headers: { 'idempotency-key': 'sdk' } },
      );
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      return text;
    };
    assert.equal(await ask(), await ask());
    assert.equal(upstream.requests.length, 2);
  });

  it('with another body is a conflict; for another virtual key it is another key', async () => {
    await send();
    const conflict = await send({ content: 'Something else' });
    assert.equal(conflict.status, 409);
    assert.equal((JSON.parse(conflict.text) as { error: { code: string } }).error.code, 'conflict');
    assert.equal((await send({ isStream: true })).status, 409);
    const other = await send({ token: OTHER_KEY, content: 'Something else' });
    assert.deepEqual([other.status, other.isReplay], [200, false]);
  });

  it('is forgotten after its time', async () => {
    await send();
    await clock.advance(24 * 3_600_000 - 1);
    assert.equal((await send()).isReplay, true);
    await clock.advance(1);
    assert.equal((await send()).isReplay, false);
  });

  it('keeps no failure', async () => {
    upstream.script = (_request, response) => sendJson(response, { error: { message: 'no' } }, 400);
    assert.equal((await send()).status, 400);
    upstream.script = (_request, response) => sendJson(response, completion('better'));
    const again = await send();
    assert.deepEqual([again.status, again.isReplay], [200, false]);
  });

  it('bounds its memory: the oldest answers leave first, one that is too long is not kept', async () => {
    const snapshot = running.snapshot;
    assert.ok(snapshot !== null);
    running.snapshot = { ...snapshot, epoch: 8, limits: { ...snapshot.limits, idempotency: { ttlMs: 3_600_000, maxBytes: 16_384 } } };
    for (let index = 0; index < 40; index++) await send({ key: `key ${index}` });
    const { entries, bytes } = running.gateway.routing().idempotency;
    assert.ok(bytes <= 16_384 && entries > 5 && entries < 40, `${entries} entries, ${bytes} bytes`);
    assert.equal((await send({ key: 'key 39' })).isReplay, true);
    assert.equal((await send({ key: 'key 0' })).isReplay, false);
    upstream.script = (_request, response) => sendJson(response, completion('x'.repeat(4_000)));
    await send({ key: 'long' });
    assert.equal((await send({ key: 'long' })).isReplay, false);
  });

  it('refuses a key that is no label', async () => {
    assert.equal((await send({ key: 'x'.repeat(300) })).status, 400);
  });
});

describe('a key whose first request still runs', () => {
  let waiting: ServerResponse[];
  beforeEach(() => {
    waiting = [];
    upstream.script = (_request, response) => void waiting.push(response);
  });
  const started = () => until(() => waiting.length > 0, 'the provider is asked');
  const followed = (count: number) => until(() => running.gateway.stats.activeCalls === count, `${count} calls are there`);

  it('waits, and shares its answer', async () => {
    const first = send();
    await started();
    const second = send();
    const third = send();
    const conflict = await send({ content: 'Something else' });
    assert.equal(conflict.status, 409);
    await followed(3);
    sendJson(waiting[0] as ServerResponse, completion('shared'));
    const answers = await Promise.all([first, second, third]);
    assert.deepEqual(
      answers.map(({ text }) => text === answers[0]?.text),
      [true, true, true],
    );
    assert.deepEqual(
      answers.map(({ isReplay }) => isReplay),
      [false, true, true],
    );
    assert.equal(upstream.requests.length, 1);
    assert.equal(
      running.journal.settled.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? '0'), 0n),
      36_000_000n,
    );
  });

  it('goes on when its client leaves while another waits, and is paid once', async () => {
    const controller = new AbortController();
    const first = send({ isStream: true, signal: controller.signal });
    await started();
    const second = send({ isStream: true });
    await followed(2);
    const [role = '', piece = '', ...rest] = streamEvents(['from the start']);
    waiting[0]?.writeHead(200, { 'content-type': 'text/event-stream' });
    waiting[0]?.write(role + piece);
    await manyTurns();
    controller.abort();
    await assert.rejects(first);
    await until(() => running.clientsGone === 1, 'the gateway knows that the client is gone');
    waiting[0]?.end(rest.join(''));
    const answer = await second;
    assert.match(answer.text, /from the start.*\[DONE\]/s);
    assert.equal(upstream.requests.length, 1);
    await until(() => running.journal.settled.length === 2, 'both are settled');
    assert.deepEqual(running.journal.settled.map(({ costPicoUsd }) => costPicoUsd !== '0').sort(), [false, true]);
  });

  it('is let go when everybody has left', async () => {
    const controllers = [new AbortController(), new AbortController()];
    const calls = [send({ signal: (controllers[0] as AbortController).signal })];
    await started();
    calls.push(send({ signal: (controllers[1] as AbortController).signal }));
    await followed(2);
    let isClosed = false;
    waiting[0]?.on('close', () => {
      isClosed = true;
    });
    controllers[0]?.abort();
    await assert.rejects(calls[0] as Promise<unknown>);
    await until(() => running.clientsGone === 1, 'the gateway knows that the client is gone');
    await manyTurns();
    assert.equal(isClosed, false);
    controllers[1]?.abort();
    await assert.rejects(calls[1] as Promise<unknown>);
    await until(() => isClosed, 'the provider is let go');
    await until(() => running.journal.settled.length === 2, 'both are settled');
    assert.ok(running.journal.settled.every(({ status }) => status === 'aborted'));
  });

  it('hands over to one of those who wait when it fails', async () => {
    const first = send();
    await started();
    const second = send();
    await followed(2);
    sendJson(waiting[0] as ServerResponse, { error: { message: 'no' } }, 400);
    assert.equal((await first).status, 400);
    await until(() => waiting.length === 2, 'the provider is asked again');
    sendJson(waiting[1] as ServerResponse, completion('second try'));
    const answer = await second;
    assert.deepEqual([answer.status, answer.isReplay], [200, false]);
  });
});
