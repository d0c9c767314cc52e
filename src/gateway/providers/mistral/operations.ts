import { isObject } from '../../hub/json.ts';
import type { Operation, OperationEndpoint } from '../../provider.ts';
import { openAiOperations, readOperationUsage } from '../openai/operations.ts';

/** Mistral's embeddings are OpenAI's but for the name of one member, and for members that it does not know. */
const embeddings: OperationEndpoint = {
  path: () => '/embeddings',
  encode(request, upstreamModel) {
    const { input, dimensions, encoding_format: format } = request;
    const body = {
      model: upstreamModel,
      input,
      ...(typeof dimensions === 'number' ? { output_dimension: dimensions } : {}),
      ...(typeof format === 'string' ? { encoding_format: format } : {}),
    };
    return { body, warnings: [] };
  },
  decode(answer) {
    const usage = isObject(answer) ? answer.usage : undefined;
    return { answer, ...readOperationUsage(usage), providerUsage: usage };
  },
  readMetered: readOperationUsage,
};

export const mistralOperations: Partial<Record<Operation, OperationEndpoint>> = {
  ...openAiOperations(['moderation', 'transcription']),
  embeddings,
};
