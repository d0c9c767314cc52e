import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../../kernel/errors.ts';
import { parseJsonText } from '../../../kernel/parse-json.ts';
import { openThinking } from '../../hub/sealed-thinking.ts';
import { arbitraryAnswer, parseEvents } from '../testing.ts';
import { encodeAnswer } from './answer.ts';
import { geminiErrorBody } from './errors.ts';
import { ArrayReframer } from './framing.ts';
import { GeminiStreamEncoder } from './stream.ts';

const REQUEST = { generationConfig: { thinkingConfig: { includeThoughts: true } } };

interface Part {
  readonly text?: string;
  readonly thought?: boolean;
  readonly functionCall?: { readonly id: string; readonly name: string; readonly args: unknown };
  readonly thoughtSignature?: string;
}
interface Answer {
  readonly candidates: { readonly content: { readonly parts: Part[] }; readonly finishReason?: string; readonly index: number }[];
  readonly usageMetadata?: Record<string, number>;
  readonly responseId: string;
  readonly modelVersion: string;
}

function encode(completion: unknown, request: Record<string, unknown> = REQUEST): Answer {
  return encodeAnswer(completion, request) as Answer;
}

function encodeChunks(chunks: readonly unknown[], isEvents: boolean): Answer[] {
  const path = `/v1beta/models/main:streamGenerateContent${isEvents ? '?alt=sse' : ''}`;
  const encoder = new GeminiStreamEncoder({ requestedModel: 'main', request: REQUEST, path });
  const text = chunks.map((chunk) => encoder.onChunk(chunk)).join('') + encoder.end();
  return (isEvents ? parseEvents(text.replaceAll('\r\n', '\n')).map(({ data }) => data) : parseJsonText(text)) as Answer[];
}

/** Neighbouring texts of one kind, joined; empty ones left out. */
function join(parts: readonly Part[]): Part[] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.text === '') continue;
    if (part.text !== undefined && last?.text !== undefined && last.thought === part.thought)
      joined[joined.length - 1] = { ...last, text: last.text + part.text };
    else joined.push(part);
  }
  return joined;
}

function completion(message: Record<string, unknown>, finish: string | null): unknown {
  return { id: 'r1', model: 'm', choices: [{ index: 0, message, finish_reason: finish }] };
}

