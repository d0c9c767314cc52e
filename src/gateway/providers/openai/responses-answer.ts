import { PlimsollError } from '../../../kernel/errors.ts';
import type { Usage } from '../../../models/usage.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { AnswerFacts } from '../../provider.ts';
import { readOpenAiUsage } from '../../usage.ts';
import { classifyOpenAiError, statusOfErrorEvent } from './errors.ts';

/** Usage of the Responses API in the names of chat completions; null when it is none. */
export function toChatUsage(usage: unknown): JsonObject | null {
  if (!isObject(usage) || typeof usage.input_tokens !== 'number') return null;
  return {
    prompt_tokens: usage.input_tokens,
    completion_tokens: usage.output_tokens,
    total_tokens: usage.total_tokens,
    prompt_tokens_details: usage.input_tokens_details,
    completion_tokens_details: usage.output_tokens_details,
  };
}

/** Usage object of the Responses API → disjoint classes; null when it is none. */
export function readResponsesUsage(usage: unknown): Usage | null {
  return readOpenAiUsage(toChatUsage(usage));
}

/** The error object of a failed response or of an `error` event, under our codes. */
export function classifyResponseError(error: unknown): { code: ReturnType<typeof classifyOpenAiError>['code']; message: string } {
  const text = JSON.stringify({ error: error ?? {} });
  return classifyOpenAiError(statusOfErrorEvent(text), text);
}

export function finishReasonOf(response: JsonObject, hasCalls: boolean): string {
  if (response.status !== 'incomplete') return hasCalls ? 'tool_calls' : 'stop';
  const reason = isObject(response.incomplete_details) ? response.incomplete_details.reason : null;
  if (reason === 'max_output_tokens') return 'length';
  return typeof reason === 'string' ? reason : 'length';
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Output items in the hub's terms. Items of built-in tools are skipped: their results are in the text. */
function collect(output: unknown): { text: string; refusal: string; reasoning: string; toolCalls: JsonObject[]; characters: number } {
  const collected = { text: '', refusal: '', reasoning: '', toolCalls: [] as JsonObject[], characters: 0 };
  for (const item of listOf(output)) {
    if (item.type === 'message') {
      for (const part of listOf(item.content)) {
        if (part.type === 'refusal') collected.refusal += textOf(part.refusal);
        else collected.text += textOf(part.text);
      }
    } else if (item.type === 'reasoning') {
      for (const part of [...listOf(item.summary), ...listOf(item.content)]) collected.reasoning += textOf(part.text);
    } else if (item.type === 'function_call') {
      const called = { name: textOf(item.name), arguments: textOf(item.arguments) };
      collected.characters += called.name.length + called.arguments.length;
      collected.toolCalls.push({ id: item.call_id, type: 'function', function: called });
    }
  }
  collected.characters += collected.text.length + collected.refusal.length + collected.reasoning.length;
  return collected;
}

/**
 * A response of OpenAI's Responses API → hub `chat.completion`.
 * @throws PlimsollError `provider_bad_response`, or the code of the error when the response failed
 */
export function decodeResponse(body: unknown, requestedModel: string, createdSeconds: number): { completion: unknown; facts: AnswerFacts } {
  if (!isObject(body)) throw new PlimsollError('provider_bad_response', "OpenAI's answer is no response object.");
  if (isObject(body.error) || body.status === 'failed') {
    const { code, message } = classifyResponseError(body.error);
    throw new PlimsollError(code, message);
  }
  if (body.object !== 'response' || typeof body.id !== 'string' || (body.status !== 'completed' && body.status !== 'incomplete'))
    throw new PlimsollError('provider_bad_response', `OpenAI's answer is no finished response (status ${JSON.stringify(body.status)}).`);
  const { text, refusal, reasoning, toolCalls, characters } = collect(body.output);
  const reason = finishReasonOf(body, toolCalls.length > 0);
  const usage = toChatUsage(body.usage);
  const responseModel = typeof body.model === 'string' ? body.model : null;
  const completion = {
    id: body.id,
    object: 'chat.completion',
    created: typeof body.created_at === 'number' ? body.created_at : createdSeconds,
    model: responseModel ?? requestedModel,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text !== '' || toolCalls.length === 0 ? text : null,
          refusal: refusal === '' ? null : refusal,
          ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
          ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
        },
        logprobs: null,
        finish_reason: reason,
      },
    ],
    ...(usage === null ? {} : { usage }),
  };
  const facts = {
    responseId: body.id,
    responseModel,
    finishReasons: [reason],
    usage: readResponsesUsage(body.usage),
    providerUsage: body.usage ?? null,
    outputCharacters: characters,
    ...(typeof body.service_tier === 'string' ? { serviceTier: body.service_tier } : {}),
  };
  return { completion, facts };
}
