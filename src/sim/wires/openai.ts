import type { WireFailure } from '../chat-request.ts';
import { unknownModelFailure } from '../failures.ts';
import type { WireDialect, WireEndpoint } from '../wire.ts';

/** `error.type` and `error.code` as OpenAI sets them. */
function errorWords({ reason, parameter }: WireFailure): { type: string; code: string | null } {
  switch (reason) {
    case 'unknown_model':
      return { type: 'invalid_request_error', code: 'model_not_found' };
    case 'missing_parameter':
      return { type: 'invalid_request_error', code: 'missing_required_parameter' };
    case 'bad_key':
      return { type: 'invalid_request_error', code: 'invalid_api_key' };
    case 'rate_limited':
      return { type: 'requests', code: 'rate_limit_exceeded' };
    case 'overloaded':
    case 'server_error':
      return { type: 'server_error', code: null };
    case 'context_length':
      return { type: 'invalid_request_error', code: 'context_length_exceeded' };
    case 'content_filter':
      return { type: 'invalid_request_error', code: 'content_filter' };
    case 'unknown_path':
      return { type: 'invalid_request_error', code: 'unknown_url' };
    case 'not_found':
      return { type: 'invalid_request_error', code: parameter === 'previous_response_id' ? 'previous_response_not_found' : null };
    case 'invalid':
    case 'wrong_method':
    case 'too_large':
      return { type: 'invalid_request_error', code: null };
  }
}

function errorBody(failure: WireFailure): unknown {
  return { error: { message: failure.message, ...errorWords(failure), param: failure.parameter } };
}

/** OpenAI's errors and words, common to its operations. */
export const OPENAI: WireDialect = {
  name: 'openai',
  requestIdHeader: 'x-request-id',
  words: {
    unknownModel: (model) => `The model \`${model}\` does not exist or you do not have access to it.`,
    badKey: 'Incorrect API key provided.',
    unknownPath: (method, path) => `Invalid URL (${method} ${path})`,
    contextTooLong: (inputTokens, contextTokens) =>
      `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in ${inputTokens} tokens. Please reduce the length of the messages.`,
    filtered: "The response was filtered due to the prompt triggering the provider's content management policy.",
    overloaded: 'The engine is currently overloaded, please try again later.',
    serverError: 'The server had an error while processing your request. Sorry about that!',
  },
  statuses: {},
  errorBody,
  errorEvent: (failure) => ({ event: null, data: JSON.stringify(errorBody(failure)) }),
};

function modelBody(name: string): unknown {
  return { id: name, object: 'model', created: 1_767_225_600, owned_by: 'plimsoll-simulated' };
}

export const openAiModels: readonly WireEndpoint[] = [
  {
    method: 'GET',
    path: /^(?:v1\/)?models$/,
    handle: ({ models }) => ({ kind: 'reply', body: { object: 'list', data: models.map(({ name }) => modelBody(name)) } }),
  },
  {
    method: 'GET',
    path: /^(?:v1\/)?models\/(?<model>.+)$/,
    handle: ({ groups, models }) =>
      models.some(({ name }) => name === groups.model)
        ? { kind: 'reply', body: modelBody(groups.model ?? '') }
        : { kind: 'failure', failure: unknownModelFailure(OPENAI, groups.model ?? '') },
  },
];
