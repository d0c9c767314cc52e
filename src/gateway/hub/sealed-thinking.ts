import { parseJsonText } from '../../kernel/parse-json.ts';
import { isObject, type JsonObject } from './json.ts';

/** Marks what is ours among the opaque texts that clients send back. */
const PREFIX = 'plimsoll-thinking-1:';

/**
 * Thinking blocks, with the signatures that their provider wants back, as a text for dialects that give clients something opaque to return
 * (`encrypted_content`, `thoughtSignature`). Base64, not encrypted: what it holds came from the client's own model.
 */
export function sealThinking(blocks: readonly JsonObject[]): string {
  return Buffer.from(PREFIX + JSON.stringify(blocks)).toString('base64');
}

/** @returns the blocks that `sealThinking` was given; null for text that is not ours, such as a provider's own */
export function openThinking(sealed: unknown): JsonObject[] | null {
  if (typeof sealed !== 'string') return null;
  const text = Buffer.from(sealed, 'base64').toString('utf8');
  if (!text.startsWith(PREFIX)) return null;
  try {
    const blocks: unknown = parseJsonText(text.slice(PREFIX.length));
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
