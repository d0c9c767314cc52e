import { LegacyOpenTelemetry, OpenTelemetry } from '@ai-sdk/otel';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { APICallError, generateText, type ModelMessage, registerTelemetry, stepCountIs, streamText, tool } from 'ai';
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test';
import { z } from 'zod';
import { ANSWER, ASKED, MODEL, pause, SYSTEM, TOOL, USAGE, USER } from './agent-script.ts';

const USED = {
  inputTokens: { total: USAGE.input, noCache: USAGE.input - USAGE.cacheRead, cacheRead: USAGE.cacheRead, cacheWrite: 0 },
  outputTokens: { total: USAGE.output, text: USAGE.output - USAGE.reasoning, reasoning: USAGE.reasoning },
};

/** A provider's part of the AI SDK: asks for the tool, streams the answer, and refuses when it is told to. */
function model(isRefusing: boolean): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    provider: 'openai.chat',
    modelId: MODEL,
    doGenerate: async () => {
      await pause();
      if (isRefusing)
        throw Object.assign(
          new APICallError({ message: 'too many requests', url: 'https://provider.test', requestBodyValues: {}, statusCode: 429 }),
          {},
        );
      return {
        content: [{ type: 'tool-call', toolCallId: TOOL.callId, toolName: TOOL.name, input: TOOL.arguments }],
        finishReason: { unified: 'tool-calls', raw: 'tool_calls' },
        usage: USED,
        warnings: [],
      };
    },
    doStream: async () => ({
      stream: simulateReadableStream({
        chunks: [
          { type: 'stream-start', warnings: [] },
          { type: 'text-start', id: 't' },
          { type: 'text-delta', id: 't', delta: ANSWER },
          { type: 'text-end', id: 't' },
          { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: USED },
        ],
        initialDelayInMs: 2,
        chunkDelayInMs: 2,
      }),
    }),
  });
}

/** @param isLegacy `ai.*` attributes as the AI SDK wrote them before version 7 @returns the id of the trace */
export async function runAiSdkAgent(exporter: SpanExporter, isLegacy: boolean, session: string): Promise<string> {
  const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  const tracer = provider.getTracer('ai');
  // Those that were registered before belong to providers that are shut down: they tell nobody.
  registerTelemetry(isLegacy ? new LegacyOpenTelemetry({ tracer }) : new OpenTelemetry({ tracer }));
  const order = tool({
    inputSchema: z.object({ id: z.number() }),
    execute: async () => {
      await pause();
      return TOOL.result;
    },
  });
  const telemetry = { functionId: 'helper' };
  const traceId = await tracer.startActiveSpan('agent', { attributes: { 'session.id': session, 'user.id': USER } }, async (root) => {
    const asked: ModelMessage[] = [{ role: 'user', content: ASKED.content }];
    const asking = await generateText({
      model: model(false),
      instructions: SYSTEM.content,
      messages: asked,
      tools: { [TOOL.name]: order },
      stopWhen: stepCountIs(1),
      telemetry,
    });
    await streamText({
      model: model(false),
      instructions: SYSTEM.content,
      messages: [...asked, ...asking.response.messages],
      telemetry,
    }).consumeStream();
    await generateText({ model: model(true), instructions: SYSTEM.content, messages: asked, maxRetries: 0, telemetry }).catch(() => {});
    root.end();
    return root.spanContext().traceId;
  });
  await provider.forceFlush();
  await provider.shutdown();
  return traceId;
}
