import type { ErrorCode } from '../../../kernel/errors.ts';
import { parseJsonText } from '../../../kernel/parse-json.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { AnswerFacts, StreamDecoder, StreamStep } from '../../provider.ts';
import { classifyResponseError, finishReasonOf, readResponsesUsage, toChatUsage } from './responses-answer.ts';

const NOTHING: StreamStep = Object.freeze({ chunks: [], hasContent: false, isDone: false, error: null, facts: {} });

interface StreamOptions {
  readonly requestedModel: string;
  readonly createdSeconds: number;
  readonly includeUsage: boolean;
}

/**
 * Events of OpenAI's Responses API → hub chunks. The first chunk comes with the first item, not with the announcement of a response that may fail
 * at once. Complete at `response.completed` or `response.incomplete` and nowhere else. Events and items that
 * we do not know are skipped.
 */
export class ResponsesStreamDecoder implements StreamDecoder {
  readonly #options: StreamOptions;
  /** Index of each function call in the hub, by the item's place in the output. */
  readonly #calls = new Map<unknown, number>();
  #id = '';
  #model: string;
  #hasBegun = false;
  #hasEnded = false;
  #outputCharacters = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#model = options.requestedModel;
  }

  onEvent(event: string | null, data: string): StreamStep {
    if (this.#hasEnded) return NOTHING;
    // Some gateways of the same dialect end like chat streams do.
    if (data === '[DONE]') return NOTHING;
    let parsed: unknown;
    try {
      parsed = parseJsonText(data);
    } catch {
      return this.#fail('provider_bad_response', `OpenAI sent a stream event that is not JSON: ${data.slice(0, 80)}`);
    }
    if (!isObject(parsed)) return this.#fail('provider_bad_response', 'OpenAI sent a stream event that is not an object');
    const response = isObject(parsed.response) ? parsed.response : {};
    switch (parsed.type ?? event) {
      case 'response.created':
        return this.#start(response);
      case 'response.output_item.added':
        return this.#itemAdded(parsed);
      case 'response.output_text.delta':
        return this.#text('content', parsed.delta);
      case 'response.refusal.delta':
        return this.#text('refusal', parsed.delta);
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return this.#text('reasoning_content', parsed.delta);
      case 'response.function_call_arguments.delta':
        return this.#arguments(parsed);
      case 'response.completed':
      case 'response.incomplete':
        return this.#end(response);
      case 'response.failed':
        return this.#error(response.error);
      case 'error':
        return this.#error(isObject(parsed.error) ? parsed.error : parsed);
      default:
        return NOTHING;
    }
  }

  end(): StreamStep {
    if (this.#hasEnded) return NOTHING;
    return this.#fail('provider_stream_cut', 'OpenAI closed the stream before the response was complete');
  }

  #fail(code: ErrorCode, message: string): StreamStep {
    this.#hasEnded = true;
    return { ...NOTHING, error: { code, message } };
  }

  #error(error: unknown): StreamStep {
    const { code, message } = classifyResponseError(error);
    return this.#fail(code, message);
  }

  #envelope(): JsonObject {
    return { id: this.#id, object: 'chat.completion.chunk', created: this.#options.createdSeconds, model: this.#model };
  }

  #chunk(delta: JsonObject, finish: string | null = null): JsonObject {
    return { ...this.#envelope(), choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] };
  }

  #content(delta: JsonObject, characters: number): StreamStep {
    this.#outputCharacters += characters;
    const chunks = [...this.#begin(), this.#chunk(delta)];
    return { ...NOTHING, chunks, hasContent: characters > 0, facts: { outputCharacters: this.#outputCharacters } };
  }

  /** The chunk with the role, once. */
  #begin(): JsonObject[] {
    if (this.#hasBegun) return [];
    this.#hasBegun = true;
    return [this.#chunk({ role: 'assistant', content: '' })];
  }

  #start(response: JsonObject): StreamStep {
    if (typeof response.id === 'string') this.#id = response.id;
    const responseModel = typeof response.model === 'string' ? response.model : null;
    this.#model = responseModel ?? this.#model;
    const facts: Partial<AnswerFacts> = { responseId: this.#id, responseModel };
    return { ...NOTHING, facts };
  }

  #text(member: string, delta: unknown): StreamStep {
    return typeof delta === 'string' && delta !== '' ? this.#content({ [member]: delta }, delta.length) : NOTHING;
  }

  #itemAdded({ output_index: place, item }: JsonObject): StreamStep {
    if (!isObject(item)) return NOTHING;
    if (item.type !== 'function_call' || typeof item.name !== 'string') return { ...NOTHING, chunks: this.#begin() };
    const index = this.#calls.size;
    this.#calls.set(place, index);
    const given = typeof item.arguments === 'string' ? item.arguments : '';
    const call = { index, id: item.call_id, type: 'function', function: { name: item.name, arguments: given } };
    return this.#content({ tool_calls: [call] }, item.name.length + given.length);
  }

  #arguments({ output_index: place, delta }: JsonObject): StreamStep {
    const index = this.#calls.get(place);
    if (index === undefined || typeof delta !== 'string' || delta === '') return NOTHING;
    return this.#content({ tool_calls: [{ index, function: { arguments: delta } }] }, delta.length);
  }

  #end(response: JsonObject): StreamStep {
    this.#hasEnded = true;
    const reason = finishReasonOf(response, this.#calls.size > 0);
    const usage = readResponsesUsage(response.usage);
    const chunks: JsonObject[] = [...this.#begin(), this.#chunk({}, reason)];
    const told = toChatUsage(response.usage);
    if (this.#options.includeUsage && told !== null) chunks.push({ ...this.#envelope(), choices: [], usage: told });
    const facts = {
      finishReasons: [reason],
      usage,
      providerUsage: response.usage ?? null,
      outputCharacters: this.#outputCharacters,
      ...(typeof response.service_tier === 'string' ? { serviceTier: response.service_tier } : {}),
    };
    return { ...NOTHING, chunks, isDone: true, facts };
  }
}
