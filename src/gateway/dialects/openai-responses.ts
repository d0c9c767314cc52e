import { openAiErrorBody, PlimsollError } from '../../kernel/errors.ts';
import { BodyShape, readScannedBody, replaceModel, sameNames, scanBody, withMember } from '../body/chat-body.ts';
import type { ClientDialect } from '../client-dialect.ts';
import { encodeAnswer } from './openai-responses/answer.ts';
import { errorEvent } from './openai-responses/errors.ts';
import { decodeRequest } from './openai-responses/request.ts';
import { ResponsesStreamEncoder } from './openai-responses/stream.ts';

const SHAPE = new BodyShape(
  {
    model: 'model',
    input: 'conversation',
    stream: 'stream',
    user: 'user',
    metadata: 'metadata',
    background: 'background',
    plimsoll: 'plimsoll',
  },
  { ...sameNames('temperature', 'top_p', 'service_tier', 'top_logprobs'), max_output_tokens: 'max_tokens' },
);

/** OpenAI's Responses API. */
export const openAiResponses: ClientDialect = {
  name: 'openai-responses',
  limits: [
    'Refused: `previous_response_id`, `conversation`, `prompt`, `item_reference` (state that OpenAI keeps), built-in and custom tools, files and images by id or URL of a file, `context_management`',
    'Refused everywhere: `background`, whose usage nobody would see',
    'Left out with a warning: `store: true` (the answer says `store: false`), `truncation: "auto"`, log probabilities, `include` but for `reasoning.encrypted_content`, members that are not known',
    'Reasoning of another provider is in the answer where `reasoning.summary` asks for it; with `include: ["reasoning.encrypted_content"]` its signatures travel in `encrypted_content` and come back to that provider',
    '`GET` and `DELETE /v1/responses/{id}`: the providers of the models that the key may use are asked in turn until one knows the id; `x-plimsoll-model` on the request narrows them. An id is a capability: who has it and a key for its provider can read it',
  ],
  scan(bytes, scanner) {
    const scanned = scanBody(bytes, scanner, SHAPE);
    const { background } = scanned.found;
    // Its answer comes to another request: nobody would see its usage, limits and budgets would not hold.
    if (background !== undefined && bytes.toString('utf8', background.start, background.end) === 'true') {
      throw new PlimsollError(
        'invalid_argument',
        'background: a response that is made in the background cannot be metered here; leave it out.',
        {
          details: { param: 'background' },
        },
      );
    }
    return readScannedBody(scanned);
  },
  forwardBody: (body, model, cap) => replaceModel(body, cap === null ? model : withMember(model, 'max_output_tokens', cap.tokens)),
  translation: {
    decodeRequest,
    encodeAnswer,
    createStreamEncoder: (options) => new ResponsesStreamEncoder(options),
  },
  // A response repeats instructions, metadata, user and much else of its request.
  hasOwnForm: () => true,
  errorBody: (error) => openAiErrorBody(error),
  errorEvent,
};
