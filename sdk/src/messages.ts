import { field, list, text } from './loose.ts';

/** Longest text of one side of a call that is kept. */
const MAX_CHARACTERS = 32_000;

type Part =
  | { readonly type: 'text'; readonly content: string }
  | { readonly type: 'tool_call'; readonly name: string; readonly arguments: unknown };

/** Text parts of a message; images and files are left out. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((part) => (typeof part === 'string' ? part : (text(field(part, 'text')) ?? text(field(part, 'refusal')) ?? '')))
    .filter((part) => part !== '')
    .join('\n');
}

function parts(message: unknown): Part[] {
  const words = textOf(field(message, 'content'));
  const calls = [
    ...list(field(message, 'tool_calls')),
    ...list(field(message, 'content')).filter((part) => field(part, 'type') === 'tool_use'),
  ];
  return [
    ...(words === '' ? [] : [{ type: 'text', content: words } as const]),
    ...calls.map((call) => {
      const called = field(call, 'function') ?? call;
      return {
        type: 'tool_call',
        name: text(field(called, 'name')) ?? '',
        arguments: field(called, 'arguments') ?? field(called, 'input') ?? null,
      } as const;
    }),
  ];
}

/** JSON as OpenTelemetry's GenAI conventions have it. The newest messages stay when all of them are too long. */
export function toMessages(messages: readonly unknown[]): string | null {
  const kept: unknown[] = [];
  let characters = 0;
  for (const message of [...messages].reverse()) {
    const own = { role: text(field(message, 'role')) ?? 'user', parts: parts(message) };
    let size = JSON.stringify(own).length;
    if (characters + size > MAX_CHARACTERS) {
      if (kept.length > 0) break;
      const cut = own.parts.find((part) => part.type === 'text')?.content.slice(0, MAX_CHARACTERS) ?? '';
      own.parts.splice(0, own.parts.length, { type: 'text', content: cut });
      size = cut.length;
    }
    kept.unshift(own);
    characters += size;
  }
  return kept.length === 0 ? null : JSON.stringify(kept);
}

/** Texts of a stream as they come, up to the limit. */
export class TextCollector {
  #text = '';

  add(piece: unknown): void {
    if (typeof piece === 'string' && this.#text.length < MAX_CHARACTERS) this.#text += piece;
  }

  messages(): string | null {
    return this.#text === '' ? null : toMessages([{ role: 'assistant', content: this.#text.slice(0, MAX_CHARACTERS) }]);
  }
}
