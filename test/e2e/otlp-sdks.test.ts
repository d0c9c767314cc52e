import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LangfuseClient } from '@langfuse/client';
import { context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { Client as LangSmithClient } from 'langsmith';
import OpenAI from 'openai';
import type { MetricSummary, Span, TraceDetail, TracePage } from '../../src/traces/model.ts';
import type { Score } from '../../src/traces/scores/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { Proof } from './clients/proven.ts';
import { canonicalSpans, expectedSpans, USER } from './sdks/agent-script.ts';
import { runAiSdkAgent } from './sdks/ai-sdk-agent.ts';
import { runLangChainAgent } from './sdks/langchain-agent.ts';
import { runLangfuseAgent } from './sdks/langfuse-agent.ts';
import { runLangfuseIngestionAgent } from './sdks/langfuse-ingestion-agent.ts';
import { runLangSmithAgent, runLangSmithOtelAgent } from './sdks/langsmith-agent.ts';
import { EARLIER, PRESENT, runOpenTelemetryAgent } from './sdks/opentelemetry-agent.ts';
import { runOpikAgent } from './sdks/opik-agent.ts';
import { runPhoenixAgent } from './sdks/phoenix-agent.ts';
import { SENDERS, type Way } from './sdks/senders.ts';

const CELLS = SENDERS.flatMap((sender) => sender.ways.map((way) => ({ sender, way })));

describe('the SDKs of others, pointed at Plimsoll', () => {
  let plimsoll: Plimsoll;
  let grpcPort = 0;
  const contexts = new AsyncLocalStorageContextManager();
  before(async () => {
    plimsoll = await startPlimsoll();
    context.setGlobalContextManager(contexts.enable());
    grpcPort = await eventually(
      'the port for gRPC',
      async () => Number(/"protocol":"grpc","port":(\d+)/.exec(plimsoll.output.stderr)?.[1] ?? 0),
      (port) => port > 0,
    );
  });
  after(async () => {
    contexts.disable();
    await plimsoll?.stop();
  });

  const headers = () => ({ authorization: `Bearer ${plimsoll.virtualKey}` });
  const EXPORTERS: Readonly<Record<string, () => SpanExporter>> = {
    'OTLP, HTTP, protobuf': () => new OTLPTraceExporter({ url: `${plimsoll.url}/v1/traces`, headers: headers() }),
    'OTLP, HTTP, JSON': () => new JsonExporter({ url: `${plimsoll.url}/v1/traces`, headers: headers() }),
    'OTLP, gRPC': () => {
      // The exporter wants its headers as gRPC's own metadata, and takes them from the environment as text.
      process.env.OTEL_EXPORTER_OTLP_HEADERS = `authorization=Bearer%20${plimsoll.virtualKey}`;
      try {
        return new GrpcExporter({ url: `http://127.0.0.1:${grpcPort}` });
      } finally {
        delete process.env.OTEL_EXPORTER_OTLP_HEADERS;
      }
    },
  };
  const exporter = (way: Way): SpanExporter => {
    const open = EXPORTERS[way];
    assert.ok(open, way);
    return open();
  };
  /** @returns the id of the trace */
  const RUNS: Readonly<Record<string, (session: string, way: Way) => Promise<string>>> = {
    'opentelemetry-present': (session, way) => runOpenTelemetryAgent(exporter(way), PRESENT, session),
    'opentelemetry-earlier': (session, way) => runOpenTelemetryAgent(exporter(way), EARLIER, session),
    'ai-sdk': (session, way) => runAiSdkAgent(exporter(way), false, session),
    'ai-sdk-legacy': (session, way) => runAiSdkAgent(exporter(way), true, session),
    langfuse: (session) => runLangfuseAgent(plimsoll.url, plimsoll.virtualKey, session),
    phoenix: (session) => runPhoenixAgent(plimsoll.url, plimsoll.virtualKey, session),
    langsmith: (session) => runLangSmithAgent(plimsoll.url, plimsoll.virtualKey, session),
    langchain: (session) => runLangChainAgent(plimsoll.url, plimsoll.virtualKey, session),
    'langfuse-ingestion': (session) => runLangfuseIngestionAgent(plimsoll.url, plimsoll.virtualKey, session),
    opik: (session) => runOpikAgent(plimsoll.url, plimsoll.virtualKey, session),
    'langsmith-otel': (session) => runLangSmithOtelAgent(plimsoll.url, plimsoll.virtualKey, session),
  };

  const proof = new Proof('senders', CELLS.length);
  after(() => proof.close());

  for (const [index, { sender, way }] of CELLS.entries())
    it(`${sender.package ?? sender.id}, ${sender.api} (${way}): the same agent comes to the same spans`, async () => {
      const { id, dialect, differences } = sender;
      const session = `session-${index}`;
      const traceId = await RUNS[id]?.(session, way);
      const expected = expectedSpans(differences);
      const detail = await eventually(
        `trace ${traceId}`,
        () => plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`),
        (now) => canonicalSpans(now).length >= expected.length && now.spans.some(({ parentSpanId }) => parentSpanId === null),
      );
      assert.deepEqual(canonicalSpans(detail), expected);
      const calls = detail.spans.filter(({ kind }) => kind === 'llm');
      assert.deepEqual([...new Set(calls.map(({ attributes }) => attributes['plimsoll.dialect']))], [dialect]);
      // Agents and steps around the calls may repeat their counts.
      assert.equal(detail.trace.inputTokens, 200);
      assert.equal(detail.trace.outputTokens, 40);
      assert.equal(detail.trace.requests, 3);
      // Lists are fed a moment after the trace itself.
      const listed = await eventually(
        `the session of ${traceId}`,
        async () =>
          (await plimsoll.api<TracePage>(`/api/v1/traces?session=${session}`)).traces.find((each) => each.traceId === traceId) ?? null,
        (found) => found !== null,
      );
      assert.equal(listed?.user, USER);
      proof.pass(id, way);
    });

  const only = (detail: TraceDetail, isIt: (span: Span) => boolean): Span => {
    const found = detail.spans.filter(isIt);
    assert.equal(found.length, 1, JSON.stringify(detail.spans.map(({ name, kind }) => [name, kind])));
    return found[0] as Span; // just counted
  };

  it('scores of Langfuse, LangSmith and Opik stand with the trace, once each', async () => {
    const traceId = await runOpenTelemetryAgent(exporter('OTLP, HTTP, protobuf'), PRESENT, 'scored');
    const { apiKey, url } = { apiKey: plimsoll.virtualKey, url: plimsoll.url };
    const langfuse = new LangfuseClient({ baseUrl: url, publicKey: 'pk', secretKey: apiKey });
    langfuse.score.create({ traceId, name: 'helpfulness', value: 0.75, comment: 'short' });
    await langfuse.flush();
    const langsmith = new LangSmithClient({ apiUrl: url, apiKey });
    const runId = traceId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    await langsmith.createFeedback(runId, 'correct', { score: true, traceId: runId, feedbackSourceType: 'model', sessionId: runId });
    await langsmith.createFeedback(runId, 'tone', { value: 'friendly', sessionId: runId });
    await langsmith.awaitPendingTraceBatches();
    const opik = () =>
      fetch(`${url}/api/v1/private/traces/feedback-scores`, {
        method: 'PUT',
        headers: { authorization: apiKey, 'content-type': 'application/json' },
        body: JSON.stringify({ scores: [{ id: runId, name: 'relevance', value: 0.5, reason: 'partly', source: 'sdk' }] }),
      });
    assert.equal((await opik()).status, 204);
    assert.equal((await opik()).status, 204);
    const { scores } = await eventually(
      'four scores',
      () => plimsoll.api<{ scores: Score[] }>(`/api/v1/traces/${traceId}/scores`),
      (page) => page.scores.length >= 4,
    );
    assert.deepEqual(
      scores.map(({ name, value, dataType, source, comment, spanId }) => [name, value, dataType, source, comment, spanId]).sort(),
      [
        ['correct', true, 'boolean', 'llm', null, null],
        ['helpfulness', 0.75, 'numeric', 'code', 'short', null],
        ['relevance', 0.5, 'numeric', 'code', 'partly', null],
        ['tone', 'friendly', 'categorical', 'code', null, null],
      ],
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
