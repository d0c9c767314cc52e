import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import type { HubMessage, HubPart } from '../../hub/messages.ts';
import { ToolIds } from '../../hub/tool-ids.ts';
import { contentBlocks } from './content.ts';
import type { BedrockMessage, BedrockRequest, CachePoint, ContentBlock } from './wire.ts';

const CACHE_POINT: CachePoint = { cachePoint: { type: 'default' } };

export interface EncodedMessages {
  readonly system: NonNullable<BedrockRequest['system']>;
  /** Starts with user; roles alternate. */
  readonly messages: readonly BedrockMessage[];
  readonly hasToolCalls: boolean;
}

function thinkingBlock(block: JsonObject): ContentBlock[] {
  const { type, thinking, signature, data } = block;
  if (type === 'thinking' && typeof thinking === 'string' && typeof signature === 'string')
    return [{ reasoningContent: { reasoningText: { text: thinking, signature } } }];
  return type === 'redacted_thinking' && typeof data === 'string' ? [{ reasoningContent: { redactedContent: data } }] : [];
}

/**
 * Hub messages → Bedrock's: all system messages become the system prompt, neighbours of one role are merged, tool answers are what the user says next.
 * @param takesCachePoints the model has a prompt cache; else marks for it are left out with a warning
 */
export function encodeMessages(given: readonly HubMessage[], takesCachePoints: boolean, warnings: Set<string>): EncodedMessages {
  const system: ({ text: string } | CachePoint)[] = [];
  const messages: BedrockMessage[] = [];
  const documents = new Set<string>();
  const ids = new ToolIds(/^[A-Za-z0-9_-]{1,64}$/, (id, attempt) => `${id.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 56)}_${attempt}`);
  let hasToolCalls = false;
  const cachePoint = (part: HubPart): CachePoint[] => {
    if (!part.endsCachedPrefix) return [];
    if (!takesCachePoints) warnings.add('cache_control is not sent: this model has no prompt cache');
    return takesCachePoints ? [CACHE_POINT] : [];
  };
  const blocks = (parts: readonly HubPart[]): ContentBlock[] =>
    parts.flatMap((part) => [...contentBlocks(part, documents), ...cachePoint(part)]);
  const append = (role: BedrockMessage['role'], content: ContentBlock[]): void => {
    if (content.length === 0) return;
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...content);
    else messages.push({ role, content });
  };
  for (const message of given) {
    switch (message.role) {
      case 'system':
        if (messages.length > 0) warnings.add('system messages inside the conversation were moved to the system prompt at its start');
        for (const part of message.parts) if (part.text.trim() !== '') system.push({ text: part.text }, ...cachePoint(part));
        break;
      case 'user':
        append('user', blocks(message.parts));
        break;
      case 'assistant':
        append('assistant', [
          ...message.thinkingBlocks.flatMap(thinkingBlock),
          ...blocks(message.parts),
          ...message.toolCalls.map((call) => ({ toolUse: { toolUseId: ids.open(call.id), name: call.name, input: call.arguments } })),
        ]);
        hasToolCalls ||= message.toolCalls.length > 0;
        break;
      case 'tool': {
        const content = message.parts.flatMap((part) => contentBlocks(part, documents));
        const toolResult = { toolUseId: ids.answer(message.callId), content: content.length > 0 ? content : [{ text: '(empty)' }] };
        append('user', [{ toolResult: message.isError ? { ...toolResult, status: 'error' } : toolResult }]);
        break;
      }
      default:
        message satisfies never;
    }
  }
  const [first] = messages;
  if (first === undefined) return refuse('messages', 'at least one user message with content is needed');
  if (first.role !== 'user') return refuse('messages', 'a Bedrock conversation must begin with a user message');
  return { system, messages, hasToolCalls };
}

/** In a tool loop Claude's thinking needs the thinking that led to the calls; without it the request is refused. */
export function isToolLoopWithoutThinking(messages: readonly BedrockMessage[]): boolean {
  const [before, last] = messages.slice(-2);
  const answersTool = last?.content.some((block) => isObject(block) && 'toolResult' in block) ?? false;
  return answersTool && before?.content.some((block) => 'reasoningContent' in block) === false;
}
