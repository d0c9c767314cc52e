import { estimateTokens } from '../../models/token-estimate.ts';

/** Members that hold what the model reads, in any dialect. */
const CONVERSATION = ['system', 'systemInstruction', 'system_instruction', 'instructions', 'messages', 'contents', 'input'];
/** Members whose names the model reads too. */
const SCHEMAS = ['tools'];
/** Roles and separators around each element of a conversation. */
const TOKENS_PER_ITEM = 4;
/** Anthropic's price of its largest image; OpenAI's and Gemini's lie below it. Documents are longer, but their length in pages is not known here. */
const TOKENS_PER_MEDIUM = 1_600;
/** Base64 text and data URLs. */
const MEDIA_MEMBERS = new Set(['data', 'file_data', 'image_url', 'url', 'fileUri', 'file_uri']);
const MIN_MEDIUM_CHARACTERS = 256;

function isMedium(name: string, text: string): boolean {
  if (!MEDIA_MEMBERS.has(name)) return false;
  return text.startsWith('data:') || /^https?:/.test(text) || (text.length >= MIN_MEDIUM_CHARACTERS && !/\s/.test(text));
}

function countValue(value: unknown, name: string): number {
  if (typeof value === 'string') return isMedium(name, value) ? TOKENS_PER_MEDIUM : estimateTokens(value);
  if (typeof value !== 'object' || value === null) return 0;
  let tokens = 0;
  if (Array.isArray(value)) for (const entry of value) tokens += countValue(entry, name) + TOKENS_PER_ITEM;
  else for (const [key, entry] of Object.entries(value)) tokens += countValue(entry, key);
  return tokens;
}

/**
 * Input tokens of a request of any dialect, guessed from its texts: for `count_tokens` where the provider cannot count. An estimate, to be marked
 * as one; media count a fixed amount each.
 */
export function estimateRequestTokens(body: Readonly<Record<string, unknown>>): number {
  const { generateContentRequest: wrapped } = body;
  // Gemini's question for tokens may wrap the request.
  if (typeof wrapped === 'object' && wrapped !== null) return estimateRequestTokens(wrapped as Readonly<Record<string, unknown>>); // read by name
  let tokens = 0;
  for (const name of CONVERSATION) tokens += countValue(body[name], name);
  for (const name of SCHEMAS) if (body[name] !== undefined) tokens += estimateTokens(JSON.stringify(body[name]));
  return tokens;
}
