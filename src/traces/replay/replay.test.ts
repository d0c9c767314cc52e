import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NO_USAGE } from '../../models/usage.ts';
import type { Span, TraceSummary } from '../model.ts';
import { Ceiling } from './ceiling.ts';
import { answerText, compareAnswers, wordOverlap } from './compare.ts';
import type { ReplayedCall, ReplayItem } from './model.ts';
import { readRecordedCall, requestOf } from './recorded-call.ts';
import { summarise } from './summary.ts';

function span(changes: Partial<Span> = {}): Span {
  return {
    spanId: 'b7ad6b7169203331',
    parentSpanId: null,
    name: 'chat main',
    kind: 'gateway',
    startedAtNs: '1000000000',
    durationNs: '2500000',
    status: 'ok',
    statusMessage: '',
    errorType: null,
    provider: 'p',
    requestModel: 'm',
    responseModel: null,
    finishReasons: ['stop'],
    usage: { ...NO_USAGE, inputUncachedTokens: 1000, cacheReadTokens: 200, outputTextTokens: 100 },
    usageSource: 'reported',
    costPicoUsd: '5',
    costStatus: 'priced',
    priceId: 'x',
    ttftMs: null,
    isEntry: true,
    attributes: { 'gen_ai.operation.name': 'chat' },
    input: '{"model":"main","messages":[]}',
    output: '[{"role":"assistant","content":"hi"}]',
    isTruncated: false,
    textsDeleted: null,
    ...changes,
  };
}

const detail = { trace: { traceId: 'a'.repeat(32), feature: 'f' } as TraceSummary };

describe('a recorded call', () => {
  it('says why it cannot be made again', () => {
    const reasons = [
      span({ attributes: { 'gen_ai.operation.name': 'embeddings' } }),
      span({ attributes: { 'gen_ai.operation.name': 'chat', 'plimsoll.purpose': 'shadow' } }),
      span({ input: null }),
      span({ isTruncated: true }),
      span({ input: 'Where is my or' }),
      span({ input: '[1]' }),
      span({ input: '{"model":"m","previous_response_id":"resp_1","input":"and then?"}' }),
    ].map((each) => {
      const found = readRecordedCall(each, detail);
      return 'reason' in found ? found.reason : null;
    });
    assert.deepEqual(reasons, [
      'operation embeddings is not replayed',
      'was no client’s call',
      'request body was not recorded',
      'recorded body was cut at the size limit',
      'only a preview of the request was recorded',
      'only a preview of the request was recorded',
      'continues a conversation that its provider keeps',
    ]);
  });

  it('is held for more input than it had, and for the longest answer that it allows', () => {
    const upperOf = (body: string): [number, number] => {
      const found = readRecordedCall(span({ input: body }), detail);
      assert.ok('upperUsage' in found);
      return [found.upperUsage.inputUncachedTokens, found.upperUsage.outputTextTokens];
    };
    assert.deepEqual(upperOf('{"model":"m"}'), [1500, 2048]);
    assert.deepEqual(upperOf('{"model":"m","max_tokens":70}'), [1500, 70]);
    assert.deepEqual(upperOf('{"model":"m","max_completion_tokens":70,"n":3}'), [1500, 210]);
    assert.deepEqual(upperOf('{"input":"x","max_output_tokens":9}'), [1500, 9]);
    assert.deepEqual(upperOf('{"contents":[],"generationConfig":{"maxOutputTokens":8}}'), [1500, 8]);
    assert.deepEqual(upperOf('{"model":"m","max_tokens":-1}'), [1500, 2048]);
  });

  it('is asked for in its own dialect: the model stands in the body, or in Gemini’s path', () => {
    const replace = (body: string, model: string): string => `${body} with ${model}`;
    const ask = (endpoint: string, model: string | null) => requestOf({ endpoint, body: '{}' }, model, replace);
    assert.deepEqual(ask('/v1/messages', null), { path: '/v1/messages', body: '{}' });
    assert.deepEqual(ask('/v1/messages', 'b'), { path: '/v1/messages', body: '{} with b' });
    assert.deepEqual(ask('/v1beta/models/g-1:generateContent', 'a/b$&'), {
      path: '/v1beta/models/a%2Fb%24%26:generateContent',
      body: '{}',
    });
    assert.deepEqual(ask('/v1beta/models/g-1:streamGenerateContent', null), {
      path: '/v1beta/models/g-1:streamGenerateContent?alt=sse',
      body: '{}',
    });
  });
});

