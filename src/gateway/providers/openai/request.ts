import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { ChatTranslation } from '../../provider.ts';

/** What a server of OpenAI's chat format takes besides the plain format. */
export interface ChatFormatTraits {
  /**
   * True for OpenAI's own servers. They want `max_completion_tokens`; most others know `max_tokens` only, no role "developer" and nothing that
   * OpenAI added later.
   */
  readonly isOpenAi: boolean;
  /** Which models reason and refuse sampling parameters; null = the server decides what it takes. */
  readonly isReasoningModel: ((upstreamModel: string) => boolean) | null;
  /** Longest `user`, in characters; a longer one is sent as its hash. */
  readonly maxUserCharacters: number;
}

/** o1, o3-mini, o4-mini, gpt-5 and later, also fine-tuned; gpt-5-chat does not reason. */
export function isOpenAiReasoningModel(model: string): boolean {
  const name = model.replace(/^ft:/, '');
  return /^(o\d|gpt-([5-9]|\d\d)|codex)/.test(name) && !/^gpt-[\d.]+-chat/.test(name);
}

/**
 * Members of the hub that no server of OpenAI's chat format takes from a translated request. `metadata` became the call's tags; OpenAI takes it
 * only with `store`.
 */
const FOREIGN = ['thinking', 'top_k', 'metadata'] as const;
/** Members that only OpenAI's own servers know. */
const OPENAI_ONLY = ['prompt_cache_key', 'safety_identifier', 'verbosity', 'service_tier'] as const;
const SAMPLING = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty'] as const;

/** A content part, tool or tool call without what it holds for other providers. */
function plainPart(part: unknown): unknown {
  if (!isObject(part) || (part.cache_control === undefined && part.extra_content === undefined)) return part;
  const { cache_control: _control, extra_content: _extra, ...rest } = part;
  return rest;
}

/** Text parts alone become one string: the form that every server takes. */
function plainContent(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  const texts: string[] = [];
  for (const part of content) {
    if (!isObject(part) || part.type !== 'text' || typeof part.text !== 'string') return content.map(plainPart);
    texts.push(part.text);
  }
  return texts.join('\n\n');
}

/** Messages without what only other dialects hold. */
class PlainMessages {
  readonly messages: JsonObject[] = [];
  readonly #traits: ChatFormatTraits;
  readonly #warnings: Set<string>;
  /** Media of tool answers, which wait for the end of a run of tool messages. */
  #media: unknown[] = [];

  constructor(traits: ChatFormatTraits, warnings: Set<string>) {
    this.#traits = traits;
    this.#warnings = warnings;
  }

