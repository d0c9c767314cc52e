import { isObject } from '../../hub/json.ts';
import type { ClassifiedError } from '../../provider.ts';
import { classifyOpenAiError } from '../openai/errors.ts';

/** `{ detail: [{ loc, msg }] }` of a request that does not fit the schema, as text; null when it is none. */
function validationText(detail: unknown): string | null {
  if (!Array.isArray(detail)) return null;
  const lines = detail.flatMap((entry: unknown) => {
    if (!isObject(entry) || typeof entry.msg !== 'string') return [];
    return [`${Array.isArray(entry.loc) ? `${entry.loc.join('.')}: ` : ''}${entry.msg}`];
  });
  return lines.length === 0 ? null : lines.join('; ');
}

/** Mistral's errors are OpenAI's, but for lists of what is wrong with a request, which may also stand where the message should. */
export function classifyMistralError(status: number, body: string): ClassifiedError {
  try {
    const parsed: unknown = JSON.parse(body);
    if (isObject(parsed)) {
      const details = validationText(parsed.detail) ?? (isObject(parsed.message) ? validationText(parsed.message.detail) : null);
      if (details !== null) return classifyOpenAiError(status, JSON.stringify({ message: details }));
    }
  } catch {
    // Not JSON: its status says enough.
  }
  return classifyOpenAiError(status, body);
}
