import { parseJsonText } from '../../../kernel/parse-json.ts';
import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { cacheControl, contentBlocks, textBlock } from './content.ts';
import type { AnthropicMessage, Block, RedactedThinkingBlock, TextBlock, ThinkingBlock, ToolUseBlock } from './wire.ts';

export interface EncodedMessages {
  readonly system: TextBlock[];
  /** Starts with user; roles alternate strictly; every tool_use is answered at the start of the next message. */
  readonly messages: AnthropicMessage[];
  /** Names of the tools that the conversation has already called. */
  readonly calledTools: ReadonlySet<string>;
}

/** Anthropic wants tool ids of these characters, each used once in a conversation. */
const TOOL_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** One conversation on its way; a class because each message depends on what the ones before it left open. */
class Conversation {
  readonly system: TextBlock[] = [];
  readonly messages: AnthropicMessage[] = [];
  readonly calledTools = new Set<string>();
  readonly #warnings: Set<string>;
  readonly #usedIds = new Set<string>();
  /** OpenAI id → Anthropic id of the calls of the last assistant message that have no answer yet. */
  readonly #open = new Map<string, string>();

  constructor(warnings: Set<string>) {
    this.#warnings = warnings;
  }

  add(message: unknown, param: string): void {
    if (!isObject(message)) refuse(param, 'not a message');
    if (message.name !== undefined && message.name !== null)
      this.#warnings.add('messages[].name is not sent: Anthropic messages have no names');
    switch (message.role) {
      case 'system':
      case 'developer':
        this.#addSystem(message, param);
        break;
      case 'user':
        this.requireAnswers(param);
        this.#append('user', contentBlocks(message.content, `${param}.content`, ['image_url', 'file'], this.#warnings));
        break;
      case 'assistant':
        this.requireAnswers(param);
        this.#addAssistant(message, param);
        break;
      case 'tool':
        this.#addToolResult(message, param);
        break;
      default:
        refuse(`${param}.role`, `"${String(message.role)}" is not one of system, developer, user, assistant, tool`);
    }
  }

  /** @throws when a tool call has no answer where the next message begins, or at the end */
  requireAnswers(param: string): void {
    const [id] = this.#open.keys();
    if (id !== undefined)
      refuse(param, `the tool call "${id}" has no answer: a message with role "tool" and this tool_call_id must come first`);
  }

  #addSystem(message: JsonObject, param: string): void {
    // Anthropic has one system prompt, before the conversation; its own OpenAI endpoint moves later ones there too.
    if (this.messages.length > 0)
      this.#warnings.add('system messages inside the conversation were moved to the system prompt at its start');
    this.system.push(...contentBlocks(message.content, `${param}.content`, [], this.#warnings).filter((block) => block.type === 'text'));
  }

  #addAssistant(message: JsonObject, param: string): void {
    if (message.function_call !== undefined && message.function_call !== null)
      refuse(`${param}.function_call`, 'the old function calls are not translated; use tool_calls');
    if (message.audio !== undefined && message.audio !== null) refuse(`${param}.audio`, 'audio cannot be sent to an Anthropic model');
    const thinking = this.#thinkingBlocks(message);
    const text = contentBlocks(message.content, `${param}.content`, ['refusal'], this.#warnings);
    if (typeof message.refusal === 'string') text.push(...textBlock(message.refusal));
    const calls = message.tool_calls ?? [];
    if (!Array.isArray(calls)) refuse(`${param}.tool_calls`, 'an array is needed');
    this.#append('assistant', [...thinking, ...text, ...calls.map((call, index) => this.#toolUse(call, `${param}.tool_calls[${index}]`))]);
  }

  /** Thinking goes back only with its signature: in `thinking_blocks`, as our answers carry it. */
  #thinkingBlocks(message: JsonObject): (ThinkingBlock | RedactedThinkingBlock)[] {
    const blocks = Array.isArray(message.thinking_blocks) ? message.thinking_blocks.flatMap(thinkingBlock) : [];
    if (blocks.length === 0 && typeof message.reasoning_content === 'string')
      this.#warnings.add('reasoning_content is not sent back: Anthropic takes thinking only with its signature (thinking_blocks)');
    return blocks;
  }

