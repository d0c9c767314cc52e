import { parseJsonText } from '../../kernel/parse-json.ts';
import { canonicalJson } from '../cache/canonical-json.ts';

/** When a run counts as stuck; null = not looked for. */
export interface LoopBreakerSettings {
  readonly sameToolCalls: number | null;
  readonly sameAnswers: number | null;
}

/** Why a run is stopped, in words that an agent can act on. */
export interface LoopFinding {
  readonly kind: 'same_tool_call' | 'same_answer';
  readonly count: number;
  readonly message: string;
}

/** More of a conversation than any loop needs. */
const MAX_MESSAGES = 400;
const SHOWN_CHARACTERS = 200;

type Loose = Readonly<Record<string, unknown>>;

function object(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

/** Arguments that mean the same are the same: members in one order, no white space. What is no JSON stays as it is. */
function canonicalArguments(text: unknown): string {
  if (typeof text !== 'string') return canonicalJson(text ?? null);
  try {
    return canonicalJson(parseJsonText(text));
  } catch {
    return text.trim();
  }
}

/** `name(arguments)` of each tool call of a message. */
function toolCallsOf(message: Loose): string[] {
  if (!Array.isArray(message.tool_calls)) return [];
  return message.tool_calls.map((call) => {
    const { name, arguments: text } = object(object(call).function);
    return `${typeof name === 'string' ? name : ''}(${canonicalArguments(text)})`;
  });
}

function textOf({ content }: Loose): string {
  if (typeof content === 'string') return content.trim();
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => object(part).text)
    .filter((text) => typeof text === 'string')
    .join('\n')
    .trim();
}

function shown(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text;
}

/**
 * Looks at the steps since somebody last said something: an agent that calls a tool again and again with the same arguments, or says the same thing
 * again and again, makes no progress.
 * @param messages of a hub chat request
 */
export function findLoop(messages: unknown, settings: LoopBreakerSettings): LoopFinding | null {
  if (!Array.isArray(messages)) return null;
  const steps: Loose[] = [];
  for (let index = messages.length - 1; index >= 0 && steps.length < MAX_MESSAGES; index--) {
    const message = object(messages[index]);
    if (message.role === 'user') break;
    if (message.role === 'assistant') steps.push(message);
  }
  const [last] = steps;
  if (last === undefined) return null;
  return findSameToolCall(steps, last, settings.sameToolCalls) ?? findSameAnswer(steps, last, settings.sameAnswers);
}

/** @param steps the newest first */
function findSameToolCall(steps: readonly Loose[], last: Loose, most: number | null): LoopFinding | null {
  if (most === null) return null;
  const latest = new Set(toolCallsOf(last));
  if (latest.size === 0) return null;
  const counts = new Map<string, number>();
  for (const step of steps) {
    for (const call of toolCallsOf(step)) if (latest.has(call)) counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  for (const [call, count] of counts) {
    if (count < most) continue;
    return {
      kind: 'same_tool_call',
      count,
      message: `The tool call ${shown(call)} was made ${count} times in this run, and its result will not change by making it again. Say what you have found and what is missing, try something else, or ask the user.`,
    };
  }
  return null;
}

function findSameAnswer(steps: readonly Loose[], last: Loose, most: number | null): LoopFinding | null {
  const text = textOf(last);
  if (most === null || text === '') return null;
  let count = 0;
  while (count < steps.length && textOf(steps[count] as Loose) === text) count++;
  if (count < most) return null;
  return {
    kind: 'same_answer',
    count,
    message: `The same answer was given ${count} times in a row ("${shown(text)}"): the run makes no progress. Say what is missing, try something else, or ask the user.`,
  };
}
