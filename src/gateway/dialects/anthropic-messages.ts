import { BodyShape, readObject, readScannedBody, replaceModel, sameNames, scanBody, withMember } from '../body/chat-body.ts';
import type { ClientDialect } from '../client-dialect.ts';
import { encodeAnswer } from './anthropic-messages/answer.ts';
import { anthropicErrorBody, anthropicErrorEvent } from './anthropic-messages/errors.ts';
import { decodeRequest } from './anthropic-messages/request.ts';
import { AnthropicStreamEncoder } from './anthropic-messages/stream.ts';

const SHAPE = new BodyShape(
  { model: 'model', messages: 'conversation', stream: 'stream', metadata: 'metadata', plimsoll: 'plimsoll' },
  { ...sameNames('max_tokens', 'temperature', 'top_p', 'top_k', 'service_tier'), stop_sequences: 'stop' },
);

/** Anthropic's Messages API (anthropic-version 2023-06-01). */
export const anthropicMessages: ClientDialect = {
  name: 'anthropic-messages',
  scan(bytes, scanner) {
    const body = readScannedBody(scanBody(bytes, scanner, SHAPE));
    // Their metadata holds the user and nothing else.
    const userId = body.metadata === null ? null : readObject(bytes, body.metadata, 'metadata').user_id;
    return { ...body, user: typeof userId === 'string' ? userId : null, metadata: null };
  },
  forwardBody: (body, model, cap) => replaceModel(body, cap === null ? model : withMember(model, 'max_tokens', cap.tokens)),
  forwardedHeaders: ['anthropic-beta'],
  translation: {
    decodeRequest,
    encodeAnswer,
    createStreamEncoder: (options) => new AnthropicStreamEncoder(options),
  },
  encodeTokenCount: (inputTokens) => ({ input_tokens: inputTokens }),
  errorBody: anthropicErrorBody,
  errorEvent: anthropicErrorEvent,
};
