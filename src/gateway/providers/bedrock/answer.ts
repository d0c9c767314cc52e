import { PlimsollError } from '../../../kernel/errors.ts';
import { type HubAnswer, toCompletion } from '../../hub/completion.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { AnswerFacts } from '../../provider.ts';
import { readBedrockUsage } from './usage.ts';

const FINISH_REASONS: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  guardrail_intervened: 'content_filter',
  content_filtered: 'content_filter',
};

/** Bedrock's reason in OpenAI's words; one that we do not know passes as it is, never as a success. */
export function finishReason(stopReason: string): string {
  return Object.hasOwn(FINISH_REASONS, stopReason) ? (FINISH_REASONS[stopReason] ?? stopReason) : stopReason;
}

interface Collected {
  text: string;
  reasoning: string;
  readonly thinkingBlocks: JsonObject[];
  readonly toolCalls: HubAnswer['toolCalls'][number][];
}

function collectReasoning(block: JsonObject, collected: Collected): void {
  const { reasoningText, redactedContent } = block;
  if (isObject(reasoningText) && typeof reasoningText.text === 'string') {
    collected.reasoning += reasoningText.text;
    if (typeof reasoningText.signature === 'string')
      collected.thinkingBlocks.push({ type: 'thinking', thinking: reasoningText.text, signature: reasoningText.signature });
  } else if (typeof redactedContent === 'string') collected.thinkingBlocks.push({ type: 'redacted_thinking', data: redactedContent });
}

/** Blocks of a kind that we do not know are skipped. */
function collect(blocks: readonly unknown[]): Collected {
  const collected: Collected = { text: '', reasoning: '', thinkingBlocks: [], toolCalls: [] };
  for (const block of blocks) {
    if (!isObject(block)) continue;
    const { text, toolUse, reasoningContent, citationsContent } = block;
    if (typeof text === 'string') collected.text += text;
    else if (isObject(toolUse) && typeof toolUse.toolUseId === 'string' && typeof toolUse.name === 'string')
      collected.toolCalls.push({ id: toolUse.toolUseId, name: toolUse.name, arguments: JSON.stringify(toolUse.input ?? {}) });
    else if (isObject(reasoningContent)) collectReasoning(reasoningContent, collected);
    else if (isObject(citationsContent) && Array.isArray(citationsContent.content))
      for (const part of citationsContent.content) if (isObject(part) && typeof part.text === 'string') collected.text += part.text;
  }
  return collected;
}

/**
 * Converse answer → OpenAI `chat.completion`. Beyond OpenAI's format: `reasoning_content` and `thinking_blocks`, as for Anthropic.
 * @throws PlimsollError `provider_bad_response`
 */
export function decodeAnswer(
  body: unknown,
  requestedModel: string,
  createdSeconds: number,
  answerId = '',
): { completion: unknown; facts: AnswerFacts } {
  const message = isObject(body) && isObject(body.output) ? body.output.message : undefined;
  if (!isObject(body) || typeof body.stopReason !== 'string' || !isObject(message) || !Array.isArray(message.content))
    throw new PlimsollError('provider_bad_response', "Bedrock's answer has no message with a stop reason.");
  return toCompletion(
    {
      id: answerId,
      responseId: null,
      model: null,
      ...collect(message.content),
      refusal: null,
      finishReason: finishReason(body.stopReason),
      usage: readBedrockUsage(body.usage),
      providerUsage: body.usage,
      serviceTier: isObject(body.serviceTier) && typeof body.serviceTier.type === 'string' ? body.serviceTier.type : undefined,
    },
    requestedModel,
    createdSeconds,
  );
}
