import type { WireFailure } from '../chat-request.ts';
import { unknownModelFailure } from '../failures.ts';
import type { WireDialect, WireEndpoint } from '../wire.ts';

function errorType(failure: WireFailure): string {
  switch (failure.reason) {
    case 'bad_key':
      return 'authentication_error';
    case 'unknown_model':
    case 'unknown_path':
    case 'not_found':
      return 'not_found_error';
    case 'rate_limited':
      return 'rate_limit_error';
    case 'overloaded':
      return 'overloaded_error';
    case 'server_error':
      return 'api_error';
    case 'too_large':
      return 'request_too_large';
    case 'invalid':
    case 'missing_parameter':
    case 'wrong_method':
    case 'context_length':
    case 'content_filter':
      return failure.status === 403 ? 'permission_error' : 'invalid_request_error';
  }
}

function errorBody(failure: WireFailure, requestId: string): unknown {
  return { type: 'error', error: { type: errorType(failure), message: failure.message }, request_id: requestId };
}

/** Anthropic's errors and words. */
export const ANTHROPIC: WireDialect = {
  name: 'anthropic',
  requestIdHeader: 'request-id',
  words: {
    unknownModel: (model) => `model: ${model}`,
    badKey: 'invalid x-api-key',
    unknownPath: () => 'Not Found',
    contextTooLong: (inputTokens, contextTokens) => `prompt is too long: ${inputTokens} tokens > ${contextTokens} maximum`,
    filtered: 'Output blocked by content filtering policy',
    overloaded: 'Overloaded',
    serverError: 'Internal server error',
  },
  statuses: {},
  errorBody,
  errorEvent: (failure, requestId) => ({ event: 'error', data: JSON.stringify(errorBody(failure, requestId)) }),
};

function modelBody(name: string): unknown {
  return { type: 'model', id: name, display_name: `${name} (simulated)`, created_at: '2026-01-01T00:00:00Z' };
}

export const anthropicModels: readonly WireEndpoint[] = [
  {
    method: 'GET',
    path: /^(?:v1\/)?models$/,
    handle: ({ models }) => ({
      kind: 'reply',
      body: {
        data: models.map(({ name }) => modelBody(name)),
        has_more: false,
        first_id: models[0]?.name ?? null,
        last_id: models.at(-1)?.name ?? null,
      },
    }),
  },
  {
    method: 'GET',
    path: /^(?:v1\/)?models\/(?<model>.+)$/,
    handle: ({ groups, models }) =>
      models.some(({ name }) => name === groups.model)
        ? { kind: 'reply', body: modelBody(groups.model ?? '') }
        : { kind: 'failure', failure: unknownModelFailure(ANTHROPIC, groups.model ?? '') },
  },
];
