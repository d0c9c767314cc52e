import { parseJsonText } from '../../kernel/parse-json.ts';
import { isObject, type JsonObject, refuse } from './json.ts';

interface PartPlace {
  /** Where it stands in the request, for errors: `messages[2].content[0]`. */
  readonly param: string;
  /** The client marked the prompt up to here for the provider's cache (`cache_control`). */
  readonly endsCachedPrefix: boolean;
}
export interface HubText extends PartPlace {
  readonly type: 'text';
  readonly text: string;
}

/** Content of a message of the hub (OpenAI's chat format), read once for all providers. `data` is base64. */
export type HubPart =
  | HubText
  | (PartPlace & { readonly type: 'image'; readonly mediaType: string; readonly data: string })
  | (PartPlace & { readonly type: 'image_url'; readonly url: string })
  | (PartPlace & { readonly type: 'file'; readonly mediaType: string; readonly data: string; readonly name: string | null })
  | (PartPlace & { readonly type: 'audio'; readonly format: string; readonly data: string });

export interface HubToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonObject;
  /** The call as it came, for what a provider keeps beside it. */
  readonly raw: JsonObject;
  readonly param: string;
}

export type HubMessage =
  | { readonly role: 'system'; readonly parts: readonly HubText[]; readonly param: string }
  | { readonly role: 'user'; readonly parts: readonly HubPart[]; readonly param: string }
  | {
      readonly role: 'assistant';
      readonly parts: readonly HubText[];
      /** Thinking with its signature, as our answers carry it. */
      readonly thinkingBlocks: readonly JsonObject[];
      readonly toolCalls: readonly HubToolCall[];
      readonly param: string;
    }
  | {
      readonly role: 'tool';
      readonly callId: string;
      readonly name: string;
      readonly parts: readonly HubPart[];
      readonly isError: boolean;
      readonly param: string;
    };

/** `data:image/png;base64,…` → its type (small letters) and its base64 text; null for every other URL. */
export function parseDataUrl(url: string): { mediaType: string; data: string } | null {
  const match = /^data:([^;,]{1,127})(?:;[^;,]{1,127}){0,4};base64,/i.exec(url);
  return match ? { mediaType: (match[1] ?? '').toLowerCase(), data: url.slice(match[0].length) } : null;
}

function readPart(part: unknown, param: string): HubPart {
  if (!isObject(part)) return refuse(param, 'not a content part');
  const place = { param, endsCachedPrefix: isObject(part.cache_control) };
  switch (part.type) {
    case 'text':
      return { type: 'text', text: typeof part.text === 'string' ? part.text : refuse(`${param}.text`, 'a string is needed'), ...place };
    case 'refusal':
      return { type: 'text', text: typeof part.refusal === 'string' ? part.refusal : '', ...place };
    case 'image_url': {
      const url = isObject(part.image_url) ? part.image_url.url : part.image_url;
      if (typeof url !== 'string') return refuse(`${param}.image_url.url`, 'a data: or https: URL is needed');
      const inline = parseDataUrl(url);
      if (inline !== null) return { type: 'image', ...inline, ...place };
      return /^https?:\/\//i.test(url)
        ? { type: 'image_url', url, ...place }
        : refuse(`${param}.image_url.url`, 'neither a base64 data: URL nor http(s)');
    }
    case 'file': {
      const file = isObject(part.file) ? part.file : {};
      const inline = typeof file.file_data === 'string' ? parseDataUrl(file.file_data) : null;
      if (inline === null) return refuse(`${param}.file`, 'only file_data as a base64 data: URL can be sent; file ids belong to OpenAI');
      return { type: 'file', ...inline, name: typeof file.filename === 'string' ? file.filename : null, ...place };
    }
    case 'input_audio': {
      const audio = isObject(part.input_audio) ? part.input_audio : {};
      if (typeof audio.data !== 'string' || typeof audio.format !== 'string')
        return refuse(`${param}.input_audio`, '{ data, format } is needed');
      return { type: 'audio', format: audio.format, data: audio.data, ...place };
    }
    default:
      return refuse(param, `a content part of type "${String(part.type)}" is not known`);
  }
}

function readContent(content: unknown, param: string): HubPart[] {
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content, param, endsCachedPrefix: false }];
  if (!Array.isArray(content)) return refuse(param, 'a string or an array of content parts is needed');
  return content.map((part, index) => readPart(part, `${param}[${index}]`)).filter((part) => part.type !== 'text' || part.text !== '');
}

function readTexts(content: unknown, param: string, role: string): HubText[] {
  return readContent(content, param).map((part) =>
    part.type === 'text' ? part : refuse(part.param, `a message of role "${role}" can hold only text`),
  );
}

