/** What is proven with official clients. The tests in this folder run exactly these cells; docs/reference/compatibility.md is made from them. */
import type { DialectName } from '../../../src/gateway/provider.ts';

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
  agentLoop: 'Agent loop',
} as const;
export type Case = keyof typeof CASES;

export interface ClientApi {
  readonly id: string;
  /** npm package whose version stands in the page. */
  readonly package: string;
  /** What of it is called. */
  readonly api: string;
  readonly dialect: DialectName;
  readonly cases: readonly Case[];
}

const ALL: readonly Case[] = ['chat', 'stream', 'tools', 'streamedTools', 'structuredOutput', 'images', 'abort', 'retry', 'errors'];

export const CLIENTS: readonly ClientApi[] = [
  { id: 'openai-chat', package: 'openai', api: 'chat.completions', dialect: 'openai-chat', cases: ALL },
  { id: 'openai-responses', package: 'openai', api: 'responses', dialect: 'openai-responses', cases: ALL },
  { id: 'anthropic', package: '@anthropic-ai/sdk', api: 'messages', dialect: 'anthropic-messages', cases: ALL },
  { id: 'google-genai', package: '@google/genai', api: 'models, chats', dialect: 'gemini', cases: ALL },
  { id: 'ai-openai-chat', package: '@ai-sdk/openai', api: 'chat() with ai', dialect: 'openai-chat', cases: ALL },
  { id: 'ai-openai-responses', package: '@ai-sdk/openai', api: 'responses() with ai', dialect: 'openai-responses', cases: ALL },
  { id: 'ai-anthropic', package: '@ai-sdk/anthropic', api: 'with ai', dialect: 'anthropic-messages', cases: ALL },
  { id: 'langchain', package: '@langchain/openai', api: 'ChatOpenAI', dialect: 'openai-chat', cases: ALL },
  { id: 'agents-chat', package: '@openai/agents', api: 'chat completions', dialect: 'openai-chat', cases: ['agentLoop'] },
  { id: 'agents-responses', package: '@openai/agents', api: 'responses', dialect: 'openai-responses', cases: ['agentLoop'] },
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
