import { trace } from '@opentelemetry/api';
import { Client } from 'langsmith';
import { initializeOTEL } from 'langsmith/experimental/otel/setup';
import { getCurrentRunTree, traceable } from 'langsmith/traceable';
import { ANSWER, ASKED, MODEL, pause, REFUSAL, SYSTEM, TOOL, TOOL_CALLS, USAGE, USER } from './agent-script.ts';

const USED = {
  input_tokens: USAGE.input,
  output_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  input_token_details: { cache_read: USAGE.cacheRead },
  output_token_details: { reasoning: USAGE.reasoning },
};
const CALLED = { role: 'assistant', content: null, tool_calls: TOOL_CALLS };

/** The script with `traceable`, which says the same to LangSmith's own endpoints and to its OpenTelemetry exporter. */
export function langSmithAgent(client: Client, session: string): () => Promise<string> {
  const options = { client, tracingEnabled: true, project_name: 'p' };
  const call = (outcome: object | null) =>
    traceable(
      async (_input: { messages: readonly object[] }) => {
        await pause();
        if (outcome === null) throw Object.assign(new Error(`${REFUSAL}: too many requests`), { name: REFUSAL });
        return { ...outcome, usage_metadata: USED };
      },
      { ...options, name: 'ChatOpenAI', run_type: 'llm', metadata: { ls_provider: 'openai', ls_model_name: MODEL } },
    );
  const find = traceable(
    async (_asked: { id: number }) => {
      await pause();
      return TOOL.result;
    },
    { ...options, name: TOOL.name, run_type: 'tool' },
  );
  return traceable(
    async () => {
      await call({ choices: [{ message: CALLED, finish_reason: 'tool_calls' }] })({ messages: [SYSTEM, ASKED] });
      await find(JSON.parse(TOOL.arguments));
      const given = { role: 'tool', content: TOOL.result, tool_call_id: TOOL.callId };
      await call({ choices: [{ message: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' }] })({
        messages: [SYSTEM, ASKED, CALLED, given],
      });
      await call(null)({ messages: [SYSTEM, ASKED] }).catch(() => {});
      // In OpenTelemetry mode the spans' trace, else the root run.
      return trace.getActiveSpan()?.spanContext().traceId ?? getCurrentRunTree().trace_id.replaceAll('-', '');
    },
    { ...options, name: 'agent', run_type: 'chain', metadata: { session_id: session, user_id: USER } },
  );
}

/** @returns the id of the trace */
export async function runLangSmithOtelAgent(url: string, apiKey: string, session: string): Promise<string> {
  const variables = { LANGSMITH_TRACING: 'true', LANGSMITH_OTEL_ENABLED: 'true' };
  Object.assign(process.env, variables);
  try {
    const { DEFAULT_LANGSMITH_SPAN_PROCESSOR } = initializeOTEL({
      skipGlobalContextManagerSetup: true,
      exporterConfig: { url: `${url}/otel/v1/traces`, headers: { 'x-api-key': apiKey } },
    });
    const client = new Client({ apiUrl: url, apiKey });
    const traceId = await langSmithAgent(client, session)();
    await client.awaitPendingTraceBatches();
    await DEFAULT_LANGSMITH_SPAN_PROCESSOR.forceFlush();
    await DEFAULT_LANGSMITH_SPAN_PROCESSOR.shutdown();
    return traceId;
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
    trace.disable();
  }
}

/** Through LangSmith's own endpoints. @returns the id of the trace */
export async function runLangSmithAgent(url: string, apiKey: string, session: string): Promise<string> {
  const client = new Client({ apiUrl: url, apiKey });
  const traceId = await langSmithAgent(client, session)();
  await client.awaitPendingTraceBatches();
  return traceId;
}
