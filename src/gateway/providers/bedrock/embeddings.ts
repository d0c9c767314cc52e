import { NO_USAGE, type Usage } from '../../../models/usage.ts';
import { isObject } from '../../hub/json.ts';
import { listAt, readEmbeddingsRequest, toEmbeddingsAnswer } from '../../operations/embeddings.ts';
import type { OperationEndpoint, ResponseHeaders } from '../../provider.ts';
import { encodeEmbed } from '../cohere/operations.ts';

function tokensOf(value: unknown): Usage | null {
  const tokens = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isSafeInteger(tokens) && tokens > 0 ? { ...NO_USAGE, inputUncachedTokens: tokens } : null;
}

function countedTokens(headers: ResponseHeaders): unknown {
  return headers['x-amzn-bedrock-input-token-count'];
}

function isCohere(model: string): boolean {
  return /cohere\.embed/i.test(model);
}

/** InvokeModel of Titan (one text at a time) and Cohere embedding models; each takes a body of its own. */
export const bedrockEmbeddings: OperationEndpoint = {
  path: (model) => `/model/${encodeURIComponent(model)}/invoke`,
  serves: (model) => /cohere\.embed|titan-embed-text/i.test(model),
  encode(request, upstreamModel) {
    if (isCohere(upstreamModel)) return encodeEmbed(request);
    const { texts, dimensions } = readEmbeddingsRequest(request, 1);
    return { body: { inputText: texts[0], ...(dimensions === null ? {} : { dimensions }) }, warnings: [] };
  },
  decode(answer, request, requestedModel, headers) {
    const own = isObject(answer) ? answer : {};
    const counted = own.inputTextTokenCount ?? countedTokens(headers);
    const vectors = Array.isArray(own.embedding)
      ? [own.embedding]
      : Array.isArray(own.embeddings)
        ? own.embeddings
        : listAt(own, 'embeddings', 'float');
    return toEmbeddingsAnswer(
      vectors,
      request,
      requestedModel,
      tokensOf(counted),
      counted === undefined ? null : { inputTokens: Number(counted) },
    );
  },
  readMetered: () => ({ usage: null, units: {} }),
};