describe('hub answer → GenerateContentResponse', () => {
  it('gives thoughts, text and calls as parts, with usage in Google’s counts', () => {
    const blocks = [{ type: 'thinking', thinking: 'hm', signature: 's' }];
    const answer = encode({
      id: 'r1',
      model: 'claude',
      choices: [
        {
          index: 0,
          message: {
            content: 'Both.',
            reasoning_content: 'hm',
            thinking_blocks: blocks,
            tool_calls: [
              { id: 'a', function: { name: 'f', arguments: '{"x":1}' } },
              { id: 'b', function: { name: 'g', arguments: '' }, extra_content: { google: { thought_signature: 'R28=' } } },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 9,
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    });
    const [candidate] = answer.candidates;
    const [thought, text, first, second] = candidate?.content.parts ?? [];
    assert.deepEqual([thought, text], [{ text: 'hm', thought: true }, { text: 'Both.' }]);
    assert.deepEqual(first?.functionCall, { id: 'a', name: 'f', args: { x: 1 } });
    assert.deepEqual(openThinking(first?.thoughtSignature), blocks);
    assert.deepEqual(second, { functionCall: { id: 'b', name: 'g', args: {} }, thoughtSignature: 'R28=' });
    assert.equal(candidate?.finishReason, 'STOP');
    assert.deepEqual(answer.usageMetadata, {
      promptTokenCount: 9,
      candidatesTokenCount: 3,
      totalTokenCount: 14,
      thoughtsTokenCount: 2,
      cachedContentTokenCount: 4,
    });
    assert.deepEqual([answer.modelVersion, answer.responseId], ['claude', 'r1']);
  });

  it('maps every ending and shows thoughts only to who asked', () => {
    const reason = (finish: string | null, message: Record<string, unknown> = { content: 'x' }) =>
      encode(completion(message, finish)).candidates[0]?.finishReason;
    assert.deepEqual(
      ['stop', 'tool_calls', 'length', 'content_filter', 'new', 'constructor'].map((finish) => reason(finish)),
      ['STOP', 'STOP', 'MAX_TOKENS', 'SAFETY', 'OTHER', 'OTHER'],
    );
    assert.equal(reason('stop', { content: null, refusal: 'No.' }), 'SAFETY');
    const thinking = completion({ content: 'x', reasoning_content: 'hm' }, 'stop');
    assert.deepEqual(encode(thinking, {}).candidates[0]?.content.parts, [{ text: 'x' }]);
  });

  it('never makes up arguments', () => {
    const calls = { content: null, tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{"x"' } }] };
    assert.throws(() => encode(completion(calls, 'tool_calls')), PlimsollError);
    assert.deepEqual(encode(completion(calls, 'length')).candidates[0]?.content.parts, []);
  });

  it('gives several candidates', () => {
    const choice = (index: number) => ({ index, message: { content: `c${index}` }, finish_reason: 'stop' });
    assert.deepEqual(
      encode({ id: 'r', choices: [choice(0), choice(1)] }).candidates.map(({ index, content }) => [index, content.parts[0]?.text]),
      [
        [0, 'c0'],
        [1, 'c1'],
      ],
    );
  });
});

describe('hub chunks → stream of responses', () => {
  it('adds up to the whole answer, as events and as an array, however it was cut', () => {
    fc.assert(
      fc.property(arbitraryAnswer, fc.boolean(), ({ completion: whole, chunks }, isEvents) => {
        const elements = encodeChunks(chunks, isEvents);
        const parts = join(elements.flatMap((element) => element.candidates.flatMap((candidate) => candidate.content.parts)));
        const expected = encode(whole);
        assert.deepEqual(parts, parseJsonText(JSON.stringify(join(expected.candidates[0]?.content.parts ?? []))));
        assert.deepEqual(
          elements.map((element) => element.candidates[0]?.finishReason).filter((reason) => reason !== undefined),
          ['STOP'],
          'one finish reason, in the last element',
        );
        assert.deepEqual(elements.at(-1)?.usageMetadata, expected.usageMetadata);
        assert.ok(elements.slice(0, -1).every((element) => element.usageMetadata === undefined));
      }),
      { numRuns: 300 },
    );
  });

  it('tells a broken stream, and leaves an array open', () => {
    const error = new PlimsollError('provider_stream_cut', 'cut');
    const encoder = (path: string) => new GeminiStreamEncoder({ requestedModel: 'm', request: {}, path });
    const chunk = { id: 'r', choices: [{ index: 0, delta: { content: 'x' } }] };
    const events = encoder('/v1beta/models/m:streamGenerateContent?alt=sse');
    const last = parseEvents((events.onChunk(chunk) + events.fail(error)).replaceAll('\r\n', '\n')).at(-1)?.data.error as {
      status: string;
    };
    assert.equal(last.status, 'UNAVAILABLE');
    const array = encoder('/v1beta/models/m:streamGenerateContent');
    const text = array.onChunk(chunk) + array.fail(error);
    assert.throws(() => parseJsonText(text));
    assert.equal((parseJsonText(`${text}]`) as unknown[]).length, 2);
  });

  it('rewrites forwarded events as an array', () => {
    const reframer = new ArrayReframer();
    assert.deepEqual(parseJsonText(reframer.onData('{"a":1}') + reframer.onData('{"b":2}') + reframer.end()), [{ a: 1 }, { b: 2 }]);
    assert.equal(new ArrayReframer().end(), '[]');
  });
});

describe('Google’s error bodies', () => {
  it('carry the canonical code that belongs to the status', () => {
    const status = (code: ConstructorParameters<typeof PlimsollError>[0]) => {
      const { error } = geminiErrorBody(new PlimsollError(code, 'x', { details: { param: 'p' } }), 'trace') as {
        error: { code: number; status: string };
      };
      return [error.code, error.status];
    };
    assert.deepEqual(status('invalid_argument'), [400, 'INVALID_ARGUMENT']);
    assert.deepEqual(status('unauthenticated'), [401, 'UNAUTHENTICATED']);
    assert.deepEqual(status('permission_denied'), [403, 'PERMISSION_DENIED']);
    assert.deepEqual(status('not_found'), [404, 'NOT_FOUND']);
    assert.deepEqual(status('rate_limited'), [429, 'RESOURCE_EXHAUSTED']);
    assert.deepEqual(status('internal'), [500, 'INTERNAL']);
    assert.deepEqual(status('provider_unavailable'), [502, 'UNAVAILABLE']);
    assert.deepEqual(status('provider_timeout'), [504, 'DEADLINE_EXCEEDED']);
  });
});
