import { serviceTier } from '../../models/service-tier.ts';
import { estimateTokensFromCharacters } from '../../models/token-estimate.ts';
import type { ChatBody } from '../body/chat-body.ts';

/**
 * What one picture, sound or document counts, whatever its size in bytes. Providers charge by pixels: OpenAI's largest tiling of GPT-4o is 1 445
 * tokens, Anthropic's largest picture about 1 600.
 */
export const ATTACHMENT_TOKENS = 1_600;
/** Assumed of a call that names no number, at a model whose largest answer is not known. */
export const DEFAULT_OUTPUT_TOKENS = 4_096;

/** A JSON string this long whose middle reads like base64 is an attachment, not text. */
const ATTACHMENT_BYTES = 2_048;
const SAMPLE_FROM = 1_024;
const SAMPLE_TO = 1_280;
const QUOTE = 0x22;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const IN_PLACE = Buffer.from('data:');
const IN_PLACE_WITHIN_BYTES = 64;
/** Members that name an attachment somewhere else. */
const REMOTE_ATTACHMENTS = ['"image_url"', '"file_uri"', '"fileUri"', '"file_id"'].map((name) => Buffer.from(name));

/** Names under which the dialects ask for a number of output tokens. */
const OUTPUT_PARAMETERS: ReadonlySet<string> = new Set(['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'maxOutputTokens']);

/** Input tokens of a request by its bytes: text by length, each attachment at a flat number. An estimate: what the provider reports replaces it. */
export function estimateInputTokens(bytes: Buffer): number {
  let attachments = 0;
  let attachmentBytes = 0;
  if (bytes.length > ATTACHMENT_BYTES) {
    for (let start = bytes.indexOf(QUOTE); start >= 0; ) {
      let end = bytes.indexOf(QUOTE, start + 1);
      while (end > 0 && isEscaped(bytes, end)) end = bytes.indexOf(QUOTE, end + 1);
      if (end < 0) break;
      if (end - start > ATTACHMENT_BYTES && isBase64(bytes, start + SAMPLE_FROM, start + SAMPLE_TO)) {
        attachments++;
        attachmentBytes += end - start;
      }
      start = bytes.indexOf(QUOTE, end + 1);
    }
  }
  for (const member of REMOTE_ATTACHMENTS) {
    for (let at = bytes.indexOf(member); at >= 0; at = bytes.indexOf(member, at + member.length)) {
      if (isRemote(bytes, at + member.length)) attachments++;
    }
  }
  return estimateTokensFromCharacters(bytes.length - attachmentBytes) + attachments * ATTACHMENT_TOKENS;
}

/** An odd number of backslashes stands before it. */
function isEscaped(bytes: Buffer, at: number): boolean {
  let before = at - 1;
  while (bytes[before] === BACKSLASH) before--;
  return (at - before) % 2 === 0;
}

/** Letters, digits and the marks of base64 and base64url: no script that writes without spaces looks like that. */
function isBase64(bytes: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number;
    const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
    if (!isLetter && !(byte >= 0x30 && byte <= 0x39) && byte !== 0x2b && byte !== 0x2f && byte !== 0x2d && byte !== 0x5f) return false;
  }
  return true;
}

/** A member's name is followed by a colon; its value is elsewhere unless it begins with a data URL, which was counted by its bytes. */
function isRemote(bytes: Buffer, end: number): boolean {
  let at = end;
  while (bytes[at] === SPACE) at++;
  return bytes[at] === 0x3a && !bytes.subarray(at, at + IN_PLACE_WITHIN_BYTES).includes(IN_PLACE);
}

/** Output tokens that the request allows per answer; null when it names no number. Of several names the largest counts. */
export function askedOutputTokens(body: ChatBody): number | null {
  let asked: number | null = null;
  for (const [name, { start, end }] of body.parameters) {
    if (!OUTPUT_PARAMETERS.has(name)) continue;
    const value = Number(body.bytes.toString('latin1', start, end));
    if (Number.isSafeInteger(value) && value > 0) asked = Math.max(asked ?? 0, value);
  }
  return asked;
}

/** The service tier that the request asks for; null = the standard one. */
export function askedServiceTier(body: ChatBody): string | null {
  for (const [name, { start, end }] of body.parameters)
    if (name === 'service_tier' && body.bytes[start] === 0x22) return serviceTier(body.bytes.toString('utf8', start + 1, end - 1));
  return null;
}

/** True when the request has a member for the number, whatever its value. */
export function namesOutputTokens(body: ChatBody): boolean {
  return body.parameters.some(([name]) => OUTPUT_PARAMETERS.has(name));
}

/** How many answers the request wants (`n`). */
export function askedAnswers(body: ChatBody): number {
  for (const [name, { start, end }] of body.parameters) {
    if (name !== 'n') continue;
    const value = Number(body.bytes.toString('latin1', start, end));
    return Number.isSafeInteger(value) && value > 1 ? Math.min(value, 1_000) : 1;
  }
  return 1;
}
