import type { CompiledEndpoint } from '../compiled-snapshot.ts';
import type { OutputJudgement } from './output-rules.ts';

/** A longer answer is not sent back: it would cost more than asking anew. */
const MAX_RETURNED_CHARACTERS = 200_000;

/** Whether a target can be asked again with other messages than the client's: its request is built from the hub's form. */
export function canRepair({ endpoint }: CompiledEndpoint): boolean {
  return endpoint.dialect === 'openai-chat' || endpoint.encodeRequest !== null;
}

/**
 * What is said to a model whose answer was invalid: its own answer, then what is wrong with it, in the hub's form. Null when it cannot be
 * said: several answers at once, or one that is too long.
 */
export function repairMessages({ messages, errors }: OutputJudgement): readonly unknown[] | null {
  const [message] = messages;
  if (message === undefined || messages.length > 1 || JSON.stringify(message).length > MAX_RETURNED_CHARACTERS) return null;
  const said = { role: 'assistant', content: message.content ?? null };
  const wrong = errors.join('; ');
  if (!Array.isArray(message.tool_calls) || message.tool_calls.length === 0)
    return [
      said,
      { role: 'user', content: `This answer is not valid: ${wrong}. Give the whole answer again, corrected, as JSON and nothing else.` },
    ];
  // Each call of a tool wants its result before anything else may be said.
  const results = message.tool_calls.map((call: unknown) => ({
    role: 'tool',
    tool_call_id: typeof call === 'object' && call !== null && 'id' in call ? call.id : null,
    content: `Not called: ${wrong}. Call again with arguments that satisfy the parameters of the tool.`,
  }));
  return [{ ...said, tool_calls: message.tool_calls }, ...results];
}
