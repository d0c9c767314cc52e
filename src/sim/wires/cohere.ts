import type { WireFailure } from '../chat-request.ts';
import { unknownModelFailure } from '../failures.ts';
import { failed, type ListedModel, type WireDialect, type WireEndpoint } from '../wire.ts';

function errorBody(failure: WireFailure, requestId: string): unknown {
  return { id: requestId, message: failure.message };
}

/** Cohere's errors and words. */
export const COHERE: WireDialect = {
  name: 'cohere',
  requestIdHeader: 'x-debug-trace-id',
  words: {
    unknownModel: (model) => `model '${model}' not found, make sure the correct model ID was used and that you have access to the model.`,
    badKey: 'invalid api token',
    unknownPath: () => 'not found',
    contextTooLong: (inputTokens, contextTokens) =>
      `too many tokens: total number of tokens in the prompt cannot exceed ${contextTokens} - received ${inputTokens}. Try using a shorter prompt.`,
    filtered: 'blocked input: please adjust your prompt and try again',
    overloaded: 'service temporarily unavailable, please try again later',
    serverError: 'internal server error, this has been reported to our developers.',
  },
  statuses: {},
  errorBody,
  // There is no event for errors: the stream ends with a reason that says so.
  errorEvent: (failure) => ({
    event: 'message-end',
    data: JSON.stringify({ type: 'message-end', delta: { finish_reason: 'ERROR', error: failure.message } }),
  }),
};

function modelBody({ name, contextTokens }: ListedModel): unknown {
  return { name, endpoints: ['chat', 'embed', 'rerank'], context_length: contextTokens, is_deprecated: false };
}

export const cohereModels: readonly WireEndpoint[] = [
  { method: 'GET', path: /^v1\/models$/, handle: ({ models }) => ({ kind: 'reply', body: { models: models.map(modelBody) } }) },
  {
    method: 'GET',
    path: /^v1\/models\/(?<model>[^/]+)$/,
    handle({ groups, models }) {
      const found = models.find(({ name }) => name === groups.model);
      return found === undefined ? failed(unknownModelFailure(COHERE, groups.model ?? '')) : { kind: 'reply', body: modelBody(found) };
    },
  },
];
