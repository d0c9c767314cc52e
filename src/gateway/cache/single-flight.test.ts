import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
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
  testModel,
  until,
} from '../testing.ts';
import { asker, cachingSnapshot, question } from './testing.ts';

let upstream: ScriptedUpstream;
let running: TestGateway;
/** Answers of the provider that wait for the test. */
let held: ServerResponse[];
const ask = asker(() => running.baseUrl);

beforeEach(async () => {
  held = [];
  upstream = await startUpstream((_request, response) => void held.push(response));
  running = await startGateway(oneTarget());
});
afterEach(async () => {
  await until(() => running.gateway.stats.activeCalls === 0, 'no call is in flight');
  assert.equal(running.logLines.filter((line) => line.event === 'gateway_defect').length, 0);
  const ids = running.journal.settled.map((call) => call.callId);
  assert.equal(new Set(ids).size, ids.length, 'every call is settled once');
  await running.close();
  await upstream.close();
});

function oneTarget(): ReturnType<typeof cachingSnapshot> {
  return cachingSnapshot(upstream.baseUrl, {}, {}, { models: [testModel('small')], routes: [{ name: 'main', targets: ['small'] }] });
}

const active = (count: number) => until(() => running.gateway.stats.activeCalls === count, `${count} calls are in flight`);
const asked = (count: number) => until(() => held.length === count, `the provider was asked ${count} times`);
const first = (): ServerResponse => held[held.length - 1] as ServerResponse;

function beginStream(response: ServerResponse, events: readonly string[]): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(event);
}

