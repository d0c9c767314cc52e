import { parseJsonText } from '../../kernel/parse-json.ts';
import { contentText, isRecord } from '../preview.ts';
import type { ReplayComparison } from './model.ts';

/** More says nothing new of two texts. */
const MAX_COMPARED_CHARACTERS = 200_000;

/** Name and arguments, whose ids differ from call to call. */
function toolCallText(call: unknown): string {
  const fn = isRecord(call) && isRecord(call.function) ? call.function : {};
  return `${String(fn.name ?? '')}(${typeof fn.arguments === 'string' ? fn.arguments : JSON.stringify(fn.arguments ?? null)})`;
}

/** Text and tool calls of an answer (JSON list of messages); null when it is no such list, e.g. a preview. */
export function answerText(output: string | null): string | null {
  if (output === null) return null;
  let messages: unknown;
  try {
    messages = parseJsonText(output);
  } catch {
    return null;
  }
  if (!Array.isArray(messages)) return null;
  return messages
    .map((message) => {
      if (!isRecord(message)) return '';
      const calls = Array.isArray(message.tool_calls) ? message.tool_calls.map(toolCallText) : [];
      return [contentText(message.content), ...calls].filter((text) => text !== '').join('\n');
    })
    .join('\n\n');
}

function wordCounts(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

/** Dice coefficient of two bags of words: 2·|A∩B| / (|A|+|B|); 1 when both are empty. */
export function wordOverlap(a: string, b: string): number {
  const [left, right] = [wordCounts(a.slice(0, MAX_COMPARED_CHARACTERS)), wordCounts(b.slice(0, MAX_COMPARED_CHARACTERS))];
  const size = total(left) + total(right);
  if (size === 0) return 1;
  let common = 0;
  for (const [word, count] of left) common += Math.min(count, right.get(word) ?? 0);
  return (2 * common) / size;
}

/** @returns null when either answer was not kept in full */
export function compareAnswers(recorded: string | null, replayed: string | null): ReplayComparison | null {
  const [a, b] = [answerText(recorded), answerText(replayed)];
  if (a === null || b === null) return null;
  return { isSameText: a === b, wordOverlap: wordOverlap(a, b) };
}
