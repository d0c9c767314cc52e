import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../../kernel/errors.ts';
import { parseJsonText } from '../../../kernel/parse-json.ts';
import { decodeAnswer } from '../../providers/anthropic/answer.ts';
import { jsonFixture, MESSAGE_FIXTURES } from '../../providers/anthropic/fixtures.ts';
import { AnthropicStreamDecoder } from '../../providers/anthropic/stream.ts';
import { arbitraryAnswer, parseEvents } from '../testing.ts';
import { encodeAnswer } from './answer.ts';
import { anthropicErrorBody } from './errors.ts';
import { AnthropicStreamEncoder } from './stream.ts';

const THINKING = { thinking: { type: 'enabled', budget_tokens: 1024 } };

interface Block {
  readonly type: string;
  text?: string;
  thinking?: string;
  signature?: string;
  input?: unknown;
  partial?: string;
  readonly [member: string]: unknown;
}

interface Message {
  readonly id: string;
  readonly content: Block[];
  stop_reason: string;
  stop_sequence: string | null;
  stop_details: unknown;
  usage: Record<string, unknown>;
}

function encode(completion: unknown, request: Record<string, unknown> = THINKING): Message {
  return encodeAnswer(completion, request) as Message;
}

function completion(message: Record<string, unknown>, finish: string | null, rest: Record<string, unknown> = {}): unknown {
  return { id: 'chatcmpl-9', model: 'm', choices: [{ index: 0, message, finish_reason: finish, ...rest }] };
}

/** What an SDK makes of the events; checks that blocks come one after the other, each with one start and one stop. */
function accumulate(text: string): Message {
  let message: Message | null = null;
  let open = -1;
  let stopped = -1;
  let isOver = false;
  for (const { name, data } of parseEvents(text)) {
    assert.equal(name, data.type);
    assert.ok(!isOver, 'nothing follows message_stop');
    const index = data.index as number;
    if (data.type === 'message_start') {
      assert.equal(message, null, 'one message_start');
      message = structuredClone(data.message) as Message;
    }
    assert.ok(message !== null, 'message_start comes first');
    const block: Block | undefined = message.content[index];
    const delta = data.delta as Record<string, string>;
    if (data.type === 'content_block_start') {
      assert.equal(open, -1, 'one block at a time');
      assert.equal(index, stopped + 1, 'indexes follow each other');
      open = index;
      message.content.push({ ...(data.content_block as Block), partial: '' });
    } else if (data.type === 'content_block_delta') {
      assert.ok(block !== undefined && index === open, 'deltas belong to the open block');
      if (delta.type === 'text_delta') block.text += delta.text ?? '';
      else if (delta.type === 'thinking_delta') block.thinking += delta.thinking ?? '';
      else if (delta.type === 'signature_delta') block.signature += delta.signature ?? '';
      else if (delta.type === 'input_json_delta') block.partial += delta.partial_json ?? '';
      else assert.fail(`unknown delta ${delta.type}`);
    } else if (data.type === 'content_block_stop') {
      assert.equal(index, open, 'only an open block stops');
      stopped = open;
      open = -1;
      if (block?.type === 'tool_use') block.input = parseJsonText(block.partial || '{}');
      if (block !== undefined) delete block.partial;
    } else if (data.type === 'message_delta') {
      assert.equal(open, -1);
      Object.assign(message, delta);
      message.usage = data.usage as Record<string, unknown>;
    } else if (data.type === 'message_stop') isOver = true;
  }
  assert.ok(message !== null && isOver);
  return message;
}

function encodeChunks(chunks: readonly unknown[], request: Record<string, unknown> = THINKING): string {
  const encoder = new AnthropicStreamEncoder({ requestedModel: 'main', request });
  return chunks.map((chunk) => encoder.onChunk(chunk)).join('') + encoder.end();
}