describe('likeness of two answers', () => {
  it('compares text and tool calls, not the ids of calls', () => {
    const call = (id: string, content: string | null): string =>
      JSON.stringify([{ role: 'assistant', content, tool_calls: [{ id, function: { name: 'find', arguments: '{"a":1}' } }] }]);
    assert.deepEqual(compareAnswers(call('x', null), call('y', null)), { isSameText: true, wordOverlap: 1 });
    assert.equal(compareAnswers(call('x', 'one'), call('y', 'two'))?.isSameText, false);
    assert.equal(answerText('Plain preview'), null);
    assert.equal(compareAnswers('cut [', call('y', 'two')), null);
  });

  it('is between 0 and 1, the same both ways, 1 for itself, and blind to order and case', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(fc.constantFrom('ja', 'Nein', 'vielleicht', 'ß', '語')).map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        const overlap = wordOverlap(a, b);
        assert.ok(overlap >= 0 && overlap <= 1);
        assert.equal(overlap, wordOverlap(b, a));
        assert.equal(wordOverlap(a, a), 1);
      }),
    );
    assert.equal(wordOverlap('Blue is the sky', 'the SKY is blue'), 1);
    assert.equal(wordOverlap('one', 'two'), 0);
  });
});

describe('Ceiling', () => {
  it('is never passed when no call costs more than it was held for', () => {
    const calls = fc.array(fc.tuple(fc.bigInt(0n, 100n), fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(fc.bigInt(0n, 1000n), calls, (limit, steps) => {
        const ceiling = new Ceiling(limit, 0n);
        const open: [bigint, bigint][] = [];
        for (const [estimate, share, settlesOne] of steps) {
          if (ceiling.fits(estimate)) {
            ceiling.hold(estimate);
            open.push([estimate, BigInt(Math.floor(Number(estimate) * share))]);
          }
          const [held, cost] = (settlesOne ? open.shift() : undefined) ?? [0n, 0n];
          ceiling.settle(held, cost);
          assert.ok(ceiling.spent <= limit);
        }
        for (const [held, cost] of open) ceiling.settle(held, cost);
        assert.ok(ceiling.spent <= limit);
      }),
    );
  });
});

describe('the summary of a replay', () => {
  const call = (changes: Partial<ReplayedCall>): ReplayedCall => ({
    traceId: 't',
    spanId: 's',
    model: 'm',
    status: 'ok',
    errorType: null,
    statusMessage: '',
    startedAtMs: 0,
    durationMs: 100,
    ttftMs: null,
    inputTokens: 1,
    outputTokens: 10,
    costPicoUsd: '1000',
    costStatus: 'priced',
    finishReasons: [],
    ...changes,
  });
  const item = (changes: Partial<ReplayItem>): ReplayItem => ({
    number: 1,
    feature: 'f',
    endpoint: '/v1/chat/completions',
    recorded: call({}),
    estimatePicoUsd: '0',
    state: 'done',
    replayTraceId: 'r',
    replayed: call({ costPicoUsd: '100', durationMs: 50 }),
    comparison: null,
    lostPicoUsd: '0',
    message: null,
    ...changes,
  });

  it('adds up pairs that both succeeded, and spends what everything cost', () => {
    const summary = summarise([
      item({}),
      item({ replayed: call({ costPicoUsd: '300', durationMs: 70, status: 'error' }) }),
      item({ replayed: call({ costPicoUsd: null, costStatus: 'unpriced', durationMs: 60 }), lostPicoUsd: '7' }),
      item({ recorded: call({ status: 'error' }) }),
      item({ state: 'waiting', replayed: null }),
      item({ state: 'failed', replayed: null, message: 'gone' }),
    ]);
    assert.equal(summary.spentPicoUsd, '507');
    assert.deepEqual(summary.cost, { n: 1, recordedPicoUsd: '1000', replayedPicoUsd: '100' });
    assert.deepEqual(summary.medianDurationMs, { n: 2, recorded: 100, replayed: 55 });
    assert.deepEqual([summary.done, summary.ok, summary.errors, summary.failed, summary.unpricedCalls], [4, 3, 1, 1, 1]);
  });

  it('of nothing is no zero where nothing was measured', () => {
    const summary = summarise([]);
    assert.deepEqual(summary.medianDurationMs, { n: 0, recorded: null, replayed: null });
    assert.equal(summary.medianWordOverlap.value, null);
  });
});
