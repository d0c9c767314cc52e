import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import OpenAI, { APIUserAbortError } from 'openai';
import { FakeClock } from '../kernel/clock.ts';
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
  testProvider,
  testSnapshot,
  until,
} from './testing.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Hi' }];
const CHAT = { model: 'small', messages: MESSAGES };

let upstream: ScriptedUpstream;
let running: TestGateway;
let client: OpenAI;

before(async () => {
  upstream = await startUpstream((_request, response) => sendJson(response, completion('Hello')));
  running = await startGateway(testSnapshot(upstream.baseUrl));
  client = new OpenAI({ baseURL: running.baseUrl, apiKey: TEST_KEY, maxRetries: 0 });
});
after(async () => {
  await running.close();
  await upstream.close();
});
afterEach(async () => {
  await until(() => running.gateway.stats.activeCalls === 0, 'no call is in flight');
  const { settled } = running.journal;
  assert.equal(new Set(settled.map((call) => call.callId)).size, settled.length, 'every call is settled at most once');
  assert.equal(running.logLines.filter((line) => line.event === 'gateway_defect').length, 0);
  running.snapshot = testSnapshot(upstream.baseUrl);
});

function lastSettled() {
  const last = running.journal.settled.at(-1);
  assert.ok(last !== undefined);
  return last;
}

function post(body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
    body,
  });
}

describe('streams', () => {
  it('arrive whole, without the usage chunk that the client did not ask for', async () => {
    upstream.script = (_request, response) => sendStream(response, streamEvents(['Hel', 'lo "x"', ' é😀']));
    const stream = await client.chat.completions.create({ ...CHAT, stream: true });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), 'Hello "x" é😀');
    assert.ok(chunks.every((chunk) => chunk.choices.length === 1));
    assert.deepEqual(upstream.requests.at(-1)?.json.stream_options, { include_usage: true });
    const settled = lastSettled();
    assert.equal(settled.isStream, true);
    assert.equal(settled.attempts[0]?.usage?.outputTextTokens, 3);
    assert.equal(settled.costPicoUsd, '24000000');
    assert.ok(settled.ttftMs !== null && settled.interTokenMs?.count === 2);
    assert.deepEqual(JSON.parse(running.journal.payloads.at(-1)?.output ?? ''), [{ role: 'assistant', content: 'Hello "x" é😀' }]);
  });

  it('carry the usage chunk to a client that asked for it', async () => {
    upstream.script = (_request, response) => sendStream(response, streamEvents(['a']));
    const stream = await client.chat.completions.create({ ...CHAT, stream: true, stream_options: { include_usage: true } });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.equal(chunks.at(-1)?.usage?.total_tokens, 15);
  });

  it('give the cost as a last comment to who asks', async () => {
    upstream.script = (_request, response) => sendStream(response, streamEvents(['a']));
    const response = await post(JSON.stringify({ ...CHAT, stream: true }), { 'x-plimsoll-cost': 'trailer' });
    assert.match(await response.text(), /\n\n: x-plimsoll-cost-usd 0\.000024\n\ndata: \[DONE\]\n\n$/);
  });

  it('put tool calls together for the record and forward them untouched', async () => {
    const delta = (choice: unknown): string =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', choices: [choice] })}\n\n`;
    const call = (part: unknown): string => delta({ index: 0, delta: { tool_calls: [part] }, finish_reason: null });
    const events = [
      delta({ index: 0, delta: { role: 'assistant', content: null }, finish_reason: null }),
      call({ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }),
      call({ index: 0, function: { arguments: '{"city":' } }),
      call({ index: 0, function: { arguments: '"Oslo"}' } }),
      delta({ index: 0, delta: {}, finish_reason: 'tool_calls' }),
      'data: [DONE]\n\n',
    ];
    upstream.script = (_request, response) => sendStream(response, events);
    const final = await client.chat.completions
      .stream({ ...CHAT, tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }] })
      .finalChatCompletion();
    assert.equal(final.choices[0]?.message.tool_calls?.[0]?.id, 'call_1');
    const [message] = JSON.parse(running.journal.payloads.at(-1)?.output ?? '') as { tool_calls: { function: { arguments: string } }[] }[];
    assert.equal(message?.tool_calls[0]?.function.arguments, '{"city":"Oslo"}');
    assert.deepEqual(lastSettled().attempts[0]?.finishReasons, ['tool_calls']);
    assert.equal(lastSettled().attempts[0]?.usageSource, 'estimated');
  });

  it('cancel the provider at once when the client leaves, and settle what was used', async () => {
    // Time stands still: nothing between the client and the provider may wait for a clock.
    const frozen = await startGateway(testSnapshot(upstream.baseUrl), new FakeClock(1_760_000_000_000));
    let isCancelled = false;
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of streamEvents(['one ', 'two ', 'three ']).slice(0, 4)) response.write(event);
      response.on('close', () => {
        isCancelled = true;
      });
    };
    try {
      const leaving = new OpenAI({ baseURL: frozen.baseUrl, apiKey: TEST_KEY, maxRetries: 0 });
      const stream = await leaving.chat.completions.create({ ...CHAT, stream: true });
      const seen: string[] = [];
      try {
        for await (const chunk of stream) {
          seen.push(chunk.choices[0]?.delta.content ?? '');
          if (seen.join('').includes('three')) stream.controller.abort();
        }
      } catch (error) {
        assert.ok(error instanceof APIUserAbortError);
      }
      await until(() => isCancelled, 'the provider is cancelled');
      await until(() => frozen.journal.settled.length > 0, 'the call is settled');
      const settled = frozen.journal.settled.at(-1);
      assert.equal(settled?.status, 'aborted');
      assert.equal(settled?.errorType, 'client_closed');
      assert.equal(settled?.attempts[0]?.usageSource, 'estimated');
      assert.equal(settled?.attempts[0]?.usage?.outputTextTokens, 4); // 'one two three ' = 14 characters
      assert.equal(settled?.costStatus, 'estimated_tokens');
      assert.ok(BigInt(settled?.costPicoUsd ?? 0) > 0n);
    } finally {
      await frozen.close();
    }
  });

  it('hold the provider back while the client does not read', async () => {
    const piece = 'x'.repeat(64 * 1024);
    const events = streamEvents(Array.from({ length: 400 }, () => piece));
    let isBlocked = false;
    upstream.script = async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of events) {
        if (!response.write(event)) {
          isBlocked = true;
          await new Promise((resolve) => response.once('drain', resolve));
        }
      }
      response.end();
    };
    const socket = connect(Number(new URL(running.origin).port), '127.0.0.1');
    const body = JSON.stringify({ ...CHAT, stream: true });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${TEST_KEY}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => isBlocked, 'the provider cannot go on');
    const memory = process.memoryUsage().arrayBuffers;
    assert.ok(memory < 200 * 1024 * 1024);
    let received = 0;
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      socket.on('close', () => resolve());
    });
    assert.ok(received > 400 * 64 * 1024);
    assert.equal(lastSettled().status, 'ok');
  });
});

