import { NO_USAGE } from '../../../models/usage.ts';
import { isObject } from '../../hub/json.ts';
import { listAt, readEmbeddingsRequest, toEmbeddingsAnswer } from '../../operations/embeddings.ts';
import type { OperationEndpoint } from '../../provider.ts';
import { readGeminiUsage } from './usage.ts';

const MAX_TEXTS = 100;
const MAX_VERTEX_TEXTS = 250;

/** `batchEmbedContents` of the Gemini API. @param resourceName of a model */
export function geminiEmbeddings(resourceName: (model: string) => string): OperationEndpoint {
  return {
    path: (model) => `/${resourceName(model)}:batchEmbedContents`,
    encode(request, upstreamModel) {
      const { texts, dimensions } = readEmbeddingsRequest(request, MAX_TEXTS);
      const model = upstreamModel.includes('/') ? upstreamModel : `models/${upstreamModel}`;
      const requests = texts.map((text) => ({
        model,
        content: { parts: [{ text }] },
        ...(dimensions === null ? {} : { outputDimensionality: dimensions }),
      }));
      return { body: { requests }, warnings: [] };
    },
    decode(answer, request, requestedModel) {
      const vectors = listAt(answer, 'embeddings').map((entry) => (isObject(entry) ? entry.values : null));
      const metadata = isObject(answer) ? answer.usageMetadata : undefined;
      return toEmbeddingsAnswer(vectors, request, requestedModel, readGeminiUsage(metadata), metadata);
    },
    readMetered: () => ({ usage: null, units: {} }),
  };
}

/** `predict` of a text embedding model on Vertex AI, which counts tokens text by text. */
export function vertexEmbeddings(path: OperationEndpoint['path']): OperationEndpoint {
  return {
    path,
    serves: (model) => !/claude/i.test(model),
    encode(request) {
      const { texts, dimensions } = readEmbeddingsRequest(request, MAX_VERTEX_TEXTS);
      const parameters = dimensions === null ? {} : { parameters: { outputDimensionality: dimensions } };
      return { body: { instances: texts.map((content) => ({ content })), ...parameters }, warnings: [] };
    },
    decode(answer, request, requestedModel) {
      let tokens = 0;
      let isCounted = true;
      const vectors = listAt(answer, 'predictions').map((prediction) => {
        const embedding = isObject(prediction) && isObject(prediction.embeddings) ? prediction.embeddings : {};
        const counted = isObject(embedding.statistics) ? embedding.statistics.token_count : undefined;
        if (typeof counted === 'number') tokens += Math.round(counted);
        else isCounted = false;
        return embedding.values;
      });
      const usage = isCounted && tokens > 0 ? { ...NO_USAGE, inputUncachedTokens: tokens } : null;
      return toEmbeddingsAnswer(vectors, request, requestedModel, usage, usage === null ? null : { token_count: tokens });
    },
    readMetered: () => ({ usage: null, units: {} }),
  };
}
