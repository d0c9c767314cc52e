import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OpenTelemetry } from '@ai-sdk/otel';
import { getLLMAttributes, register as registerPhoenix, traceLLM } from '@arizeai/phoenix-otel';
import { LangfuseSpanProcessor } from '@langfuse/otel';
import { propagateAttributes, setLangfuseTracerProvider, startActiveObservation } from '@langfuse/tracing';
import { context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BasicTracerProvider, BatchSpanProcessor, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { generateText, registerTelemetry, stepCountIs, streamText, tool } from 'ai';
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test';
import { LangSmithOTLPTraceExporter } from 'langsmith/experimental/otel/exporter';
import OpenAI from 'openai';
import { z } from 'zod';
import type { MetricSummary, Span, TraceDetail, TracePage } from '../../src/traces/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

const USAGE = {
  inputTokens: { total: 100, noCache: 60, cacheRead: 40, cacheWrite: 0 },
  outputTokens: { total: 20, text: 15, reasoning: 5 },
};
const ASKED = { role: 'user', content: 'Where is order 7?' };
const TOOL_CALL = { id: 'c1', type: 'function', function: { name: 'find_order', arguments: '{"id":7}' } };

/** What every SDK's call of a model comes to, whatever its dialect: 60 × 2.5 $ + 40 × 1.25 $ + 20 × 10 $ per million. */
const COST = '400000000';

describe('the SDKs of others, pointed at Plimsoll', () => {
  let plimsoll: Plimsoll;
  const contexts = new AsyncLocalStorageContextManager();
  before(async () => {
    plimsoll = await startPlimsoll();
    context.setGlobalContextManager(contexts.enable());
  });
  after(async () => {
    contexts.disable();
    await plimsoll?.stop();
  });

  const read = (traceId: string, spans: number) =>
    eventually(
      `trace ${traceId}`,
      () => plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`),
      (detail) => detail.spans.length >= spans,
    );
  const only = (detail: TraceDetail, isIt: (span: Span) => boolean): Span => {
    const found = detail.spans.filter(isIt);
    assert.equal(found.length, 1, JSON.stringify(detail.spans.map(({ name, kind }) => [name, kind])));
    return found[0] as Span; // just counted
  };

  function checkCall(span: Span, { reasoning = 0, dialect }: { reasoning?: number; dialect: string }): void {
    assert.equal(span.attributes['plimsoll.dialect'], dialect);
    assert.equal(span.kind, 'llm');
    assert.equal(span.provider, 'openai');
    assert.equal(span.responseModel ?? span.requestModel, 'gpt-4o');
    assert.deepEqual(span.usage, {
      inputUncachedTokens: 60,
      cacheReadTokens: 40,
      cacheWrite5mTokens: 0,
      cacheWrite1hTokens: 0,
      audioInputTokens: 0,
      outputTextTokens: 20 - reasoning,
      reasoningTokens: reasoning,
      audioOutputTokens: 0,
    });
    assert.equal(span.costPicoUsd, COST);
    assert.equal(span.costStatus, 'priced');
    assert.deepEqual((JSON.parse(span.input ?? '{}') as { messages: unknown[] }).messages.at(-1), ASKED);
  }

  it('AI SDK 7 with its own OpenTelemetry: tools, steps, stream, error', async () => {
    const provider = new BasicTracerProvider({
      spanProcessors: [
        new BatchSpanProcessor(
          new OTLPTraceExporter({ url: `${plimsoll.url}/v1/traces`, headers: { authorization: `Bearer ${plimsoll.virtualKey}` } }),
        ),
      ],
    });
    registerTelemetry(new OpenTelemetry({ tracer: provider.getTracer('gen_ai') }));
    let calls = 0;
    const model = new MockLanguageModelV4({
      provider: 'openai.chat',
      modelId: 'gpt-4o',
      doGenerate: async () =>
        calls++ === 0
          ? {
              content: [{ type: 'tool-call', toolCallId: 'c1', toolName: 'find_order', input: '{"id":7}' }],
              finishReason: { unified: 'tool-calls', raw: 'tool_calls' },
              usage: USAGE,
              warnings: [],
            }
          : {
              content: [{ type: 'text', text: 'It was sent.' }],
              finishReason: { unified: 'stop', raw: 'stop' },
              usage: USAGE,
              warnings: [],
            },
      doStream: async () => ({
        stream: simulateReadableStream({
          chunks: [
            { type: 'stream-start', warnings: [] },
            { type: 'text-start', id: 't' },
            { type: 'text-delta', id: 't', delta: 'It was sent.' },
            { type: 'text-end', id: 't' },
            { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: USAGE },
          ],
          chunkDelayInMs: 5,
        }),
      }),
    });
    const failing = new MockLanguageModelV4({
      provider: 'openai.chat',
      modelId: 'gpt-4o',
      doGenerate: async () => {
        throw new Error('no');
      },
    });
    const tracer = provider.getTracer('app');
    const traceId = await tracer.startActiveSpan('handle request', async (root) => {
      const order = tool({ inputSchema: z.object({ id: z.number() }), execute: async () => 'sent' });
      await generateText({
        model,
        instructions: 'Be brief.',
        prompt: 'Where is order 7?',
        tools: { find_order: order },
        stopWhen: stepCountIs(3),
        telemetry: { functionId: 'helper' },
      });
      await streamText({ model, prompt: 'Where is order 7?' }).consumeStream();
      await generateText({ model: failing, prompt: 'Where is order 7?', maxRetries: 0 }).catch(() => {});
      root.end();
      return root.spanContext().traceId;
    });
    await provider.forceFlush();
    const detail = await read(traceId, 13);
    const chats = detail.spans.filter(({ kind }) => kind === 'llm');
    assert.equal(chats.length, 4);
    // Several start in one millisecond, which is as fine as this SDK's clock is.
    const failed = only(detail, ({ kind, status }) => kind === 'llm' && status === 'error');
    const streaming = only(detail, ({ kind, ttftMs }) => kind === 'llm' && ttftMs !== null);
    const asking = only(detail, ({ kind, finishReasons }) => kind === 'llm' && finishReasons[0] === 'tool_calls');
    const answering = only(detail, (span) => span.kind === 'llm' && ![failed, streaming, asking].includes(span));
    // The SDK does not export reasoning tokens: they are output like the rest.
    for (const chat of [asking, streaming]) checkCall(chat, { dialect: 'opentelemetry' });
    assert.deepEqual(JSON.parse(asking.output ?? ''), [{ role: 'assistant', content: null, tool_calls: [TOOL_CALL] }]);
    assert.deepEqual((JSON.parse(answering.input ?? '') as { messages: unknown[] }).messages, [
      { role: 'system', content: 'Be brief.' },
      ASKED,
      { role: 'assistant', content: null, tool_calls: [TOOL_CALL] },
      { role: 'tool', content: 'sent', tool_call_id: 'c1' },
    ]);
    assert.ok(streaming.ttftMs !== null && streaming.ttftMs > 0, `${streaming.ttftMs}`);
    assert.equal(failed.status, 'error');
    assert.equal(failed.costPicoUsd, null);
    assert.equal(failed.costStatus, 'unpriced');
    assert.equal(only(detail, ({ kind }) => kind === 'tool').output, 'sent');
    // The agents around the steps repeat the counts of their steps.
    assert.equal(detail.trace.inputTokens, 300);
    assert.equal(detail.trace.name, 'handle request');
  });

  it('Langfuse: observations, trace attributes, and the keys in its own variables', async () => {
    const provider = new BasicTracerProvider({
      spanProcessors: [
        new LangfuseSpanProcessor({ baseUrl: plimsoll.url, publicKey: 'pk', secretKey: plimsoll.virtualKey, exportMode: 'immediate' }),
      ],
    });
    setLangfuseTracerProvider(provider);
    const traceId = await startActiveObservation('agent', async (root) =>
      propagateAttributes({ userId: 'u-1', sessionId: 's-1', tags: ['beta'] }, async () => {
        const generation = root.startObservation(
          'chat',
          {
            model: 'gpt-4o',
            input: [ASKED],
            usageDetails: { input: 60, cache_read_input_tokens: 40, output: 15, output_reasoning_tokens: 5 },
          },
          { asType: 'generation' },
        );
        generation.update({ completionStartTime: new Date(), output: { role: 'assistant', content: 'It was sent.' } });
        generation.end();
        root.startObservation('find_order', { input: { id: 7 }, output: 'sent' }, { asType: 'tool' }).end();
        return root.traceId;
      }),
    );
    await provider.forceFlush();
    const detail = await read(traceId, 3);
    const chat = only(detail, ({ kind }) => kind === 'llm');
    checkCall(chat, { reasoning: 5, dialect: 'langfuse' });
    assert.deepEqual(JSON.parse(chat.output ?? ''), [{ role: 'assistant', content: 'It was sent.' }]);
    assert.notEqual(chat.ttftMs, null);
    assert.equal(only(detail, ({ kind }) => kind === 'tool').output, 'sent');
    const listed = (await plimsoll.api<TracePage>('/api/v1/traces?session=s-1')).traces.find((each) => each.traceId === traceId);
    assert.equal(listed?.user, 'u-1');
  });

  it('Phoenix: OpenInference', async () => {
    const provider = registerPhoenix({ url: plimsoll.url, apiKey: plimsoll.virtualKey, batch: false, global: false });
    const tracer = provider.getTracer('app');
    let traceId = '';
    const ask = traceLLM(async (_question: string) => 'It was sent.', {
      name: 'chat',
      tracer,
      processInput: () =>
        getLLMAttributes({
          provider: 'openai',
          modelName: 'gpt-4o',
          inputMessages: [ASKED],
          tokenCount: { prompt: 100, completion: 20, total: 120, promptDetails: { cacheRead: 40 } },
        }),
    });
    await tracer.startActiveSpan('agent', async (root) => {
      traceId = root.spanContext().traceId;
      await ask('Where is order 7?');
      root.end();
    });
    await provider.forceFlush();
    const detail = await read(traceId, 2);
    checkCall(
      only(detail, ({ kind }) => kind === 'llm'),
      { dialect: 'openinference' },
    );
    await provider.shutdown();
  });

  it('LangSmith: its exporter for OpenTelemetry', async () => {
    // Without it the exporter sends nothing.
    process.env.LANGSMITH_TRACING = 'true';
    const exporter = new LangSmithOTLPTraceExporter({
      url: `${plimsoll.url}/otel/v1/traces`,
      apiKey: plimsoll.virtualKey,
      projectName: 'p',
    } as never);
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const span = provider.getTracer('langsmith').startSpan('ChatOpenAI', {
      attributes: {
        'langsmith.span.kind': 'llm',
        'langsmith.metadata.ls_provider': 'openai',
        'langsmith.metadata.ls_model_name': 'gpt-4o',
        'langsmith.metadata.usage_metadata': JSON.stringify({
          input_tokens: 100,
          output_tokens: 20,
          total_tokens: 120,
          input_token_details: { cache_read: 40 },
          output_token_details: { reasoning: 5 },
        }),
        'gen_ai.prompt': JSON.stringify({ messages: [ASKED] }),
        'gen_ai.completion': JSON.stringify({ messages: [{ role: 'assistant', content: 'It was sent.' }] }),
      },
    });
    span.end();
    await provider.forceFlush();
    const detail = await read(span.spanContext().traceId, 1);
    checkCall(
      only(detail, ({ kind }) => kind === 'llm'),
      { reasoning: 5, dialect: 'langsmith' },
    );
  });

  it('a call of the gateway joins the client’s trace and is counted once, not again as the client’s span around it', async () => {
    const provider = new BasicTracerProvider({
      spanProcessors: [
        new BatchSpanProcessor(
          new OTLPTraceExporter({ url: `${plimsoll.url}/v1/traces`, headers: { authorization: `Bearer ${plimsoll.virtualKey}` } }),
        ),
      ],
    });
    const tracer = provider.getTracer('app');
    const fromMs = Date.now();
    const root = tracer.startSpan('agent', { attributes: { 'gen_ai.operation.name': 'invoke_agent', 'session.id': 'joined' } });
    const chat = tracer.startSpan(
      'chat',
      { attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-4o' } },
      trace.setSpan(ROOT_CONTEXT, root),
    );
    const http = tracer.startSpan('POST', {}, trace.setSpan(ROOT_CONTEXT, chat));
    const { traceId, spanId } = http.spanContext();
    const openai = new OpenAI({ baseURL: `${plimsoll.url}/v1`, apiKey: plimsoll.virtualKey, maxRetries: 0 });
    const answer = await openai.chat.completions.create(
      { model: 'default', messages: [{ role: 'user', content: 'Where is order 7?' }] },
      { headers: { traceparent: `00-${traceId}-${spanId}-01` } },
    );
    http.end();
    chat.setAttributes({
      'gen_ai.usage.input_tokens': answer.usage?.prompt_tokens ?? 0,
      'gen_ai.usage.output_tokens': answer.usage?.completion_tokens ?? 0,
    });
    chat.setStatus({ code: SpanStatusCode.OK });
    chat.end();
    root.end();
    await provider.forceFlush();
    const detail = await eventually(
      'both sides of the trace',
      () => plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`),
      (now) => now.spans.some(({ kind }) => kind === 'gateway') && now.spans.some(({ name }) => name === 'agent'),
    );
    const call = only(detail, ({ kind }) => kind === 'gateway');
    assert.equal(call.parentSpanId, spanId);
    const client = only(detail, ({ name }) => name === 'chat');
    assert.equal(client.costPicoUsd, null);
    assert.equal(client.attributes['plimsoll.counted_by'], call.spanId);
    assert.equal(client.usage?.inputUncachedTokens, answer.usage?.prompt_tokens, 'what the client counted stays on its span');
    assert.equal(detail.trace.costPicoUsd, call.costPicoUsd);
    assert.equal(detail.trace.inputTokens, answer.usage?.prompt_tokens);
    assert.equal(detail.trace.name, 'agent');
    const page = await plimsoll.api<TracePage>('/api/v1/traces?session=joined');
    assert.equal(page.traces[0]?.costPicoUsd, call.costPicoUsd, 'the list says the same');
    const summary = await plimsoll.api<MetricSummary>(`/api/v1/metrics/summary?from=${fromMs}&to=${Date.now() + 1_000}`);
    assert.equal(summary.total.requests, 1);
    assert.equal(summary.total.costPicoUsd, call.costPicoUsd);
  });
});
