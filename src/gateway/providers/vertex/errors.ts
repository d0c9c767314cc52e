import { isObject } from '../../hub/json.ts';
import type { ClassifiedError, ResponseHeaders } from '../../provider.ts';
import { classifyAnthropicError } from '../anthropic/errors.ts';
import { classifyGeminiError } from '../gemini/errors.ts';

/** Google answers for the platform, Anthropic for its models: their error bodies differ in `type`. */
export function classifyVertexError(status: number, body: string, headers: ResponseHeaders): ClassifiedError {
  return isAnthropics(body) ? classifyAnthropicError(status, body, headers) : classifyGeminiError(status, body);
}

function isAnthropics(body: string): boolean {
  try {
    const parsed: unknown = JSON.parse(body);
    return isObject(parsed) && parsed.type === 'error';
  } catch {
    return false;
  }
}
