import { parseJsonText } from '../../../kernel/parse-json.ts';
import { HubStream } from '../../hub/completion.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { StreamDecoder, StreamDecoderOptions, StreamStep } from '../../provider.ts';
import { statusOfErrorEvent } from '../openai/errors.ts';
import { argumentsText, finishReason, readContent, readMistralUsage } from './answer.ts';
import { classifyMistralError } from './errors.ts';

/** Mistral's chunks → OpenAI's: thinking comes as content parts, tool calls whole or in pieces, the usage with the last chunk. */
export class MistralStreamDecoder implements StreamDecoder {
  readonly #out: HubStream;
  /** Mistral's index of a call → ours. */
  readonly #calls = new Map<number, number>();
  #finishReason: string | null = null;
  #providerUsage: unknown = null;

  constructor(options: StreamDecoderOptions) {
    this.#out = new HubStream(options);
  }

  onEvent(_event: string | null, data: string): StreamStep {
    const out = this.#out;
    if (out.hasEnded) return out.take();
    if (data === '[DONE]') return this.end();
    let parsed: unknown;
    try {
      parsed = parseJsonText(data);
    } catch {
      return out.fail('provider_bad_response', `Mistral sent a stream event that is not JSON: ${data.slice(0, 80)}`);
    }
    if (!isObject(parsed)) return out.fail('provider_bad_response', 'Mistral sent a stream event that is not an object');
    if (parsed.object === 'error' || parsed.error !== undefined) {
      const { code, message } = classifyMistralError(statusOfErrorEvent(data), data);
      return out.fail(code, message);
    }
    return this.#read(parsed);
  }

  end(): StreamStep {
    const out = this.#out;
    if (out.hasEnded) return out.take();
    if (this.#finishReason === null)
      return out.fail('provider_stream_cut', 'Mistral closed the stream before a finish reason; the answer is incomplete');
    return out.complete(finishReason(this.#finishReason), readMistralUsage(this.#providerUsage), this.#providerUsage);
  }

  #read(chunk: JsonObject): StreamStep {
    const out = this.#out;
    const facts = out.start(typeof chunk.id === 'string' ? chunk.id : null, typeof chunk.model === 'string' ? chunk.model : null);
    if (isObject(chunk.usage)) this.#providerUsage = chunk.usage;
    const choice: unknown = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
    if (isObject(choice)) {
      if (isObject(choice.delta)) this.#readDelta(choice.delta);
      if (choice.finish_reason === 'error') return out.fail('provider_bad_response', "Mistral's answer ended with an error");
      if (typeof choice.finish_reason === 'string') this.#finishReason = choice.finish_reason;
    }
    return out.take(facts);
  }

  #readDelta(delta: JsonObject): void {
    const { text, thinking } = readContent(delta.content);
    this.#out.reasoning(thinking);
    this.#out.text(text);
    for (const [place, call] of (Array.isArray(delta.tool_calls) ? delta.tool_calls : []).entries()) {
      if (!isObject(call) || !isObject(call.function)) continue;
      const index = typeof call.index === 'number' ? call.index : this.#calls.size + place;
      let known = this.#calls.get(index);
      if (known === undefined) {
        if (typeof call.id !== 'string' || typeof call.function.name !== 'string') continue;
        known = this.#out.startTool(call.id, call.function.name);
        this.#calls.set(index, known);
      }
      this.#out.toolArguments(known, argumentsText(call.function.arguments));
    }
  }
}
