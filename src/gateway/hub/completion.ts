import type { ErrorCode } from '../../kernel/errors.ts';
import type { Usage } from '../../models/usage.ts';
import type { AnswerFacts, StreamDecoderOptions, StreamStep } from '../provider.ts';
import { toOpenAiUsage } from '../usage.ts';
import type { JsonObject } from './json.ts';
import { ChunkEnvelope, TextChunk } from './text-chunk.ts';

/** What a provider's answer holds, in the hub's terms. */
export interface HubAnswer {
  readonly id: string;
  /** Null = the provider gave no id of its own. */
  readonly responseId: string | null;
  readonly model: string | null;
  readonly text: string;
  readonly reasoning: string;
  /** Thinking with its signature, to be sent back unchanged. */
  readonly thinkingBlocks: readonly JsonObject[];
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string; readonly extra?: JsonObject }[];
  /** Data URLs of images that the model made. */
  readonly images?: readonly string[];
  readonly refusal: string | null;
  readonly finishReason: string;
  readonly usage: Usage | null;
  readonly providerUsage: unknown;
  /** As the answer names it; absent = it does not. */
  readonly serviceTier?: string | undefined;
}

/**
 * Hub `chat.completion` and what it says of itself. Beyond OpenAI's format: `reasoning_content`, `thinking_blocks` and `images`.
 * @param createdSeconds epoch seconds
 */
export function toCompletion(
  answer: HubAnswer,
  requestedModel: string,
  createdSeconds: number,
): { completion: unknown; facts: AnswerFacts } {
  const { text, reasoning, thinkingBlocks, images = [], usage } = answer;
  const toolCalls = answer.toolCalls.map(({ id, name, arguments: json, extra }) => ({
    id,
    type: 'function',
    function: { name, arguments: json },
    ...extra,
  }));
  const completion = {
    id: answer.id,
    object: 'chat.completion',
    created: createdSeconds,
    model: answer.model ?? requestedModel,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text !== '' || toolCalls.length === 0 ? text : null,
          refusal: answer.refusal,
          ...(reasoning !== '' ? { reasoning_content: reasoning } : {}),
          ...(thinkingBlocks.length > 0 ? { thinking_blocks: thinkingBlocks } : {}),
          ...(images.length > 0 ? { images: images.map(toImage) } : {}),
          ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
        },
        logprobs: null,
        finish_reason: answer.finishReason,
      },
    ],
    ...(usage !== null ? { usage: toOpenAiUsage(usage) } : {}),
  };
  let outputCharacters = text.length + reasoning.length;
  for (const call of answer.toolCalls) outputCharacters += call.name.length + call.arguments.length;
  const facts = {
    responseId: answer.responseId,
    responseModel: answer.model,
    finishReasons: [answer.finishReason],
    usage,
    providerUsage: answer.providerUsage ?? null,
    outputCharacters,
    ...(answer.serviceTier === undefined ? {} : { serviceTier: answer.serviceTier }),
  };
  return { completion, facts };
}

function toImage(url: string): JsonObject {
  return { type: 'image_url', image_url: { url } };
}

const NOTHING: StreamStep = Object.freeze({ chunks: [], hasContent: false, isDone: false, error: null, facts: {} });

/**
 * Collects what one event of a provider's stream adds and hands it out as a `StreamStep` of hub chunks. The finish reason and the usage go out only
 * with `complete`, so that a stream that is cut before it never looks complete.
 */
export class HubStream {
  hasEnded = false;
  hasStarted = false;
  toolCount = 0;
  readonly #options: StreamDecoderOptions;
  #id: string;
  #model: string;
  #outputCharacters = 0;
  #textEnvelope: ChunkEnvelope | null = null;
  #chunks: unknown[] = [];
  #hasContent = false;

  constructor(options: StreamDecoderOptions) {
    this.#options = options;
    this.#id = options.answerId ?? '';
    this.#model = options.requestedModel;
  }

  /** Id of the answer as its chunks carry it. */
  get id(): string {
    return this.#id;
  }

  /** Sends the role, once. Null = not known. */
  start(id: string | null, model: string | null): Partial<AnswerFacts> {
    if (this.hasStarted) return {};
    this.hasStarted = true;
    this.#id = id ?? this.#id;
    this.#model = model ?? this.#model;
    this.#textEnvelope = null;
    this.#add({ role: 'assistant', content: '' }, 0);
    return { responseId: id, responseModel: model };
  }

  text(text: string): void {
    if (text === '') return;
    this.#textEnvelope ??= new ChunkEnvelope(this.#id, this.#options.createdSeconds, this.#model);
    this.#outputCharacters += text.length;
    this.#hasContent = true;
    this.#chunks.push(new TextChunk(this.#textEnvelope, text));
  }

  reasoning(text: string): void {
    if (text !== '') this.#add({ reasoning_content: text }, text.length);
  }

  thinkingBlock(block: JsonObject): void {
    this.#add({ thinking_blocks: [block] }, 0);
  }

  image(url: string): void {
    this.#add({ images: [toImage(url)] }, 1);
  }

  refusal(text: string): void {
    if (text !== '') this.#add({ refusal: text }, text.length);
  }

  /** @returns the index under which arguments follow */
  startTool(id: string, name: string, extra: JsonObject = {}): number {
    const index = this.toolCount++;
    this.#add({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' }, ...extra }] }, name.length);
    return index;
  }

  toolArguments(index: number, text: string): void {
    if (text !== '') this.#add({ tool_calls: [{ index, function: { arguments: text } }] }, text.length);
  }

  /** What was added since the last step. */
  take(facts: Partial<AnswerFacts> = {}): StreamStep {
    const chunks = this.#chunks;
    const hasContent = this.#hasContent;
    this.#chunks = [];
    this.#hasContent = false;
    if (chunks.length === 0) return { ...NOTHING, facts };
    return { ...NOTHING, chunks, hasContent, facts: { ...facts, outputCharacters: this.#outputCharacters } };
  }

  /** Nothing follows this. */
  fail(code: ErrorCode, message: string): StreamStep {
    this.hasEnded = true;
    return { ...NOTHING, error: { code, message } };
  }

  complete(finishReason: string, usage: Usage | null, providerUsage: unknown): StreamStep {
    this.hasEnded = true;
    this.#chunks.push(this.#chunk({}, finishReason));
    if (this.#options.includeUsage && usage !== null) this.#chunks.push({ ...this.#envelope(), choices: [], usage: toOpenAiUsage(usage) });
    const facts = { finishReasons: [finishReason], usage, providerUsage: providerUsage ?? null };
    return { ...this.take(facts), isDone: true };
  }

  #add(delta: JsonObject, characters: number): void {
    this.#outputCharacters += characters;
    if (characters > 0) this.#hasContent = true;
    this.#chunks.push(this.#chunk(delta));
  }

  #chunk(delta: JsonObject, finish: string | null = null): JsonObject {
    return { ...this.#envelope(), choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] };
  }

  #envelope(): JsonObject {
    return { id: this.#id, object: 'chat.completion.chunk', created: this.#options.createdSeconds, model: this.#model };
  }
}
