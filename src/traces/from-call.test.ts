import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sampleAttempt, sampleCall, samplePayload } from '../../test/contract/ledger-sample-calls.ts';
import { NO_USAGE, type Usage } from '../models/usage.ts';
import { ioRowFromPayload, spansFromCall, totalUsage } from './from-call.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

describe('spansFromCall', () => {
  it('is pure: the same record gives the same rows', () => {
    const call = sampleCall('pure', NOW);
    const payload = samplePayload(call, 'q', 'a');
    assert.deepEqual(spansFromCall(call, payload), spansFromCall(structuredClone(call), structuredClone(payload)));
  });

  it('keeps the start exact, which a double of nanoseconds would not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), fc.integer({ min: 0, max: 600_000_000 }), (startedAtMs, offsetNs) => {
        const call = sampleCall('time', startedAtMs, {
          stages: [{ name: 'admit', startOffsetMs: offsetNs / 1e6, durationMs: 1, status: 'ok' }],
        });
        const [entry, stage] = spansFromCall(call, null).spans;
        assert.equal(entry?.startedAtNs, BigInt(startedAtMs) * 1_000_000n);
        assert.equal(stage?.startedAtNs, BigInt(startedAtMs) * 1_000_000n + BigInt(offsetNs));
      }),
      { numRuns: 200 },
    );
  });

  it('gives each span its own id and one parent that exists', () => {
    const call = sampleCall('tree', NOW, { parentSpanId: 'aaaaaaaaaaaaaaaa', attempts: [sampleAttempt('1'), sampleAttempt('2')] });
    const { spans } = spansFromCall(call, null);
    const ids = new Set(spans.map((span) => span.spanId));
    assert.equal(ids.size, spans.length);
    for (const span of spans) {
      if (span.isEntry) assert.equal(span.parentSpanId, 'aaaaaaaaaaaaaaaa');
      else assert.ok(span.parentSpanId !== null && ids.has(span.parentSpanId), span.name);
      assert.match(span.spanId, /^[0-9a-f]{16}$/);
    }
  });

  it('hangs attempts below the entry when the stage never began', () => {
    const call = sampleCall('recovered', NOW, { stages: [], isRecovered: true });
    const { spans } = spansFromCall(call, null);
    assert.deepEqual(
      spans.map((span) => [span.kind, span.parentSpanId]),
      [
        ['gateway', null],
        ['llm', call.spanId],
      ],
    );
    assert.ok(spans.every((span) => span.isRecovered));
  });

  it('takes provider and model from the attempt that answered, and remembers where it fell back from', () => {
    const call = sampleCall('fallback', NOW, {
      attempts: [
        sampleAttempt('1', {
          provider: 'one',
          model: 'first',
          requestModel: 'm1',
          responseModel: null,
          status: 'error',
          errorType: 'provider_timeout',
          usage: null,
        }),
        sampleAttempt('2', { provider: 'two', model: 'second', requestModel: 'm2', responseModel: 'm2-x' }),
      ],
    });
    const [entry] = spansFromCall(call, null).spans;
    assert.equal(entry?.provider, 'two');
    assert.equal(entry?.responseModel, 'm2-x');
    assert.equal(entry?.fallbackFrom, 'first');
    assert.deepEqual(entry?.models, ['m1', 'm2-x']);
    assert.deepEqual(entry?.providers, ['one', 'two']);
    assert.deepEqual(entry?.modelNames, ['default', 'first', 'm1', 'second', 'm2', 'm2-x']);
  });

  it('knows nothing of a call that reached no provider', () => {
    const [entry, ...rest] = spansFromCall(
      sampleCall('refused', NOW, { attempts: [], stages: [], costPicoUsd: null, costStatus: 'unpriced' }),
      null,
    ).spans;
    assert.deepEqual(rest, []);
    assert.equal(entry?.usage, null);
    assert.equal(entry?.usageSource, null);
    assert.equal(entry?.costPicoUsd, null);
    assert.equal(entry?.provider, null);
    assert.equal(entry?.attempts, 0);
  });

  it('adds usage class by class and marks the sum estimated when a part is', () => {
    const usageOf = fc.record(Object.fromEntries(Object.keys(NO_USAGE).map((name) => [name, fc.nat(1000)]))) as fc.Arbitrary<Usage>;
    fc.assert(
      fc.property(fc.array(fc.record({ usage: fc.option(usageOf), isEstimated: fc.boolean() }), { maxLength: 4 }), (parts) => {
        const attempts = parts.map(({ usage, isEstimated }, place) =>
          sampleAttempt(`${place}`, { usage, usageSource: usage === null ? null : isEstimated ? 'estimated' : 'reported' }),
        );
        const { usage, source } = totalUsage(attempts);
        const known = parts.filter((part) => part.usage !== null);
        if (known.length === 0) return assert.deepEqual([usage, source], [null, null]);
        assert.equal(source, known.some((part) => part.isEstimated) ? 'estimated' : 'reported');
        for (const name of Object.keys(NO_USAGE) as (keyof Usage)[])
          assert.equal(
            usage?.[name],
            known.reduce((sum, part) => sum + (part.usage?.[name] ?? 0), 0),
          );
      }),
      { numRuns: 100 },
    );
  });
});

