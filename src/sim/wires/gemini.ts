import type { WireFailure } from '../chat-request.ts';
import { unknownModelFailure } from '../failures.ts';
import { failed, type ListedModel, type WireDialect, type WireEndpoint } from '../wire.ts';

/** Google's canonical code of an error. */
function statusWord({ status, reason }: WireFailure): string {
  switch (reason) {
    case 'bad_key':
      return status === 401 ? 'UNAUTHENTICATED' : 'INVALID_ARGUMENT';
    case 'unknown_model':
    case 'unknown_path':
    case 'not_found':
      return 'NOT_FOUND';
    case 'rate_limited':
      return 'RESOURCE_EXHAUSTED';
    case 'overloaded':
      return 'UNAVAILABLE';
    case 'server_error':
      return status === 504 ? 'DEADLINE_EXCEEDED' : 'INTERNAL';
    case 'wrong_method':
      return 'UNIMPLEMENTED';
    case 'invalid':
    case 'missing_parameter':
    case 'context_length':
    case 'content_filter':
    case 'too_large':
      return status === 403 ? 'PERMISSION_DENIED' : 'INVALID_ARGUMENT';
  }
}

function detailsOf({ reason, retryAfter }: WireFailure): Record<string, unknown>[] {
  if (reason === 'bad_key')
    return [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' }];
  const isSeconds = reason === 'rate_limited' && retryAfter !== null && retryAfter.form !== 'ms';
  return isSeconds ? [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${retryAfter.amount}s` }] : [];
}

function errorBody(failure: WireFailure): unknown {
  // A refused prompt is no error here: an answer without candidates.
  if (failure.reason === 'content_filter' && failure.status === 200) return { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } };
  const details = detailsOf(failure);
  return {
    error: { code: failure.status, message: failure.message, status: statusWord(failure), ...(details.length > 0 ? { details } : {}) },
  };
}

/** Gemini's errors and words. */
export const GEMINI: WireDialect = {
  name: 'gemini',
  requestIdHeader: 'x-request-id',
  words: {
    unknownModel: (model) => `models/${model} is not found for API version v1beta, or is not supported for generateContent.`,
    badKey: 'API key not valid. Please pass a valid API key.',
    unknownPath: (method, path) => `The requested URL ${path} was not found for ${method}.`,
    contextTooLong: (inputTokens, contextTokens) =>
      `The input token count (${inputTokens}) exceeds the maximum number of tokens allowed (${contextTokens}).`,
    filtered: 'The prompt was blocked.',
    overloaded: 'The model is overloaded. Please try again later.',
    serverError: 'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
  },
  statuses: { bad_key: 400, content_filter: 200 },
  errorBody,
  errorEvent: (failure) => ({ event: null, data: JSON.stringify(errorBody(failure)) }),
};

function modelBody({ name, contextTokens, maxOutputTokens }: ListedModel): unknown {
  return {
    name: `models/${name}`,
    version: '001',
    displayName: `${name} (simulated)`,
    description: 'A simulated model',
    inputTokenLimit: contextTokens,
    outputTokenLimit: maxOutputTokens,
    supportedGenerationMethods: ['generateContent', 'countTokens', 'embedContent', 'batchEmbedContents'],
  };
}

/** Paths of the Gemini API, and of Vertex with project and location before them. */
export function geminiPath(rest: string): RegExp {
  return new RegExp(`^(?:v1(?:beta\\d?|alpha)?/)?(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/)?models${rest}$`);
}

export const geminiModels: readonly WireEndpoint[] = [
  { method: 'GET', path: geminiPath(''), handle: ({ models }) => ({ kind: 'reply', body: { models: models.map(modelBody) } }) },
  {
    method: 'GET',
    path: geminiPath('/(?<model>[^/:]+)'),
    handle({ groups, models }) {
      const found = models.find(({ name }) => name === groups.model);
      return found === undefined ? failed(unknownModelFailure(GEMINI, groups.model ?? '')) : { kind: 'reply', body: modelBody(found) };
    },
  },
];
