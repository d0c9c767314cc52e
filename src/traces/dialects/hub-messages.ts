import { isObject, type JsonObject, looseJson } from './span-view.ts';

/** A message in the form of the gateway's payloads: OpenAI's chat, with `reasoning_content`. */
export interface HubMessage {
  readonly role: string;
  readonly content: string | readonly JsonObject[] | null;
  readonly name?: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly HubToolCall[];
  readonly tool_call_id?: string;
}

export interface HubToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

const ROLES: Readonly<Record<string, string>> = {
  human: 'user',
  ai: 'assistant',
  model: 'assistant',
  bot: 'assistant',
  function: 'tool',
  AIMessage: 'assistant',
  AIMessageChunk: 'assistant',
  HumanMessage: 'user',
  SystemMessage: 'system',
  ToolMessage: 'tool',
};

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

function firstText(...values: unknown[]): string {
  return values.find((value): value is string => typeof value === 'string' && value !== '') ?? '';
}

/** A message that is being put together from parts of whatever dialect. */
interface Draft {
  readonly parts: JsonObject[];
  readonly reasoning: string[];
  readonly calls: HubToolCall[];
  /** Answers of tools stand in messages of their own. */
  readonly results: HubMessage[];
}

function toolCall(part: JsonObject): HubToolCall {
  const called = isObject(part.function) ? part.function : isObject(part.functionCall) ? part.functionCall : part;
  const given = called.arguments ?? called.args ?? called.input ?? part.parameters;
  return {
    id: firstText(part.id, part.toolCallId, part.tool_call_id, part.call_id),
    type: 'function',
    function: { name: firstText(called.name, part.toolName, part.tool_name), arguments: given === undefined ? '' : text(given) },
  };
}

function toolResult(part: JsonObject): HubMessage {
  const given = isObject(part.functionResponse) ? part.functionResponse : part;
  const name = firstText(given.name, part.toolName, part.tool_name);
  const output = given.response ?? given.result ?? given.output ?? given.content;
  // The AI SDK wraps it: { type: 'text' | 'json', value }.
  const value = isObject(output) && typeof output.type === 'string' && 'value' in output ? output.value : output;
  return {
    role: 'tool',
    content: text(value),
    tool_call_id: firstText(part.id, part.toolCallId, part.tool_call_id, part.tool_use_id, part.call_id),
    ...(name === '' ? {} : { name }),
  };
}

function media(part: JsonObject): JsonObject {
  const type = firstText(part.mime_type, part.mediaType, part.mimeType, part.media_type);
  const url = firstText(
    part.uri,
    part.url,
    typeof part.image_url === 'string' ? part.image_url : '',
    isObject(part.image) ? part.image.url : '',
  );
  if (url !== '') return { type: 'image_url', image_url: { url } };
  const data = firstText(part.data, part.image, part.content, part.file_id);
  return /^(image)\//.test(type) || part.type === 'image'
    ? { type: 'image_url', image_url: { url: data.startsWith('data:') ? data : `data:${type || 'image/png'};base64,${data}` } }
    : {
        type: 'file',
        file: { filename: firstText(part.filename, part.name, part.file_id) || type, ...(type === '' ? {} : { mime_type: type }) },
      };
}

/** Takes in one part of content, whichever of the known forms it has; an unknown one is kept as it is. */
function addPart(part: unknown, draft: Draft): void {
  if (typeof part === 'string') {
    draft.parts.push({ type: 'text', text: part });
    return;
  }
  if (!isObject(part)) return;
  // OpenInference wraps each part of a list.
  const inner = isObject(part.message_content) ? part.message_content : part;
  const type = typeof inner.type === 'string' ? inner.type : '';
  switch (type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      draft.parts.push({ type: 'text', text: text(inner.text ?? inner.content) });
      return;
    case 'reasoning':
    case 'thinking':
      draft.reasoning.push(firstText(inner.text, inner.content, inner.thinking, inner.reasoning));
      return;
    case 'tool_call':
    case 'tool-call':
    case 'tool_use':
    case 'function_call':
      draft.calls.push(toolCall(inner));
      return;
    case 'tool_call_response':
    case 'tool-result':
    case 'tool_result':
    case 'tool_return':
    case 'tool-return':
    case 'function_call_output':
      draft.results.push(toolResult(inner));
      return;
    case 'blob':
    case 'uri':
    case 'image':
    case 'file':
      draft.parts.push(isObject(inner.image) || isObject(inner.source) ? inner : media(inner));
      return;
    default:
      if (isObject(inner.functionCall)) draft.calls.push(toolCall(inner));
      else if (isObject(inner.functionResponse)) draft.results.push(toolResult(inner));
      else if (type === '' && typeof inner.text === 'string') {
        if (inner.thought === true) draft.reasoning.push(inner.text);
        else draft.parts.push({ type: 'text', text: inner.text });
      } else draft.parts.push(inner);
  }
}

/** Content as OpenAI writes it: a plain text where there is nothing else. */
function contentOf(parts: readonly JsonObject[]): HubMessage['content'] {
  if (parts.length === 0) return null;
  return parts.every((part) => part.type === 'text') ? parts.map((part) => text(part.text)).join('') : parts;
}

