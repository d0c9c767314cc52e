import { parseJsonText } from '../kernel/parse-json.ts';

const PREVIEW_CHARACTERS = 200;

/** First 200 characters. */
export function cutPreview(text: string): string {
  // A cut may halve a surrogate pair; half a pair is not valid UTF-8.
  return text.slice(0, PREVIEW_CHARACTERS).toWellFormed();
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text of a message's content: a string, or the text parts of a list (Gemini's `parts` are such a list). */
function contentText(content: unknown): string {
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

/**
 * First 200 characters of the last user message of a request body (JSON text).
 * @param isPreview the text is the preview already (policy `preview`)
 */
export function inputPreview(input: string, isPreview: boolean): string {
  if (isPreview) return cutPreview(input);
  const body = parse(input);
  if (body === undefined) return cutPreview(lastContentOfCutJson(input));
  if (!isRecord(body)) return '';
  // OpenAI's chat and Anthropic; OpenAI's responses, which take a text too; Gemini, where no role means user.
  const conversation = body.messages ?? body.input ?? body.contents;
  if (typeof conversation === 'string') return cutPreview(conversation);
  if (!Array.isArray(conversation)) return '';
  const last = conversation.findLast(
    (message) => isRecord(message) && (message.role === 'user' || (message.role === undefined && message.parts !== undefined)),
  );
  return isRecord(last) ? cutPreview(contentText(last.content ?? last.parts)) : '';
}

/** First 200 characters of the first answer of a list of messages (JSON text); for a tool call, its name and arguments. */
export function outputPreview(output: string, isPreview: boolean): string {
  if (isPreview) return cutPreview(output);
  const messages = parse(output);
  if (messages === undefined) return cutPreview(lastContentOfCutJson(output));
  const first: unknown = Array.isArray(messages) ? messages[0] : messages;
  if (!isRecord(first)) return '';
  const text = contentText(first.content);
  if (text !== '') return cutPreview(text);
  const call: unknown = Array.isArray(first.tool_calls) ? first.tool_calls[0] : null;
  const called = isRecord(call) && isRecord(call.function) ? call.function : null;
  return called ? cutPreview(`${String(called.name)}(${String(called.arguments)})`) : '';
}
