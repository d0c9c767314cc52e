import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ledgerRowFromCall } from '../../costs/ledger-row.ts';
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
  type TestGateway,
  testRoute,
  until,
} from '../testing.ts';
import { asker, BILLING_KEY, cachingSnapshot, question } from './testing.ts';

let upstream: ScriptedUpstream;
let running: TestGateway;
let clock: FakeClock;
const ask = asker(() => running.baseUrl);

beforeEach(async () => {
  clock = new FakeClock(1_760_000_000_000);
  let count = 0;
  upstream = await startUpstream(({ json }, response) =>
    json.stream === true
      ? sendStream(response, streamEvents(['Hel', 'lo ', `${++count}`]))
      : sendJson(response, completion(`Hello ${++count}`)),
  );
  running = await startGateway(cachingSnapshot(upstream.baseUrl), clock);
});
afterEach(async () => {
  await until(() => running.gateway.stats.activeCalls === 0, 'no call is in flight');
  assert.equal(running.logLines.filter((line) => line.event === 'gateway_defect').length, 0);
  await running.close();
  await upstream.close();
});

const outcome = (answer: { headers: Headers }): string | null => answer.headers.get('x-plimsoll-cache');

describe('exact cache', () => {
  it('answers an equal request byte for byte, for nothing, and says so everywhere', async () => {
    const first = await ask(question('Hi', { temperature: 0, user: 'ann' }));
    assert.equal(outcome(first), 'miss');
    assert.equal(first.headers.get('age'), null);
    await clock.advance(3_500);
    const second = await ask({
      user: 'bob',
      temperature: 0.0,
      messages: [{ content: 'Hi', role: 'user' }],
      model: 'default',
      metadata: { a: 'b' },
    });
    assert.equal(outcome(second), 'hit');
    assert.equal(second.text, first.text);
    assert.equal(second.headers.get('age'), '3');
    assert.equal(second.headers.get('x-plimsoll-cost-usd'), '0');
    assert.equal(second.headers.get('x-plimsoll-model'), 'small');
    assert.equal(upstream.requests.length, 1);
    const [miss, hit] = running.journal.settled;
    assert.equal(miss?.cache?.outcome, 'miss');
    assert.equal(hit?.costPicoUsd, '0');
    assert.equal(hit?.costStatus, 'cached_zero');
    assert.deepEqual(hit?.attempts, []);
    assert.deepEqual(
      hit?.stages.map((stage) => stage.name),
      ['authenticate', 'receive', 'route', 'cache', 'settle'],
    );
    assert.equal(hit?.cache?.savedPicoUsd, miss?.costPicoUsd);
    assert.equal(hit?.cache?.savedInputTokens, 20);
    assert.equal(hit?.cache?.savedOutputTokens, 5);
    assert.equal(hit?.cache?.origin?.callId, miss?.callId);
    assert.ok(hit !== undefined);
    const row = ledgerRowFromCall(hit);
    assert.equal(row.savedPicoUsd, BigInt(miss?.costPicoUsd ?? ''));
    assert.equal(row.inputTokens, 0);
    assert.equal(running.journal.opened.length, 1);
    assert.deepEqual(JSON.parse(running.journal.payloads[1]?.output ?? ''), [{ role: 'assistant', content: 'Hello 1', refusal: null }]);
    const metrics = running.gateway.metrics();
    await new Promise((resolve) => setImmediate(resolve));
    assert.match(metrics, /plimsoll_cache_requests_total\{feature="support",outcome="hit"\} 1/);
    assert.match(metrics, /plimsoll_cache_saved_usd_total\{feature="support"\} 0\.000036/);
    assert.match(running.gateway.metrics(), /plimsoll_cache_entries\{feature="support"\} 1/);
  });

  it('does nothing, and says nothing, for a feature without one', async () => {
    running.snapshot = cachingSnapshot(
      upstream.baseUrl,
      {},
      {},
      { features: [{ name: 'support', owner: null, costOwner: null, route: 'main', payloads: 'none' }] },
    );
    for (let turn = 0; turn < 2; turn++) assert.equal(outcome(await ask(question('Hi'))), null);
    assert.equal(upstream.requests.length, 2);
    assert.equal(running.journal.settled[1]?.cache, undefined);
  });

  it('keeps features, models and keys apart', async () => {
    await ask(question('Hi'));
    assert.equal(outcome(await ask(question('Hi'), { authorization: `Bearer ${BILLING_KEY}` })), 'miss');
    assert.equal(outcome(await ask(question('Hi', { model: 'large' }))), 'miss');
    const refused = await ask(question('Hi'), { authorization: 'Bearer plk_test_small_only' });
    assert.equal(refused.status, 403);
    assert.equal(upstream.requests.length, 3);
  });

  it('keeps apart what a route tells apart by more than the question', async () => {
    const route = (strategy: 'condition' | 'sticky') =>
      testRoute({ large: { when: strategy === 'condition' ? { tags: { plan: ['gold'] } } : null }, small: {} }, { strategy });
    const use = (strategy: 'condition' | 'sticky'): void => {
      running.snapshot = cachingSnapshot(upstream.baseUrl, {}, {}, { routes: [route(strategy)] });
    };
    const as = async (headers: Record<string, string>) => outcome(await ask(question('Hi'), headers));
    use('condition');
    assert.equal(await as({ 'x-plimsoll-tags': 'plan=gold' }), 'miss');
    assert.equal(await as({ 'x-plimsoll-tags': 'plan=basic' }), 'miss', 'another model answers these');
    assert.equal(await as({ 'x-plimsoll-tags': 'plan=gold,x=y' }), 'hit');
    assert.equal(await as({}), 'hit');
    use('sticky');
    assert.equal(await as({ 'x-plimsoll-session': 's1' }), 'miss');
    assert.equal(await as({ 'x-plimsoll-session': 's2' }), 'miss');
    assert.equal(await as({ 'x-plimsoll-session': 's1' }), 'hit');
  });

  it('keeps customers or users apart where it is told to', async () => {
    running.snapshot = cachingSnapshot(upstream.baseUrl, { isolation: 'customer' });
    const as = (customer: string) => ask(question('Hi'), { 'x-plimsoll-customer': customer });
    assert.deepEqual([outcome(await as('a')), outcome(await as('b')), outcome(await as('a'))], ['miss', 'miss', 'hit']);
    assert.equal(outcome(await ask(question('Hi'))), 'bypass');
  });

  it('forgets when the time is up', async () => {
    await ask(question('Hi'));
    await clock.advance(59_999);
    assert.equal(outcome(await ask(question('Hi'))), 'hit');
    await clock.advance(1);
    assert.equal(outcome(await ask(question('Hi'))), 'miss');
  });

  it('heeds what the caller wants of it', async () => {
    await ask(question('Hi'));
    await clock.advance(5_000);
    const with_ = async (headers: Record<string, string>) => outcome(await ask(question('Hi'), headers));
    assert.equal(await with_({ 'cache-control': 'no-store' }), 'bypass');
    assert.equal(await with_({ 'x-plimsoll-cache': 'bypass' }), 'bypass');
    assert.equal(await with_({ 'cache-control': 'max-age=5' }), 'hit');
    assert.equal(await with_({ 'cache-control': 'max-age=4' }), 'miss');
    assert.match((await ask(question('Hi'))).text, /Hello 4/);
    assert.equal(await with_({ 'cache-control': 'no-cache' }), 'bypass');
    assert.match((await ask(question('Hi'))).text, /Hello 5/, 'no-cache keeps the new answer');
    await with_({ 'x-plimsoll-cache': 'refresh' });
    assert.match((await ask(question('Hi'))).text, /Hello 6/);
    const wrong = await ask(question('Hi'), { 'x-plimsoll-cache': 'always' });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /bypass.*refresh/);
  });

  it('leaves alone what wants variety, acts, or cannot be told apart', async () => {
    const twice = async (body: Record<string, unknown>) => [outcome(await ask(body)), outcome(await ask(body))];
    assert.deepEqual(await twice(question('a', { temperature: 0.1 })), ['bypass', 'bypass']);
    assert.deepEqual(await twice(question('b', { background: true })), ['bypass', 'bypass']);
    running.snapshot = cachingSnapshot(upstream.baseUrl, { maxTemperature: 1 });
    assert.deepEqual(await twice(question('c', { temperature: 1 })), ['miss', 'hit']);
    const body = '{"model":"main","temperature":0,"messages":[{"role":"user","content":"evil","content":"d"}]}';
    const answer = await fetch(`${running.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer plk_test_key_of_support', 'content-type': 'application/json' },
      body,
    });
    await answer.text();
    assert.equal(answer.headers.get('x-plimsoll-cache'), 'bypass');
    assert.equal(running.journal.settled.at(-1)?.cache?.reason, 'a member appears twice');
    assert.deepEqual(await twice(question('d', { temperature: 0 })), ['miss', 'hit']);
  });

  it('keeps no failure, no cut, filtered, empty or unfinished answer, and no tool call', async () => {
    const choice = (message: Record<string, unknown>, finish_reason: string | null) =>
      completion('', { choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }] });
    const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
    const cases: [string, unknown, number?][] = [
      ['error', { error: { message: 'no' } }, 400],
      ['length', choice({ content: 'Hel' }, 'length')],
      ['filter', choice({ content: 'x' }, 'content_filter')],
      ['refusal', choice({ content: null, refusal: 'I cannot' }, 'stop')],
      ['empty', choice({ content: ' ' }, 'stop')],
      ['no reason', choice({ content: 'x' }, null)],
      ['tools', choice({ content: null, tool_calls: [call] }, 'tool_calls')],
      ['tools in disguise', choice({ content: null, tool_calls: [call] }, 'stop')],
    ];
    for (const [name, body, status] of cases) {
      upstream.script = (_request, response) => sendJson(response, body, status);
      await ask(question(name));
      await until(() => running.gateway.stats.activeCalls === 0, 'the first is over');
      const again = await ask(question(name));
      assert.notEqual(outcome(again), 'hit', name);
    }
    running.snapshot = cachingSnapshot(upstream.baseUrl, { keepsToolCalls: true, keepsTruncated: true });
    for (const [name, body] of [cases[1], cases[6]] as [string, unknown][]) {
      upstream.script = (_request, response) => sendJson(response, body);
      await ask(question(name));
      assert.equal(outcome(await ask(question(name))), 'hit', name);
    }
    assert.match(running.gateway.metrics(), /plimsoll_cache_refused_total\{feature="support",reason="tool_calls"\} 4/);
  });

  it('drops what a purge names, also what is filled by calls that began before it', async () => {
    const purges = [{ sequence: 1, feature: null, tag: 'product=a' }];
    const tagged = (content: string, tag: string) => ask(question(content), { 'x-plimsoll-tags': tag });
    await tagged('a', 'product=a');
    await tagged('b', 'product=b');
    let release = (): void => {};
    upstream.script = (_request, response) => {
      release = () => sendJson(response, completion('late'));
    };
    const late = tagged('late', 'product=a');
    await until(() => upstream.requests.length === 3, 'the provider has it');
    running.snapshot = cachingSnapshot(upstream.baseUrl, {}, { purges });
    upstream.script = (_request, response) => sendJson(response, completion('new'));
    assert.equal(outcome(await ask(question('a'))), 'miss');
    assert.equal(outcome(await ask(question('b'))), 'hit');
    release();
    await late;
    assert.equal(outcome(await ask(question('late'))), 'miss');
    running.snapshot = cachingSnapshot(upstream.baseUrl, {}, { purges: [...purges, { sequence: 2, feature: 'billing', tag: null }] });
    assert.equal(outcome(await ask(question('b'))), 'hit');
    running.snapshot = cachingSnapshot(upstream.baseUrl, {}, { purges: [...purges, { sequence: 3, feature: null, tag: null }] });
    assert.equal(outcome(await ask(question('b'))), 'miss');
  });
});

describe('cached streams', () => {
  it('are replayed byte for byte', async () => {
    const first = await ask(question('Hi', { stream: true }));
    const second = await ask(question('Hi', { stream: true }));
    assert.deepEqual([outcome(first), outcome(second)], ['miss', 'hit']);
    assert.equal(second.text, first.text);
    assert.match(second.headers.get('content-type') ?? '', /event-stream/);
    const settled = running.journal.settled[1];
    assert.equal(settled?.costStatus, 'cached_zero');
    assert.deepEqual(JSON.parse(running.journal.payloads[1]?.output ?? ''), [{ role: 'assistant', content: 'Hello 1' }]);
    const trailer = await ask(question('Hi', { stream: true }), { 'x-plimsoll-cost': 'trailer' });
    assert.match(trailer.text, /: x-plimsoll-cost-usd 0\n\ndata: \[DONE\]\n\n$/);
  });

  it('serve JSON, and are served from JSON, usage included where it is asked for', async () => {
    await ask(question('Hi', { stream: true }));
    const json = await ask(question('Hi'));
    assert.equal(outcome(json), 'hit');
    const body = JSON.parse(json.text) as { choices: { message: unknown; finish_reason: string }[]; usage: unknown; object: string };
    assert.deepEqual(body.choices, [
      { index: 0, message: { role: 'assistant', content: 'Hello 1' }, logprobs: null, finish_reason: 'stop' },
    ]);
    assert.equal(body.object, 'chat.completion');
    assert.deepEqual(body.usage, {
      prompt_tokens: 12,
      completion_tokens: 3,
      total_tokens: 15,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    });
    const withUsage = await ask(question('Hi', { stream: true, stream_options: { include_usage: true } }));
    assert.equal(outcome(withUsage), 'hit');
    assert.match(withUsage.text, /"total_tokens":15/);
    await ask(question('Other'));
    const stream = await ask(question('Other', { stream: true }));
    assert.equal(outcome(stream), 'hit');
    const chunks = stream.text.split('\n\n').filter((event) => event.startsWith('data: {'));
    const text = chunks.map(
      (event) => (JSON.parse(event.slice(6)) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? '',
    );
    assert.equal(text.join(''), 'Hello 2');
    assert.doesNotMatch(stream.text, /total_tokens/);
    assert.match(stream.text, /data: \[DONE\]\n\n$/);
    assert.equal(upstream.requests.length, 2);
  });

  it('keep their pauses where that is wanted', async () => {
    running.snapshot = cachingSnapshot(upstream.baseUrl, { replay: 'recorded' });
    // Nothing is passed on before the first content.
    const [role = '', first = '', ...rest] = streamEvents(['a', 'b', 'c']);
    const events = [role + first, ...rest];
    upstream.script = async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const [index, event] of events.entries()) {
        response.write(event);
        // The role waits for the first content.
        await until(() => seen.length >= index || index >= 4, `event ${index} was passed on`);
        await clock.advance(100);
      }
      response.end();
    };
    const seen: { text: string; atMs: number }[] = [];
    const read = async () => {
      const answer = await fetch(`${running.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer plk_test_key_of_support', 'content-type': 'application/json' },
        body: JSON.stringify(question('Hi', { stream: true })),
      });
      for await (const bytes of answer.body ?? []) seen.push({ text: Buffer.from(bytes).toString(), atMs: clock.monotonicMs() });
      return answer;
    };
    await read();
    const recorded = seen.splice(0);
    const startMs = clock.monotonicMs();
    const replay = read();
    while (seen.map(({ text }) => text).join('').length < recorded.map(({ text }) => text).join('').length) {
      await manyTurns();
      await clock.advance(50);
    }
    assert.equal((await replay).headers.get('x-plimsoll-cache'), 'hit');
    assert.equal(seen.map(({ text }) => text).join(''), recorded.map(({ text }) => text).join(''));
    const gaps = (pieces: { atMs: number }[], from: number) => pieces.slice(0, 4).map(({ atMs }) => atMs - from);
    const base = gaps(recorded, recorded[0]?.atMs ?? 0);
    for (const [index, gap] of gaps(seen, startMs).entries())
      assert.ok(gap >= (base[index] ?? 0) && gap <= (base[index] ?? 0) + 100, `${gap} for ${base[index]}`);
  });
});
