import { type WireFailure, wireFailure } from '../chat-request.ts';
import { isJsonObject } from '../schema-values.ts';
import { seededRandom } from '../seeded-random.ts';
import type { WireDialect } from '../wire.ts';
import { chatEndpoint } from './openai-chat.ts';

function errorBody(failure: WireFailure): unknown {
  // What the validation finds has a form of its own.
  if (failure.status === 422)
    return {
      object: 'error',
      message: { detail: [{ type: 'extra_forbidden', loc: ['body', failure.parameter], msg: failure.message }] },
      type: 'invalid_request_error',
      param: null,
      code: null,
    };
  const type = failure.reason === 'unknown_model' ? 'invalid_model' : failure.status >= 500 ? 'service_error' : 'invalid_request_error';
  return {
    object: 'error',
    message: failure.message,
    type,
    param: failure.parameter,
    code: `${failure.status}`,
    raw_status_code: failure.status,
  };
}

/** Mistral: OpenAI's chat completions with differences. */
export const MISTRAL: WireDialect = {
  name: 'mistral',
  requestIdHeader: 'x-kong-request-id',
  words: {
    unknownModel: (model) => `Invalid model: ${model}`,
    badKey: 'Unauthorized',
    unknownPath: () => 'no Route matched with those values',
    contextTooLong: (inputTokens, contextTokens) =>
      `Prompt contains ${inputTokens} tokens and 0 draft tokens, too large for model with ${contextTokens} maximum context length`,
    filtered: 'The request was refused by the moderation.',
    overloaded: 'Service unavailable.',
    serverError: 'Internal server error',
  },
  statuses: { unknown_model: 400 },
  errorBody,
  errorEvent: (failure) => ({ event: null, data: JSON.stringify(errorBody(failure)) }),
};

/** Ids of tool calls have nine letters and digits; a call comes whole; usage comes with the finish reason; unknown members are refused. */
export const mistralChat = chatEndpoint(/^(?:v1\/)?chat\/completions$/, {
  toolCallId: (stamp, choice, call) => seededRandom(stamp.id, choice, call).hex(9),
  sendsCallsWhole: true,
  sendsUsageWithFinish: true,
  refused: [
    'stream_options',
    'max_completion_tokens',
    'seed',
    'user',
    'logprobs',
    'top_logprobs',
    'logit_bias',
    'service_tier',
    'store',
    'reasoning_effort',
    'functions',
    'function_call',
  ],
  refusal: (name) => wireFailure(422, 'invalid', 'Extra inputs are not permitted', { parameter: name }),
  adapt: (body) => (isJsonObject(body) && body.tool_choice === 'any' ? { ...body, tool_choice: 'required' } : body),
});
