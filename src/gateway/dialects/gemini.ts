import { BodyShape, type ChatBody, type Edit, missingConversation, replaceModel, sameNames, scanBody } from '../body/chat-body.ts';
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

/** Adds `maxOutputTokens` to the settings of a request that has none. */
function capEdit({ bytes, settings }: ChatBody, tokens: number): Edit {
  if (settings === null) {
    const start = bytes.indexOf('{') + 1;
    return { start, end: start, replacement: Buffer.from(`"generationConfig":{"maxOutputTokens":${tokens}},`) };
  }
  const rest = bytes.toString('utf8', settings.start, settings.end).replace(/^\{\s*/, '');
  // Not an object: what it is instead (null, mostly) says nothing.
  if (bytes[settings.start] !== 0x7b) return { ...settings, replacement: Buffer.from(`{"maxOutputTokens":${tokens}}`) };
  const start = settings.start + 1;
  return { start, end: start, replacement: Buffer.from(`"maxOutputTokens":${tokens}${rest === '}' ? '' : ','}`) };
}

/** Google's `generateContent` and `streamGenerateContent` (v1beta). The model stands in the path. */
export const gemini: ClientDialect = {
  name: 'gemini',
  limits: [
    'Refused: tools that run at Google (search, code execution, URL context …), `cachedContent`, files at Google, video, answers that are not text, `responseMimeType` other than JSON and plain text',
    'Left out with a warning: `safetySettings`, `labels`, log probabilities, response schemas of functions, members that are not known',
    '`thinkingBudget` and `thinkingLevel` become a level of reasoning; thoughts are in the answer where `includeThoughts` asks for them; signatures travel as `thoughtSignature` of the first function call',
    'Function calls come whole, at the end of a stream; a call without an id is matched with its answer by name',
    'Without `alt=sse` a stream is one JSON array; one that broke off is left open',
    '`:countTokens` is an estimate for other providers, marked by `x-plimsoll-token-count: estimated`; a key in `?key=` is taken out of the URL before anything else sees it',
  ],
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
      settings: found.settings ?? null,
    };
  },
  forwardBody: (body, model, cap) => replaceModel(body, model, cap === null ? [] : [capEdit(body, cap.tokens)]),
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