describe('previews', () => {
  const call = sampleCall('preview', NOW);
  const of = (input: string, output: string | null, policy: 'full' | 'preview' = 'full') => {
    const row = ioRowFromPayload({ ...samplePayload(call, '', ''), input, output, policy });
    return [row.inputPreview, row.outputPreview];
  };
  const messages = (...list: unknown[]) => JSON.stringify({ messages: list });

  it('shows the last user message and the first answer', () => {
    assert.deepEqual(
      of(
        messages(
          { role: 'user', content: 'old' },
          { role: 'assistant', content: 'x' },
          { role: 'user', content: 'new' },
          { role: 'tool', content: 't' },
        ),
        JSON.stringify([
          { role: 'assistant', content: 'yes' },
          { role: 'assistant', content: 'no' },
        ]),
      ),
      ['new', 'yes'],
    );
  });

  it('reads the requests of every API', () => {
    const input = (body: unknown) => of(JSON.stringify(body), null)[0];
    assert.equal(input({ input: 'text' }), 'text');
    assert.equal(
      input({ input: [{ role: 'user', content: [{ type: 'input_text', text: 'item' }] }, { type: 'function_call_output' }] }),
      'item',
    );
    assert.equal(input({ contents: [{ parts: [{ text: 'part' }] }, { role: 'model', parts: [{ text: 'x' }] }] }), 'part');
    assert.equal(input({ contents: 7 }), '');
  });

  it('reads text parts, tool calls and policy previews', () => {
    const parts = messages({
      role: 'user',
      content: [
        { type: 'text', text: 'what is ' },
        { type: 'image_url', image_url: { url: 'data:' } },
        { type: 'text', text: 'this?' },
      ],
    });
    const called = JSON.stringify([
      { role: 'assistant', content: null, tool_calls: [{ function: { name: 'weather', arguments: '{"city":"Oslo"}' } }] },
    ]);
    assert.deepEqual(of(parts, called), ['what is this?', 'weather({"city":"Oslo"})']);
    assert.deepEqual(of('just text', null, 'preview'), ['just text', '']);
  });

  it('finds the text of a body that was cut anywhere', () => {
    const body = messages({ role: 'system', content: 'rules' }, { role: 'user', content: 'tell "me" \\ \u{1F600} now' });
    for (let length = 0; length < body.length; length++) {
      const [preview = ''] = of(body.slice(0, length), null);
      assert.ok('tell "me" \\ \u{1F600} now'.startsWith(preview.replace(/\ufffd$/, '')) || 'rules'.startsWith(preview), preview);
    }
  });

  it('never throws, never exceeds 200 characters and is always valid Unicode', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string({ unit: 'binary' }),
          fc.string({ unit: 'binary' }).map((text) => messages({ role: 'user', content: `${text}\ud83d` })),
        ),
        (text) => {
          for (const preview of of(text, text)) assert.ok(preview.length <= 200 && preview.isWellFormed());
        },
      ),
      { numRuns: 200 },
    );
  });
});
