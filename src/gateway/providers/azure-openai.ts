import { z } from 'zod';
import { defineProvider, type Settings } from '../provider.ts';
import { readOpenAiUsage } from '../usage.ts';
import { entraGrant } from './azure-openai/entra.ts';
import { openAiChatCompletions } from './openai/chat.ts';
import { classifyOpenAiError } from './openai/errors.ts';
import { openAiOperations } from './openai/operations.ts';

/** Dated versions address a deployment in the path; `v1` (and `preview`) names it in the body, as OpenAI does. */
function isDated({ apiVersion }: Settings): boolean {
  return apiVersion !== undefined && /^\d/.test(apiVersion);
}

function path(operation: string, deployment: string, settings: Settings): string {
  if (isDated(settings))
    return `/openai/deployments/${encodeURIComponent(deployment)}${operation}?api-version=${encodeURIComponent(settings.apiVersion ?? '')}`;
  return `/openai/v1${operation}${settings.apiVersion === 'preview' ? '?api-version=preview' : ''}`;
}

/** Azure OpenAI and Azure AI Foundry. A model's id is the name of its deployment. */
export default defineProvider({
  kind: 'azure-openai',
  summary: 'Azure OpenAI: the v1 API, or deployments with a dated api-version; a model id is the name of a deployment',
  settings: z.strictObject({
    resource: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, 'the name of the Azure resource: letters, digits and hyphens')
      .optional()
      .describe('Name of the Azure resource; without it baseUrl is needed, e.g. https://name.services.ai.azure.com'),
    apiVersion: z
      .string()
      .regex(/^(v1|preview|\d{4}-\d{2}-\d{2}(-preview)?)$/, 'v1, preview or a date such as 2024-10-21')
      .default('v1')
      .describe('`v1`, `preview`, or a dated version such as 2024-10-21, which addresses deployments in the path'),
    tenantId: z
      .string()
      .regex(/^[\w.-]{1,128}$/, 'a tenant id')
      .optional()
      .describe('Entra tenant, with `clientId` and the secret `clientSecret`'),
    clientId: z
      .string()
      .regex(/^[\w-]{1,128}$/, 'a client id')
      .optional()
      .describe('Entra application (client) id'),
    authority: z
      .string()
      .regex(/^(https:\/\/[\w.-]+|http:\/\/127\.0\.0\.1:\d+)$/, 'https:// and a host, nothing more')
      .default('https://login.microsoftonline.com')
      .describe('Where Entra tokens are fetched; other clouds have their own'),
  }),
  secrets: {
    clientSecret: 'Secret of the Entra application; tokens are fetched and renewed with it',
    entraToken: 'An Entra access token that something else renews; sent as it is',
  },
  defaultBaseUrl: ({ resource }) => (resource === undefined ? null : `https://${resource}.openai.azure.com`),
  findProblem({ settings, secrets }) {
    const ways = ['apiKey', 'entraToken', 'clientSecret'].filter((name) => secrets.has(name));
    if (ways.length !== 1)
      return `exactly one of apiKey, secrets.entraToken, secrets.clientSecret is needed; found ${ways.join(' and ') || 'none'}`;
    if (ways[0] === 'clientSecret' && (settings.tenantId === undefined || settings.clientId === undefined))
      return 'secrets.clientSecret needs settings.tenantId and settings.clientId';
    return null;
  },
  priceList: 'azure',
  limits: ['A model id must be the name of a deployment; prices are found by it, so name deployments after their models or set prices'],
  headers(credentials) {
    const token = credentials.secret('entraToken');
    if (token !== null) return { authorization: `Bearer ${token.reveal()}` };
    return credentials.apiKey === null ? {} : { 'api-key': credentials.apiKey.reveal() };
  },
  tokenGrant: entraGrant,
  operations: openAiOperations(
    ['text_completion', 'embeddings', 'image_generation', 'image_edit', 'speech', 'transcription', 'translation'],
    path,
  ),
  chat: [
    {
      dialect: 'openai-chat',
      path: (deployment, _isStream, settings) => path('/chat/completions', deployment, settings),
      encodeRequest: openAiChatCompletions.encodeRequest,
      answers: null,
    },
  ],
  readUsage: readOpenAiUsage,
  classifyError: classifyOpenAiError,
});
