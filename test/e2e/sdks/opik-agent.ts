import { newUuidV7 } from '../../../src/kernel/ids.ts';
import { ANSWER, ASKED, MODEL, SYSTEM, TOOL, TOOL_CALLS, USAGE, USER } from './agent-script.ts';

const CALLED = { role: 'assistant', content: null, tool_calls: TOOL_CALLS };
const USED = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  'original_usage.prompt_tokens_details.cached_tokens': USAGE.cacheRead,
  'original_usage.completion_tokens_details.reasoning_tokens': USAGE.reasoning,
};

/** The shapes that Opik's SDK was seen to send (it is not installed here). @returns the id of the trace */
export async function runOpikAgent(url: string, apiKey: string, session: string): Promise<string> {
  const send = async (path: string, body: object, method = 'POST'): Promise<void> => {
    const answer = await fetch(`${url}/api${path}`, {
      method,
      headers: { authorization: apiKey, 'comet-workspace': 'default', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (answer.status !== 204) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  };
  const startMs = Date.now();
  const at = (step: number): string => new Date(startMs + step * 10).toISOString();
  const trace = { id: newUuidV7(startMs), name: 'agent', project_name: 'Default Project', thread_id: session, metadata: { user_id: USER } };
  const span = (step: number, type: string, over: object) => ({
    id: newUuidV7(startMs + step),
    trace_id: trace.id,
    project_name: trace.project_name,
    type,
    start_time: at(step),
    end_time: at(step + 1),
    ...over,
  });
  const call = (step: number, messages: readonly object[], over: object) =>
    span(step, 'llm', { name: 'chat', model: MODEL, provider: 'openai', input: { messages }, ...over });
  await send('/v1/private/traces/batch', { traces: [{ ...trace, start_time: at(0), input: { input: ASKED.content } }] });
  await send('/v1/private/spans/batch', {
    spans: [
      call(1, [SYSTEM, ASKED], { usage: USED, output: { choices: [{ message: CALLED, finish_reason: 'tool_calls' }] } }),
      span(3, 'tool', { name: TOOL.name, input: JSON.parse(TOOL.arguments), output: { output: TOOL.result } }),
      call(5, [SYSTEM, ASKED, CALLED, { role: 'tool', content: TOOL.result, tool_call_id: TOOL.callId }], {
        usage: USED,
        ttft: 2,
        output: { choices: [{ message: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' }] },
      }),
      call(7, [SYSTEM, ASKED], { error_info: { exception_type: 'RateLimitError', message: 'too many requests', traceback: '' } }),
    ],
  });
  await send(`/v1/private/traces/${trace.id}`, { project_name: trace.project_name, end_time: at(9), output: { output: ANSWER } }, 'PATCH');
  return trace.id.replaceAll('-', '');
}
