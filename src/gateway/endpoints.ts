import type { IncomingHttpHeaders } from 'node:http';
import type { ClientDialect } from './client-dialect.ts';
import { anthropicMessages } from './dialects/anthropic-messages.ts';
import { gemini } from './dialects/gemini.ts';
import { openAiChat } from './dialects/openai-chat.ts';
import { openAiResponses } from './dialects/openai-responses.ts';
import { OPERATION_DIALECTS } from './operations/client-operation.ts';

/** What a request to a path asks for; `server.ts` holds the function of each. `chat` is every call that runs the pipeline. */
export type Operation = 'chat' | 'count_tokens' | 'stored_response' | 'list_models' | 'read_model';

/** One line of the table of model paths. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Exact, or a pattern over the whole path (query left out). */
  readonly path: string | RegExp;
  /** Of the request and of every answer, errors included. */
  readonly dialect: ClientDialect;
  readonly operation: Operation;
  /** As the reference and error messages name it. */
  readonly label: string;
}

function endpoint(
  method: Endpoint['method'],
  path: Endpoint['path'],
  dialect: ClientDialect,
  operation: Operation,
  label: string,
): Endpoint {
  return { method, path, dialect, operation, label };
}

/** Model names may hold slashes and colons; the method of Gemini's paths stands after the last colon. */
export const ENDPOINTS: readonly Endpoint[] = [
  endpoint('POST', '/v1/chat/completions', openAiChat, 'chat', '/v1/chat/completions'),
  endpoint('POST', '/v1/responses', openAiResponses, 'chat', '/v1/responses'),
  endpoint('GET', /^\/v1\/responses\/[^/]+$/, openAiResponses, 'stored_response', '/v1/responses/{id}'),
  endpoint('DELETE', /^\/v1\/responses\/[^/]+$/, openAiResponses, 'stored_response', '/v1/responses/{id}'),
  endpoint('POST', '/v1/messages', anthropicMessages, 'chat', '/v1/messages'),
  endpoint('POST', '/v1/messages/count_tokens', anthropicMessages, 'count_tokens', '/v1/messages/count_tokens'),
  endpoint('POST', /^\/v1(beta)?\/models\/.+:generateContent$/, gemini, 'chat', '/v1beta/models/{model}:generateContent'),
  endpoint('POST', /^\/v1(beta)?\/models\/.+:streamGenerateContent$/, gemini, 'chat', '/v1beta/models/{model}:streamGenerateContent'),
  endpoint('POST', /^\/v1(beta)?\/models\/.+:countTokens$/, gemini, 'count_tokens', '/v1beta/models/{model}:countTokens'),
  ...OPERATION_DIALECTS.map((dialect) => endpoint('POST', dialect.operation.path, dialect, 'chat', dialect.operation.path)),
  endpoint('GET', '/v1/models', openAiChat, 'list_models', '/v1/models'),
  endpoint('GET', /^\/v1\/models\/.+$/, openAiChat, 'read_model', '/v1/models/{id}'),
  endpoint('GET', '/v1beta/models', gemini, 'list_models', '/v1beta/models'),
  endpoint('GET', /^\/v1beta\/models\/.+$/, gemini, 'read_model', '/v1beta/models/{id}'),
];

/** Paths of model APIs that clients will try and that nothing above serves. */
const UNSERVED =
  /^\/v1\/(responses|completions|embeddings|messages|images|audio|moderations|files|batches|fine_tuning|assistants|threads|realtime|vector_stores|uploads|rerank|conversations|complete)(\/|$)|^\/v1(beta\d*|alpha)(\/|$)/;

const EXACT = new Map<string, Endpoint[]>();
for (const entry of ENDPOINTS) if (typeof entry.path === 'string') EXACT.set(entry.path, [...(EXACT.get(entry.path) ?? []), entry]);
const PATTERNS = ENDPOINTS.filter((entry) => entry.path instanceof RegExp);

/** The endpoints of a path, one per method; empty when it is no model path of ours. */
export function endpointsAt(path: string): readonly Endpoint[] {
  return EXACT.get(path) ?? PATTERNS.filter((entry) => (entry.path as RegExp).test(path)); // PATTERNS holds no strings
}

/** Whether a POST request to this URL is a call that runs the pipeline. */
export function isCallUrl(url: string): boolean {
  const query = url.indexOf('?');
  return endpointsAt(query < 0 ? url : url.slice(0, query)).some(({ method, operation }) => method === 'POST' && operation === 'chat');
}

export function isUnservedModelPath(path: string): boolean {
  return UNSERVED.test(path);
}

/** Endpoints in words, for who asks for something else. */
export const SUPPORTED_ENDPOINTS = [...new Set(ENDPOINTS.map(({ method, label }) => `${method} ${label}`))].join(', ');

/**
 * The dialect in which a client that asks for `path` reads answers: that of the path, and on paths that several APIs share that of the client's
 * headers. Errors use it too, also where nothing is served.
 */
export function dialectOf(path: string, headers: IncomingHttpHeaders): ClientDialect {
  if (path.startsWith('/v1/messages') || path === '/v1/complete') return anthropicMessages;
  if (path.startsWith('/v1beta') || path.startsWith('/v1alpha')) return gemini;
  if (headers['anthropic-version'] !== undefined && path.startsWith('/v1/')) return anthropicMessages;
  // Google's client lists and reads models at OpenAI's path.
  if (headers['x-goog-api-key'] !== undefined && path.startsWith('/v1/models')) return gemini;
  return endpointsAt(path)[0]?.dialect ?? openAiChat;
}
