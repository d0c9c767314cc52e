import { z } from 'zod';
import { NO_USAGE } from '../../models/usage.ts';
import { wireFailure } from '../chat-request.ts';
import { base64Vector, embedText, roundedVector, similarity } from '../text-vectors.ts';
import { countTokens } from '../tokens.ts';
import { failed, fingerprintOf, NO_UNITS, type WireEndpoint } from '../wire.ts';

const embedBody = z.looseObject({
  model: z.string(),
  texts: z.array(z.string()).min(1).max(96),
  input_type: z.enum(['search_document', 'search_query', 'classification', 'clustering', 'image']),
  embedding_types: z.array(z.enum(['float', 'base64'])).nullish(),
  output_dimension: z.int().min(1).max(4_096).nullish(),
  truncate: z.enum(['NONE', 'START', 'END']).nullish(),
});
const rerankBody = z.looseObject({
  model: z.string(),
  query: z.string(),
  documents: z.array(z.string()).min(1).max(10_000),
  top_n: z.int().min(1).nullish(),
  max_tokens_per_doc: z.int().min(1).nullish(),
});

const USUAL_DIMENSIONS = 1_024;
const RERANK_DIMENSIONS = 512;
/** One search unit is one query with up to a hundred documents. */
const DOCUMENTS_PER_SEARCH = 100;

function invalid(error: z.ZodError): ReturnType<typeof failed> {
  const [issue] = error.issues;
  const parameter = (issue?.path ?? []).map(String).join('.');
  return failed(wireFailure(400, 'invalid', `invalid request: ${parameter}: ${issue?.message ?? 'not valid'}`, { parameter }));
}

/** `POST /v2/embed` (texts only). */
export const cohereEmbed: WireEndpoint = {
  method: 'POST',
  path: /^v2\/embed$/,
  handle({ body }) {
    const parsed = embedBody.safeParse(body);
    if (!parsed.success) return invalid(parsed.error);
    const { model, texts, embedding_types: types, output_dimension: dimensions } = parsed.data;
    const inputTokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
    return {
      kind: 'direct',
      target: { model, fingerprint: fingerprintOf(parsed.data), lastUserText: texts.at(-1) ?? '', metadataFault: null },
      answer(stamp) {
        const vectors = texts.map((text) => embedText(text, dimensions ?? USUAL_DIMENSIONS));
        const embeddings = Object.fromEntries(
          (types ?? ['float']).map((type) => [
            type,
            vectors.map((vector) => (type === 'base64' ? base64Vector(vector) : roundedVector(vector))),
          ]),
        );
        const meta = { api_version: { version: '2' }, billed_units: { input_tokens: inputTokens } };
        return {
          contentType: 'application/json',
          body: JSON.stringify({ id: stamp.id, texts, embeddings, meta, response_type: 'embeddings_by_type' }),
          usage: { ...NO_USAGE, inputUncachedTokens: inputTokens },
          units: NO_UNITS,
          durationMs: 30 + inputTokens / 100,
        };
      },
    };
  },
};

/** `POST /v2/rerank`: by the likeness of query and document. */
export const cohereRerank: WireEndpoint = {
  method: 'POST',
  path: /^v2\/rerank$/,
  handle({ body }) {
    const parsed = rerankBody.safeParse(body);
    if (!parsed.success) return invalid(parsed.error);
    const { model, query, documents, top_n: topN } = parsed.data;
    return {
      kind: 'direct',
      target: { model, fingerprint: fingerprintOf(parsed.data), lastUserText: query, metadataFault: null },
      answer(stamp) {
        const asked = embedText(query, RERANK_DIMENSIONS);
        const results = documents
          .map((document, index) => {
            const likeness = Math.max(0, similarity(asked, embedText(document, RERANK_DIMENSIONS)));
            return { index, relevance_score: Math.round(likeness * 1e7) / 1e7 };
          })
          .sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
          .slice(0, topN ?? documents.length);
        const searches = Math.ceil(documents.length / DOCUMENTS_PER_SEARCH);
        return {
          contentType: 'application/json',
          body: JSON.stringify({
            id: stamp.id,
            results,
            meta: { api_version: { version: '2' }, billed_units: { search_units: searches } },
          }),
          usage: NO_USAGE,
          units: { ...NO_UNITS, searches },
          durationMs: 60 + documents.length,
        };
      },
    };
  },
};
