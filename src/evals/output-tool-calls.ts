import { isObject } from '../datasets/json-value.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import type { JsonValue, Subject, ToolCall } from './scorer.ts';

type JsonObject = { readonly [name: string]: JsonValue };

function read(text: string): JsonValue | undefined {
  try {
    return parseJsonText(text) as JsonValue; // what JSON holds
  } catch {
    return undefined;
  }
}

/** Own members only: `__proto__` and `constructor` are names like others. */
function member(of: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

function call(name: JsonValue | undefined, given: JsonValue | undefined): ToolCall[] {
  if (typeof name !== 'string') return [];
  const parsed = typeof given === 'string' ? (read(given) ?? given) : (given ?? null);
  return [{ name, arguments: parsed }];
}

/** One part of an answer in the form of OpenAI, Anthropic or Google, or a plain `{ name }`. */
function callsOfPart(part: JsonValue): ToolCall[] {
  if (!isObject(part)) return [];
  const [inner, google] = [member(part, 'function'), member(part, 'functionCall')];
  if (isObject(inner)) return call(member(inner, 'name'), member(inner, 'arguments'));
  if (isObject(google)) return call(member(google, 'name'), member(google, 'args'));
  return call(member(part, 'name'), member(part, 'arguments') ?? member(part, 'input') ?? member(part, 'args'));
}

function callsOf(value: JsonValue): ToolCall[] {
  if (Array.isArray(value)) return value.flatMap(callsOfPart);
  if (!isObject(value)) return [];
  const calls = member(value, 'tool_calls');
  if (Array.isArray(calls)) return calls.flatMap(callsOfPart);
  const live = member(value, 'toolCall');
  const named = isObject(live) ? member(live, 'functionCalls') : undefined;
  if (Array.isArray(named)) return named.flatMap(callsOfPart);
  const single = member(value, 'function_call');
  if (isObject(single)) return call(member(single, 'name'), member(single, 'arguments'));
  const isCall = member(value, 'type') === 'tool_use' || isObject(member(value, 'functionCall'));
  return isCall ? callsOfPart(value) : [];
}

/** The tools that an answer calls: those of the run, else those that its text holds as JSON, whole or on lines of their own. */
export function toolCallsOf({ toolCalls, output }: Pick<Subject, 'toolCalls' | 'output'>): readonly ToolCall[] {
  if (toolCalls.length > 0) return toolCalls;
  const whole = read(output);
  if (whole !== undefined) return callsOf(whole);
  return output.split('\n').flatMap((line) => {
    const value = /^\s*[[{]/.test(line) ? read(line) : undefined;
    return value === undefined ? [] : callsOf(value);
  });
}
