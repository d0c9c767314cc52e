import { isObject, type JsonObject } from '../../hub/json.ts';

/** Marks what we put into `encrypted_content`: thinking of another provider, with the signatures that it wants back. */
const PREFIX = 'plimsoll-thinking-1:';

/** Thinking blocks as the opaque text that clients send back unchanged. It is not encrypted: what it holds came from the client's own model. */
export function sealThinking(blocks: readonly JsonObject[]): string {
  return `${PREFIX}${Buffer.from(JSON.stringify(blocks)).toString('base64')}`;
}

/** @returns the thinking blocks that `sealThinking` was given; null for text that is not ours */
export function openThinking(text: unknown): JsonObject[] | null {
  if (typeof text !== 'string' || !text.startsWith(PREFIX)) return null;
  try {
    const blocks: unknown = JSON.parse(Buffer.from(text.slice(PREFIX.length), 'base64').toString('utf8'));
    return Array.isArray(blocks) ? blocks.filter(isThinkingBlock) : null;
  } catch {
    return null; // changed on its way: nothing that a provider would take
  }
}

function isThinkingBlock(block: unknown): block is JsonObject {
  if (!isObject(block)) return false;
  if (block.type === 'redacted_thinking') return typeof block.data === 'string';
  return block.type === 'thinking' && typeof block.thinking === 'string' && typeof block.signature === 'string';
}
