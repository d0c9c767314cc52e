import type { ChatEndpoint, Settings } from '../../provider.ts';
import { decodeAnswer } from './answer.ts';
import { encodeRequest } from './request.ts';
import { GeminiStreamDecoder } from './stream.ts';

/** `generateContent` and `streamGenerateContent`, wherever they are served. @param path of a method of a model */
export function generateContent(path: (model: string, method: string, settings: Settings) => string): ChatEndpoint {
  return {
    dialect: 'gemini',
    path: (model, isStream, settings) =>
      isStream ? `${path(model, 'streamGenerateContent', settings)}?alt=sse` : path(model, 'generateContent', settings),
    countTokensPath: (model, settings) => path(model, 'countTokens', settings),
    encodeRequest,
    answers: { decodeResponse: decodeAnswer, createStreamDecoder: (options) => new GeminiStreamDecoder(options) },
  };
}
