import { z } from 'zod';
import { defineProvider } from '../provider.ts';
import { decodeAnswer } from './bedrock/answer.ts';
import { bedrockEmbeddings } from './bedrock/embeddings.ts';
import { classifyBedrockError } from './bedrock/errors.ts';
import { encodeRequest } from './bedrock/request.ts';
import { signForBedrock } from './bedrock/signature.ts';
import { BedrockStreamDecoder } from './bedrock/stream.ts';
import { readBedrockUsage } from './bedrock/usage.ts';
import { bearer } from './openai/authorization.ts';

/** AWS Bedrock by its Converse API, which speaks to every chat model there in one format. */
export default defineProvider({
  kind: 'bedrock',
  summary: 'AWS Bedrock by Converse and ConverseStream: Claude, Nova, Llama, Mistral, gpt-oss …',
  settings: z.strictObject({
    region: z
      .string({ error: 'an AWS region is needed, e.g. eu-central-1' })
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region, e.g. eu-central-1')
      .describe('AWS region of the endpoint and of the signature'),
  }),
  secrets: {
    accessKeyId: 'Access key id; with secretAccessKey every request is signed (SigV4)',
    secretAccessKey: 'Secret access key',
    sessionToken: 'Session token of temporary credentials; something else must renew them',
  },
  defaultBaseUrl: ({ region = '' }) => `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`,
  findProblem({ secrets }) {
    const hasKeys = secrets.has('accessKeyId') && secrets.has('secretAccessKey');
    if (secrets.has('apiKey'))
      return hasKeys ? 'either apiKey (a Bedrock API key) or secrets.accessKeyId and secretAccessKey, not both' : null;
    return hasKeys ? null : 'secrets.accessKeyId and secrets.secretAccessKey are needed, or apiKey (a Bedrock API key)';
  },
  priceList: 'aws',
  operations: { embeddings: bedrockEmbeddings },
  limits: [
    'n above 1, audio, the old function calls and images by URL are refused: Bedrock needs their bytes, and the gateway fetches nothing',
    'A conversation that holds tool calls needs the tools in each request; tool_choice none is refused there',
    'response_format json_object becomes an instruction; seed, penalties, logprobs, logit_bias and parallel_tool_calls false are not sent (warning)',
    'Credentials of an instance, a container or an OIDC role are not looked up: keys or an API key are needed',
  ],
  headers: bearer,
  sign: signForBedrock,
  chat: [
    {
      dialect: 'bedrock-converse',
      path: (model, isStream) => `/model/${encodeURIComponent(model)}/${isStream ? 'converse-stream' : 'converse'}`,
      framing: 'aws-event-stream',
      encodeRequest,
      answers: { decodeResponse: decodeAnswer, createStreamDecoder: (options) => new BedrockStreamDecoder(options) },
    },
  ],
  readUsage: readBedrockUsage,
  classifyError: classifyBedrockError,
});