/** A stream that is read piece by piece. */
async function openStream(body: Record<string, unknown>, signal?: AbortSignal) {
  const state = { text: '', isOver: false, isBroken: false, headers: new Headers() };
  const done = (async () => {
    try {
      const answer = await fetch(`${running.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(signal ? { signal } : {}),
      });
      state.headers = answer.headers;
      for await (const bytes of answer.body ?? []) state.text += Buffer.from(bytes).toString();
    } catch {
      state.isBroken = true;
    }
    state.isOver = true;
  })();
  return { state, done };
}

describe('equal calls at the same time', () => {
  it('share one call of the provider: one pays, the rest cost nothing', async () => {
    const calls = Array.from({ length: 8 }, () => ask(question('Hi')));
    await active(8);
    await asked(1);
    sendJson(first(), completion('Hello'));
    const answers = await Promise.all(calls);
    assert.equal(new Set(answers.map((answer) => answer.text)).size, 1);
    const outcomes = answers.map((answer) => answer.headers.get('x-plimsoll-cache')).sort();
    assert.deepEqual(outcomes, [...Array.from({ length: 7 }, () => 'hit'), 'miss']);
    assert.equal(upstream.requests.length, 1);
    const { settled } = running.journal;
    assert.equal(settled.filter((call) => call.costStatus === 'cached_zero' && call.costPicoUsd === '0').length, 7);
    assert.equal(settled.filter((call) => call.cache?.savedPicoUsd === '36000000').length, 7);
    assert.equal((await ask(question('Hi'))).headers.get('x-plimsoll-cache'), 'hit');
  });

  it('ask on their own when the caller wants no kept answer', async () => {
    const calls = [
      ask(question('Hi')),
      ask(question('Hi'), { 'cache-control': 'no-cache' }),
      ask(question('Hi'), { 'x-plimsoll-cache': 'bypass' }),
    ];
    await asked(3);
    for (const response of held) sendJson(response, completion('Hello'));
    await Promise.all(calls);
  });

  it('with tools are not shared: a decision to act is made for one', async () => {
    const tools = [{ type: 'function', function: { name: 'pay', parameters: { type: 'object' } } }];
    const calls = [ask(question('Hi', { tools })), ask(question('Hi', { tools }))];
    await asked(2);
    for (const response of held) sendJson(response, completion('Hello'));
    await Promise.all(calls);
    assert.equal((await ask(question('Hi', { tools }))).headers.get('x-plimsoll-cache'), 'hit');
  });

  it('get the events of a stream as they come, also who joins later', async () => {
    const events = streamEvents(['one ', 'two ', 'three']);
    const leader = await openStream(question('Hi', { stream: true }));
    await asked(1);
    const early = await openStream(question('Hi', { stream: true }));
    await active(2);
    beginStream(first(), events.slice(0, 2));
    await until(() => early.state.text.includes('one'), 'the follower has the first piece');
    assert.equal(early.state.headers.get('x-plimsoll-cache'), 'hit');
    assert.equal(early.state.headers.get('x-plimsoll-model'), 'small');
    const late = await openStream(question('Hi', { stream: true }));
    const json = ask(question('Hi'));
    await until(() => late.state.text.includes('one'), 'who joins later has it too');
    await active(4);
    beginStream(first(), events.slice(2));
    first().end();
    await Promise.all([leader.done, early.done, late.done]);
    assert.equal(early.state.text, leader.state.text);
    assert.equal(late.state.text, leader.state.text);
    assert.match(leader.state.text, /\[DONE\]\n\n$/);
    assert.match((await json).text, /"one two three"/);
    assert.equal(upstream.requests.length, 1);
  });

  it('a stream that waits for a JSON answer gets it as one', async () => {
    const leader = ask(question('Hi'));
    await asked(1);
    const follower = await openStream(question('Hi', { stream: true }));
    await active(2);
    sendJson(first(), completion('Hello'));
    await Promise.all([leader, follower.done]);
    assert.match(follower.state.text, /"content":"Hello"/);
    assert.match(follower.state.text, /\[DONE\]\n\n$/);
  });
});

describe('when the leader', () => {
  it('loses its client, the answer goes on for those who wait', async () => {
    const abort = new AbortController();
    const leader = await openStream(question('Hi', { stream: true }), abort.signal);
    await asked(1);
    const follower = await openStream(question('Hi', { stream: true }));
    await active(2);
    const events = streamEvents(['one ', 'two']);
    beginStream(first(), events.slice(0, 2));
    await until(() => follower.state.text.includes('one') && leader.state.text.includes('one'), 'both have the first piece');
    abort.abort();
    await leader.done;
    await until(() => running.clientsGone === 1, 'the gateway knows that the client is gone');
    beginStream(first(), events.slice(2));
    first().end();
    await follower.done;
    assert.match(follower.state.text, /two[\s\S]*\[DONE\]\n\n$/);
    await active(0);
    const [one, two] = [...running.journal.settled].sort((a, b) => Number(b.costPicoUsd) - Number(a.costPicoUsd));
    assert.equal(one?.costPicoUsd, '24000000');
    assert.equal(two?.costStatus, 'cached_zero');
    assert.equal(upstream.requests.length, 1);
    assert.equal((await ask(question('Hi'))).headers.get('x-plimsoll-cache'), 'hit');
  });

  it('and all who wait lose their clients, the provider is told to stop', async () => {
    const aborts = [new AbortController(), new AbortController()] as const;
    const leader = await openStream(question('Hi', { stream: true }), aborts[0].signal);
    await asked(1);
    const follower = await openStream(question('Hi', { stream: true }), aborts[1].signal);
    await active(2);
    beginStream(first(), streamEvents(['one']).slice(0, 2));
    await until(() => follower.state.text.includes('one'), 'the follower has the first piece');
    let isClosed = false;
    first().on('close', () => {
      isClosed = true;
    });
    aborts[0].abort();
    await leader.done;
    await until(() => running.clientsGone === 1, 'the gateway knows that the client is gone');
    await manyTurns();
    assert.equal(isClosed, false);
    aborts[1].abort();
    await until(() => isClosed, 'the provider sees the end');
    await active(0);
    assert.deepEqual(
      running.journal.settled.map((call) => call.status),
      ['aborted', 'aborted'],
    );
  });

  it('loses its client before there is an answer, JSON followers still get it', async () => {
    const abort = new AbortController();
    const leader = ask(question('Hi'), {}, abort.signal).catch(() => null);
    await asked(1);
    const follower = ask(question('Hi'));
    await active(2);
    abort.abort();
    await leader;
    await until(() => running.clientsGone === 1, 'the gateway knows that the client is gone');
    sendJson(first(), completion('Hello'));
    assert.match((await follower).text, /Hello/);
    assert.equal(upstream.requests.length, 1);
  });

  it('fails, one of those who wait tries again for all', async () => {
    const calls = Array.from({ length: 6 }, () => ask(question('Hi')));
    await active(6);
    await asked(1);
    sendJson(first(), { error: { message: 'overloaded' } }, 503);
    await asked(2);
    await active(5);
    await manyTurns();
    assert.equal(upstream.requests.length, 2, 'one, not all');
    sendJson(first(), completion('Hello'));
    const statuses = (await Promise.all(calls)).map((answer) => answer.status).sort();
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 502]);
  });

  it('fails twice, or for a reason that every equal call shares, nobody tries further', async () => {
    const failing = Array.from({ length: 4 }, () => ask(question('Hi')));
    await active(4);
    await asked(1);
    sendJson(first(), { error: { message: 'overloaded' } }, 503);
    await asked(2);
    sendJson(first(), { error: { message: 'overloaded' } }, 503);
    assert.deepEqual(
      (await Promise.all(failing)).map((answer) => answer.status),
      [502, 502, 502, 502],
    );
    assert.equal(upstream.requests.length, 2);
    const wrong = Array.from({ length: 3 }, () => ask(question('Wrong')));
    await active(3);
    await asked(3);
    sendJson(first(), { error: { message: 'no such parameter' } }, 400);
    assert.deepEqual(
      (await Promise.all(wrong)).map((answer) => answer.status),
      [400, 400, 400],
    );
    assert.equal(upstream.requests.length, 3);
  });

  it('breaks off in the middle, everybody is told and nothing is kept', async () => {
    const leader = await openStream(question('Hi', { stream: true }));
    await asked(1);
    const follower = await openStream(question('Hi', { stream: true }));
    await active(2);
    beginStream(first(), streamEvents(['one']).slice(0, 2));
    await until(() => follower.state.text.includes('one'), 'the follower has the first piece');
    first().destroy();
    await Promise.all([leader.done, follower.done]);
    for (const { state } of [leader, follower]) {
      assert.ok(state.isBroken);
      assert.match(state.text, /provider_stream_cut/);
    }
    const again = ask(question('Hi'));
    await asked(2);
    sendJson(first(), completion('Hello'));
    assert.equal((await again).headers.get('x-plimsoll-cache'), 'miss');
  });

  it('gets an answer that is too large to keep, streams share it and others ask on their own', async () => {
    running.snapshot = cachingSnapshot(upstream.baseUrl, {}, { maxEntryBytes: 1024 });
    const long = 'x'.repeat(2_000);
    const leader = await openStream(question('Hi', { stream: true }));
    await asked(1);
    const follower = await openStream(question('Hi', { stream: true }));
    const json = ask(question('Hi'));
    await active(3);
    beginStream(first(), streamEvents([long, 'end']));
    first().end();
    await Promise.all([leader.done, follower.done]);
    assert.equal(follower.state.text, leader.state.text);
    assert.match(follower.state.text, /\[DONE\]\n\n$/);
    await asked(2);
    sendJson(first(), completion(long));
    assert.match((await json).text, /xxxx/);
    const again = ask(question('Hi'));
    await asked(3);
    sendJson(first(), completion('short'));
    assert.equal((await again).headers.get('x-plimsoll-cache'), 'miss');
  });

  it('is stopped with the gateway, everybody hears of it', async () => {
    const calls = [ask(question('Hi')), ask(question('Hi'))];
    await active(2);
    await asked(1);
    await running.gateway.drain(0);
    assert.deepEqual(
      (await Promise.all(calls)).map((answer) => answer.status),
      [503, 503],
    );
  });
});
