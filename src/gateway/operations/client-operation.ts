import { openAiErrorBody } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { MeteredUnits } from '../../models/metered-units.ts';
import { BodyShape, type ChatBody, readScannedBody, replaceModel, sameNames, scanBody, upstreamChatBody } from '../body/chat-body.ts';
import type { ClientDialect } from '../client-dialect.ts';
import type { Operation } from '../provider.ts';
import { scanMultipart } from './multipart.ts';

/** An operation besides chat as clients ask for it. */
export interface ClientOperation {
  readonly name: Operation;
  readonly path: string;
  readonly isMultipart: boolean;
  /** Where nothing is reported, tokens are guessed from the texts; of what holds no text nothing is known then. */
  readonly estimatesTokens: boolean;
  /** The answer may be something else than JSON: sound, subtitles, events. */
  readonly mayAnswerBytes: boolean;
  /** The answer has tokens that a price may be per. */
  readonly hasOutputTokens: boolean;
  /** Pieces that the request itself tells. */
  readonly measure: (body: ChatBody) => MeteredUnits;
}

const PARAMETERS = sameNames(
  ...[
    'dimensions',
    'encoding_format',
    'input_type',
    'top_n',
    'n',
    'size',
    'quality',
    'style',
    'background',
    'output_format',
    'voice',
    'speed',
  ],
  ...[
    'response_format',
    'language',
    'max_tokens',
    'temperature',
    'top_p',
    'seed',
    'stop',
    'presence_penalty',
    'frequency_penalty',
    'logprobs',
  ],
);

function shapeOf(input: string): BodyShape {
  return new BodyShape(
    {
      model: 'model',
      [input]: 'conversation',
      stream: 'stream',
      stream_options: 'stream_options',
      user: 'user',
      metadata: 'metadata',
      plimsoll: 'plimsoll',
    },
    PARAMETERS,
  );
}

/** Code points of a text in the body; a slice that is no text has none. */
function charactersOf({ bytes, messages }: ChatBody): MeteredUnits {
  const value: unknown = parseJsonText(bytes.toString('utf8', messages.start, messages.end));
  return typeof value === 'string' ? { characters: [...value].length } : {};
}

const NOTHING: MeteredUnits = Object.freeze({});

function operation(name: Operation, path: string, traits: Partial<ClientOperation> = {}): ClientOperation {
  return {
    name,
    path,
    isMultipart: false,
    estimatesTokens: false,
    mayAnswerBytes: false,
    hasOutputTokens: false,
    measure: () => NOTHING,
    ...traits,
  };
}

/** An operation and the member of its JSON body that the model works on; of multipart bodies only `model` and `stream` are read. */
const OPERATIONS: readonly (readonly [ClientOperation, input: string])[] = [
  [operation('text_completion', '/v1/completions', { estimatesTokens: true, hasOutputTokens: true }), 'prompt'],
  [operation('embeddings', '/v1/embeddings', { estimatesTokens: true }), 'input'],
  [operation('rerank', '/v1/rerank'), 'documents'],
  [operation('moderation', '/v1/moderations'), 'input'],
  [operation('image_generation', '/v1/images/generations', { mayAnswerBytes: true, hasOutputTokens: true }), 'prompt'],
  [operation('image_edit', '/v1/images/edits', { isMultipart: true, mayAnswerBytes: true, hasOutputTokens: true }), 'prompt'],
  [operation('speech', '/v1/audio/speech', { mayAnswerBytes: true, hasOutputTokens: true, measure: charactersOf }), 'input'],
  [operation('transcription', '/v1/audio/transcriptions', { isMultipart: true, mayAnswerBytes: true, hasOutputTokens: true }), 'file'],
  [operation('translation', '/v1/audio/translations', { isMultipart: true, mayAnswerBytes: true, hasOutputTokens: true }), 'file'],
];

function dialectOf(clientOperation: ClientOperation, input: string): ClientDialect {
  const shape = shapeOf(input);
  const isCompletion = clientOperation.name === 'text_completion';
  return {
    name: 'openai-chat',
    operation: clientOperation,
    scan: clientOperation.isMultipart
      ? (bytes, _scanner, _path, contentType) => scanMultipart(bytes, contentType ?? '')
      : // Of other answers not even streams are ours to write between.
        (bytes, scanner) => ({ ...readScannedBody(scanBody(bytes, scanner, shape)), isEventStream: isCompletion }),
    forwardBody: isCompletion ? upstreamChatBody : (body, model) => replaceModel(body, model),
    translation: null,
    limits: [],
    // Cohere's clients read `message` beside the status.
    errorBody: (error) =>
      clientOperation.name === 'rerank' ? { message: error.message, ...openAiErrorBody(error) } : openAiErrorBody(error),
    // In the middle of sound or an image nothing can be said: the connection is cut.
    errorEvent: (error) => (isCompletion ? `data: ${JSON.stringify(openAiErrorBody(error))}\n\n` : ''),
  };
}

/** A dialect per operation: what `server.ts` needs to serve its path. */
export const OPERATION_DIALECTS: readonly (ClientDialect & { readonly operation: ClientOperation })[] = OPERATIONS.map(
  ([clientOperation, input]) => ({ ...dialectOf(clientOperation, input), operation: clientOperation }),
);
