import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import { decodeJsonRequest } from '../traces/otlp/json.ts';
import type { SpanRow } from '../traces/store.ts';
import type { OtlpTarget } from './otlp-sender.ts';
import { OtlpTraceExporter } from './otlp-trace-exporter.ts';

const TARGET: OtlpTarget = { endpoint: 'http://collector', headers: {}, traces: true, intervalMs: 60_000 };

function span(place: number, changes: Partial<SpanRow> = {}): SpanRow {
  return {
    traceId: 'ab'.repeat(16),
    spanId: `1${place.toString(16).padStart(15, '0')}`,
    parentSpanId: null,
    callId: 'call-1',
    kind: 'llm',
    name: 'chat gpt-5',
    status: 'error',
    statusMessage: 'too slow',
    errorType: 'provider_timeout',
    startedAtNs: 1_700_000_000_000_000_001n,
    durationNs: 2_000_000_000n,
    feature: 'support',
    team: null,
    user: 'u-1',
    session: null,
    customer: null,
    costPicoUsd: 12n,
    costStatus: 'priced',
    isSimulated: false,
    attributes: { 'gen_ai.usage.input_tokens': 7, 'gen_ai.response.finish_reasons': ['stop'], own: { a: 1 }, ratio: 0.5, absent: null },
    ...changes,
  } as SpanRow; // what is exported
}

function exporter(send: (body: unknown) => Promise<void>, target: () => OtlpTarget | null = () => TARGET) {
  const clock = new FakeClock(1_000);
  const made = new OtlpTraceExporter({
    target,
    send: (_, body) => send(body),
    resource: { 'service.name': 'plimsoll' },
    clock,
    onFailed: () => {},
  });
  return { clock, made };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('traces over OTLP', () => {
  it('are spans that our own reader understands, to the nanosecond; those of clients stay here', async () => {
    const bodies: unknown[] = [];
    const { made } = exporter(async (body) => void bodies.push(body));
    made.add([span(1), span(2, { callId: null })]);
    await turns();
    assert.equal(bodies.length, 1);
    const { spans, resources, rejected } = decodeJsonRequest(Buffer.from(JSON.stringify(bodies[0])), Date.now());
    assert.deepEqual([spans.length, rejected, resources[0]?.get('service.name')], [1, 0, 'plimsoll']);
    const [read] = spans;
    assert.ok(read);
    assert.deepEqual([read.traceId, read.spanId, read.name], ['ab'.repeat(16), '1000000000000001', 'chat gpt-5']);
    assert.equal(read.attributes.get('gen_ai.usage.input_tokens'), 7);
    assert.deepEqual(read.attributes.get('gen_ai.response.finish_reasons'), ['stop']);
    assert.equal(read.attributes.get('own'), '{"a":1}');
    assert.equal(read.attributes.get('plimsoll.cost.pico_usd'), '12');
    assert.equal(read.attributes.get('error.type'), 'provider_timeout');
    assert.equal(read.attributes.has('absent'), false);
    assert.match(JSON.stringify(bodies[0]), /"startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000002000000001"/);
  });

  it('wait for a receiver that is away, bounded, and go in order once it is back', async () => {
    let isAway = true;
    const sent: string[] = [];
    const { clock, made } = exporter(async (body) => {
      if (isAway) throw new Error('away');
      sent.push(...[...JSON.stringify(body).matchAll(/"spanId":"(\w+)"/g)].map((match) => match[1] ?? ''));
    });
    made.add(Array.from({ length: 15_000 }, (_, place) => span(place)));
    made.add(Array.from({ length: 10_000 }, (_, place) => span(15_000 + place)));
    await turns();
    assert.ok(made.counts.dropped >= 4_500 && made.counts.sent === 0, JSON.stringify(made.counts));
    isAway = false;
    for (let step = 0; step < 5; step++) {
      await clock.advance(31_000);
      await turns();
    }
    for (let step = 0; step < 10; step++) await turns();
    assert.equal(made.counts.sent + made.counts.dropped, 25_000);
    assert.equal(sent.length, made.counts.sent);
    assert.deepEqual(sent, [...new Set(sent)].sort());
  });

  it('are nobody’s when they are not wanted', async () => {
    const { made } = exporter(
      () => Promise.reject(new Error('must not be called')),
      () => null,
    );
    made.add([span(1)]);
    await turns();
    assert.deepEqual(made.counts, { sent: 0, dropped: 0 });
  });
});
