import { defineProvider } from '../provider.ts';
import { decodeAnswer, readMistralUsage } from './mistral/answer.ts';
import { classifyMistralError } from './mistral/errors.ts';
import { mistralOperations } from './mistral/operations.ts';
import { encodeRequest } from './mistral/request.ts';
import { MistralStreamDecoder } from './mistral/stream.ts';
import { bearer } from './openai/authorization.ts';

/** Mistral's chat is OpenAI's with differences on both sides, which is why it is translated and not forwarded. */
export default defineProvider({
  kind: 'mistral',
  summary: "Mistral AI's API",
  defaultBaseUrl: () => 'https://api.mistral.ai/v1',
  versionPath: '/v1',
  probePath: '/models',
  priceList: 'mistral',
  operations: mistralOperations,
  limits: [
    'n above 1, audio answers and the old function calls are refused; a temperature above 1.5 is lowered (warning)',
    'Tool ids become nine letters and digits; thinking comes as reasoning_content; references inside an answer are left out',
    'logprobs, logit_bias and top_k are not sent (warning); safe_prompt is',
  ],
  headers: bearer,
  chat: [
    {
      dialect: 'mistral-chat',
      path: () => '/chat/completions',
      encodeRequest,
      answers: { decodeResponse: decodeAnswer, createStreamDecoder: (options) => new MistralStreamDecoder(options) },
    },
  ],
  readUsage: readMistralUsage,
  classifyError: classifyMistralError,
});