  add(message: JsonObject): void {
    const { cache_control: _control, thinking_blocks: blocks, reasoning_content: reasoning, is_error: isError, ...rest } = message;
    if (rest.role !== 'tool') this.flushMedia();
    if (blocks !== undefined || reasoning !== undefined)
      this.#warnings.add("thinking of earlier turns is not sent: OpenAI's chat format has no place for it");
    if (isError === true) this.#warnings.add("is_error of tool results is not sent: OpenAI's chat format has only their text");
    // What is left of a turn that held thinking alone.
    if (rest.role === 'assistant' && rest.content === null && rest.tool_calls === undefined) return;
    const plain: Record<string, unknown> = { ...rest, content: plainContent(rest.content) };
    if (rest.role === 'developer' && !this.#traits.isOpenAi) plain.role = 'system';
    if (rest.role === 'tool' && Array.isArray(plain.content)) plain.content = this.#withoutMedia(plain.content, rest.tool_call_id);
    if (Array.isArray(rest.tool_calls)) plain.tool_calls = rest.tool_calls.map(plainPart);
    this.messages.push(plain);
  }

  /** Tool messages hold text only: what they show follows in a user message. */
  flushMedia(): void {
    if (this.#media.length === 0) return;
    this.messages.push({ role: 'user', content: this.#media });
    this.#media = [];
  }

  #withoutMedia(parts: readonly unknown[], toolCallId: unknown): string {
    const texts: string[] = [];
    const media: unknown[] = [];
    for (const part of parts) {
      if (isObject(part) && part.type === 'text' && typeof part.text === 'string') texts.push(part.text);
      else media.push(part);
    }
    if (media.length > 0) {
      this.#warnings.add('images and files of tool results were moved to a user message after them');
      this.#media.push({ type: 'text', text: `Attached to the result of tool call ${String(toolCallId)}:` }, ...media);
      texts.push('(see the attachment in the next message)');
    }
    return texts.join('\n\n');
  }
}

function plainMessages(messages: unknown, traits: ChatFormatTraits, warnings: Set<string>): unknown {
  if (!Array.isArray(messages)) return messages;
  const plain = new PlainMessages(traits, warnings);
  for (const message of messages) if (isObject(message)) plain.add(message);
  plain.flushMedia();
  return plain.messages;
}

function setOutputLimit(body: Record<string, unknown>, name: 'max_tokens' | 'max_completion_tokens'): void {
  const limit = body.max_completion_tokens ?? body.max_tokens;
  delete body.max_completion_tokens;
  delete body.max_tokens;
  if (limit !== undefined && limit !== null) body[name] = limit;
}

function dropOpenAiOnly(body: Record<string, unknown>, warnings: Set<string>): void {
  body.user ??= body.safety_identifier;
  for (const name of OPENAI_ONLY) {
    if (body[name] === undefined) continue;
    if (name === 'verbosity' || name === 'service_tier') warnings.add(`${name} is not sent: only OpenAI knows it`);
    delete body[name];
  }
}

function fitReasoning(body: Record<string, unknown>, isReasoning: boolean, warnings: Set<string>): void {
  if (!isReasoning) {
    if (body.reasoning_effort !== undefined && body.reasoning_effort !== 'none')
      warnings.add('thinking is not asked for: this model does not reason');
    delete body.reasoning_effort;
    return;
  }
  if (body.reasoning_effort === 'max') body.reasoning_effort = 'xhigh';
  for (const name of SAMPLING) {
    if (body[name] === undefined) continue;
    const isNeutral = body[name] === (name.endsWith('_penalty') ? 0 : 1);
    if (!isNeutral) warnings.add(`${name} is not sent: this model takes none`);
    delete body[name];
  }
}

/**
 * Hub → body for a server of OpenAI's chat format, for clients of other dialects: the hub's additions (thinking with signatures, cache marks,
 * media in tool answers) are taken out, since such servers refuse what they do not know.
 */
export function encodeForChatFormat(traits: ChatFormatTraits): ChatTranslation['encodeRequest'] {
  return (hub, upstreamModel) => {
    const warnings = new Set<string>();
    const body: Record<string, unknown> = { ...hub, model: upstreamModel, messages: plainMessages(hub.messages, traits, warnings) };
    if (body.top_k !== undefined) warnings.add("top_k is not sent: OpenAI's chat format has no counterpart");
    for (const name of FOREIGN) delete body[name];
    if (Array.isArray(hub.tools)) body.tools = hub.tools.map(plainPart);
    if (!traits.isOpenAi) dropOpenAiOnly(body, warnings);
    setOutputLimit(body, traits.isOpenAi ? 'max_completion_tokens' : 'max_tokens');
    if (traits.isReasoningModel !== null) fitReasoning(body, traits.isReasoningModel(upstreamModel), warnings);
    if (typeof body.user === 'string' && body.user.length > traits.maxUserCharacters) {
      body.user = createHash('sha256').update(body.user).digest('hex');
      warnings.add(`the user id is longer than ${traits.maxUserCharacters} characters: its SHA-256 is sent`);
    }
    if (body.stream === true) body.stream_options = { include_usage: true };
    return { body, warnings: [...warnings] };
  };
}

/** For servers of OpenAI's chat format of which nothing more is known: Ollama, vLLM, Groq, Together … */
export const encodePlainChat = encodeForChatFormat({ isOpenAi: false, isReasoningModel: null, maxUserCharacters: 256 });
