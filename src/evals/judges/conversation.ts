import type { JsonValue, Subject } from '../scorer.ts';

export interface Turn {
  readonly user: string;
  readonly assistant: string;
}

/** Text of a message; of a list of parts the texts. */
export function contentText(content: JsonValue): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return content === null ? '' : JSON.stringify(content);
  return (content as readonly JsonValue[])
    .map((part) => (typeof part === 'string' ? part : isText(part) ? part.text : ''))
    .filter((text) => text !== '')
    .join('\n');
}

function isText(part: JsonValue): part is { readonly text: string } {
  return typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string';
}

/**
 * What the user and the assistant said in turn, the output last. promptfoo's variable `_conversation` (a list of input and output) stands in for the
 * messages where it is given.
 */
export function turnsOf({ messages, variables, question, output }: Subject): Turn[] {
  const given = Object.hasOwn(variables, '_conversation') ? variables._conversation : undefined;
  if (Array.isArray(given) && given.length > 0)
    return (given as readonly JsonValue[]).map((turn) => ({ user: member(turn, 'input'), assistant: member(turn, 'output') }));
  const turns: Turn[] = [];
  let user: string[] = [];
  for (const message of messages) {
    if (message.role === 'user') user.push(contentText(message.content));
    else if (message.role === 'assistant' && contentText(message.content) !== '') {
      turns.push({ user: user.join('\n'), assistant: contentText(message.content) });
      user = [];
    }
  }
  // A recorded conversation may already end with the output.
  if (user.length === 0 && turns.at(-1)?.assistant === output) return turns;
  return [...turns, { user: user.length > 0 ? user.join('\n') : question, assistant: output }];
}

function member(turn: JsonValue, name: string): string {
  if (typeof turn !== 'object' || turn === null || Array.isArray(turn)) return '';
  const value = (turn as Readonly<Record<string, JsonValue>>)[name];
  return value === undefined ? '' : contentText(value);
}

export function transcript(turns: readonly Turn[]): string {
  return turns.map(({ user, assistant }, index) => `[${index + 1}] User: ${user}\n[${index + 1}] Assistant: ${assistant}`).join('\n\n');
}

/** What an agent did: its spans in time order, else its tool calls; null when neither was recorded. */
export function trajectoryOf({ spans, toolCalls }: Subject): string | null {
  const all = spans ?? [];
  const ofAgent = all.filter(({ operation, toolName }) => operation !== null || toolName !== null);
  const steps = [...(ofAgent.length > 0 ? ofAgent : all)]
    .sort((a, b) => a.startMs - b.startMs)
    .map(({ name, operation, toolName, toolArguments, isError }) => {
      const what = toolName === null ? `${operation ?? 'step'} ${name}` : `tool ${toolName} ${JSON.stringify(toolArguments)}`;
      return isError ? `${what} (failed)` : what;
    });
  const lines = steps.length > 0 ? steps : toolCalls.map((call) => `tool ${call.name} ${JSON.stringify(call.arguments)}`);
  return lines.length === 0 && spans === null ? null : lines.map((step, index) => `${index + 1}. ${step}`).join('\n');
}
