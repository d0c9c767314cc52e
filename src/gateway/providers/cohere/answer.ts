import { type ErrorCode, PlimsollError } from '../../../kernel/errors.ts';
import { type HubAnswer, toCompletion } from '../../hub/completion.ts';
import { isObject } from '../../hub/json.ts';
import type { AnswerFacts } from '../../provider.ts';
import { readCohereUsage } from './usage.ts';

const FINISH_REASONS: Readonly<Record<string, string>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'tool_calls',
  ERROR_LIMIT: 'length',
  ERROR_TOXIC: 'content_filter',
};

/** Cohere's reason in OpenAI's words; one that we do not know passes in small letters, never as a success. */
export function finishReason(reason: string): string {
  const known = Object.hasOwn(FINISH_REASONS, reason) ? FINISH_REASONS[reason] : undefined;
  return known ?? reason.toLowerCase();
}

/** The code of an answer that says of itself that it failed; null for one that did not. */
export function failureOf(reason: string): ErrorCode | null {
  if (reason === 'TIMEOUT') return 'provider_timeout';
  return reason === 'ERROR' ? 'provider_unavailable' : null;
}

function toolCall(call: unknown): HubAnswer['toolCalls'][number][] {
  if (!isObject(call) || typeof call.id !== 'string' || !isObject(call.function) || typeof call.function.name !== 'string') return [];
  return [
    { id: call.id, name: call.function.name, arguments: typeof call.function.arguments === 'string' ? call.function.arguments : '{}' },
  ];
}

/**
 * Cohere chat answer (v2) → OpenAI `chat.completion`. The plan of a tool call is its text; citations are left out.
 * @throws PlimsollError `provider_bad_response`, or the code of the failure that the answer tells of
 */
export function decodeAnswer(
  body: unknown,
  requestedModel: string,
  createdSeconds: number,
  answerId = '',
): { completion: unknown; facts: AnswerFacts } {
  if (!isObject(body) || !isObject(body.message) || typeof body.finish_reason !== 'string')
    throw new PlimsollError('provider_bad_response', "Cohere's answer has no message with a finish reason.");
  const failure = failureOf(body.finish_reason);
  if (failure !== null) throw new PlimsollError(failure, `Cohere's answer ended with ${body.finish_reason}.`);
  const { content, tool_plan: plan, tool_calls: calls } = body.message;
  let text = typeof plan === 'string' ? plan : '';
  let reasoning = '';
  for (const part of Array.isArray(content) ? content : []) {
    if (!isObject(part)) continue;
    if (part.type === 'text' && typeof part.text === 'string') text += part.text;
    else if (part.type === 'thinking' && typeof part.thinking === 'string') reasoning += part.thinking;
  }
  const responseId = typeof body.id === 'string' ? body.id : null;
  return toCompletion(
    {
      id: responseId ?? answerId,
      responseId,
      model: null,
      text,
      reasoning,
      thinkingBlocks: [],
      toolCalls: Array.isArray(calls) ? calls.flatMap(toolCall) : [],
      refusal: null,
      finishReason: finishReason(body.finish_reason),
      usage: readCohereUsage(body.usage),
      providerUsage: body.usage,
    },
    requestedModel,
    createdSeconds,
  );
}
