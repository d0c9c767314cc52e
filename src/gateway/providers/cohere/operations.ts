import { isObject } from '../../hub/json.ts';
import { listAt, readEmbeddingsRequest, toEmbeddingsAnswer } from '../../operations/embeddings.ts';
import type { Metered, OperationEndpoint } from '../../provider.ts';
import { readCohereUsage } from './usage.ts';

const MAX_TEXTS = 96;
const DEFAULT_INPUT_TYPE = 'search_document';

/** `meta` of Cohere's answers: `billed_units` in tokens or searches. */
function readMeta(meta: unknown): Metered {
  const billed = isObject(meta) && isObject(meta.billed_units) ? meta.billed_units : {};
  const searches = typeof billed.search_units === 'number' ? Math.round(billed.search_units) : 0;
  return { usage: readCohereUsage(meta), units: searches > 0 ? { searches } : {} };
}

/** What Cohere's embed wants to be told of the texts; the same on Bedrock. */
export function encodeEmbed(request: Readonly<Record<string, unknown>>): { body: Record<string, unknown>; warnings: string[] } {
  const { texts, dimensions } = readEmbeddingsRequest(request, MAX_TEXTS);
  const { input_type: asked } = request;
  const warnings =
    typeof asked === 'string'
      ? []
      : [`input_type ${DEFAULT_INPUT_TYPE} was sent: Cohere needs one; name another in input_type, e.g. search_query`];
  return {
    body: {
      texts,
      input_type: typeof asked === 'string' ? asked : DEFAULT_INPUT_TYPE,
      embedding_types: ['float'],
      ...(dimensions === null ? {} : { output_dimension: dimensions }),
    },
    warnings,
  };
}

export const cohereEmbeddings: OperationEndpoint = {
  path: () => '/embed',
  encode(request, upstreamModel) {
    const { body, warnings } = encodeEmbed(request);
    return { body: { model: upstreamModel, ...body }, warnings };
  },
  decode(answer, request, requestedModel) {
    const meta = isObject(answer) ? answer.meta : undefined;
    return toEmbeddingsAnswer(listAt(answer, 'embeddings', 'float'), request, requestedModel, readMeta(meta).usage, meta);
  },
  readMetered: readMeta,
};

/** The client's own shape: bytes are forwarded. */
export const cohereRerank: OperationEndpoint = { path: () => '/rerank', readMetered: readMeta };
