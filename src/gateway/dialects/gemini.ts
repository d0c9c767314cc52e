import { BodyShape, type ChatBody, missingConversation, replaceModel, sameNames, scanBody } from '../body/chat-body.ts';
import type { ClientDialect } from '../client-dialect.ts';
import { encodeAnswer } from './gemini/answer.ts';
import { geminiErrorBody } from './gemini/errors.ts';
import { ArrayReframer, EVENTS, failure } from './gemini/framing.ts';
import { parsePath } from './gemini/path.ts';
import { decodeRequest, wantsThoughts } from './gemini/request.ts';
import { GeminiStreamEncoder } from './gemini/stream.ts';

/** The parameters stand in `generationConfig`; Google takes every name in either spelling. */
const SHAPE = new BodyShape(
  { contents: 'conversation', generationConfig: 'settings', generation_config: 'settings', plimsoll: 'plimsoll' },
  {
    ...sameNames('temperature', 'top_p', 'top_k', 'seed', 'presence_penalty', 'frequency_penalty'),
    ...{
      topP: 'top_p',
      topK: 'top_k',
      maxOutputTokens: 'max_tokens',
      max_output_tokens: 'max_tokens',
      candidateCount: 'n',
      candidate_count: 'n',
    },
    ...{ stopSequences: 'stop', stop_sequences: 'stop', presencePenalty: 'presence_penalty', frequencyPenalty: 'frequency_penalty' },
  },
);
const EMPTY = { start: 0, end: 0 };

/** Google's `generateContent` and `streamGenerateContent` (v1beta). The model stands in the path. */
export const gemini: ClientDialect = {
  name: 'gemini',
  scan(bytes, scanner, path): ChatBody {
    const { found, parameters, plimsollMember } = scanBody(bytes, scanner, SHAPE);
    const { model, method, isEventStream } = parsePath(path);
    // A question for tokens may wrap the request.
    if (found.conversation === undefined && method !== 'countTokens') throw missingConversation(SHAPE);
    return {
      bytes,
      model,
      modelSlice: null,
      isStream: method === 'streamGenerateContent',
      isEventStream,
      includeUsage: true,
      streamOptions: null,
      plimsollMember,
      user: null,
      metadata: null,
      messages: found.conversation ?? EMPTY,
      parameters,
    };
  },
  forwardBody: replaceModel,
  createReframer: (path) => (parsePath(path).isEventStream ? null : new ArrayReframer()),
  translation: {
    decodeRequest,
    encodeAnswer,
    createStreamEncoder: (options) => new GeminiStreamEncoder(options),
  },
  hasOwnForm: wantsThoughts,
  encodeTokenCount: (inputTokens) => ({ totalTokens: inputTokens }),
  errorBody: geminiErrorBody,
  errorEvent: (error) => failure(EVENTS, error),
};
