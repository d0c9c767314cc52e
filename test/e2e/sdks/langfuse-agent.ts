import { LangfuseSpanProcessor } from '@langfuse/otel';
import { propagateAttributes, setLangfuseTracerProvider, startActiveObservation } from '@langfuse/tracing';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { ANSWER, ASKED, MODEL, pause, SYSTEM, TOOL, TOOL_CALLS, USAGE, USER } from './agent-script.ts';

/** Langfuse's classes do not overlap. */
const USED = {
  input: USAGE.input - USAGE.cacheRead,
  cache_read_input_tokens: USAGE.cacheRead,
  output: USAGE.output - USAGE.reasoning,
  output_reasoning_tokens: USAGE.reasoning,
};

/** @returns the id of the trace */
export async function runLangfuseAgent(baseUrl: string, virtualKey: string, session: string): Promise<string> {
  const provider = new BasicTracerProvider({
    spanProcessors: [new LangfuseSpanProcessor({ baseUrl, publicKey: 'pk', secretKey: virtualKey, exportMode: 'immediate' })],
  });
  setLangfuseTracerProvider(provider);
  const traceId = await startActiveObservation('agent', async (root) =>
    propagateAttributes({ userId: USER, sessionId: session, tags: ['beta'] }, async () => {
      const call = (input: readonly object[]) => root.startObservation('chat', { model: MODEL, input }, { asType: 'generation' });
      const asking = call([SYSTEM, ASKED]);
      await pause();
      asking.update({ usageDetails: USED, output: { role: 'assistant', content: null, tool_calls: TOOL_CALLS } }).end();
      const tool = root.startObservation(TOOL.name, { input: JSON.parse(TOOL.arguments) }, { asType: 'tool' });
      await pause();
      tool.update({ output: TOOL.result }).end();
      const answering = call([
        SYSTEM,
        ASKED,
        { role: 'assistant', content: null, tool_calls: TOOL_CALLS },
        { role: 'tool', content: TOOL.result, tool_call_id: TOOL.callId },
      ]);
      answering.update({ completionStartTime: new Date() });
      await pause();
      answering.update({ usageDetails: USED, output: { role: 'assistant', content: ANSWER } }).end();
      const refused = call([SYSTEM, ASKED]);
      await pause();
      refused.update({ level: 'ERROR', statusMessage: '429 too many requests' }).end();
      return root.traceId;
    }),
  );
  await provider.forceFlush();
  await provider.shutdown();
  return traceId;
}
