import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { isObject, type JsonObject } from './json.ts';
import { type HubUsage, readHubUsage } from './usage.ts';

/** One tool call of an answer. */
export interface HubToolCall {
  readonly id: string | null;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
  /** Google's signature of the thoughts behind a call (`extra_content.google.thought_signature`), to be sent back unchanged. */
  readonly thoughtSignature?: string | null;
}

/** What a message or a delta of the hub holds; '' and [] where it holds nothing of a kind. */
export interface HubContent {
  readonly text: string;
  readonly refusal: string;
  /** Thinking as text: `reasoning_content`, or `reasoning` as some servers name it. */
  readonly reasoning: string;
  /** Anthropic's thinking with signatures, to be sent back unchanged. */
  readonly thinkingBlocks: readonly JsonObject[];
}

export interface HubChoice extends HubContent {
  readonly index: number;
  readonly toolCalls: readonly HubToolCall[];
  readonly finishReason: string | null;
  /** Where the server says which stop sequence ended the answer (vLLM's `stop_reason`). */
  readonly stopSequence: string | null;
}

export interface HubAnswer {
  readonly id: string;
  readonly model: string;
  readonly createdSeconds: number;
  readonly choices: readonly HubChoice[];
  readonly usage: HubUsage | null;
}

/** One tool call part of a chunk. */
export interface HubToolCallDelta {
  /** Null from servers that leave it out. */
  readonly index: number | null;
  readonly id: string | null;
  readonly name: string;
  readonly arguments: string;
  readonly thoughtSignature?: string | null;
}

export interface HubChunkChoice extends HubContent {
  readonly index: number;
  readonly toolCalls: readonly HubToolCallDelta[];
  readonly finishReason: string | null;
  readonly stopSequence: string | null;
}

export interface HubChunk {
  readonly id: string | null;
  readonly model: string | null;
  readonly choices: readonly HubChunkChoice[];
  readonly usage: HubUsage | null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Some servers answer with a list of text parts. */
function contentText(content: unknown): string {
  if (!Array.isArray(content)) return text(content);
  return content.map((part) => (isObject(part) ? text(part.text) : '')).join('');
}

function readContent(message: JsonObject): HubContent {
  return {
    text: contentText(message.content),
    refusal: text(message.refusal),
    reasoning: text(message.reasoning_content) || text(message.reasoning),
    thinkingBlocks: Array.isArray(message.thinking_blocks) ? message.thinking_blocks.filter(isObject) : [],
  };
}

function thoughtSignature({ extra_content: extra }: JsonObject): string | null {
  const google = isObject(extra) ? extra.google : null;
  return isObject(google) ? textOrNull(google.thought_signature) : null;
}

function readToolCalls(calls: unknown): HubToolCallDelta[] {
  if (!Array.isArray(calls)) return [];
  return calls.filter(isObject).map((call) => {
    const called = isObject(call.function) ? call.function : {};
    return {
      index: typeof call.index === 'number' ? call.index : null,
      id: textOrNull(call.id),
      name: text(called.name),
      arguments: text(called.arguments),
      thoughtSignature: thoughtSignature(call),
    };
  });
}

function readChoices(choices: unknown, member: 'message' | 'delta'): HubChunkChoice[] {
  if (!Array.isArray(choices)) return [];
  return choices.filter(isObject).map((choice, position) => {
    const message = choice[member];
    const holder = isObject(message) ? message : {};
    return {
      index: typeof choice.index === 'number' ? choice.index : position,
      ...readContent(holder),
      toolCalls: readToolCalls(holder.tool_calls),
      finishReason: textOrNull(choice.finish_reason),
      stopSequence: textOrNull(choice.stop_reason),
    };
  });
}

/** A `chat.completion`, read loosely. @throws PlimsollError `provider_bad_response` when there is no choice in it */
export function readHubAnswer(completion: unknown): HubAnswer {
  const body = isObject(completion) ? completion : {};
  const choices = readChoices(body.choices, 'message');
  if (choices.length === 0) throw new PlimsollError('provider_bad_response', "The provider's answer holds no choice.");
  return {
    id: text(body.id),
    model: text(body.model),
    createdSeconds: typeof body.created === 'number' ? body.created : 0,
    choices,
    usage: readHubUsage(body.usage),
  };
}

/** A `chat.completion.chunk`, read loosely. */
export function readHubChunk(chunk: unknown): HubChunk {
  const body = isObject(chunk) ? chunk : {};
  return {
    id: textOrNull(body.id),
    model: textOrNull(body.model),
    choices: readChoices(body.choices, 'delta'),
    usage: readHubUsage(body.usage),
  };
}

/** `chatcmpl-1a` and its like under another API's prefix: `msg_1a`. */
export function idUnder(prefix: string, id: string): string {
  const rest = id.replace(/^(chatcmpl|gen|cmpl|msg|resp)[-_]/, '').replaceAll(/[^A-Za-z0-9_-]/g, '');
  return `${prefix}${rest === '' ? '0' : rest}`;
}

/**
 * Arguments of a tool call as the object that other dialects want; an answer that was cut at its token limit may end inside them.
 * @returns null when they are no JSON object and the answer was cut
 * @throws PlimsollError `provider_bad_response` when they are no JSON object
 */
export function parseToolArguments(call: { readonly name: string; readonly arguments: string }, isCut: boolean): JsonObject | null {
  if (call.arguments.trim() === '') return {};
  let value: unknown = null;
  try {
    value = parseJsonText(call.arguments);
  } catch (cause) {
    if (isCut) return null;
    throw badArguments(call.name, cause);
  }
  if (isObject(value)) return value;
  throw badArguments(call.name, undefined);
}

function badArguments(name: string, cause: unknown): PlimsollError {
  return new PlimsollError('provider_bad_response', `The model called "${name}" with arguments that are no JSON object.`, { cause });
}
