import { PlimsollError } from '../../kernel/errors.ts';
import { inputTokens, type Usage } from '../../models/usage.ts';
import { isObject, type JsonObject, refuse } from '../hub/json.ts';
import type { DecodedAnswer } from '../provider.ts';

/** OpenAI's embeddings request, as far as providers of other formats can be told. */
export interface EmbeddingsRequest {
  readonly texts: readonly string[];
  readonly dimensions: number | null;
}

/** @param limit most texts that the provider takes at once @throws PlimsollError `invalid_argument` that names the member */
export function readEmbeddingsRequest(request: JsonObject, limit: number): EmbeddingsRequest {
  const { input, dimensions, encoding_format: format } = request;
  const texts: unknown[] = Array.isArray(input) ? input : [input];
  if (format !== undefined && format !== null && format !== 'float' && format !== 'base64')
    refuse('encoding_format', 'one of float, base64 is needed');
  if (texts.length === 0 || texts.length > limit) refuse('input', `${texts.length} texts; this provider takes 1 to ${limit} at once`);
  if (dimensions !== undefined && dimensions !== null && (!Number.isSafeInteger(dimensions) || (dimensions as number) < 1))
    refuse('dimensions', 'a whole number of at least 1 is needed');
  return {
    texts: texts.map((text, index) =>
      typeof text === 'string' && text !== ''
        ? text
        : refuse(
            Array.isArray(input) ? `input[${index}]` : 'input',
            'a text that is not empty is needed; token lists cannot be sent to this provider',
          ),
    ),
    dimensions: typeof dimensions === 'number' ? dimensions : null,
  };
}

/** Little-endian 32-bit floats in base64, as OpenAI sends them. */
function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}

function toVector(vector: unknown): number[] {
  if (Array.isArray(vector) && vector.length > 0 && vector.every((value) => typeof value === 'number')) return vector as number[]; // just checked
  throw new PlimsollError('provider_bad_response', 'The provider answered with an embedding that is no list of numbers.');
}

/**
 * OpenAI's list of embeddings.
 * @param vectors one per text of the request, in its order
 * @param usage null = the provider reported none
 * @throws PlimsollError `provider_bad_response` when they are not as many as the texts
 */
export function toEmbeddingsAnswer(
  vectors: readonly unknown[],
  request: JsonObject,
  model: string,
  usage: Usage | null,
  providerUsage: unknown,
): DecodedAnswer {
  const wanted = Array.isArray(request.input) ? request.input.length : 1;
  if (vectors.length !== wanted)
    throw new PlimsollError('provider_bad_response', `The provider answered with ${vectors.length} embeddings for ${wanted} texts.`);
  const isBase64 = request.encoding_format === 'base64';
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: isBase64 ? toBase64(toVector(vector)) : toVector(vector),
  }));
  const tokens = usage === null ? 0 : inputTokens(usage);
  return {
    answer: { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } },
    usage,
    units: {},
    providerUsage,
  };
}

/** The list at a path of an answer; empty when there is none. */
export function listAt(answer: unknown, ...path: readonly string[]): readonly unknown[] {
  let found: unknown = answer;
  for (const name of path) found = isObject(found) ? found[name] : undefined;
  return Array.isArray(found) ? found : [];
}
