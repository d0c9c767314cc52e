import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Call } from '../call.ts';
import type { OpenAiAnswer } from './openai-answer.ts';

/** A message with something in it is nearly always longer than this; a longer one is not looked into. */
const MAX_EMPTY_MESSAGE_BYTES = 240;
/** Members of a message that are no answer by themselves. */
const NO_ANSWER = new Set(['role', 'annotations', 'name', 'id', 'object']);

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return Array.isArray(value) ? value.every(isNothing) : typeof value === 'object' && Object.values(value).every(isNothing);
}

/** Whether an answer claims to be complete and holds nothing: no choice at all, or only empty ones that ended by themselves. */
export function isEmptyAnswer(bytes: Buffer, { messages, finishReasons }: OpenAiAnswer): boolean {
  if (messages.length === 0) return true;
  if (finishReasons.some((reason) => reason !== 'stop')) return false;
  for (const [start, end] of messages) {
    if (end - start > MAX_EMPTY_MESSAGE_BYTES) return false;
    const message: unknown = parseJsonText(bytes.toString('utf8', start, end));
    if (typeof message !== 'object' || message === null) continue;
    for (const [name, value] of Object.entries(message)) if (!NO_ANSWER.has(name) && !isNothing(value)) return false;
  }
  return true;
}

/** After a tool's result a model may have nothing to add: then silence is its answer. Looks at the whole request: for the rare case only. */
export function mayAnswerNothing(call: Call): boolean {
  // A text completion may have nothing to add to its prompt.
  if (call.operation !== 'chat') return true;
  let messages: unknown;
  try {
    ({ messages } = call.hubRequest());
  } catch {
    return true; // a request that only its own dialect can say: what it ended with is not known
  }
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : null;
  return typeof last === 'object' && last !== null && 'role' in last && (last.role === 'tool' || last.role === 'function');
}
