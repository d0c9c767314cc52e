import { PlimsollError } from '../../../kernel/errors.ts';
import { type HubAnswer, toCompletion } from '../../hub/completion.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { AnswerFacts } from '../../provider.ts';
import { classifyErrorObject, errorOf } from './errors.ts';
import { makeToolId } from './tool-ids.ts';
import { readGeminiUsage } from './usage.ts';

const FINISH_REASONS: Readonly<Record<string, string>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  LANGUAGE: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  MODEL_ARMOR: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  IMAGE_RECITATION: 'content_filter',
};

/** Gemini's reason in OpenAI's words; one that we do not know passes in small letters, never as a success. */
export function finishReason(reason: string, hasToolCalls: boolean): string {
  const known = Object.hasOwn(FINISH_REASONS, reason) ? FINISH_REASONS[reason] : undefined;
  if (known === 'stop' && hasToolCalls) return 'tool_calls';
  return known ?? reason.toLowerCase();
}

/** The model tried to call a tool and failed: nothing in such an answer is of use, another try may succeed. */
export function isBrokenCall(reason: string): boolean {
  return reason === 'MALFORMED_FUNCTION_CALL' || reason === 'UNEXPECTED_TOOL_CALL';
}

/** Why a prompt was not answered at all; null when it was. */
export function blockReason(body: JsonObject): string | null {
  const feedback = body.promptFeedback;
  return isObject(feedback) && typeof feedback.blockReason === 'string' ? feedback.blockReason : null;
}

/** What a part is, in the hub's terms; parts of other kinds (code that Google ran, its results) are skipped. */
export type ReadPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'thought'; readonly text: string }
  | { readonly kind: 'call'; readonly id: string | null; readonly name: string; readonly arguments: string; readonly extra: JsonObject }
  | { readonly kind: 'image'; readonly url: string };

export function readParts(candidate: JsonObject): ReadPart[] {
  const { content } = candidate;
  const parts = isObject(content) && Array.isArray(content.parts) ? content.parts : [];
  return parts.flatMap((part: unknown): ReadPart[] => {
    if (!isObject(part)) return [];
    if (typeof part.text === 'string') return [{ kind: part.thought === true ? 'thought' : 'text', text: part.text }];
    const { functionCall: call, inlineData: data } = part;
    if (isObject(call) && typeof call.name === 'string') {
      const signature = part.thoughtSignature;
      const extra = typeof signature === 'string' ? { extra_content: { google: { thought_signature: signature } } } : {};
      const id = typeof call.id === 'string' && call.id !== '' ? call.id : null;
      return [{ kind: 'call', id, name: call.name, arguments: JSON.stringify(call.args ?? {}), extra }];
    }
    if (isObject(data) && typeof data.mimeType === 'string' && typeof data.data === 'string' && part.thought !== true)
      return [{ kind: 'image', url: `data:${data.mimeType};base64,${data.data}` }];
    return [];
  });
}

function bad(what: string): PlimsollError {
  return new PlimsollError('provider_bad_response', `Google's answer ${what}.`);
}

/**
 * `generateContent` answer → OpenAI `chat.completion`. Beyond OpenAI's format: `reasoning_content` (thoughts), `images`, and on tool calls
 * `extra_content.google.thought_signature`, to be sent back unchanged.
 * @throws PlimsollError `content_filtered` when the prompt was blocked, `provider_bad_response`, or the code of the error when the body is one
 */
export function decodeAnswer(
  body: unknown,
  requestedModel: string,
  createdSeconds: number,
  answerId = '',
): { completion: unknown; facts: AnswerFacts } {
  const error = errorOf(body);
  if (error !== null) {
    const { code, message } = classifyErrorObject(error, 200);
    throw new PlimsollError(code, message);
  }
  if (!isObject(body)) throw bad('is not an object');
  const blocked = blockReason(body);
  if (blocked !== null) throw new PlimsollError('content_filtered', `Google refused the prompt: ${blocked}.`);
  const candidate = Array.isArray(body.candidates) ? (body.candidates[0] as unknown) : undefined;
  if (!isObject(candidate) || typeof candidate.finishReason !== 'string') throw bad('has no candidate with a finish reason');
  const responseId = typeof body.responseId === 'string' ? body.responseId : null;
  const id = responseId ?? answerId;
  const toolCalls: HubAnswer['toolCalls'][number][] = [];
  const images: string[] = [];
  let text = '';
  let reasoning = '';
  for (const part of readParts(candidate)) {
    if (part.kind === 'text') text += part.text;
    else if (part.kind === 'thought') reasoning += part.text;
    else if (part.kind === 'image') images.push(part.url);
    else toolCalls.push({ ...part, id: part.id ?? makeToolId(id, toolCalls.length) });
  }
  if (isBrokenCall(candidate.finishReason) && toolCalls.length === 0) throw bad(`ended with ${candidate.finishReason}`);
  return toCompletion(
    {
      id,
      responseId,
      model: typeof body.modelVersion === 'string' ? body.modelVersion : null,
      text,
      reasoning,
      thinkingBlocks: [],
      toolCalls,
      images,
      refusal: null,
      finishReason: finishReason(candidate.finishReason, toolCalls.length > 0),
      usage: readGeminiUsage(body.usageMetadata),
      providerUsage: body.usageMetadata,
    },
    requestedModel,
    createdSeconds,
  );
}
