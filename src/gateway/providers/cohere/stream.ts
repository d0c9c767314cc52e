import { parseJsonText } from '../../../kernel/parse-json.ts';
import { HubStream } from '../../hub/completion.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { StreamDecoder, StreamDecoderOptions, StreamStep } from '../../provider.ts';
import { failureOf, finishReason } from './answer.ts';
import { readCohereUsage } from './usage.ts';

function objectAt(value: unknown, ...path: readonly string[]): JsonObject {
  let found: unknown = value;
  for (const name of path) found = isObject(found) ? found[name] : undefined;
  return isObject(found) ? found : {};
}

/** Cohere's stream events (chat v2) → OpenAI chunks; citations and events that we do not know are skipped. */
export class CohereStreamDecoder implements StreamDecoder {
  readonly #out: HubStream;
  /** Cohere's index of a call → ours. */
  readonly #calls = new Map<unknown, number>();

  constructor(options: StreamDecoderOptions) {
    this.#out = new HubStream(options);
  }

  onEvent(event: string | null, data: string): StreamStep {
    const out = this.#out;
    if (out.hasEnded) return out.take();
    if (data === '[DONE]') return this.end();
    let parsed: unknown;
    try {
      parsed = parseJsonText(data);
    } catch {
      return out.fail('provider_bad_response', `Cohere sent a stream event that is not JSON: ${data.slice(0, 80)}`);
    }
    if (!isObject(parsed)) return out.fail('provider_bad_response', 'Cohere sent a stream event that is not an object');
    return this.#read(parsed.type ?? event, parsed);
  }

  end(): StreamStep {
    const out = this.#out;
    if (out.hasEnded) return out.take();
    return out.fail('provider_stream_cut', 'Cohere closed the stream before message-end; the answer is incomplete');
  }

  #read(type: unknown, event: JsonObject): StreamStep {
    const out = this.#out;
    const message = objectAt(event, 'delta', 'message');
    switch (type) {
      case 'message-start':
        return out.take(out.start(typeof event.id === 'string' ? event.id : null, null));
      case 'content-start':
      case 'content-delta': {
        out.start(null, null);
        const { text, thinking } = objectAt(message, 'content');
        if (typeof thinking === 'string') out.reasoning(thinking);
        if (typeof text === 'string') out.text(text);
        return out.take();
      }
      case 'tool-plan-delta':
        if (typeof message.tool_plan === 'string') out.text(message.tool_plan);
        return out.take();
      case 'tool-call-start':
      case 'tool-call-delta':
        this.#readToolCall(event.index, objectAt(message, 'tool_calls'));
        return out.take();
      case 'message-end':
        return this.#finish(objectAt(event, 'delta'));
      default:
        return out.take();
    }
  }

  #readToolCall(place: unknown, call: JsonObject): void {
    const called = objectAt(call, 'function');
    let index = this.#calls.get(place);
    if (index === undefined) {
      if (typeof call.id !== 'string' || typeof called.name !== 'string') return;
      index = this.#out.startTool(call.id, called.name);
      this.#calls.set(place, index);
    }
    if (typeof called.arguments === 'string') this.#out.toolArguments(index, called.arguments);
  }

  #finish({ finish_reason: reason, usage, error }: JsonObject): StreamStep {
    const out = this.#out;
    if (typeof reason !== 'string')
      return out.fail('provider_stream_cut', 'Cohere ended the stream without a finish reason; the answer is incomplete');
    const failure = failureOf(reason);
    if (failure !== null)
      return out.fail(failure, `Cohere's answer ended with ${reason}${typeof error === 'string' ? `: ${error.slice(0, 300)}` : ''}`);
    return out.complete(finishReason(reason), readCohereUsage(usage), usage);
  }
}
