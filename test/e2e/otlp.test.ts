import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Span, TraceDetail, TracePage } from '../../src/traces/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

/** Where this Plimsoll listens for OTLP, as its log says. */
async function otlpPort(plimsoll: Plimsoll, protocol: 'http' | 'grpc'): Promise<number> {
  const pattern = new RegExp(`"event":"otlp_listening","protocol":"${protocol}","port":(\\d+)`);
  return eventually(
    `port for ${protocol}`,
    async () => Number(pattern.exec(plimsoll.output.stderr)?.[1] ?? 0),
    (port) => port > 0,
  );
}

/** One agent with a tool and two calls of a model: what any instrumentation of today's conventions writes. */
async function runAgent(exporter: SpanExporter): Promise<string> {
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('my-agent', '1.0.0');
  const root = tracer.startSpan('invoke_agent helper', {
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'helper',
      'gen_ai.conversation.id': 'conv-1',
      'user.id': 'u-7',
    },
  });
  const under = (name: string, attributes: Record<string, string | number | string[]>) =>
    tracer.startSpan(name, { attributes }, trace.setSpan(ROOT_CONTEXT, root));
  const chat = under('chat gpt-4o', {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.response.model': 'gpt-4o-2024-08-06',
    'gen_ai.response.id': 'resp-1',
    'gen_ai.response.finish_reasons': ['tool_calls'],
    'gen_ai.usage.input_tokens': 1000,
    'gen_ai.usage.cache_read.input_tokens': 400,
    'gen_ai.usage.output_tokens': 50,
    'gen_ai.usage.reasoning.output_tokens': 20,
    'gen_ai.response.time_to_first_chunk': 0.001,
    'gen_ai.input.messages': JSON.stringify([{ role: 'user', parts: [{ type: 'text', content: 'Where is order 7?' }] }]),
    'gen_ai.output.messages': JSON.stringify([
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'find_order', arguments: { id: 7 } }], finish_reason: 'tool_call' },
    ]),
    'my.own': 'kept',
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  chat.end();
  const tool = under('execute_tool find_order', {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'find_order',
    'gen_ai.tool.call.arguments': '{"id":7}',
    'gen_ai.tool.call.result': '{"state":"sent"}',
  });
  tool.end();
  const failed = under('chat gpt-4o', {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4o',
    'error.type': 'RateLimitError',
  });
  failed.setStatus({ code: SpanStatusCode.ERROR, message: 'too many requests' });
  failed.end();
  root.end();
  await provider.forceFlush();
  await provider.shutdown();
  return root.spanContext().traceId;
}

