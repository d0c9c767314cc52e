import type { CachePair } from '../gateway/cache/model.ts';
import { normaliseText } from '../gateway/cache/question-text.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import { cosine, unitVector } from '../models/embedder.ts';

/** What every provider takes at once, but for those that take one. */
const BATCH = 64;

export interface EmbeddingEndpoint {
  /** Of a gateway, without a path. */
  readonly url: string;
  readonly virtualKey: string;
  readonly model: string;
}

interface Refusal {
  readonly error?: { readonly message?: string; readonly param?: string | null };
}

/** @returns null when the provider does not take as many texts at once @throws PlimsollError `store_unavailable`, `invalid_argument` */
async function embed({ url, virtualKey, model }: EmbeddingEndpoint, texts: readonly string[]): Promise<Float32Array[] | null> {
  let answer: Response;
  try {
    answer = await fetch(`${url}/v1/embeddings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${virtualKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: texts, encoding_format: 'float' }),
    });
  } catch (cause) {
    throw new PlimsollError('store_unavailable', `No gateway answers at ${url}; name one with --gateway.`, { cause });
  }
  const body = parseJsonText(await answer.text()) as { data?: readonly { embedding: readonly number[] }[] } & Refusal; // OpenAI's form, ours
  if (answer.status === 400 && texts.length > 1 && body.error?.param === 'input') return null;
  if (!answer.ok || body.data?.length !== texts.length)
    throw new PlimsollError('invalid_argument', `"${model}" gave no vectors (HTTP ${answer.status}): ${body.error?.message ?? 'no data'}`);
  return body.data.map(({ embedding }) => unitVector(embedding));
}

/**
 * How alike the questions of each pair are by a model of the gateway, asked with the texts that a call's question would be asked with.
 * @param report how many texts have vectors, of how many
 * @throws PlimsollError
 */
export async function withSimilarity(
  pairs: readonly CachePair[],
  endpoint: EmbeddingEndpoint,
  report: (done: number, all: number) => void,
): Promise<CachePair[]> {
  const texts = [...new Set(pairs.flatMap(({ a, b }) => [normaliseText(a), normaliseText(b)]))];
  const vectors = new Map<string, Float32Array>();
  let size = BATCH;
  for (let start = 0; start < texts.length; ) {
    const batch = texts.slice(start, start + size);
    const found = await embed(endpoint, batch);
    if (found === null) {
      size = 1;
      continue;
    }
    for (const [index, vector] of found.entries()) vectors.set(batch[index] ?? '', vector);
    start += batch.length;
    report(Math.min(start, texts.length), texts.length);
  }
  const vectorOf = (text: string): Float32Array => vectors.get(normaliseText(text)) ?? new Float32Array();
  return pairs.map((pair) => ({ ...pair, similarity: cosine(vectorOf(pair.a), vectorOf(pair.b)) }));
}
