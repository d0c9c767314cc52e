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
  limits: [
    'Refused: tools that run at Anthropic (web search, code execution, bash, computer …), `mcp_servers`, `container`, `inference_geo`, images and documents by file id or PDF by URL, blocks of server tools in the history',
    'Left out with a warning: `context_management`, `speed`, `cache_control` of the whole request, hints of tools (`defer_loading` …), citations, `output_config.task_budget`',
    '`thinking` becomes a level of reasoning (budget under 2 048 tokens: low, under 8 192: medium, else high); thinking is in the answer where the request asked for it, with a signature only where the provider gives one',
    'System messages, tool results with images and `is_error`, `cache_control` of blocks and signed thinking are kept for providers that have a place for them; OpenAI’s chat format gets images of tool results in a user message after them',
    'Usage that the provider does not report is 0; `message_start` carries no usage, `message_delta` all of it',
    '`POST /v1/messages/count_tokens` is answered by an Anthropic provider; for others it is an estimate, marked by `x-plimsoll-token-count: estimated`; batches are not served',
  ],
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