describe('OTLP from OpenTelemetry’s own exporters', () => {
  let plimsoll: Plimsoll;
  let headers: Record<string, string>;
  before(async () => {
    plimsoll = await startPlimsoll();
    headers = { authorization: `Bearer ${plimsoll.virtualKey}` };
  });
  after(() => plimsoll?.stop());

  const read = (traceId: string, spans: number) =>
    eventually(
      `trace ${traceId}`,
      () => plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`),
      (detail) => detail.spans.length === spans,
    );

  function checkAgent(detail: TraceDetail): void {
    const by = (name: string, status = 'ok'): Span => {
      const span = detail.spans.find((each) => each.name === name && each.status === status);
      assert.ok(span, `${name} is in ${detail.spans.map((each) => each.name).join(', ')}`);
      return span;
    };
    const chat = by('chat gpt-4o');
    assert.equal(chat.kind, 'llm');
    assert.equal(chat.provider, 'openai');
    assert.equal(chat.requestModel, 'gpt-4o');
    assert.equal(chat.responseModel, 'gpt-4o-2024-08-06');
    assert.deepEqual(chat.finishReasons, ['tool_calls']);
    assert.deepEqual(chat.usage, {
      inputUncachedTokens: 600,
      cacheReadTokens: 400,
      cacheWrite5mTokens: 0,
      cacheWrite1hTokens: 0,
      audioInputTokens: 0,
      outputTextTokens: 30,
      reasoningTokens: 20,
      audioOutputTokens: 0,
    });
    // 600 × 2.5 $ + 400 × 1.25 $ + 50 × 10 $ per million.
    assert.equal(chat.costPicoUsd, '2500000000');
    assert.equal(chat.costStatus, 'priced');
    assert.equal((chat.attributes['plimsoll.price.per_token'] as Record<string, string>).inputUncachedTokens, '2500000');
    assert.equal(chat.ttftMs, 1);
    assert.equal(chat.attributes['my.own'], 'kept');
    assert.equal(chat.attributes['plimsoll.dialect'], 'opentelemetry');
    assert.equal(chat.attributes['plimsoll.usage.rule'], 'input inclusive, by dialect; output inclusive, by dialect');
    assert.deepEqual(JSON.parse(chat.input ?? ''), { messages: [{ role: 'user', content: 'Where is order 7?' }] });
    assert.deepEqual(JSON.parse(chat.output ?? ''), [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'find_order', arguments: '{"id":7}' } }],
      },
    ]);
    const tool = by('execute_tool find_order');
    assert.equal(tool.kind, 'tool');
    assert.equal(tool.output, '{"state":"sent"}');
    assert.equal(tool.costStatus, null);
    const failed = by('chat gpt-4o', 'error');
    assert.equal(failed.errorType, 'provider_rate_limited');
    assert.equal(failed.costPicoUsd, '0');
    assert.equal(by('invoke_agent helper').kind, 'agent');
    assert.equal(detail.trace.name, 'invoke_agent helper');
    assert.equal(detail.trace.session, 'conv-1');
    assert.equal(detail.trace.user, 'u-7');
    assert.equal(detail.trace.feature, 'customer-support');
    assert.equal(detail.trace.costPicoUsd, '2500000000');
    assert.equal(detail.trace.inputTokens, 1000);
    assert.equal(detail.trace.inputPreview, 'Where is order 7?');
    assert.equal(detail.trace.attempts, 2);
  }

  for (const [what, exporter] of [
    ['JSON on the main port', async () => new JsonExporter({ url: `${plimsoll.url}/v1/traces`, headers })],
    [
      'protobuf and gzip on the main port',
      async () => new ProtobufExporter({ url: `${plimsoll.url}/v1/traces`, headers, compression: 'gzip' as never }),
    ],
    [
      'protobuf on its own port',
      async () => new ProtobufExporter({ url: `http://127.0.0.1:${await otlpPort(plimsoll, 'http')}/v1/traces`, headers }),
    ],
    ['gRPC', async () => grpcExporter(await otlpPort(plimsoll, 'grpc'))],
  ] as const)
    it(`${what}: the same canonical spans`, async () => checkAgent(await read(await runAgent(await exporter()), 4)));

  async function grpcExporter(port: number): Promise<SpanExporter> {
    const { Metadata } = await import('@grpc/grpc-js');
    const metadata = new Metadata();
    metadata.set('authorization', headers.authorization ?? '');
    return new GrpcExporter({ url: `http://127.0.0.1:${port}`, metadata });
  }

  it('refuses who has no key, a wrong one or an admin key, and says what to do', async () => {
    const post = (path: string, more: Record<string, string>) =>
      fetch(`${plimsoll.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...more }, body: '{}' });
    for (const path of ['/v1/traces', '/api/public/otel/v1/traces', '/otel/v1/traces', '/api/v1/private/otel/v1/traces']) {
      assert.equal((await post(path, {})).status, 401, path);
      assert.equal((await post(path, headers)).status, 200, path);
    }
    const refused = await post('/v1/traces', { authorization: 'Bearer plk_wrong' });
    assert.equal(refused.status, 401);
    assert.match(((await refused.json()) as { message: string }).message, /not known here/);
    assert.equal((await post('/v1/traces', { authorization: 'Bearer pla_x' })).status, 403);
    assert.equal((await post('/v1/traces', { ...headers, 'x-plimsoll-feature': 'sales-email' })).status, 403);
    assert.equal((await post('/v1/traces', { ...headers, 'content-type': 'text/plain' })).status, 415);
    assert.equal((await post('/v1/traces', { ...headers, 'content-encoding': 'br' })).status, 415);
    assert.equal((await fetch(`${plimsoll.url}/v1/traces`, { headers })).status, 405);
    for (const key of [
      { 'x-api-key': plimsoll.virtualKey },
      { authorization: `Basic ${Buffer.from(`pk:${plimsoll.virtualKey}`).toString('base64')}` },
      { authorization: plimsoll.virtualKey },
    ])
      assert.equal((await post('/v1/traces', key)).status, 200);
  });

  it('takes the good spans of a batch and names the bad ones', async () => {
    const traceId = 'f'.repeat(32);
    const now = `${Date.now()}000000`;
    const good = { traceId, spanId: '1'.repeat(16), name: 'good', startTimeUnixNano: now, endTimeUnixNano: now };
    const body = { resourceSpans: [{ scopeSpans: [{ spans: [good, { ...good, spanId: 'zz' }, { ...good, spanId: 7 }] }] }] };
    const answer = await fetch(`${plimsoll.url}/v1/traces`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200);
    const { partialSuccess } = (await answer.json()) as { partialSuccess: { rejectedSpans: string; errorMessage: string } };
    assert.equal(partialSuccess.rejectedSpans, '2');
    assert.match(partialSuccess.errorMessage, /span/);
    const detail = await read(traceId, 1);
    assert.equal(detail.trace.costPicoUsd, '0');
    assert.equal(detail.spans[0]?.kind, 'span');
    // Sent again byte for byte, it is in the store once.
    await fetch(`${plimsoll.url}/v1/traces`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal((await plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`)).spans.length, 1);
    const page = await plimsoll.api<TracePage>(`/api/v1/traces?limit=10`);
    assert.ok(page.traces.some((listed) => listed.traceId === traceId));
  });
});