describe('hub answer → Message', () => {
  it('gives thinking, text and tool calls as blocks in this order, with usage in disjoint counts', () => {
    const message = encode({
      id: 'chatcmpl-abc',
      model: 'gpt-x',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Both.',
            thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 's' }],
            reasoning_content: 'hm',
            tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":[1]}' } }],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 30,
        completion_tokens: 9,
        prompt_tokens_details: { cached_tokens: 10, cache_write_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    });
    assert.deepEqual(message, {
      id: 'msg_abc',
      type: 'message',
      role: 'assistant',
      model: 'gpt-x',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 's' },
        { type: 'text', text: 'Both.', citations: null },
        { type: 'tool_use', id: 'call_1', name: 'f', input: { a: [1] } },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      stop_details: null,
      usage: {
        input_tokens: 15,
        cache_creation_input_tokens: 5,
        cache_read_input_tokens: 10,
        output_tokens: 9,
        output_tokens_details: { thinking_tokens: 3 },
      },
    });
  });

  it('shows thinking only to who asked for it', () => {
    const answer = completion({ content: 'x', reasoning: 'hm' }, 'stop');
    assert.deepEqual(
      encode(answer).content.map((block) => block.type),
      ['thinking', 'text'],
    );
    assert.deepEqual(
      encode(answer, {}).content.map((block) => block.type),
      ['text'],
    );
    assert.deepEqual(
      encode(answer, { thinking: { type: 'disabled' } }).content.map((block) => block.type),
      ['text'],
    );
  });

  it('maps every ending', () => {
    const ending = (finish: string | null, message: Record<string, unknown> = { content: 'x' }, rest = {}) =>
      encode(completion(message, finish, rest), { stop_sequences: ['END'] });
    assert.equal(ending('stop').stop_reason, 'end_turn');
    assert.equal(ending(null).stop_reason, 'end_turn');
    assert.equal(ending('length').stop_reason, 'max_tokens');
    assert.equal(ending('content_filter').stop_reason, 'refusal');
    assert.equal(ending('new_reason').stop_reason, 'new_reason');
    assert.equal(ending('constructor').stop_reason, 'constructor');
    const sequence = ending('stop', { content: 'x' }, { stop_reason: 'END' });
    assert.deepEqual([sequence.stop_reason, sequence.stop_sequence], ['stop_sequence', 'END']);
    assert.equal(ending('stop', { content: 'x' }, { stop_reason: 'other' }).stop_reason, 'end_turn');
    const calls = { content: null, tool_calls: [{ id: 'a', function: { name: 'f', arguments: '' } }] };
    assert.equal(ending('stop', calls).stop_reason, 'tool_use');
    const refused = ending('stop', { content: null, refusal: 'No.' });
    assert.deepEqual([refused.stop_reason, refused.content[0]?.text], ['refusal', 'No.']);
    assert.deepEqual(refused.stop_details, { type: 'refusal', category: null, explanation: 'No.' });
  });

  it('never makes up the arguments of a tool call', () => {
    const calls = (text: string, finish: string) =>
      completion({ content: null, tool_calls: [{ id: 'a', function: { name: 'f', arguments: text } }] }, finish);
    assert.throws(
      () => encode(calls('{"a":', 'tool_calls')),
      (thrown) => thrown instanceof PlimsollError && thrown.code === 'provider_bad_response',
    );
    assert.throws(() => encode(calls('[1]', 'tool_calls')), PlimsollError);
    // Cut at the token limit: the call never was complete, and the answer says so.
    const cut = encode(calls('{"a":', 'length'));
    assert.deepEqual([cut.content, cut.stop_reason], [[], 'max_tokens']);
    assert.throws(() => encode({ id: 'x', choices: [] }), PlimsollError);
  });

  it('gives back what an Anthropic provider had answered', () => {
    for (const name of MESSAGE_FIXTURES) {
      if (name === 'unknown-blocks' || name === 'stop-sequence') continue; // the hub has no word for either
      const original = jsonFixture(name) as unknown as Message;
      const { completion: hub } = decodeAnswer(original, 'alias', 1);
      const message = encode(hub);
      assert.deepEqual(
        message.content.map(({ citations: _, ...block }) => block),
        original.content.map(({ citations: _, ...block }) => block),
        name,
      );
      assert.equal(message.stop_reason, original.stop_reason, name);
      for (const count of ['input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'])
        assert.equal(message.usage[count] ?? 0, original.usage[count] ?? 0, `${name} ${count}`);
    }
  });
});