export function parseArguments(text: unknown, param: string): JsonObject {
  if (text === '' || text === undefined || text === null) return {};
  if (typeof text !== 'string') return refuse(param, 'a string of JSON is needed');
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch (cause) {
    return refuse(param, `not valid JSON (${(cause as Error).message}); this provider takes tool arguments only as an object`);
  }
  return isObject(value) ? value : refuse(param, 'a JSON object is needed');
}

function readToolCall(call: unknown, param: string): HubToolCall {
  if (!isObject(call) || typeof call.id !== 'string' || call.id === '') return refuse(`${param}.id`, 'a tool call needs an id');
  const { function: target } = call;
  if ((call.type ?? 'function') !== 'function' || !isObject(target) || typeof target.name !== 'string')
    return refuse(param, 'only calls of type "function" can be sent');
  return { id: call.id, name: target.name, arguments: parseArguments(target.arguments, `${param}.function.arguments`), raw: call, param };
}

/** One conversation; a class because each message depends on what the ones before it left open. */
class Reader {
  readonly messages: HubMessage[] = [];
  readonly #warnings: Set<string>;
  /** Id → name of the calls of the last assistant message that have no answer yet. */
  readonly #open = new Map<string, string>();

  constructor(warnings: Set<string>) {
    this.#warnings = warnings;
  }

  add(message: unknown, param: string): void {
    if (!isObject(message)) refuse(param, 'not a message');
    if (message.role !== 'tool' && message.name !== undefined && message.name !== null) this.#warnings.add('messages[].name is not sent');
    switch (message.role) {
      case 'system':
      case 'developer':
        this.messages.push({ role: 'system', parts: readTexts(message.content, `${param}.content`, message.role), param });
        break;
      case 'user':
        this.requireAnswers(param);
        this.messages.push({ role: 'user', parts: readContent(message.content, `${param}.content`), param });
        break;
      case 'assistant':
        this.requireAnswers(param);
        this.#addAssistant(message, param);
        break;
      case 'tool':
        this.#addToolAnswer(message, param);
        break;
      default:
        refuse(`${param}.role`, `"${String(message.role)}" is not one of system, developer, user, assistant, tool`);
    }
  }

  requireAnswers(param: string): void {
    const [id] = this.#open.keys();
    if (id !== undefined)
      refuse(param, `the tool call "${id}" has no answer: a message with role "tool" and this tool_call_id must come first`);
  }

  #addAssistant(message: JsonObject, param: string): void {
    if (message.function_call !== undefined && message.function_call !== null)
      refuse(`${param}.function_call`, 'the old function calls are not translated; use tool_calls');
    if (message.audio !== undefined && message.audio !== null) refuse(`${param}.audio`, 'audio answers cannot be sent back');
    const calls = message.tool_calls ?? [];
    if (!Array.isArray(calls)) refuse(`${param}.tool_calls`, 'an array is needed');
    const toolCalls = calls.map((call, index) => readToolCall(call, `${param}.tool_calls[${index}]`));
    for (const call of toolCalls) {
      if (this.#open.has(call.id)) refuse(`${call.param}.id`, `"${call.id}" is used twice in one message`);
      this.#open.set(call.id, call.name);
    }
    const parts = readTexts(message.content, `${param}.content`, 'assistant');
    if (typeof message.refusal === 'string' && message.refusal !== '')
      parts.push({ type: 'text', text: message.refusal, param: `${param}.refusal`, endsCachedPrefix: false });
    const blocks = Array.isArray(message.thinking_blocks) ? message.thinking_blocks.filter(isObject) : [];
    this.messages.push({
      role: 'assistant',
      parts,
      thinkingBlocks: blocks,
      toolCalls,
      param,
    });
  }

  #addToolAnswer(message: JsonObject, param: string): void {
    const { tool_call_id: callId } = message;
    const name = typeof callId === 'string' ? this.#open.get(callId) : undefined;
    if (typeof callId !== 'string' || name === undefined)
      refuse(`${param}.tool_call_id`, `"${String(callId)}" answers no open tool call of the assistant message before it`);
    this.#open.delete(callId);
    const parts = readContent(message.content, `${param}.content`);
    this.messages.push({ role: 'tool', callId, name, parts, isError: message.is_error === true, param });
  }
}

/**
 * The messages of a hub request, checked: every tool call is answered before the conversation goes on, and every answer has its call.
 * Empty texts are left out. @throws PlimsollError `invalid_argument` that names the member
 */
export function readMessages(messages: unknown, warnings: Set<string>): HubMessage[] {
  if (!Array.isArray(messages)) return refuse('messages', 'an array is needed');
  const reader = new Reader(warnings);
  messages.forEach((message, index) => {
    reader.add(message, `messages[${index}]`);
  });
  reader.requireAnswers('messages');
  return reader.messages;
}

/** The text of parts, without what is no text. */
export function textOf(parts: readonly HubPart[]): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
