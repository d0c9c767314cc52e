import {
  getInputAttributes,
  getLLMAttributes,
  register,
  setSession,
  setUser,
  traceAgent,
  traceLLM,
  traceTool,
} from '@arizeai/phoenix-otel';
import { context } from '@opentelemetry/api';
import { ANSWER, ASKED, MODEL, pause, REFUSAL, SYSTEM, TOOL, USAGE, USER } from './agent-script.ts';

interface Message {
  readonly role: string;
  readonly content?: string;
  readonly toolCallId?: string;
  readonly toolCalls?: { id: string; function: { name: string; arguments: string } }[];
}
const CALLED: Message = { role: 'assistant', toolCalls: [{ id: TOOL.callId, function: { name: TOOL.name, arguments: TOOL.arguments } }] };

/** @returns the id of the trace */
export async function runPhoenixAgent(url: string, apiKey: string, session: string): Promise<string> {
  const provider = register({ url, apiKey, batch: false, global: false });
  const tracer = provider.getTracer('app');
  const call = (input: readonly Message[], answer: Message | null) =>
    traceLLM(
      async () => {
        await pause();
        if (answer === null) throw Object.assign(new Error('too many requests'), { name: REFUSAL });
        return answer;
      },
      {
        name: 'chat',
        tracer,
        processInput: () => getLLMAttributes({ provider: 'openai', modelName: MODEL, inputMessages: [...input] }),
        processOutput: (message) =>
          getLLMAttributes({
            outputMessages: [message],
            tokenCount: {
              prompt: USAGE.input,
              completion: USAGE.output,
              total: USAGE.input + USAGE.output,
              promptDetails: { cacheRead: USAGE.cacheRead },
            },
          }),
      },
    )();
  let traceId = '';
  const agent = traceAgent(
    async () => {
      await call([SYSTEM, ASKED], CALLED);
      const result = await traceTool(
        async (_asked: unknown) => {
          await pause();
          return TOOL.result;
        },
        { name: TOOL.name, tracer, processInput: (asked) => getInputAttributes(JSON.stringify(asked)) },
      )(JSON.parse(TOOL.arguments));
      const given: Message = { role: 'tool', content: result, toolCallId: TOOL.callId };
      await call([SYSTEM, ASKED, CALLED, given], { role: 'assistant', content: ANSWER });
      await call([SYSTEM, ASKED], null).catch(() => {});
    },
    { name: 'agent', tracer },
  );
  await context.with(setUser(setSession(context.active(), { sessionId: session }), { userId: USER }), () =>
    tracer.startActiveSpan('request', async (root) => {
      traceId = root.spanContext().traceId;
      await agent();
      root.end();
    }),
  );
  await provider.forceFlush();
  await provider.shutdown();
  return traceId;
}