  #toolUse(call: unknown, param: string): ToolUseBlock {
    if (!isObject(call) || typeof call.id !== 'string' || call.id === '') return refuse(`${param}.id`, 'a tool call needs an id');
    const { function: target } = call;
    if ((call.type ?? 'function') !== 'function' || !isObject(target) || typeof target.name !== 'string')
      return refuse(param, 'only calls of type "function" can be sent to an Anthropic model');
    if (this.#open.has(call.id)) return refuse(`${param}.id`, `"${call.id}" is used twice in one message`);
    const id = this.#uniqueId(call.id);
    this.#open.set(call.id, id);
    this.calledTools.add(target.name);
    return {
      type: 'tool_use',
      id,
      name: target.name,
      input: parseArguments(target.arguments, `${param}.function.arguments`),
      ...cacheControl(call),
    };
  }

  /** Other providers repeat ids between turns or use other characters; the history may come from them. */
  #uniqueId(id: string): string {
    const clean = TOOL_ID.test(id) ? id : id.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 100);
    let unique = clean;
    for (let attempt = 2; this.#usedIds.has(unique); attempt++) unique = `${clean.slice(0, 100)}_${attempt}`;
    this.#usedIds.add(unique);
    return unique;
  }

  #addToolResult(message: JsonObject, param: string): void {
    const asked = message.tool_call_id;
    const id = typeof asked === 'string' ? this.#open.get(asked) : undefined;
    if (typeof asked !== 'string' || id === undefined)
      refuse(`${param}.tool_call_id`, `"${String(asked)}" answers no open tool call of the assistant message before it`);
    this.#open.delete(asked);
    const blocks = contentBlocks(message.content, `${param}.content`, ['image_url', 'file'], this.#warnings);
    const [only] = blocks;
    const content = blocks.length === 1 && only?.type === 'text' && only.cache_control === undefined ? only.text : blocks;
    this.#append('user', [
      {
        type: 'tool_result',
        tool_use_id: id,
        ...(blocks.length > 0 ? { content } : {}),
        ...(message.is_error === true ? { is_error: true } : {}),
        ...cacheControl(message),
      },
    ]);
  }

  /** Neighbours of one role become one message; a message without content is left out. */
  #append(role: 'user' | 'assistant', blocks: Block[]): void {
    if (blocks.length === 0) return;
    const last = this.messages.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else this.messages.push({ role, content: blocks });
  }
}

function thinkingBlock(block: unknown): (ThinkingBlock | RedactedThinkingBlock)[] {
  if (!isObject(block)) return [];
  const { type, thinking, signature, data } = block;
  if (type === 'thinking' && typeof thinking === 'string' && typeof signature === 'string') return [{ type, thinking, signature }];
  return type === 'redacted_thinking' && typeof data === 'string' ? [{ type, data }] : [];
}

function parseArguments(text: unknown, param: string): JsonObject {
  if (text === '' || text === undefined || text === null) return {};
  if (typeof text !== 'string') return refuse(param, 'a string of JSON is needed');
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch (cause) {
    return refuse(param, `not valid JSON (${(cause as Error).message}); Anthropic takes tool arguments only as an object`);
  }
  return isObject(value) ? value : refuse(param, 'a JSON object is needed');
}

/** Anthropic refuses a last assistant message (a prefill) that ends in white space. */
function trimPrefill(messages: AnthropicMessage[]): void {
  const last = messages.at(-1);
  const block = last?.content.at(-1);
  if (last?.role !== 'assistant' || block?.type !== 'text') return;
  last.content[last.content.length - 1] = { ...block, text: block.text.trimEnd() };
}

/**
 * OpenAI messages → Anthropic's system prompt and alternating messages. Rules: all system and developer messages, wherever they stand, become
 * the system prompt, in order; neighbours of one role are merged; tool answers become one user message, with user text after them.
 * @throws PlimsollError `invalid_argument`
 */
export function encodeMessages(messages: unknown, warnings: Set<string>): EncodedMessages {
  if (!Array.isArray(messages)) return refuse('messages', 'an array is needed');
  const conversation = new Conversation(warnings);
  messages.forEach((message, index) => {
    conversation.add(message, `messages[${index}]`);
  });
  conversation.requireAnswers('messages');
  const [first] = conversation.messages;
  if (first === undefined) return refuse('messages', 'at least one user message with content is needed');
  if (first.role !== 'user') return refuse('messages', 'an Anthropic conversation must begin with a user message');
  trimPrefill(conversation.messages);
  return conversation;
}
