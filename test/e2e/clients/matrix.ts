/** The rows and columns of what is shown with official clients. Which cells were really run is in `proven/`, written by the tests. */
import type { DialectName, Operation } from '../../../src/gateway/provider.ts';

export const CASES = {
  chat: 'Chat',
  stream: 'Stream',
  tools: 'Tools in parallel',
  streamedTools: 'Streamed tools in parallel',
  structuredOutput: 'Structured output',
  images: 'Images',
  abort: 'Abort',
  retry: 'Retry',
  errors: 'Error classes',
} as const;
export type Case = keyof typeof CASES;

export interface ClientApi {
  readonly id: string;
  /** npm package whose version stands in the page. */
  readonly package: string;
  /** What of it is called. */
  readonly api: string;
  readonly dialect: DialectName;
}

export const CLIENTS: readonly ClientApi[] = [
  { id: 'openai-chat', package: 'openai', api: 'chat.completions', dialect: 'openai-chat' },
  { id: 'openai-responses', package: 'openai', api: 'responses', dialect: 'openai-responses' },
  { id: 'anthropic', package: '@anthropic-ai/sdk', api: 'messages', dialect: 'anthropic-messages' },
  { id: 'google-genai', package: '@google/genai', api: 'models, chats', dialect: 'gemini' },
  { id: 'ai-openai-chat', package: '@ai-sdk/openai', api: 'chat() with ai', dialect: 'openai-chat' },
  { id: 'ai-openai-responses', package: '@ai-sdk/openai', api: 'responses() with ai', dialect: 'openai-responses' },
  { id: 'ai-anthropic', package: '@ai-sdk/anthropic', api: 'with ai', dialect: 'anthropic-messages' },
  { id: 'langchain', package: '@langchain/openai', api: 'ChatOpenAI', dialect: 'openai-chat' },
  { id: 'agents-chat', package: '@openai/agents', api: 'chat completions', dialect: 'openai-chat' },
  { id: 'agents-responses', package: '@openai/agents', api: 'responses', dialect: 'openai-responses' },
];

/** Kinds of providers that the cells run against. */
export const UPSTREAMS = ['openai', 'openai-compatible', 'anthropic', 'gemini'] as const;
export type Upstream = (typeof UPSTREAMS)[number];

/** One client of each format, run against every kind of provider that the simulator plays. */
export const SIMULATED_CLIENTS = ['openai-chat', 'openai-responses', 'anthropic', 'google-genai'] as const;
export const SIMULATED_KINDS = [
  ...(['openai', 'openai-compatible', 'azure-openai', 'anthropic', 'gemini', 'mistral', 'cohere', 'bedrock'] as const),
];
export const SIMULATED_CASES = ['chat', 'stream', 'tools', 'structuredOutput', 'images'] as const satisfies readonly Case[];
export type SimulatedCase = (typeof SIMULATED_CASES)[number];

/** A call of a client to an endpoint besides chat. */
export interface EndpointCall {
  readonly id: string;
  readonly package: string;
  readonly api: string;
  /** As in src/gateway/endpoints.ts. */
  readonly endpoint: string;
  /** Null = answered by the gateway itself, or counted. */
  readonly operation: Operation | null;
}

const openai = (id: string, api: string, endpoint: string, operation: Operation | null): EndpointCall => ({
  id,
  package: 'openai',
  api,
  endpoint,
  operation,
});

export const ENDPOINT_CALLS: readonly EndpointCall[] = [
  openai('openai-completions', 'completions.create', '/v1/completions', 'text_completion'),
  openai('openai-embeddings', 'embeddings.create', '/v1/embeddings', 'embeddings'),
  { id: 'ai-embeddings', package: '@ai-sdk/openai', api: 'embedMany of ai', endpoint: '/v1/embeddings', operation: 'embeddings' },
  {
    id: 'langchain-embeddings',
    package: '@langchain/openai',
    api: 'OpenAIEmbeddings',
    endpoint: '/v1/embeddings',
    operation: 'embeddings',
  },
  openai('openai-rerank', 'post', '/v1/rerank', 'rerank'),
  openai('openai-moderations', 'moderations.create', '/v1/moderations', 'moderation'),
  openai('openai-images', 'images.generate', '/v1/images/generations', 'image_generation'),
  {
    id: 'ai-images',
    package: '@ai-sdk/openai',
    api: 'generateImage of ai',
    endpoint: '/v1/images/generations',
    operation: 'image_generation',
  },
  openai('openai-image-edits', 'images.edit', '/v1/images/edits', 'image_edit'),
  openai('openai-speech', 'audio.speech.create', '/v1/audio/speech', 'speech'),
  { id: 'ai-speech', package: '@ai-sdk/openai', api: 'generateSpeech of ai', endpoint: '/v1/audio/speech', operation: 'speech' },
  openai('openai-transcriptions', 'audio.transcriptions.create', '/v1/audio/transcriptions', 'transcription'),
  {
    id: 'ai-transcriptions',
    package: '@ai-sdk/openai',
    api: 'transcribe of ai',
    endpoint: '/v1/audio/transcriptions',
    operation: 'transcription',
  },
  openai('openai-translations', 'audio.translations.create', '/v1/audio/translations', 'translation'),
  openai('openai-stored', 'responses.retrieve, delete', '/v1/responses/{id}', null),
  openai('openai-models', 'models.list, retrieve', '/v1/models, /v1/models/{id}', null),
  {
    id: 'anthropic-models',
    package: '@anthropic-ai/sdk',
    api: 'models.list, retrieve',
    endpoint: '/v1/models, /v1/models/{id}',
    operation: null,
  },
  {
    id: 'anthropic-count',
    package: '@anthropic-ai/sdk',
    api: 'messages.countTokens',
    endpoint: '/v1/messages/count_tokens',
    operation: null,
  },
  {
    id: 'google-models',
    package: '@google/genai',
    api: 'models.list, get',
    endpoint: '/v1/models, /v1/models/{id}',
    operation: null,
  },
  {
    id: 'google-count',
    package: '@google/genai',
    api: 'models.countTokens',
    endpoint: '/v1beta/models/{model}:countTokens',
    operation: null,
  },
];
