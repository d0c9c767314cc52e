import type { ChatEndpoint } from '../../provider.ts';
import { encodeForChatFormat, isOpenAiReasoningModel } from './request.ts';
import { decodeResponse } from './responses-answer.ts';
import { ResponsesStreamDecoder } from './responses-stream.ts';

/** The hub's own dialect: bytes are forwarded and scanned. */
export const chatCompletions: ChatEndpoint = {
  dialect: 'openai-chat',
  path: () => '/chat/completions',
  encodeRequest: null,
  answers: null,
};

/** As OpenAI's own servers take it. */
export const openAiChatCompletions: ChatEndpoint = {
  ...chatCompletions,
  encodeRequest: encodeForChatFormat({ isOpenAi: true, isReasoningModel: isOpenAiReasoningModel, maxUserCharacters: 64 }),
};

/** The Responses API, for its own clients alone: everybody else is served by chat completions. */
export const responses: ChatEndpoint = {
  dialect: 'openai-responses',
  path: () => '/responses',
  storedAnswerPath: (id) => `/responses/${id}`,
  encodeRequest: null,
  answers: { decodeResponse, createStreamDecoder: (options) => new ResponsesStreamDecoder(options) },
};
