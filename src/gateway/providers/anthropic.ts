import type { ProviderAdapter } from '../provider.ts';
import { decodeAnswer } from './anthropic/answer.ts';
import { classifyAnthropicError } from './anthropic/errors.ts';
import { encodeRequest } from './anthropic/request.ts';
import { AnthropicStreamDecoder } from './anthropic/stream.ts';
import { readAnthropicUsage } from './anthropic/usage.ts';

/** Anthropic's Messages API, spoken for clients of OpenAI's chat completions. The base URL ends in `/v1`. */
const anthropic: ProviderAdapter = {
  kind: 'anthropic',
  headers: (credential) => ({ 'anthropic-version': '2023-06-01', ...(credential === null ? {} : { 'x-api-key': credential }) }),
  chat: [
    {
      dialect: 'anthropic-messages',
      path: () => '/messages',
      encodeRequest,
      answers: { decodeResponse: decodeAnswer, createStreamDecoder: (options) => new AnthropicStreamDecoder(options) },
    },
  ],
  readUsage: readAnthropicUsage,
  classifyError: classifyAnthropicError,
};

export default anthropic;
