import { type HubToolCall, idUnder } from '../../hub/answer.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import { sealThinking } from '../../hub/sealed-thinking.ts';
import type { HubUsage } from '../../hub/usage.ts';

/** Items and objects of a response, the same in streams and in whole answers. */

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

export function refusalPart(refusal: string): JsonObject {
  return { type: 'refusal', refusal };
}

export function messageItem(id: string, content: readonly JsonObject[], status: ItemStatus): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content };
}

export function callItem(id: string, call: HubToolCall & { readonly id: string }, status: ItemStatus): JsonObject {
  return { id, type: 'function_call', status, call_id: call.id, name: call.name, arguments: call.arguments };
}

/** Reasoning is part of an answer only as far as the request asked: as a summary, or sealed to be sent back. */
export interface WantedReasoning {
  readonly summary: boolean;
  readonly sealed: boolean;
}

export function wantedReasoning({ reasoning, include }: JsonObject): WantedReasoning {
  const summary = isObject(reasoning) ? (reasoning.summary ?? reasoning.generate_summary) : null;
  return {
    summary: summary !== null && summary !== undefined,
    sealed: Array.isArray(include) && include.includes('reasoning.encrypted_content'),
  };
}

/** @param thinkingBlocks [] for thinking without signatures: then there is nothing to send back */
export function reasoningItem(id: string, summary: string, thinkingBlocks: readonly JsonObject[]): JsonObject {
  return {
    id,
    type: 'reasoning',
    summary: summary === '' ? [] : [{ type: 'summary_text', text: summary }],
    ...(thinkingBlocks.length > 0 ? { encrypted_content: sealThinking(thinkingBlocks) } : {}),
  };
}

export function encodeUsage(usage: HubUsage | null): JsonObject | null {
  if (usage === null) return null;
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cacheReadTokens },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}

/** How a response ended. A reason that we do not know passes as it is, never as a success. */
export function endingOf(finishReason: string | null): JsonObject {
  switch (finishReason ?? 'stop') {
    case 'stop':
    case 'tool_calls':
    case 'function_call':
      return { status: 'completed', incomplete_details: null };
    case 'length':
      return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
    default:
      return { status: 'incomplete', incomplete_details: { reason: finishReason } };
  }
}

export interface ResponseIdentity {
  readonly id: string;
  readonly model: string;
  readonly createdSeconds: number;
}

function settingsOf(request: JsonObject): JsonObject {
  const or = (name: string, fallback: unknown): unknown => request[name] ?? fallback;
  const reasoning = isObject(request.reasoning) ? request.reasoning : {};
  return {
    instructions: or('instructions', null),
    max_output_tokens: or('max_output_tokens', null),
    max_tool_calls: or('max_tool_calls', null),
    metadata: or('metadata', {}),
    parallel_tool_calls: or('parallel_tool_calls', true),
    previous_response_id: null,
    prompt_cache_key: or('prompt_cache_key', null),
    reasoning: { effort: reasoning.effort ?? null, summary: reasoning.summary ?? null },
    safety_identifier: or('safety_identifier', null),
    service_tier: or('service_tier', 'default'),
    // The provider that answers keeps nothing, whatever the request asked.
    store: false,
    temperature: or('temperature', null),
    text: or('text', { format: { type: 'text' } }),
    tool_choice: or('tool_choice', 'auto'),
    tools: or('tools', []),
    top_logprobs: 0,
    top_p: or('top_p', null),
    truncation: 'disabled',
    user: or('user', null),
  };
}

/** A response object at any stage of its life. @param ending status and incomplete_details */
export function responseObject(
  { id, model, createdSeconds }: ResponseIdentity,
  request: JsonObject,
  ending: JsonObject,
  output: readonly JsonObject[],
  usage: HubUsage | null,
): JsonObject {
  return {
    id: idUnder('resp_', id),
    object: 'response',
    created_at: createdSeconds,
    background: false,
    error: null,
    incomplete_details: null,
    ...ending,
    model,
    output,
    ...settingsOf(request),
    usage: encodeUsage(usage),
  };
}
