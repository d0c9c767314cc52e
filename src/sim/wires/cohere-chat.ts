import type { FinishReason, PlannedAnswer } from '../completion.ts';
import { SSE } from '../framings.ts';
import { seededRandom } from '../seeded-random.ts';
import { countTokens, tokenize } from '../tokens.ts';
import { chunksOf, failed, Pacer, type ReplyStamp, type WireEndpoint, type WireEvent } from '../wire.ts';
import { parseCohereRequest } from './cohere-chat-request.ts';

function finishText(finish: FinishReason): string {
  switch (finish) {
    case 'stop':
    case 'refusal':
      return 'COMPLETE';
    case 'stop_sequence':
      return 'STOP_SEQUENCE';
    case 'length':
      return 'MAX_TOKENS';
    case 'tool_calls':
      return 'TOOL_CALL';
    case 'content_filter':
      return 'ERROR_TOXIC';
  }
}

function usageBody({ usage }: PlannedAnswer): Record<string, unknown> {
  const counts = { input_tokens: usage.uncachedInputTokens + usage.cacheReadTokens, output_tokens: usage.outputTokens };
  return { billed_units: counts, tokens: counts, cached_tokens: usage.cacheReadTokens };
}

const callId = (name: string, stamp: ReplyStamp, position: number): string => `${name}_${seededRandom(stamp.id, 'tool', position).hex(12)}`;

function renderBody(plan: PlannedAnswer, stamp: ReplyStamp): unknown {
  const [choice] = plan.choices;
  const text = choice.tokens.join('');
  const content = [
    ...(plan.thinking === '' ? [] : [{ type: 'thinking', thinking: plan.thinking }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
  ];
  const toolCalls = choice.toolCalls.map((call, position) => ({
    id: callId(call.name, stamp, position),
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
  }));
  return {
    id: stamp.id,
    message: { role: 'assistant', ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}), ...(content.length > 0 ? { content } : {}) },
    finish_reason: finishText(choice.finish),
    usage: usageBody(plan),
  };
}

function renderEvents(plan: PlannedAnswer, stamp: ReplyStamp): WireEvent[] {
  const events: WireEvent[] = [];
  const pacer = new Pacer(plan);
  const [choice] = plan.choices;
  const push = (type: string, fields: Readonly<Record<string, unknown>>): void => {
    events.push({ event: type, data: JSON.stringify({ type, ...fields }), ...pacer.now });
  };
  const inMessage = (message: Readonly<Record<string, unknown>>): Record<string, unknown> => ({ delta: { message } });
  push('message-start', { id: stamp.id, ...inMessage({ role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] }) });
  let index = 0;
  const block = (type: 'thinking' | 'text', tokens: readonly string[]): void => {
    if (tokens.length === 0) return;
    push('content-start', { index, ...inMessage({ content: { type, [type]: '' } }) });
    for (const chunk of chunksOf(tokens, plan.tokensPerChunk)) {
      pacer.next(chunk.tokens);
      push('content-delta', { index, ...inMessage({ content: { [type]: chunk.text } }) });
    }
    push('content-end', { index });
    index++;
  };
  block('thinking', tokenize(plan.thinking));
  block('text', choice.tokens);
  for (const [position, call] of choice.toolCalls.entries()) {
    pacer.next(countTokens(call.name));
    const started = { id: callId(call.name, stamp, position), type: 'function', function: { name: call.name, arguments: '' } };
    push('tool-call-start', { index: position, ...inMessage({ tool_calls: started }) });
    for (const chunk of chunksOf(tokenize(call.arguments), plan.tokensPerChunk)) {
      pacer.next(chunk.tokens);
      push('tool-call-delta', { index: position, ...inMessage({ tool_calls: { function: { arguments: chunk.text } } }) });
    }
    push('tool-call-end', { index: position });
  }
  push('message-end', { delta: { finish_reason: finishText(choice.finish), usage: usageBody(plan) } });
  return events;
}

/** `POST /v2/chat`. */
export const cohereChat: WireEndpoint = {
  method: 'POST',
  path: /^v2\/chat$/,
  handle({ body }) {
    const parsed = parseCohereRequest(body);
    if (!parsed.ok) return failed(parsed.failure);
    return { kind: 'generate', request: parsed.request, framing: SSE, renderBody, renderEvents };
  },
};
