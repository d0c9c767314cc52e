import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../../kernel/errors.ts';
import { parseJsonText } from '../../../kernel/parse-json.ts';
import { decodeResponse } from '../../providers/openai/responses-answer.ts';
import { ResponsesStreamDecoder } from '../../providers/openai/responses-stream.ts';
import { arbitraryAnswer, parseEvents } from '../testing.ts';
import { encodeAnswer } from './answer.ts';
import { decodeRequest } from './request.ts';
import { ResponsesStreamEncoder } from './stream.ts';

const REQUEST = { model: 'main', input: 'q', reasoning: { summary: 'auto' }, include: ['reasoning.encrypted_content'] };

type Json = Record<string, unknown>;

interface Item extends Json {
  readonly id: string;
  readonly type: string;
}

function encodeChunks(chunks: readonly unknown[], request: Json = REQUEST): string {
  const encoder = new ResponsesStreamEncoder({ requestedModel: 'main', createdSeconds: 7, request });
  return chunks.map((chunk) => encoder.onChunk(chunk)).join('') + encoder.end();
}

function encode(completion: unknown, request: Json = REQUEST): Json {
  return encodeAnswer(completion, request) as Json;
}

/** Checks the grammar of a stream and that its deltas add up to its done events and its last response. */
function accumulate(text: string): Json {
  const events = parseEvents(text);
  const items: Item[] = [];
  let open: Item | null = null;
  let deltas = '';
  let last: Json | null = null;
  events.forEach(({ name, data }, index) => {
    assert.equal(name, data.type);
    assert.equal(data.sequence_number, index, 'numbered without a gap');
    assert.equal(last, null, 'nothing follows the last event');
    if (data.output_index !== undefined) assert.equal(data.output_index, items.length, 'items come one after the other');
    if (data.item_id !== undefined) assert.equal(data.item_id, open?.id, 'events belong to the open item');
    const type = String(data.type);
    if (type === 'response.output_item.added') {
      assert.equal(open, null, 'one item at a time');
      open = data.item as Item;
    } else if (type === 'response.output_item.done') {
      const item = data.item as Item;
      assert.equal(item.id, open?.id);
      items.push(item);
      open = null;
    } else if (type === 'response.content_part.added' || type === 'response.reasoning_summary_part.added') deltas = '';
    else if (type.endsWith('.delta')) deltas += String(data.delta);
    else if (/(text|refusal|arguments)\.done$/.test(type)) {
      assert.equal(data.text ?? data.refusal ?? data.arguments, deltas, 'deltas add up');
      deltas = '';
    } else if (/^response\.(completed|incomplete)$/.test(type)) last = data.response as Json;
  });
  assert.deepEqual(
    events.slice(0, 2).map(({ name }) => name),
    ['response.created', 'response.in_progress'],
  );
  assert.ok(last !== null);
  assert.deepEqual((last as Json).output, items, 'the last response holds the items that were done');
  assert.equal(new Set(items.map((item) => item.id)).size, items.length, 'ids are unique');
  return last;
}

