import { type HubChoice, type HubToolCall, parseToolArguments, readHubAnswer } from '../../hub/answer.ts';
import type { JsonObject } from '../../hub/json.ts';
import { sealThinking } from '../../hub/sealed-thinking.ts';
import type { HubUsage } from '../../hub/usage.ts';
import { wantsThoughts } from './request.ts';

const FINISH_REASONS: Readonly<Record<string, string>> = {
  stop: 'STOP',
  tool_calls: 'STOP',
  function_call: 'STOP',
  length: 'MAX_TOKENS',
  content_filter: 'SAFETY',
};

/** A reason that we do not know is OTHER, never a success. */
export function finishReasonOf(reason: string | null): string {
  const name = reason ?? 'stop';
  return (Object.hasOwn(FINISH_REASONS, name) ? FINISH_REASONS[name] : undefined) ?? 'OTHER';
}

/** Google counts thoughts beside the candidates, not in them. */
export function encodeUsage(usage: HubUsage | null): { usageMetadata?: JsonObject } {
  if (usage === null) return {};
  return {
    usageMetadata: {
      promptTokenCount: usage.inputTokens,
      candidatesTokenCount: usage.outputTokens - usage.reasoningTokens,
      totalTokenCount: usage.inputTokens + usage.outputTokens,
      ...(usage.reasoningTokens > 0 ? { thoughtsTokenCount: usage.reasoningTokens } : {}),
      ...(usage.cacheReadTokens > 0 ? { cachedContentTokenCount: usage.cacheReadTokens } : {}),
    },
  };
}

/**
 * Tool calls as parts, whole. What a provider wants back of its thinking travels as the signature of the first call, where Google's own models have it.
 * @param isCut the answer ended at its token limit: a call that is not complete is left out
 * @throws PlimsollError `provider_bad_response` for arguments that are no object
 */
export function callParts(calls: readonly HubToolCall[], thinkingBlocks: readonly JsonObject[], isCut: boolean): JsonObject[] {
  return calls.flatMap((call, index) => {
    const args = parseToolArguments(call, isCut);
    if (args === null) return [];
    const sealed = index === 0 && thinkingBlocks.length > 0 ? sealThinking(thinkingBlocks) : null;
    const signature = call.thoughtSignature ?? sealed;
    return [
      {
        functionCall: { ...(call.id === null ? {} : { id: call.id }), name: call.name, args },
        ...(signature === null ? {} : { thoughtSignature: signature }),
      },
    ];
  });
}

function partsOf(choice: HubChoice, request: JsonObject): JsonObject[] {
  const parts: JsonObject[] = [];
  if (choice.reasoning !== '' && wantsThoughts(request)) parts.push({ text: choice.reasoning, thought: true });
  // A refusal of a model that gave no answer is what its user should read.
  const text = choice.text === '' ? choice.refusal : choice.text;
  if (text !== '') parts.push({ text });
  parts.push(...callParts(choice.toolCalls, choice.thinkingBlocks, choice.finishReason === 'length'));
  return parts;
}

/** Hub `chat.completion` → GenerateContentResponse. @throws PlimsollError `provider_bad_response` */
export function encodeAnswer(completion: unknown, request: JsonObject): unknown {
  const { id, model, choices, usage } = readHubAnswer(completion);
  return {
    candidates: choices.map((choice) => ({
      content: { role: 'model', parts: partsOf(choice, request) },
      finishReason: choice.refusal !== '' && choice.finishReason === 'stop' ? 'SAFETY' : finishReasonOf(choice.finishReason),
      index: choice.index,
    })),
    ...encodeUsage(usage),
    modelVersion: model,
    responseId: id,
  };
}
