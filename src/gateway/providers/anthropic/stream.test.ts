import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StreamStep } from '../../provider.ts';
import { SseScanner } from '../../streams/sse-scanner.ts';
import { decodeAnswer } from './answer.ts';
import { jsonFixture, MESSAGE_FIXTURES, sseFixture } from './fixtures.ts';
import { AnthropicStreamDecoder } from './stream.ts';
import { readAnthropicUsage } from './usage.ts';

const OPTIONS = { requestedModel: 'alias', createdSeconds: 1_700_000_000, includeUsage: true };

/** The steps of a stream that arrives in these pieces and then ends. */
function steps(pieces: readonly Buffer[], options = OPTIONS): StreamStep[] {
  const decoder = new AnthropicStreamDecoder(options);
  const found: StreamStep[] = [];
  const listener = {
    onEvent(_raw: Buffer, _start: number, _end: number, data: Buffer, dataStart: number, dataEnd: number, name: string | null): boolean {
      found.push(decoder.onEvent(name, data.toString('utf8', dataStart, dataEnd)));
      return true;
    },
    onComment(): void {},
  };
  const scanner = new SseScanner(listener, 1 << 20);
  for (const piece of pieces) scanner.push(Buffer.from(piece));
  scanner.end();
  found.push(decoder.end());
  return found;
}

interface Delta {
  role?: string;
  content?: string;
  refusal?: string;
  reasoning_content?: string;
  thinking_blocks?: unknown[];
  tool_calls?: { index: number; id?: string; type?: string; function: { name?: string; arguments?: string } }[];
}
interface Chunk {
  id: string;
  model: string;
  created: number;
  object: string;
  choices: { delta: Delta; finish_reason: string | null }[];
  usage?: unknown;
}

/** What a client makes of the chunks: deltas added up into a `chat.completion`. */
function aggregate(chunks: readonly Chunk[]): unknown {
  const message: { content: string; refusal: string | null; reasoning: string; thinking: unknown[] } = {
    content: '',
    refusal: null,
    reasoning: '',
    thinking: [],
  };
  const calls: { id: string; type: string; function: { name: string; arguments: string } }[] = [];
  let finish: string | null = null;
  let usage: unknown;
  for (const chunk of chunks) {
    usage = chunk.usage ?? usage;
    for (const { delta, finish_reason } of chunk.choices) {
      finish = finish_reason ?? finish;
      message.content += delta.content ?? '';
      message.refusal = delta.refusal ?? message.refusal;
      message.reasoning += delta.reasoning_content ?? '';
      message.thinking.push(...(delta.thinking_blocks ?? []));
      for (const call of delta.tool_calls ?? []) {
        calls[call.index] ??= { id: call.id ?? '', type: call.type ?? '', function: { name: call.function.name ?? '', arguments: '' } };
        const known = calls[call.index];
        if (known) known.function.arguments += call.function.arguments ?? '';
      }
    }
  }
  const [first] = chunks;
  return {
    id: first?.id,
    object: 'chat.completion',
    created: first?.created,
    model: first?.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: message.content !== '' || calls.length === 0 ? message.content : null,
          refusal: message.refusal,
          ...(message.reasoning === '' ? {} : { reasoning_content: message.reasoning }),
          ...(message.thinking.length === 0 ? {} : { thinking_blocks: message.thinking }),
          // The text of the arguments may differ in white space; as JSON it must not.
          ...(calls.length === 0
            ? {}
            : {
                tool_calls: calls.map((call) => ({
                  ...call,
                  function: { name: call.function.name, arguments: JSON.stringify(JSON.parse(call.function.arguments)) },
                })),
              }),
        },
        logprobs: null,
        finish_reason: finish,
      },
    ],
    usage,
  };
}

const chunksOf = (found: readonly StreamStep[]) => JSON.parse(JSON.stringify(found.flatMap((step) => step.chunks))) as Chunk[]; // as a client sees them
const factsOf = (found: readonly StreamStep[]) => Object.assign({}, ...found.map((step) => step.facts));

