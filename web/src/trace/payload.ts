import { parsePartialJson } from './partial-json.ts';

export type MessagePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refusal'; readonly text: string }
  | { readonly kind: 'media'; readonly label: string; readonly detail: string }
  | { readonly kind: 'toolCall'; readonly id: string; readonly name: string; readonly arguments: string }
  | { readonly kind: 'other'; readonly json: string };

export interface ChatMessage {
  readonly role: string;
  /** Name of the speaker or id of the tool call answered, when given. */
  readonly label: string | null;
  readonly parts: readonly MessagePart[];
}

export type Payload =
  | { readonly kind: 'none' }
  | { readonly kind: 'preview'; readonly text: string }
  | {
      readonly kind: 'chat';
      readonly messages: readonly ChatMessage[];
      /** Names of the tools offered to the model. */
      readonly tools: readonly string[];
      /** Every other field of the body, e.g. `temperature`. */
      readonly parameters: Readonly<Record<string, unknown>>;
      readonly isCut: boolean;
    }
  | { readonly kind: 'documents'; readonly documents: readonly PayloadDocument[]; readonly isCut: boolean }
  | { readonly kind: 'json'; readonly value: unknown; readonly isCut: boolean };

/** What a retriever gave. */
export interface PayloadDocument {
  readonly id: string | null;
  readonly score: number | null;
  readonly text: string;
}

/**
 * Reads a span's input or output: the request body of any client (OpenAI's chat and responses, Anthropic, Gemini), a list of messages, other JSON, a
 * plain preview, or nothing.
 */
export function parsePayload(text: string | null): Payload {
  if (text === null || text === '') return { kind: 'none' };
  const parsed = parsePartialJson(text);
  if (parsed === null || typeof parsed.value !== 'object' || parsed.value === null) return { kind: 'preview', text };
  const { value, isCut } = parsed;
  if (Array.isArray(value)) {
    const messages = value.map(unwrapChoice);
    if (messages.length > 0 && messages.every(isMessage))
      return { kind: 'chat', messages: messages.map(toMessage), tools: [], parameters: {}, isCut };
    return { kind: 'json', value, isCut };
  }
  const body = value as Readonly<Record<string, unknown>>; // an object: the list case returned above
  const list = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.messages ?? body.input ?? body.contents);
  if (Array.isArray(body.documents) && list === undefined)
    return { kind: 'documents', documents: body.documents.filter(isObject).map(toDocument), isCut };
  if (!Array.isArray(list)) {
    if (isMessage(body)) return { kind: 'chat', messages: [toMessage(body)], tools: [], parameters: {}, isCut };
    return { kind: 'json', value, isCut };
  }
  const { messages: _messages, input: _input, contents: _contents, tools, ...rest } = body;
  const { system, instructions, systemInstruction, ...parameters } = rest;
  const prompt = system ?? instructions ?? (isObject(systemInstruction) ? systemInstruction.parts : systemInstruction);
  const messages = list.filter(isObject).map(toMessage);
  if (prompt !== undefined && prompt !== null) messages.unshift(toMessage({ role: 'system', content: prompt }));
  return { kind: 'chat', messages, tools: toolNames(tools), parameters, isCut };
}

