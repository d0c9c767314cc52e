import { z } from 'zod';
import { defineProvider, type Settings } from '../provider.ts';
import { readAnthropicUsage } from './anthropic/usage.ts';
import { generateContent } from './gemini/chat.ts';
import { vertexEmbeddings } from './gemini/embeddings.ts';
import { LIMITS } from './gemini/limits.ts';
import { readGeminiUsage } from './gemini/usage.ts';
import { claudeOnVertex } from './vertex/claude.ts';
import { classifyVertexError } from './vertex/errors.ts';
import { serviceAccountGrant } from './vertex/service-account.ts';

/** `global`, a multi-region (`us`, `eu`) or a region: each has a host form of its own. */
function host(location: string): string {
  if (location === 'global') return 'aiplatform.googleapis.com';
  if (location === 'us' || location === 'eu') return `aiplatform.${location}.rep.googleapis.com`;
  return `${location}-aiplatform.googleapis.com`;
}

function methodPath(publisher: string, model: string, method: string, { project, location }: Settings): string {
  return `/projects/${project}/locations/${location}/publishers/${publisher}/models/${encodeURIComponent(model).replaceAll('%40', '@')}:${method}`;
}

/** Gemini and Claude on Google Cloud: the codecs of their own APIs at another address, with OAuth. */
export default defineProvider({
  kind: 'vertex',
  summary: 'Google Cloud Vertex AI: Gemini models, and Claude models where the model id says so',
  settings: z.strictObject({
    project: z
      .string({ error: 'the id of a Google Cloud project is needed' })
      .regex(/^[a-z][a-z0-9.:-]{4,62}[a-z0-9]$|^\d{4,20}$/, 'the id or number of a Google Cloud project')
      .describe('Google Cloud project, id or number'),
    location: z
      .string()
      .regex(/^[a-z]+(-[a-z]+\d+)?$/, 'global, us, eu or a region such as europe-west4')
      .default('global')
      .describe('`global`, `us`, `eu`, or a region such as europe-west4'),
  }),
  secrets: { serviceAccountJson: 'The JSON key file of a service account, as text; access tokens are fetched and renewed with it' },
  defaultBaseUrl: ({ location = 'global' }) => `https://${host(location)}/v1`,
  versionPath: '/v1',
  findProblem: ({ secrets }) => {
    if (secrets.has('apiKey')) return 'Vertex AI takes no apiKey here; name a service account in secrets.serviceAccountJson';
    return secrets.has('serviceAccountJson') ? null : 'secrets.serviceAccountJson is needed';
  },
  priceList: 'google',
  operations: { embeddings: vertexEmbeddings((model, settings) => methodPath('google', model, 'predict', settings)) },
  limits: [
    ...LIMITS,
    'Claude models: as kind anthropic; embeddings are for the text models of Google',
    'Workload identity and the metadata server are not used: a service account key is needed',
  ],
  headers: () => ({}),
  tokenGrant: serviceAccountGrant,
  chat: [
    {
      ...generateContent((model, method, settings) => methodPath('google', model, method, settings)),
      serves: (model) => !/claude/i.test(model),
    },
    claudeOnVertex(methodPath),
  ],
  readUsage: (usage) => readGeminiUsage(usage) ?? readAnthropicUsage(usage),
  classifyError: classifyVertexError,
});
