import { PlimsollError } from '../../../kernel/errors.ts';
import type { Usage } from '../../../models/usage.ts';
import { type HubAnswer, toCompletion } from '../../hub/completion.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { AnswerFacts } from '../../provider.ts';
import { readOpenAiUsage } from '../../usage.ts';

/** Mistral's reasons are OpenAI's but for one; `error` is none. */
export function finishReason(reason: string): string {
  return reason === 'model_length' ? 'length' : reason;
}

/** OpenAI's usage, with cached tokens under names of Mistral's own too. */
export function readMistralUsage(usage: unknown): Usage | null {
  if (!isObject(usage)) return null;
  const details = usage.prompt_tokens_details ?? usage.prompt_token_details ?? { cached_tokens: usage.num_cached_tokens };
  return readOpenAiUsage({ ...usage, prompt_tokens_details: details });
}

/** Text and thinking of a content that is a string or a list of parts; other parts (references) are skipped. */
export function readContent(content: unknown): { text: string; thinking: string } {
  if (typeof content === 'string') return { text: content, thinking: '' };
  const read = { text: '', thinking: '' };
  for (const part of Array.isArray(content) ? content : []) {
    if (!isObject(part)) continue;
    if (part.type === 'text' && typeof part.text === 'string') read.text += part.text;
    else if (part.type === 'thinking') {
      if (typeof part.thinking === 'string') read.thinking += part.thinking;
      for (const inner of Array.isArray(part.thinking) ? part.thinking : [])
        if (isObject(inner) && typeof inner.text === 'string') read.thinking += inner.text;
    }
  }
  return read;
}

/** Arguments are text, or an object from some servers. */
export function argumentsText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? {});
}

function toolCall(call: unknown): HubAnswer['toolCalls'][number][] {
  if (!isObject(call) || typeof call.id !== 'string' || !isObject(call.function) || typeof call.function.name !== 'string') return [];
  return [{ id: call.id, name: call.function.name, arguments: argumentsText(call.function.arguments) }];
}

/** @throws PlimsollError `provider_bad_response` */
export function decodeAnswer(
  body: unknown,
  requestedModel: string,
  createdSeconds: number,
  answerId = '',
): { completion: unknown; facts: AnswerFacts } {
  const choice: unknown = isObject(body) && Array.isArray(body.choices) ? body.choices[0] : undefined;
  const message = isObject(choice) ? choice.message : undefined;
  if (!isObject(body) || !isObject(choice) || !isObject(message) || typeof choice.finish_reason !== 'string')
    throw new PlimsollError('provider_bad_response', "Mistral's answer has no choice with a finish reason.");
  if (choice.finish_reason === 'error') throw new PlimsollError('provider_bad_response', "Mistral's answer ended with an error.");
  const { text, thinking } = readContent(message.content);
  const toolCalls: JsonObject[] | unknown = message.tool_calls;
  const responseId = typeof body.id === 'string' ? body.id : null;
  return toCompletion(
    {
      id: responseId ?? answerId,
      responseId,
      model: typeof body.model === 'string' ? body.model : null,
      text,
      reasoning: thinking,
      thinkingBlocks: [],
      toolCalls: Array.isArray(toolCalls) ? toolCalls.flatMap(toolCall) : [],
      refusal: null,
      finishReason: finishReason(choice.finish_reason),
      usage: readMistralUsage(body.usage),
      providerUsage: body.usage,
    },
    requestedModel,
    createdSeconds,
  );
}
