import { type AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { LangChainTracer } from '@langchain/core/tracers/tracer_langchain';
import { ChatOpenAI } from '@langchain/openai';
import { Client } from 'langsmith';
import { ANSWER, ASKED, MODEL, pause, SYSTEM, TOOL, TOOL_CALLS, USAGE, USER } from './agent-script.ts';

const USED = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  prompt_tokens_details: { cached_tokens: USAGE.cacheRead },
  completion_tokens_details: { reasoning_tokens: USAGE.reasoning },
};
const HEAD = { id: 'chatcmpl-1', created: 1_773_576_000, model: MODEL };

/** OpenAI's answers to the three calls of the script, in its documented form. */
function answer(call: number): Response {
  if (call === 3)
    return Response.json({ error: { message: 'too many requests', type: 'requests', code: 'rate_limit_exceeded' } }, { status: 429 });
  if (call === 1)
    return Response.json({
      ...HEAD,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: TOOL_CALLS }, finish_reason: 'tool_calls' }],
      usage: USED,
    });
  const chunk = (delta: object, reason: string | null) => ({
    ...HEAD,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  const events = [
    chunk({ role: 'assistant', content: '' }, null),
    chunk({ content: ANSWER }, null),
    chunk({}, 'stop'),
    { ...HEAD, object: 'chat.completion.chunk', choices: [], usage: USED },
  ];
  return new Response(`${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`, {
    headers: { 'content-type': 'text/event-stream' },
  });
}

/** LangChain with its own tracer, which sends to LangSmith's endpoints. @returns the id of the trace */
export async function runLangChainAgent(apiUrl: string, apiKey: string, session: string): Promise<string> {
  const client = new Client({ apiUrl, apiKey });
  const tracer = new LangChainTracer({ client, projectName: 'p' });
  let calls = 0;
  const model = new ChatOpenAI({
    model: MODEL,
    apiKey: 'none',
    maxRetries: 0,
    streamUsage: true,
    configuration: {
      fetch: async () => {
        await pause();
        return answer(++calls);
      },
    },
  });
  const find = tool(
    async () => {
      await pause();
      return TOOL.result;
    },
    { name: TOOL.name, schema: { type: 'object', properties: { id: { type: 'number' } }, required: ['id'] } },
  );
  let traceId = '';
  const agent = RunnableLambda.from(async (_question: string, config) => {
    const asked = [new SystemMessage(SYSTEM.content), new HumanMessage(ASKED.content)];
    const asking: AIMessage = await model.invoke(asked, config);
    const result = String(await find.invoke(JSON.parse(TOOL.arguments), config));
    const given = new ToolMessage({ content: result, tool_call_id: TOOL.callId });
    for await (const _chunk of await model.stream([...asked, asking, given], config)) await pause();
    await model.invoke(asked, config).catch(() => {});
  });
  await agent.invoke(ASKED.content, {
    callbacks: [
      tracer,
      {
        handleChainStart: (_chain, _inputs, runId: string, parentRunId?: string) => {
          if (parentRunId === undefined) traceId = runId.replaceAll('-', '');
        },
      },
    ],
    runName: 'agent',
    metadata: { session_id: session, user_id: USER },
  });
  await client.awaitPendingTraceBatches();
  return traceId;
}