describe('hub answer → response', () => {
  it('gives reasoning, message and calls as items, with usage', () => {
    const response = encode({
      id: 'chatcmpl-9',
      model: 'claude',
      created: 5,
      choices: [
        {
          index: 0,
          message: {
            content: 'Both.',
            reasoning_content: 'hm',
            thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 's' }],
            tool_calls: [{ id: 'call_1', function: { name: 'f', arguments: '{"a":1}' } }],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 9,
        completion_tokens: 4,
        prompt_tokens_details: { cached_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
    });
    const [reasoning, message, call] = response.output as Item[];
    assert.deepEqual([response.id, response.object, response.status, response.store], ['resp_9', 'response', 'completed', false]);
    assert.deepEqual(reasoning?.summary, [{ type: 'summary_text', text: 'hm' }]);
    assert.match(Buffer.from(String(reasoning?.encrypted_content), 'base64').toString(), /^plimsoll-thinking-1:/);
    assert.deepEqual(message?.content, [{ type: 'output_text', text: 'Both.', annotations: [], logprobs: [] }]);
    assert.deepEqual(
      { ...call },
      { id: 'fc_9_2', type: 'function_call', status: 'completed', call_id: 'call_1', name: 'f', arguments: '{"a":1}' },
    );
    assert.deepEqual(response.usage, {
      input_tokens: 9,
      input_tokens_details: { cached_tokens: 2 },
      output_tokens: 4,
      output_tokens_details: { reasoning_tokens: 1 },
      total_tokens: 13,
    });
    // What the client sends back is what the provider had said.
    const again = decodeRequest({ model: 'm', input: response.output }).body.messages as Json[];
    assert.deepEqual(again[0]?.thinking_blocks, [{ type: 'thinking', thinking: 'hm', signature: 's' }]);
  });

  it('maps every ending', () => {
    const ending = (finish: string | null, message: Json = { content: 'x' }) => {
      const { status, incomplete_details, output } = encode({ id: 'a', choices: [{ index: 0, message, finish_reason: finish }] });
      return [status, incomplete_details, (output as Item[])[0]?.status];
    };
    assert.deepEqual(ending('stop'), ['completed', null, 'completed']);
    assert.deepEqual(ending('length'), ['incomplete', { reason: 'max_output_tokens' }, 'incomplete']);
    assert.deepEqual(ending('content_filter'), ['incomplete', { reason: 'content_filter' }, 'incomplete']);
    assert.deepEqual(ending('new'), ['incomplete', { reason: 'new' }, 'incomplete']);
  });

  it('shows reasoning only as far as it was asked for', () => {
    const completion = { id: 'a', choices: [{ index: 0, message: { content: 'x', reasoning_content: 'hm' }, finish_reason: 'stop' }] };
    assert.equal((encode(completion, { model: 'm', input: 'q' }).output as Item[])[0]?.type, 'message');
    assert.equal((encode(completion).output as Item[])[0]?.type, 'reasoning');
  });

  it('tells refusals as such', () => {
    const completion = { id: 'a', choices: [{ index: 0, message: { content: null, refusal: 'No.' }, finish_reason: 'stop' }] };
    assert.deepEqual((encode(completion).output as Item[])[0]?.content, [{ type: 'refusal', refusal: 'No.' }]);
    const chunks = [
      { id: 'a', choices: [{ index: 0, delta: { refusal: 'N' } }] },
      { choices: [{ index: 0, delta: { refusal: 'o.' }, finish_reason: 'stop' }] },
    ];
    assert.deepEqual((accumulate(encodeChunks(chunks)).output as Item[])[0]?.content, [{ type: 'refusal', refusal: 'No.' }]);
  });
});

describe('hub chunks → events of the Responses API', () => {
  it('add up to the whole answer, however it was cut and its calls were mixed', () => {
    fc.assert(
      fc.property(arbitraryAnswer, ({ completion, chunks }) => {
        assert.deepEqual(accumulate(encodeChunks(chunks)), parseJsonText(JSON.stringify(encode(completion))));
      }),
      { numRuns: 300 },
    );
  });

  it('say that the response failed, and raise an error in SDKs, when it breaks off', () => {
    const encoder = new ResponsesStreamEncoder({ requestedModel: 'm', createdSeconds: 1, request: REQUEST });
    const begun = encoder.onChunk({ id: 'a', choices: [{ index: 0, delta: { content: 'x' } }] });
    const events = parseEvents(begun + encoder.fail(new PlimsollError('provider_stream_cut', 'cut')));
    assert.deepEqual(
      events.slice(-2).map(({ data }) => [data.type, data.sequence_number]),
      [
        ['response.failed', events.length - 2],
        ['error', events.length - 1],
      ],
    );
    assert.equal((events.at(-2)?.data.response as Json | undefined)?.status, 'failed');
    assert.equal((events.at(-1)?.data.error as Json | undefined)?.code, 'provider_stream_cut');
  });
});

describe('events of an OpenAI provider → hub', () => {
  it('come back as they were encoded, whatever they hold', () => {
    fc.assert(
      fc.property(arbitraryAnswer, ({ chunks, completion }) => {
        const decoder = new ResponsesStreamDecoder({ requestedModel: 'm', createdSeconds: 7, includeUsage: true });
        const steps = parseEvents(encodeChunks(chunks)).map(({ name, data }) => decoder.onEvent(name, JSON.stringify(data)));
        assert.equal(steps.filter((step) => step.isDone).length, 1);
        assert.equal(steps.at(-1)?.isDone, true);
        const again = steps.flatMap((step) => step.chunks);
        assert.deepEqual(accumulate(encodeChunks(again)), parseJsonText(JSON.stringify(encode(completion))));
        assert.deepEqual(steps.at(-1)?.facts.usage?.cacheReadTokens, 10);
        assert.deepEqual(steps.at(-1)?.facts.usage?.reasoningTokens, 4);
        const { completion: hub, facts } = decodeResponse(encode(completion), 'm', 7);
        assert.deepEqual(encode(hub), encode({ ...completion, usage: { ...(hub as { usage: object }).usage } }));
        assert.equal(facts.usage?.outputTextTokens, 8);
      }),
      { numRuns: 200 },
    );
  });

  it('hold back the announcement of a response that fails at once', () => {
    const decoder = new ResponsesStreamDecoder({ requestedModel: 'm', createdSeconds: 7, includeUsage: true });
    assert.equal(decoder.onEvent(null, '{"type":"response.created","response":{"id":"r","model":"gpt"}}').chunks.length, 0);
    const failed = decoder.onEvent(
      null,
      '{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"}}}',
    );
    assert.deepEqual(failed.error, { code: 'provider_rate_limited', message: 'slow' });
  });

  it('are an error when they end early, are no JSON, or say so', () => {
    const fresh = () => new ResponsesStreamDecoder({ requestedModel: 'm', createdSeconds: 7, includeUsage: true });
    assert.equal(fresh().end().error?.code, 'provider_stream_cut');
    assert.equal(fresh().onEvent(null, '{').error?.code, 'provider_bad_response');
    assert.equal(fresh().onEvent(null, '7').error?.code, 'provider_bad_response');
    assert.equal(fresh().onEvent('error', '{"type":"error","code":"server_error","message":"x"}').error?.code, 'provider_unavailable');
  });

  it('are read whole: failures under their code, unknown items skipped', () => {
    const base = { id: 'resp_1', object: 'response', status: 'completed', model: 'gpt', output: [{ type: 'web_search_call' }] };
    const code = (change: object) => {
      try {
        decodeResponse({ ...base, ...change }, 'm', 1);
        return null;
      } catch (thrown) {
        return (thrown as PlimsollError).code;
      }
    };
    assert.equal(code({}), null);
    assert.equal(code({ status: 'failed', error: { code: 'server_error', message: 'x' } }), 'provider_unavailable');
    assert.equal(code({ status: 'in_progress' }), 'provider_bad_response');
    assert.equal(code({ status: 'queued' }), 'provider_bad_response');
    assert.equal(code({ object: 'chat.completion' }), 'provider_bad_response');
    assert.throws(() => decodeResponse([], 'm', 1), PlimsollError);
    const { facts } = decodeResponse({ ...base, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, 'm', 1);
    assert.deepEqual(facts.finishReasons, ['length']);
  });
});
