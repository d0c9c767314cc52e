import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readShippedPriceBook } from '../models/price-book.ts';
import { rowsFromOtlp } from './from-otlp.ts';
import type { OtlpBatchMeta, PayloadPolicy } from './otlp/batch-record.ts';
import { jsonRequest, protobufRequest, type TestSpan } from './otlp/testing.ts';

const NOW = Date.UTC(2026, 2, 15, 12);
const book = readShippedPriceBook();
const metaOf = (policy: PayloadPolicy, over: Partial<OtlpBatchMeta> = {}): OtlpBatchMeta => ({
  organisationId: 'default',
  environment: 'production',
  receivedAtMs: NOW,
  encoding: 'protobuf',
  keyId: 'key-1',
  team: 'support',
  feature: 'helper',
  features: { helper: policy },
  maxPayloadBytes: 1_000_000,
  ...over,
});
const SECRET = 'the secret question';
const span = (attributes: NonNullable<TestSpan['attributes']>, over: Partial<TestSpan> = {}): TestSpan => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name: 'chat gpt-4o',
  startNs: BigInt(NOW) * 1_000_000n + 5n,
  endNs: BigInt(NOW) * 1_000_000n + 2_000_005n,
  attributes,
  ...over,
});
const CHAT = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-4o',
  'gen_ai.usage.input_tokens': 1_000,
  'gen_ai.usage.output_tokens': 100,
  'gen_ai.input.messages': JSON.stringify([{ role: 'user', parts: [{ type: 'text', content: SECRET }] }]),
  'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts: [{ type: 'text', content: `${SECRET}?` }] }]),
};
const one = (sent: TestSpan, meta = metaOf('full')) => {
  const { spans, io } = rowsFromOtlp(meta, protobufRequest([{ spans: [sent] }]), book);
  const [row] = spans;
  assert.ok(row);
  return { row, io };
};