function oneMessage(value: JsonObject, fallbackRole: string): HubMessage[] {
  // LangChain's serialised messages keep the fields in `kwargs`, OpenInference's in `message`.
  const message = isObject(value.kwargs) ? { ...value.kwargs, role: lastName(value.id) } : isObject(value.message) ? value.message : value;
  const type = typeof message.type === 'string' ? message.type : '';
  if (type === 'function_call' || type === 'function_call_output' || type === 'reasoning') {
    const draft: Draft = { parts: [], reasoning: [], calls: [], results: [] };
    addPart(type === 'reasoning' ? { type, text: summaryOf(message.summary) } : message, draft);
    return [...assembled('assistant', draft, {}), ...draft.results];
  }
  const named = firstText(message.role, type, message.__type);
  const role = ROLES[named] ?? (named || fallbackRole);
  const draft: Draft = { parts: [], reasoning: [], calls: [], results: [] };
  const content = looseJson(message.parts ?? message.contents ?? message.content ?? message.text);
  if (role === 'tool' && !Array.isArray(message.parts)) {
    const isResults = Array.isArray(content) && content.some((part) => isObject(part) && /result|response/.test(String(part.type)));
    if (!isResults) {
      const id = firstText(message.tool_call_id, message.toolCallId, message.id);
      const name = firstText(message.name);
      const whole = message.content ?? message.result ?? message.output;
      return [{ role, content: typeof whole === 'string' ? whole : plain(whole), tool_call_id: id, ...(name === '' ? {} : { name }) }];
    }
  }
  if (Array.isArray(content)) for (const part of content) addPart(part, draft);
  else if (typeof message.content === 'string') draft.parts.push({ type: 'text', text: message.content });
  else if (isObject(content) && (content.role !== undefined || content.parts !== undefined)) return oneMessage(content, role);
  else if (content !== undefined && content !== null) draft.parts.push({ type: 'text', text: text(content) });
  for (const calls of [message.tool_calls, message.toolCalls]) {
    if (!Array.isArray(calls)) continue;
    for (const call of calls) if (isObject(call)) draft.calls.push(toolCall(isObject(call.tool_call) ? call.tool_call : call));
  }
  const reasoning = firstText(message.reasoning_content, message.reasoning);
  if (reasoning !== '') draft.reasoning.push(reasoning);
  return [...assembled(role, draft, message), ...draft.results];
}

function plain(value: unknown): string {
  const draft: Draft = { parts: [], reasoning: [], calls: [], results: [] };
  if (!Array.isArray(value)) return text(value);
  for (const part of value) addPart(part, draft);
  const content = contentOf(draft.parts);
  return typeof content === 'string' ? content : text(value);
}

function summaryOf(summary: unknown): string {
  return Array.isArray(summary) ? summary.map((part) => (isObject(part) ? text(part.text) : '')).join('\n') : '';
}

function lastName(id: unknown): string {
  return Array.isArray(id) && typeof id.at(-1) === 'string' ? (id.at(-1) as string) : ''; // tested just before
}

function assembled(role: string, draft: Draft, message: JsonObject): HubMessage[] {
  const told = contentOf(draft.parts);
  // A message that only calls tools has no text, whether its sender writes null, an empty text or nothing.
  const content = told === '' && draft.calls.length > 0 ? null : told;
  const isEmpty = content === null && draft.calls.length === 0 && draft.reasoning.length === 0;
  // A message that held nothing but answers of tools has been taken apart into them.
  if (isEmpty && draft.results.length > 0) return [];
  const name = role === 'tool' ? '' : firstText(message.name);
  const toolCallId = firstText(message.tool_call_id);
  return [
    {
      role,
      content,
      ...(name === '' ? {} : { name }),
      ...(draft.reasoning.length === 0 ? {} : { reasoning_content: draft.reasoning.join('\n') }),
      ...(draft.calls.length === 0 ? {} : { tool_calls: draft.calls }),
      ...(toolCallId === '' ? {} : { tool_call_id: toolCallId }),
    },
  ];
}

const MAX_MESSAGES = 4_096;

function isMessage(value: unknown): value is JsonObject {
  return (
    isObject(value) &&
    (typeof value.role === 'string' ||
      Array.isArray(value.parts) ||
      isObject(value.kwargs) ||
      isObject(value.message) ||
      typeof value.content === 'string' ||
      Array.isArray(value.content) ||
      Array.isArray(value.tool_calls) ||
      value.type === 'function_call' ||
      value.type === 'function_call_output')
  );
}

/**
 * Messages of any known dialect in the hub's form.
 * @param fallbackRole of messages that do not name theirs
 * @returns null when the value is no list of messages
 */
export function hubMessages(value: unknown, fallbackRole: 'user' | 'assistant'): HubMessage[] | null {
  let list = looseJson(value);
  if (isMessage(list)) list = [list];
  // LangChain sends a list per prompt.
  if (Array.isArray(list) && list.length === 1 && Array.isArray(list[0])) list = list[0];
  if (!Array.isArray(list) || list.length === 0) return null;
  const messages = list.slice(0, MAX_MESSAGES).map(looseJson);
  if (!messages.every(isMessage)) return null;
  return messages.flatMap((message) => oneMessage(message, fallbackRole));
}

export function systemMessage(content: unknown): HubMessage | null {
  const value = looseJson(content);
  const given =
    typeof value === 'string' ? value : Array.isArray(value) ? plain(value) : isObject(value) ? firstText(value.content, value.text) : '';
  return given === '' ? null : { role: 'system', content: given };
}
