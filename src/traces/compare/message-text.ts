import { parseJsonText } from '../../kernel/parse-json.ts';
import { isRecord } from '../preview.ts';

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? String(value);
}

/** JSON inside of a string, as tools' arguments are, in lines of its own. */
function prettyText(text: string): string {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return pretty(parseJsonText(text));
  } catch {
    return text;
  }
}

function partText(part: unknown): string {
  if (typeof part === 'string') return part;
  if (isRecord(part) && typeof part.text === 'string') return part.text;
  return pretty(part);
}

function callText(call: unknown): string {
  if (!isRecord(call)) return pretty(call);
  const called = isRecord(call.function) ? call.function : call;
  const given = called.arguments ?? called.input;
  return `${String(called.name ?? 'unnamed')} ${typeof given === 'string' ? prettyText(given) : pretty(given ?? null)}`;
}

function contentLines(content: unknown): string[] {
  if (content === undefined || content === null) return [];
  return Array.isArray(content) ? content.map(partText) : [partText(content)];
}

function messageText(given: unknown): string {
  const message = isRecord(given) && isRecord(given.message) ? given.message : given;
  if (!isRecord(message)) return pretty(given);
  const role = typeof message.role === 'string' ? message.role : typeof message.type === 'string' ? message.type : 'assistant';
  const known = [
    ...contentLines(message.content ?? message.parts ?? message.output),
    ...(typeof message.refusal === 'string' ? [message.refusal] : []),
    ...(Array.isArray(message.tool_calls) ? message.tool_calls.map(callText) : []),
    ...(message.type === 'function_call' ? [callText(message)] : []),
  ];
  return [`[${role}]`, ...known].join('\n');
}

/**
 * Input or output of a span as lines that people compare: each message under its role, what else the request held as sorted JSON.
 * A text that is no JSON (a preview, one that was cut) stands as it is.
 */
export function messageLines(text: string): string {
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch {
    return text;
  }
  if (Array.isArray(value)) return value.map(messageText).join('\n\n');
  if (!isRecord(value)) return typeof value === 'string' ? value : text;
  const { messages, input, contents, system, instructions, systemInstruction, ...rest } = value;
  const list = messages ?? contents ?? (typeof input === 'string' ? [{ role: 'user', content: input }] : input);
  if (!Array.isArray(list)) return pretty(value);
  const prompt = system ?? instructions ?? (isRecord(systemInstruction) ? systemInstruction.parts : systemInstruction);
  const parameters = Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  return [
    ...(prompt === undefined || prompt === null ? [] : [messageText({ role: 'system', content: prompt })]),
    ...list.map(messageText),
    ...(Object.keys(parameters).length === 0 ? [] : [`[request]\n${pretty(parameters)}`]),
  ].join('\n\n');
}
