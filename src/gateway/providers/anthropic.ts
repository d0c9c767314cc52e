import { defineProvider } from '../provider.ts';
import { decodeAnswer } from './anthropic/answer.ts';
import { classifyAnthropicError } from './anthropic/errors.ts';
import { encodeRequest } from './anthropic/request.ts';
import { AnthropicStreamDecoder } from './anthropic/stream.ts';
import { readAnthropicUsage } from './anthropic/usage.ts';

/** Anthropic's Messages API. The base URL ends in `/v1`; Anthropic's own SDKs name the bare host. */
export default defineProvider({
  kind: 'anthropic',
  summary: "Anthropic's Messages API",
  defaultBaseUrl: () => 'https://api.anthropic.com/v1',
  versionPath: '/v1',
  probePath: '/models',
  priceList: 'anthropic',
  limits: [
    'n above 1, audio, the old function calls and json_schema for models before Claude 4.1 are refused',
    'response_format json_object becomes an instruction; seed, penalties, logit_bias and logprobs are not sent (warning)',
  ],
  headers: ({ apiKey }) => ({ 'anthropic-version': '2023-06-01', ...(apiKey === null ? {} : { 'x-api-key': apiKey.reveal() }) }),
  chat: [
    {
      dialect: 'anthropic-messages',
      path: () => '/messages',
      countTokensPath: () => '/messages/count_tokens',
      encodeRequest,
      answers: { decodeResponse: decodeAnswer, createStreamDecoder: (options) => new AnthropicStreamDecoder(options) },
    },
  ],
  readUsage: readAnthropicUsage,
  classifyError: classifyAnthropicError,
});
