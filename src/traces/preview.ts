import { parseJsonText } from '../kernel/parse-json.ts';

const PREVIEW_CHARACTERS = 200;

/** First 200 characters. */
export function cutPreview(text: string): string {
  // A cut may halve a surrogate pair; half a pair is not valid UTF-8.
  return text.slice(0, PREVIEW_CHARACTERS).toWellFormed();
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text of a message's content: a string, or the text parts of a list (Gemini's `parts` are such a list). */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isRecord(part) && typeof part.text === 'string' ? part.text : '')).join('');
}

function parse(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return undefined; // cut at the payload limit; the caller falls back to the last text inside
  }
}

/** The last `"content": "…` of a JSON text that was cut off, decoded as far as it goes. */
function lastContentOfCutJson(text: string): string {
  const start = [...text.matchAll(/"content"\s*:\s*"/g)].at(-1);
  if (!start) return '';
  const rest = text.slice(start.index + start[0].length, start.index + start[0].length + PREVIEW_CHARACTERS * 6);
  const raw = /^(?:[^"\\]|\\u[0-9a-fA-F]{4}|\\[^u])*/.exec(rest)?.[0] ?? '';
  const decoded = parse(`"${raw}"`);
  return typeof decoded === 'string' ? decoded : '';
}

/** What a text is about: for lists, and for the search. */
export interface ReadText {
  /** First 200 characters of the last user message, or of the answer. */
  readonly preview: string;
  /** What is new in it, as words: the messages since the last answer, or the answer. What a client only sends again is found where it was new. */
  readonly search: string;
}

/** Longest text of one direction that can be searched. */
const SEARCHED_CHARACTERS = 16_384;
const NOTHING: ReadText = { preview: '', search: '' };

function searchable(text: string): string {
  return text.slice(0, SEARCHED_CHARACTERS).toWellFormed();
}

export function readPlain(text: string): ReadText {
  return { preview: cutPreview(text), search: searchable(text) };
}

function calledTools(message: Record<string, unknown>): string[] {
  if (!Array.isArray(message.tool_calls)) return [];
  return message.tool_calls.flatMap((call: unknown) =>
    isRecord(call) && isRecord(call.function) ? [`${String(call.function.name)}(${String(call.function.arguments)})`] : [],
  );
}

function isAnswer(message: unknown): boolean {
  return isRecord(message) && (message.role === 'assistant' || message.role === 'model');
}

/** Messages of a request in any dialect's form. */
export function readInputMessages(messages: readonly unknown[]): ReadText {
  const isUser = (message: unknown): message is Record<string, unknown> =>
    isRecord(message) && (message.role === 'user' || (message.role === undefined && message.parts !== undefined));
  const last = messages.findLast(isUser);
  const preview = last === undefined ? '' : contentText(last.content ?? last.parts);
  const isNew = (message: unknown): message is Record<string, unknown> =>
    isRecord(message) && message.role !== 'system' && message.role !== 'developer';
  const fresh = messages.slice(messages.findLastIndex(isAnswer) + 1).filter(isNew);
  const text = fresh.map((message) => contentText(message.content ?? message.parts)).join('\n');
  return { preview: cutPreview(preview), search: searchable(text.trim() === '' ? preview : text) };
}

/** Messages of an answer. For a tool call, its name and arguments. */
export function readOutputMessages(messages: readonly unknown[]): ReadText {
  const [first] = messages;
  if (!isRecord(first)) return NOTHING;
  const text = contentText(first.content);
  const tools = calledTools(first);
  return { preview: cutPreview(text === '' ? (tools[0] ?? '') : text), search: searchable([text, ...tools].join('\n').trim()) };
}

/**
 * A request body (JSON text).
 * @param isPreview the text is the preview already (policy `preview`)
 */
export function readInput(input: string, isPreview: boolean): ReadText {
  if (isPreview) return readPlain(input);
  const body = parse(input);
  if (body === undefined) return readPlain(lastContentOfCutJson(input));
  if (!isRecord(body)) return NOTHING;
  // OpenAI's chat and Anthropic; OpenAI's responses, which take a text too; Gemini, where no role means user.
  const conversation = body.messages ?? body.input ?? body.contents;
  if (typeof conversation === 'string') return readPlain(conversation);
  return Array.isArray(conversation) ? readInputMessages(conversation) : NOTHING;
}

/** A list of messages answered (JSON text). */
export function readOutput(output: string, isPreview: boolean): ReadText {
  if (isPreview) return readPlain(output);
  const messages = parse(output);
  if (messages === undefined) return readPlain(lastContentOfCutJson(output));
  return readOutputMessages(Array.isArray(messages) ? messages : [messages]);
}