function toDocument({ id, score, content, ...rest }: Readonly<Record<string, unknown>>): PayloadDocument {
  return {
    id: typeof id === 'string' ? id : null,
    score: typeof score === 'number' ? score : null,
    text: typeof content === 'string' ? content : pretty(rest.metadata ?? null),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An answer may be stored as the message or as the choice around it. */
function unwrapChoice(value: unknown): unknown {
  return isObject(value) && isObject(value.message) ? value.message : value;
}

function isMessage(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && (typeof value.role === 'string' || 'content' in value || 'tool_calls' in value);
}

function toMessage(message: Readonly<Record<string, unknown>>): ChatMessage {
  if (message.type === 'function_call') return { role: 'assistant', label: null, parts: [toToolCall({ ...message, id: message.call_id })] };
  if (message.type === 'function_call_output')
    return { role: 'tool', label: String(message.call_id ?? ''), parts: contentParts(message.output) };
  const parts = [...contentParts(message.content ?? message.parts)];
  if (typeof message.refusal === 'string' && message.refusal !== '') parts.push({ kind: 'refusal', text: message.refusal });
  if (Array.isArray(message.tool_calls)) parts.push(...message.tool_calls.filter(isObject).map(toToolCall));
  const label = message.tool_call_id ?? message.name;
  return { role: typeof message.role === 'string' ? message.role : 'assistant', label: typeof label === 'string' ? label : null, parts };
}

function contentParts(content: unknown): MessagePart[] {
  if (content === null || content === undefined || content === '') return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  if (!Array.isArray(content)) return [{ kind: 'other', json: pretty(content) }];
  return content.map(toPart);
}

function toPart(part: unknown): MessagePart {
  if (typeof part === 'string') return { kind: 'text', text: part };
  if (!isObject(part)) return { kind: 'other', json: pretty(part) };
  if (typeof part.text === 'string') return { kind: 'text', text: part.text };
  if (part.type === 'refusal' && typeof part.refusal === 'string') return { kind: 'refusal', text: part.refusal };
  if (part.type === 'image_url')
    return { kind: 'media', label: 'Image', detail: describeUrl(isObject(part.image_url) ? part.image_url.url : part.image_url) };
  if (part.type === 'tool_use') return toToolCall(part);
  if (isObject(part.functionCall)) return toToolCall({ ...part.functionCall, input: part.functionCall.args });
  if (part.type === 'input_image') return { kind: 'media', label: 'Image', detail: describeUrl(part.image_url) };
  if (part.type === 'image' && isObject(part.source)) return { kind: 'media', label: 'Image', detail: describeSource(part.source) };
  if (isObject(part.inlineData)) return { kind: 'media', label: 'File', detail: String(part.inlineData.mimeType ?? '') };
  if (part.type === 'input_audio')
    return { kind: 'media', label: 'Audio', detail: isObject(part.input_audio) ? String(part.input_audio.format ?? '') : '' };
  if (part.type === 'file')
    return { kind: 'media', label: 'File', detail: isObject(part.file) ? String(part.file.filename ?? part.file.file_id ?? '') : '' };
  return { kind: 'other', json: pretty(part) };
}

/** Of Anthropic's images. */
function describeSource(source: Readonly<Record<string, unknown>>): string {
  return source.type === 'base64' ? `${String(source.media_type ?? 'data')} inline` : describeUrl(source.url);
}

/** `image/png, 12 KB inline` or the host of a remote image. */
function describeUrl(url: unknown): string {
  if (typeof url !== 'string') return '';
  const data = /^data:([^;,]*)/.exec(url);
  if (data) return `${data[1] || 'data'}, ${Math.ceil((url.length * 0.75) / 1024)} KB inline`;
  try {
    return new URL(url).host;
  } catch {
    return url.slice(0, 80);
  }
}

function toToolCall(call: Readonly<Record<string, unknown>>): MessagePart {
  const called = isObject(call.function) ? call.function : call;
  const given = called.arguments ?? called.input ?? '';
  const parsed = typeof given === 'string' ? parsePartialJson(given) : null;
  return {
    kind: 'toolCall',
    id: String(call.id ?? ''),
    name: String(called.name ?? 'unnamed'),
    arguments: parsed ? pretty(parsed.value) : typeof given === 'string' ? given : pretty(given),
  };
}

function toolNames(tools: unknown): string[] {
  if (!Array.isArray(tools)) return [];
  return tools
    .filter(isObject)
    .flatMap((tool) => (Array.isArray(tool.functionDeclarations) ? tool.functionDeclarations.filter(isObject) : [tool]))
    .map((tool) => String((isObject(tool.function) ? tool.function.name : tool.name) ?? tool.type ?? 'unnamed'));
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? String(value);
}

/** Indented JSON of a stored text; the text itself when it is none or was cut. */
export function prettyPayload(text: string): string {
  try {
    return pretty(JSON.parse(text));
  } catch {
    return text;
  }
}
