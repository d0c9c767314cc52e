import { PlimsollError } from '../../kernel/errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Ends a translation. @param param where in the OpenAI request, as in OpenAI's own errors: `messages[2].content`
 * @throws PlimsollError `invalid_argument`
 */
export function refuse(param: string, message: string): never {
  throw new PlimsollError('invalid_argument', `${param}: ${message}`, { details: { param } });
}