describe('rows of OTLP spans', () => {
  it('are the same however often the record is read, and in either encoding', () => {
    const sent = [
      { resource: { 'service.name': 'app' }, spans: [span(CHAT), span({}, { spanId: 'c'.repeat(16), parentSpanId: 'b'.repeat(16) })] },
    ];
    const first = rowsFromOtlp(metaOf('full'), protobufRequest(sent), book);
    assert.deepEqual(rowsFromOtlp(metaOf('full'), protobufRequest(sent), book), first);
    assert.deepEqual(rowsFromOtlp(metaOf('full', { encoding: 'json' }), jsonRequest(sent), book), first);
    assert.equal(first.spans[0]?.startedAtNs, BigInt(NOW) * 1_000_000n + 5n);
    assert.equal(first.spans[0]?.durationNs, 2_000_000n);
    assert.deepEqual(
      first.spans.map(({ isEntry, isRequest }) => [isEntry, isRequest]),
      [
        [true, true],
        [false, false],
      ],
    );
    assert.equal(first.spans[0]?.attributes['resource.service.name'], 'app');
  });

  it('keep of texts what the feature allows, in no column and no attribute more', () => {
    const full = one(span({ ...CHAT, 'my.own': 'kept' }));
    assert.deepEqual(JSON.parse(full.io[0]?.input ?? ''), { messages: [{ role: 'user', content: SECRET }] });
    assert.equal(full.row.attributes['gen_ai.input.messages'], undefined, 'not kept twice');
    const preview = one(span(CHAT), metaOf('preview'));
    assert.equal(preview.io[0]?.input, SECRET);
    const none = one(
      span(
        {
          ...CHAT,
          'my.own': 'kept',
          'llm.input_messages.0.message.content': SECRET,
          'ai.prompt': SECRET,
          'langfuse.observation.input': SECRET,
        },
        { events: [{ name: 'gen_ai.user.message', atNs: BigInt(NOW) * 1_000_000n, attributes: { content: SECRET } }] },
      ),
      metaOf('none'),
    );
    assert.deepEqual(none.io, []);
    assert.ok(!JSON.stringify(none.row.attributes).includes(SECRET), JSON.stringify(none.row.attributes));
    assert.equal(none.row.attributes['my.own'], 'kept');
    // A feature that the record does not know allows nothing.
    assert.deepEqual(one(span(CHAT), metaOf('full', { features: {} })).io, []);
  });

  it('are cut where a text is longer than allowed', () => {
    const { io } = one(span(CHAT), metaOf('full', { maxPayloadBytes: 20 }));
    assert.equal(io[0]?.input?.length, 20);
    assert.equal(io[0]?.isTruncated, true);
    const { row } = one(span({ ...CHAT, long: 'x'.repeat(100_000) }));
    assert.equal((row.attributes.long as string).length, 32_768);
    assert.deepEqual(row.attributes['plimsoll.cut_attributes'], ['long']);
  });

  it('cannot be made to say what only we say', () => {
    const { row } = one(
      span({
        ...CHAT,
        'plimsoll.model': 'sim-large',
        'plimsoll.purpose': 'probe',
        'plimsoll.routing.strategy': 'x',
        'plimsoll.is_simulated': true,
        __proto__: 'x',
        constructor: 'y',
      }),
    );
    for (const name of ['plimsoll.model', 'plimsoll.purpose', 'plimsoll.routing.strategy', 'plimsoll.is_simulated'])
      assert.equal(row.attributes[name], undefined, name);
    assert.equal(row.attributes['client.plimsoll.model'], 'sim-large');
    assert.equal(row.isSimulated, false);
    assert.equal(row.callId, null);
    const evil = one(
      span(
        new Map([
          ['__proto__', 'x'],
          ['gen_ai.operation.name', 'chat'],
        ]),
      ),
    );
    assert.equal(Object.getOwnPropertyDescriptor(evil.row.attributes, '__proto__')?.value, 'x');
    assert.equal(JSON.parse(JSON.stringify(evil.row.attributes))['gen_ai.operation.name'], 'chat');
  });

  it('cost what the sender says, else tokens × price, else nothing is said', () => {
    const priced = one(span(CHAT)).row;
    assert.deepEqual([priced.costPicoUsd, priced.costStatus], [3_500_000_000n, 'priced']);
    assert.match(priced.priceId ?? '', /openai\/gpt-4o/);
    const reported = one(span({ ...CHAT, 'llm.cost.total': 0.5, 'openinference.span.kind': 'LLM' })).row;
    assert.deepEqual([reported.costPicoUsd, reported.costStatus, reported.priceId], [500_000_000_000n, 'provider_reported', null]);
    assert.equal(reported.attributes['plimsoll.cost.priced_pico_usd'], '3500000000');
    // OpenLIT estimates from a table of its own: ours is preferred, and theirs is kept beside it.
    const estimated = one(span({ ...CHAT, 'gen_ai.usage.cost': 0.5 })).row;
    assert.deepEqual([estimated.costPicoUsd, estimated.costStatus], [3_500_000_000n, 'priced']);
    assert.equal(estimated.attributes['plimsoll.cost.reported_pico_usd'], '500000000000');
    const unknown = one(span({ ...CHAT, 'gen_ai.request.model': 'no-such-model' })).row;
    assert.deepEqual([unknown.costPicoUsd, unknown.costStatus], [null, 'unpriced']);
    const uncounted = one(span({ 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o' })).row;
    assert.deepEqual([uncounted.usage, uncounted.costPicoUsd, uncounted.costStatus], [null, null, 'unpriced']);
    assert.equal(uncounted.attributes['plimsoll.provider.is_inferred'], true);
    const agent = one(span({ ...CHAT, 'gen_ai.operation.name': 'invoke_agent' })).row;
    assert.deepEqual([agent.costPicoUsd, agent.costStatus, agent.isRequest, agent.usage?.inputUncachedTokens], [null, null, false, 1_000]);
  });

  it('mark a cost that rests on an undecided reading as an estimate, with both readings', () => {
    const sent = {
      ...CHAT,
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.model': 'claude-sonnet-4-20250514',
      'gen_ai.usage.cache_read.input_tokens': 400,
    };
    const { row } = one(span(sent));
    assert.equal(row.costStatus, 'estimated_tokens');
    assert.equal(row.attributes['plimsoll.usage.is_ambiguous'], true);
    assert.deepEqual(row.attributes['plimsoll.usage.readings'], {
      inclusive: { inputTokens: 1_000, outputTokens: 100 },
      exclusive: { inputTokens: 1_400, outputTokens: 100 },
    });
    const proven = one(span({ ...sent, 'gen_ai.usage.input_tokens': 10 })).row;
    assert.equal(proven.costStatus, 'priced');
    assert.equal(proven.attributes['plimsoll.usage.rule'], 'input exclusive, by arithmetic');
  });
});
