import type { Call } from '../call.ts';

/** What routing looks at in a request, whatever its dialect. */
export interface PromptView {
  /** Text of the last user message, its parts joined, cut to `MAX_TEXT_CHARACTERS`. */
  readonly text: string;
  /** UTF-16 code units of the last user message before it was cut. */
  readonly textCharacters: number;
  readonly systemCharacters: number;
  /** Of all messages but system and the last user's. */
  readonly historyCharacters: number;
  /** User messages. */
  readonly turns: number;
  readonly tools: number;
  readonly images: number;
  /** A structured answer is asked for. */
  readonly wantsStructure: boolean;
}

/** Beyond this a text is long, whatever else is in it. */
const MAX_TEXT_CHARACTERS = 6_000;

type Loose = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null;
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('\n');
}

function imagesIn(content: unknown): number {
  if (!Array.isArray(content)) return 0;
  return content.filter((part) => isObject(part) && typeof part.type === 'string' && part.type.includes('image')).length;
}

/** @param hub a chat request in the hub's dialect; anything may be missing */
export function viewPrompt(hub: Loose): PromptView {
  const messages = Array.isArray(hub.messages) ? (hub.messages as unknown[]).filter(isObject) : [];
  const last = messages.findLast(({ role }) => role === 'user');
  const text = textOf(last?.content);
  let systemCharacters = 0;
  let historyCharacters = 0;
  let turns = 0;
  let images = 0;
  for (const message of messages) {
    images += imagesIn(message.content);
    if (message.role === 'user') turns++;
    if (message === last) continue;
    const characters = textOf(message.content).length;
    if (message.role === 'system' || message.role === 'developer') systemCharacters += characters;
    else historyCharacters += characters;
  }
  const format = hub.response_format;
  return {
    text: text.slice(0, MAX_TEXT_CHARACTERS),
    textCharacters: text.length,
    systemCharacters,
    historyCharacters,
    turns,
    tools: Array.isArray(hub.tools) ? hub.tools.length : 0,
    images,
    wantsStructure: isObject(format) && format.type !== 'text',
  };
}

/** Null for what is no chat, and for a request that the hub's dialect cannot say: it may still be forwarded, only nothing can be read from it. */
export function viewCall(call: Call): PromptView | null {
  if (call.operation !== 'chat') return null;
  try {
    return viewPrompt(call.hubRequest());
  } catch {
    return null; // whoever has to translate it will say what is wrong
  }
}
