import { type HubChoice, type HubContent, idUnder, parseToolArguments, readHubAnswer } from '../../hub/answer.ts';
import type { JsonObject } from '../../hub/json.ts';
import type { HubUsage } from '../../hub/usage.ts';
import { wantsThinking } from './request.ts';

const STOP_REASONS: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
};

/** How an answer ended, in Anthropic's words. A reason that we do not know passes as it is, never as a success. */
export interface Ending {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
  readonly stop_details: { readonly type: 'refusal'; readonly category: null; readonly explanation: string | null } | null;
}

/** @param hasToolCalls some servers say "stop" after tool calls; clients look for `tool_use` */
export function endingOf(
  { finishReason, refusal, stopSequence }: Pick<HubChoice, 'finishReason' | 'refusal' | 'stopSequence'>,
  hasToolCalls: boolean,
  request: JsonObject,
): Ending {
  const reason = finishReason ?? 'stop';
  if (refusal !== '' || reason === 'content_filter') {
    const explanation = refusal === '' ? null : refusal;
    return { stop_reason: 'refusal', stop_sequence: null, stop_details: { type: 'refusal', category: null, explanation } };
  }
  const known = Object.hasOwn(STOP_REASONS, reason) ? (STOP_REASONS[reason] ?? reason) : reason;
  if (known !== 'end_turn') return { stop_reason: known, stop_sequence: null, stop_details: null };
  if (hasToolCalls) return { stop_reason: 'tool_use', stop_sequence: null, stop_details: null };
  const { stop_sequences: asked } = request;
  const isNamed = stopSequence !== null && Array.isArray(asked) && asked.includes(stopSequence);
  return { stop_reason: isNamed ? 'stop_sequence' : known, stop_sequence: isNamed ? stopSequence : null, stop_details: null };
}

/** Anthropic counts cached input beside `input_tokens`, not in it. What no provider reported is 0. */
export function encodeUsage(usage: HubUsage | null): JsonObject {
  return {
    input_tokens: usage === null ? 0 : usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens,
    cache_creation_input_tokens: usage?.cacheWriteTokens ?? 0,
    cache_read_input_tokens: usage?.cacheReadTokens ?? 0,
    output_tokens: usage?.outputTokens ?? 0,
    ...(usage !== null && usage.reasoningTokens > 0 ? { output_tokens_details: { thinking_tokens: usage.reasoningTokens } } : {}),
  };
}

function thinkingContent({ thinkingBlocks, reasoning }: HubContent): readonly JsonObject[] {
  if (thinkingBlocks.length > 0) return thinkingBlocks;
  return reasoning === '' ? [] : [{ type: 'thinking', thinking: reasoning, signature: '' }];
}

function contentOf(choice: HubChoice, completionId: string, request: JsonObject): JsonObject[] {
  const content: JsonObject[] = wantsThinking(request) ? [...thinkingContent(choice)] : [];
  // A refusal of a model that gave no answer is what its user should read.
  const text = choice.text === '' ? choice.refusal : choice.text;
  if (text !== '') content.push({ type: 'text', text, citations: null });
  choice.toolCalls.forEach((call, index) => {
    const input = parseToolArguments(call, choice.finishReason === 'length');
    const id = call.id ?? idUnder('toolu_', `${completionId}_${index}`);
    if (input !== null) content.push({ type: 'tool_use', id, name: call.name, input });
  });
  return content;
}

/** Hub `chat.completion` → Message. @throws PlimsollError `provider_bad_response` */
export function encodeAnswer(completion: unknown, request: JsonObject): unknown {
  const { id, model, choices, usage } = readHubAnswer(completion);
  const [choice] = choices;
  if (choice === undefined) return null;
  const content = contentOf(choice, id, request);
  return {
    id: idUnder('msg_', id),
    type: 'message',
    role: 'assistant',
    model,
    content,
    ...endingOf(
      choice,
      content.some((block) => block.type === 'tool_use'),
      request,
    ),
    usage: encodeUsage(usage),
  };
}
