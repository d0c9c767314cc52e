import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';
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
  testModel,
  testProvider,
  testSnapshot,
} from './testing.ts';

let first: ScriptedUpstream;
let second: ScriptedUpstream;
let running: TestGateway;

before(async () => {
  first = await startUpstream(() => {});
  second = await startUpstream(() => {});
  running = await startGateway(null);
});
after(async () => {
  await running.close();
  await first.close();
  await second.close();
});
beforeEach(() => {
  use('openai');
  second.script = (request, response) =>
    request.json.stream === true ? sendStream(response, streamEvents(['from two'])) : sendJson(response, completion('from two'));
});

/** Route `main`: `small` at a provider of this kind, then `large` at one that always answers. */
function use(kind: 'openai' | 'anthropic'): void {
  const provider = testProvider(first.baseUrl);
  running.snapshot = testSnapshot(first.baseUrl, {
    providers: [
      { ...provider, kind, dialect: kind, name: 'one', timeouts: { ...provider.timeouts, idleMs: 80 } },
      { ...testProvider(second.baseUrl), name: 'two' },
    ],
    models: [testModel('small', { provider: 'one' }), testModel('large', { provider: 'two' })],
  });
}

async function call(isStream: boolean, messages: unknown[] = [{ role: 'user', content: 'Hi' }]) {
  const response = await fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'main', messages, stream: isStream }),
  });
  return { status: response.status, text: await response.text(), row: running.journal.settled.at(-1) };
}

const MESSAGE_START = `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage: { input_tokens: 5, output_tokens: 1 } } })}\n\n`;
const BLOCK_START = `event: content_block_start\ndata: ${JSON.stringify({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })}\n\n`;
const ANTHROPIC_ERROR = `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })}\n\n`;
const OPENAI_ERROR = `data: ${JSON.stringify({ error: { message: 'overloaded', type: 'server_error' } })}\n\n`;
const [ROLE = ''] = streamEvents([]);

function streams(events: readonly string[]): ScriptedUpstream['script'] {
  return (_request, response) => sendStream(response, events);
}
function stalls(events: readonly string[]): ScriptedUpstream['script'] {
  return (_request, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events) response.write(event);
  };
}

describe('until its first content a stream can be answered by another target', () => {
  const cases: [name: string, kind: 'openai' | 'anthropic', script: ScriptedUpstream['script'], errorType: string][] = [
    ['an error as the first event', 'openai', streams([OPENAI_ERROR]), 'provider_unavailable'],
    ['an error behind the first sign of life', 'openai', streams([ROLE, OPENAI_ERROR]), 'provider_unavailable'],
    ['silence behind the first sign of life', 'openai', stalls([ROLE]), 'provider_timeout'],
    ['an end behind the first sign of life', 'openai', streams([ROLE]), 'provider_bad_response'],
    ['[DONE] and nothing else', 'openai', streams(['data: [DONE]\n\n']), 'provider_bad_response'],
    ['an answer of nothing', 'openai', streams(streamEvents([])), 'provider_bad_response'],
    ['an error as the first event', 'anthropic', streams([ANTHROPIC_ERROR]), 'provider_unavailable'],
    ['an error behind message_start', 'anthropic', streams([MESSAGE_START, ANTHROPIC_ERROR]), 'provider_unavailable'],
    ['an error behind an empty block', 'anthropic', streams([MESSAGE_START, BLOCK_START, ANTHROPIC_ERROR]), 'provider_unavailable'],
    ['silence behind message_start', 'anthropic', stalls([MESSAGE_START, BLOCK_START]), 'provider_timeout'],
    ['an end behind message_start', 'anthropic', streams([MESSAGE_START]), 'provider_stream_cut'],
  ];
  for (const [name, kind, script, errorType] of cases) {
    it(`${kind}: ${name}`, async () => {
      use(kind);
      first.script = script;
      const { status, text, row } = await call(true);
      assert.equal(status, 200);
      assert.match(text, /from two.*\[DONE\]/s);
      assert.ok(!text.includes('error'));
      assert.deepEqual(
        row?.attempts.map((attempt) => [attempt.model, attempt.errorType]),
        [
          ['small', errorType],
          ['large', null],
        ],
      );
    });
  }

  it('an answer that was cut by a filter or by its length is an answer, also without text', async () => {
    for (const reason of ['length', 'content_filter']) {
      first.script = streams(streamEvents([]).map((event) => event.replace('"stop"', JSON.stringify(reason))));
      const { text, row } = await call(true);
      assert.match(text, new RegExp(`"finish_reason":"${reason}"`));
      assert.equal(row?.attempts.length, 1);
    }
  });
});

describe('an empty completion', () => {
  const empties: [name: string, body: unknown][] = [
    ['no choices', completion('', { choices: [] })],
    ['a choice without text', completion('')],
    ['null for text', completion('', { choices: [{ index: 0, message: { role: 'assistant', content: null }, finish_reason: 'stop' }] })],
  ];
  for (const [name, body] of empties) {
    it(`with ${name} goes to the next target, and is an error when there is none`, async () => {
      first.script = (_request, response) => sendJson(response, body);
      const recovered = await call(false);
      assert.match(recovered.text, /from two/);
      assert.equal(recovered.row?.attempts[0]?.errorType, 'provider_bad_response');
      second.script = first.script;
      const failed = await call(false);
      assert.equal(failed.status, 502);
      assert.match(failed.text, /answered with nothing/);
    });
  }

  it('is what a model may say after a tool has run, and what a tool call or a length limit looks like', async () => {
    const afterTool = [
      { role: 'user', content: 'Close the window' },
      { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'close', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c', content: 'closed' },
    ];
    first.script = (_request, response) => sendJson(response, completion(''));
    assert.equal((await call(false, afterTool)).row?.attempts.length, 1);
    first.script = streams(streamEvents([]));
    const streamed = await call(true, afterTool);
    assert.match(streamed.text, /\[DONE\]/);
    assert.equal(streamed.row?.attempts.length, 1);
    const message = { role: 'assistant', content: null, tool_calls: afterTool[1]?.tool_calls };
    first.script = (_request, response) =>
      sendJson(response, completion('', { choices: [{ index: 0, message, finish_reason: 'tool_calls' }] }));
    assert.equal((await call(false)).row?.attempts.length, 1);
    first.script = (_request, response) =>
      sendJson(response, completion('', { choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'length' }] }));
    assert.equal((await call(false)).row?.attempts.length, 1);
  });
});
