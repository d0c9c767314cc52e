import { randomUUID } from 'node:crypto';
import { LangfuseClient } from '@langfuse/client';
import { ANSWER, ASKED, MODEL, SYSTEM, TOOL, TOOL_CALLS, USAGE, USER } from './agent-script.ts';

const CALLED = { role: 'assistant', content: null, tool_calls: TOOL_CALLS };

/** As OpenAI counts, which Langfuse's integrations before version 4 passed on. */
const USED = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  prompt_tokens_details: { cached_tokens: USAGE.cacheRead },
  completion_tokens_details: { reasoning_tokens: USAGE.reasoning },
};

/** What SDKs before version 4 send, through the API client of the present one: beginnings in one request, ends in the next. @returns the id of the trace */
export async function runLangfuseIngestionAgent(baseUrl: string, secretKey: string, session: string): Promise<string> {
  const { api } = new LangfuseClient({ baseUrl, publicKey: 'pk', secretKey });
  const startMs = Date.now();
  const at = (step: number): string => new Date(startMs + step * 10).toISOString();
  const traceId = randomUUID();
  const [asking, tool, answering, refused] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const event = (type: string, step: number, body: object) => ({ id: randomUUID(), type, timestamp: at(step), body }) as never; // one of many types, by `type`
  const generation = (id: string, step: number, input: readonly object[]) =>
    event('generation-create', step, { id, traceId, name: 'chat', startTime: at(step), model: MODEL, input });
  const begun = await api.ingestion.batch({
    batch: [
      event('trace-create', 0, { id: traceId, name: 'agent', timestamp: at(0), userId: USER, sessionId: session, tags: ['beta'] }),
      generation(asking, 1, [SYSTEM, ASKED]),
      event('span-create', 3, { id: tool, traceId, name: TOOL.name, startTime: at(3), input: JSON.parse(TOOL.arguments) }),
      generation(answering, 5, [SYSTEM, ASKED, CALLED, { role: 'tool', content: TOOL.result, tool_call_id: TOOL.callId }]),
      generation(refused, 7, [SYSTEM, ASKED]),
    ],
  });
  const ended = await api.ingestion.batch({
    batch: [
      event('generation-update', 2, { id: asking, traceId, endTime: at(2), usageDetails: USED, output: CALLED }),
      event('observation-update', 4, { id: tool, traceId, type: 'TOOL', endTime: at(4), output: TOOL.result }),
      event('generation-update', 6, {
        id: answering,
        traceId,
        endTime: at(6),
        completionStartTime: at(5.5),
        usageDetails: USED,
        output: { role: 'assistant', content: ANSWER },
      }),
      event('generation-update', 8, { id: refused, traceId, endTime: at(8), level: 'ERROR', statusMessage: '429 too many requests' }),
      event('trace-create', 9, { id: traceId, output: ANSWER }),
    ],
  });
  const errors = [...begun.errors, ...ended.errors];
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return traceId.replaceAll('-', '');
}