describe('Anthropic stream → OpenAI chunks', () => {
  for (const name of MESSAGE_FIXTURES) {
    it(`${name}: adds up to what the JSON answer decodes to`, () => {
      const found = steps([sseFixture(name)]);
      const { completion, facts } = decodeAnswer(jsonFixture(name), 'alias', OPTIONS.createdSeconds);
      assert.deepEqual(aggregate(chunksOf(found)), completion);
      assert.equal(found.filter((step) => step.isDone).length, 1);
      assert.ok(found.every((step) => step.error === null));
      const streamed = factsOf(found);
      assert.deepEqual(
        { ...streamed, providerUsage: null, outputCharacters: null },
        { ...facts, providerUsage: null, outputCharacters: null },
      );
      assert.ok(streamed.outputCharacters >= facts.outputCharacters);
    });

    it(`${name}: gives the same steps wherever the bytes are cut, and with CRLF`, () => {
      const bytes = sseFixture(name);
      const expected = JSON.stringify(steps([bytes]));
      for (let at = 1; at < bytes.length; at++) {
        const actual = JSON.stringify(steps([bytes.subarray(0, at), bytes.subarray(at)]));
        if (actual !== expected) assert.equal(actual, expected, `cut at byte ${at}`);
      }
      assert.equal(JSON.stringify(steps(Array.from(bytes, (byte) => Buffer.of(byte)))), expected, 'byte by byte');
      assert.equal(JSON.stringify(steps([Buffer.from(bytes.toString().replaceAll('\n', '\r\n'))])), expected, 'CRLF');
    });

    it(`${name}: is an error, never an answer, when the stream ends early`, () => {
      const text = sseFixture(name).toString();
      for (let at = text.indexOf('\n\n') + 2; at < text.length; at = text.indexOf('\n\n', at) + 2) {
        const found = steps([Buffer.from(text.slice(0, at))]);
        assert.equal(found.at(-1)?.error?.code, 'provider_stream_cut', `cut at ${at}`);
        assert.ok(found.every((step) => !step.isDone));
        assert.ok(
          chunksOf(found).every((chunk) => chunk.choices.every((choice) => choice.finish_reason === null)),
          'no finish reason before the end',
        );
      }
    });
  }

  it('starts with the role, opens a tool call with id and name, and ends with reason and usage', () => {
    const chunks = chunksOf(steps([sseFixture('tool')]));
    assert.deepEqual(chunks[0]?.choices[0]?.delta, { role: 'assistant', content: '' });
    const calls = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    assert.deepEqual(calls[0], {
      index: 0,
      id: 'toolu_01A09q90qw90lq917835lq9',
      type: 'function',
      function: { name: 'get_weather', arguments: '' },
    });
    assert.ok(calls.length > 3);
    for (const call of calls.slice(1)) assert.deepEqual(Object.keys(call), ['index', 'function']);
    assert.deepEqual(chunks.at(-2)?.choices[0]?.finish_reason, 'tool_calls');
    assert.deepEqual(
      [chunks.at(-1)?.choices, chunks.at(-1)?.usage],
      [[], (decodeAnswer(jsonFixture('tool'), '', 0).completion as { usage: unknown }).usage],
    );
  });

  it('sends usage only to who asked, and reports it to the gateway always', () => {
    const found = steps([sseFixture('cache')], { ...OPTIONS, includeUsage: false });
    assert.ok(chunksOf(found).every((chunk) => chunk.usage === undefined && chunk.choices.length === 1));
    assert.deepEqual(factsOf(found).usage, {
      inputUncachedTokens: 21,
      cacheReadTokens: 18_500,
      cacheWrite5mTokens: 1_000,
      cacheWrite1hTokens: 2_000,
      audioInputTokens: 0,
      outputTextTokens: 14,
      reasoningTokens: 0,
      audioOutputTokens: 0,
    });
  });

  it('marks content, not roles and pings', () => {
    const found = steps([sseFixture('text')]);
    const first = found.findIndex((step) => step.hasContent);
    assert.equal(chunksOf(found.slice(first))[0]?.choices[0]?.delta.content, 'D');
    assert.equal(found[0]?.hasContent, false);
    assert.equal(found.at(-2)?.hasContent, false);
  });

  it('passes an error event on and is silent afterwards', () => {
    const found = steps([sseFixture('error-overloaded'), sseFixture('text')]);
    const failures = found.filter((step) => step.error !== null);
    assert.deepEqual(
      failures.map((step) => step.error),
      [{ code: 'provider_unavailable', message: 'Anthropic answered in the middle of its answer: Overloaded' }],
    );
    assert.deepEqual(
      found.slice(found.indexOf(failures[0] as StreamStep) + 1).flatMap((step) => [...step.chunks]),
      [],
    );
  });

  it('takes tool input that comes whole in the start of its block', () => {
    const decoder = new AnthropicStreamDecoder(OPTIONS);
    const send = (event: Record<string, unknown>) => decoder.onEvent(null, JSON.stringify(event));
    send({ type: 'message_start', message: { id: 'm', model: 'x', usage: {} } });
    send({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } } });
    const stop = send({ type: 'content_block_stop', index: 0 });
    assert.deepEqual((stop.chunks as Chunk[])[0]?.choices[0]?.delta.tool_calls, [{ index: 0, function: { arguments: '{"a":1}' } }]);
  });

  it('knows the exact input of a stream that is aborted', () => {
    const [first] = steps([sseFixture('cache').subarray(0, 600)]);
    assert.equal(readAnthropicUsage(first?.facts.providerUsage)?.cacheReadTokens, 18_500);
    assert.equal(first?.facts.usage, undefined);
  });

  it('refuses what is not a stream of messages', () => {
    const decode = (event: string | null, data: string) => new AnthropicStreamDecoder(OPTIONS).onEvent(event, data).error?.code;
    assert.equal(decode(null, 'not json'), 'provider_bad_response');
    assert.equal(decode(null, '[]'), 'provider_bad_response');
    assert.equal(decode('message_stop', '{}'), 'provider_bad_response');
    assert.equal(decode(null, '{"type":"message_start"}'), 'provider_bad_response');
    assert.equal(decode('ping', '{}'), undefined);
  });
});
