import { defineProvider } from '../provider.ts';
import { decodeAnswer } from './cohere/answer.ts';
import { classifyCohereError } from './cohere/errors.ts';
import { cohereEmbeddings, cohereRerank } from './cohere/operations.ts';
import { encodeRequest } from './cohere/request.ts';
import { CohereStreamDecoder } from './cohere/stream.ts';
import { readCohereUsage } from './cohere/usage.ts';
import { bearer } from './openai/authorization.ts';

export default defineProvider({
  kind: 'cohere',
  summary: "Cohere's API, version 2",
  defaultBaseUrl: () => 'https://api.cohere.com/v2',
  versionPath: '/v2',
  priceList: 'cohere',
  operations: { embeddings: cohereEmbeddings, rerank: cohereRerank },
  limits: [
    'n above 1, audio, files, the old function calls, more than 5 stop sequences and images in tool answers are refused',
    'A tool_choice that names a function is sent as that one tool, required; citations are left out (warning)',
    'logprobs, logit_bias, parallel_tool_calls false and penalties below 0 are not sent (warning); a temperature or penalty above 1 is lowered (warning)',
  ],
  headers: bearer,
  chat: [
    {
      dialect: 'cohere-chat',
      path: () => '/chat',
      encodeRequest,
      answers: { decodeResponse: decodeAnswer, createStreamDecoder: (options) => new CohereStreamDecoder(options) },
    },
  ],
  readUsage: readCohereUsage,
  classifyError: classifyCohereError,
});
