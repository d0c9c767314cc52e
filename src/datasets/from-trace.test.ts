import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../kernel/errors.ts';
import type { Span, TraceDetail, TraceSummary } from '../traces/model.ts';
import type { Score } from '../traces/scores/model.ts';
import { caseFromTrace } from './from-trace.ts';
import { readCase } from './model.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

function span(changes: Partial<Span>): Span {
  const base = { spanId: 's1', parentSpanId: null, kind: 'gateway', isEntry: true, isTruncated: false, input: null, output: null };
  return { ...base, responseModel: 'sim-small', requestModel: 'sim', ...changes } as Span; // what is not named is not read
}

function detail(spans: Span[], session: string | null = null): TraceDetail {
  const trace = { traceId: TRACE, session, startedAt: 1_000, feature: 'support' } as TraceSummary; // what is not named is not read
  return { trace, hasTexts: true, spans };
}

const correction = (value: string, at: number, spanId: string | null = null): Score =>
  ({ id: `f${at}`, kind: 'feedback', name: 'correction', value, at, spanId }) as Score; // what is not named is not read

const body = (value: unknown): string => JSON.stringify(value);
const answer = body([{ role: 'assistant', content: 'Within 30 days.' }]);

describe('trace to case', () => {
  it('takes what was asked and answered, with the conversation as cluster', () => {
    const chat = body({
      model: 'sim',
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: [{ type: 'text', text: 'Return?' }] },
      ],
    });
    const draft = caseFromTrace(detail([span({ input: chat, output: answer })], 'session-7'), []);
    assert.deepEqual(draft.input?.messages, [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Return?' },
    ]);
    assert.deepEqual(draft.recorded, { output: 'Within 30 days.', toolCalls: [] });
    assert.deepEqual([draft.cluster, draft.at, draft.contexts, draft.expected?.answer], ['session:session-7', 1_000, null, null]);
    assert.deepEqual(draft.provenance, { kind: 'trace', traceId: TRACE, spanId: 's1', id: null, source: null });
    const again = caseFromTrace(detail([span({ input: chat, output: answer })], 'session-7'), []);
    assert.equal(readCase(draft, 'a').hash, readCase(again, 'b').hash, 'the same trace is the same case');
  });

  const dialects: [string, unknown, unknown[]][] = [
    [
      'Anthropic',
      { system: 'S', messages: [{ role: 'user', content: 'Q' }] },
      [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'Q' },
      ],
    ],
    [
      'OpenAI responses',
      { instructions: 'S', input: 'Q' },
      [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'Q' },
      ],
    ],
    [
      'OpenAI responses, items',
      {
        input: [
          { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Q' }] },
          { type: 'function_call', name: 'f', arguments: '{}' },
        ],
      },
      [
        { role: 'user', content: 'Q' },
        { role: 'assistant', content: null, type: 'function_call', name: 'f', arguments: '{}' },
      ],
    ],
    [
      'Gemini',
      { systemInstruction: { parts: [{ text: 'S' }] }, contents: [{ parts: [{ text: 'Q' }] }, { role: 'model', parts: [{ text: 'A' }] }] },
      [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'Q' },
        { role: 'assistant', content: 'A' },
      ],
    ],
    ['a list of messages', [{ role: 'user', content: 'Q' }], [{ role: 'user', content: 'Q' }]],
  ];
  for (const [name, input, messages] of dialects)
    it(`reads ${name}`, () => assert.deepEqual(caseFromTrace(detail([span({ input: body(input) })]), []).input?.messages, messages));

  it('takes the latest corrected answer as the expected one', () => {
    const scores = [correction('old', 1), correction('new', 3), correction('of another span', 5, 's9')];
    const draft = caseFromTrace(detail([span({ input: body([{ role: 'user', content: 'Q' }]) })]), scores, { spanId: 's1' });
    assert.equal(draft.expected?.answer, 'new');
    assert.deepEqual([draft.provenance?.kind, draft.provenance?.id], ['feedback', 'f3']);
  });

  it('takes the passages that the model was given, and tool calls', () => {
    const root = span({
      kind: 'chain',
      input: body({ question: 'Q', top: 3 }),
      output: body([{ role: 'assistant', content: '', tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }] }]),
    });
    const retriever = span({
      spanId: 's2',
      parentSpanId: 's1',
      kind: 'retriever',
      isEntry: false,
      output: body({
        documents: [
          { id: 'd1', content: 'P', score: 1 },
          { id: null, content: 'R' },
        ],
      }),
    });
    const draft = caseFromTrace(detail([root, retriever]), []);
    assert.deepEqual(draft.contexts, [
      { id: 'd1', text: 'P' },
      { id: null, text: 'R' },
    ]);
    assert.deepEqual(draft.input?.variables, { question: 'Q', top: 3 });
    assert.deepEqual(draft.recorded?.toolCalls, [{ name: 'f', arguments: { a: 1 } }]);
  });

  it('makes no case of what was not recorded whole', () => {
    const refused = (pattern: RegExp) => (thrown: unknown) => thrown instanceof PlimsollError && pattern.test(thrown.message);
    assert.throws(() => caseFromTrace(detail([span({})]), []), refused(/holds no prompt/));
    assert.throws(() => caseFromTrace(detail([span({ input: 'How do I ret' })]), []), refused(/preview only/));
    assert.throws(
      () => caseFromTrace(detail([span({ input: '{"messages":[{"co', isTruncated: true })]), []),
      refused(/cut at the size limit/),
    );
    assert.throws(() => caseFromTrace(detail([span({})]), [], { spanId: 'none' }), refused(/no span none/));
  });
});