describe('hub chunks → Anthropic stream', () => {
  it('adds up to the whole answer, however it was cut and its calls were mixed', () => {
    fc.assert(
      fc.property(arbitraryAnswer, ({ completion: whole, chunks }) => {
        const streamed = accumulate(encodeChunks(chunks));
        assert.deepEqual(
          { ...streamed, content: streamed.content.map((block) => ({ ...block })) },
          parseJsonText(JSON.stringify(encode(whole))),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('survives a way through an Anthropic provider and back', () => {
    fc.assert(
      fc.property(arbitraryAnswer, ({ chunks, text, calls }) => {
        const decoder = new AnthropicStreamDecoder({ requestedModel: 'm', createdSeconds: 1, includeUsage: true });
        const again = parseEvents(encodeChunks(chunks)).flatMap(({ name, data }) => decoder.onEvent(name, JSON.stringify(data)).chunks);
        const message = accumulate(encodeChunks(again));
        assert.equal(message.content.find((block) => block.type === 'text')?.text ?? '', text);
        assert.deepEqual(
          message.content.filter((block) => block.type === 'tool_use').map((block) => JSON.stringify(block.input)),
          calls.map((call) => JSON.stringify(parseJsonText(call.arguments))),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('closes a thinking block with its signature and keeps redacted ones', () => {
    const delta = (part: object, finish: string | null = null) => ({
      id: 'c',
      choices: [{ index: 0, delta: part, finish_reason: finish }],
    });
    const { content } = accumulate(
      encodeChunks([
        delta({ role: 'assistant' }),
        delta({ reasoning_content: 'hm' }),
        delta({ thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 'sig' }] }),
        delta({ thinking_blocks: [{ type: 'redacted_thinking', data: 'eA==' }] }),
        delta({ content: 'ok' }),
        delta({}, 'stop'),
      ]),
    );
    assert.deepEqual(
      content.map(({ partial: _, ...block }) => block),
      [
        { type: 'thinking', thinking: 'hm', signature: 'sig' },
        { type: 'redacted_thinking', data: 'eA==' },
        { type: 'text', text: 'ok', citations: null },
      ],
    );
  });

  it('takes servers that leave out ids, indexes and arguments', () => {
    const call = (part: object) => ({ id: 'c', choices: [{ index: 0, delta: { tool_calls: [part] } }] });
    const { content } = accumulate(
      encodeChunks([
        call({ id: 'a', function: { name: 'f', arguments: '{"x":1}' } }),
        call({ id: 'b', function: { name: 'g' } }),
        call({ index: 4_000_000_000, function: { name: 'h', arguments: '{}' } }),
        { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
      ]),
    );
    assert.deepEqual(
      content.map((block) => [block.id, block.name, block.input]),
      [
        ['a', 'f', { x: 1 }],
        ['b', 'g', {}],
        ['toolu_c_4000000000', 'h', {}],
      ],
    );
  });

  it('refuses arguments that come after their end, and calls without a name', () => {
    const call = (index: number, text: string, name?: string) => ({
      choices: [{ index: 0, delta: { tool_calls: [{ index, id: `i${index}`, function: { name, arguments: text } }] } }],
    });
    assert.throws(() => encodeChunks([call(0, '{}', 'f'), call(1, '{', 'g'), call(0, 'x')]), PlimsollError);
    assert.throws(() => encodeChunks([call(0, '{}')]), PlimsollError);
  });

  it('keeps text that comes in the middle of a call', () => {
    const delta = (part: object) => ({ choices: [{ index: 0, delta: part }] });
    const { content } = accumulate(
      encodeChunks([
        delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":' } }] }),
        delta({ content: 'late' }),
        delta({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] }),
        delta({ content: 'after' }),
      ]),
    );
    assert.deepEqual(
      content.map((block) => block.input ?? block.text),
      [{ x: 1 }, 'afterlate'],
    );
  });
});

describe('Anthropic error bodies', () => {
  it('carry the type that belongs to the status', () => {
    const type = (code: ConstructorParameters<typeof PlimsollError>[0]) =>
      (anthropicErrorBody(new PlimsollError(code, 'x'), 'trace') as { error: { type: string } }).error.type;
    assert.equal(type('invalid_argument'), 'invalid_request_error');
    assert.equal(type('unauthenticated'), 'authentication_error');
    assert.equal(type('permission_denied'), 'permission_error');
    assert.equal(type('not_found'), 'not_found_error');
    assert.equal(type('payload_too_large'), 'request_too_large');
    assert.equal(type('rate_limited'), 'rate_limit_error');
    assert.equal(type('provider_unavailable'), 'overloaded_error');
    assert.equal(type('provider_timeout'), 'timeout_error');
    assert.equal(type('internal'), 'api_error');
  });
});