describe('a provider that is not OpenAI’s dialect', () => {
  it('is translated both ways', async () => {
    const snapshot = testSnapshot(upstream.baseUrl);
    running.snapshot = { ...snapshot, providers: [testProvider(upstream.baseUrl, { kind: 'anthropic' })] };
    upstream.script = (_request, response) =>
      sendJson(response, {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude',
        content: [{ type: 'text', text: 'Bonjour' }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 10, output_tokens: 4 },
      });
    const answer = await client.chat.completions.create({ ...CHAT, max_tokens: 50 });
    assert.equal(answer.choices[0]?.message.content, 'Bonjour');
    assert.equal(answer.usage?.completion_tokens, 4);
    assert.equal(upstream.requests.at(-1)?.path, '/v1/messages');
    assert.equal(lastSettled().attempts[0]?.usage?.outputTextTokens, 4);
    upstream.script = (_request, response) => {
      const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
      sendStream(response, [
        event('message_start', {
          message: { id: 'msg_2', model: 'claude', role: 'assistant', content: [], usage: { input_tokens: 9, output_tokens: 1 } },
        }),
        event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
        event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Sal' } }),
        event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'ut' } }),
        event('content_block_stop', { index: 0 }),
        event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } }),
        event('message_stop', {}),
      ]);
    };
    const stream = await client.chat.completions.create({ ...CHAT, max_tokens: 50, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    assert.equal(text, 'Salut');
    assert.equal(lastSettled().attempts[0]?.usage?.outputTextTokens, 7);
    upstream.script = (_request, response) => sendJson(response, completion('Hello'));
  });

  it('keeps the exact input of a stream that its client leaves, and estimates the output alone', async () => {
    const snapshot = testSnapshot(upstream.baseUrl);
    running.snapshot = { ...snapshot, providers: [testProvider(upstream.baseUrl, { kind: 'anthropic' })] };
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const send = (name: string, data: object) => response.write(`event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`);
      const usage = { input_tokens: 900, cache_read_input_tokens: 70, cache_creation_input_tokens: 5, output_tokens: 1 };
      send('message_start', { message: { id: 'msg_3', model: 'claude', role: 'assistant', content: [], usage } });
      send('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
      send('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'one two three ' } });
    };
    const settledBefore = running.journal.settled.length;
    const stream = await client.chat.completions.create({ ...CHAT, max_tokens: 50, stream: true });
    try {
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content?.includes('three')) stream.controller.abort();
    } catch (error) {
      assert.ok(error instanceof APIUserAbortError);
    }
    await until(() => running.journal.settled.length > settledBefore, 'the call is settled');
    const [attempt] = lastSettled().attempts;
    assert.equal(attempt?.status, 'aborted');
    assert.deepEqual(
      [
        attempt?.usage?.inputUncachedTokens,
        attempt?.usage?.cacheReadTokens,
        attempt?.usage?.cacheWrite5mTokens,
        attempt?.usage?.outputTextTokens,
      ],
      [900, 70, 5, 4],
    );
    assert.equal(attempt?.usageSource, 'estimated');
    assert.notEqual(attempt?.costStatus, 'priced');
    upstream.script = (_request, response) => sendJson(response, completion('Hello'));
  });
});
