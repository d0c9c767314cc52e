import { parseJsonText } from '../../../kernel/parse-json.ts';
import { HubStream } from '../../hub/completion.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { StreamDecoder, StreamDecoderOptions, StreamStep } from '../../provider.ts';
import { blockReason, finishReason, isBrokenCall, readParts } from './answer.ts';
import { classifyErrorObject, errorOf } from './errors.ts';
import { makeToolId } from './tool-ids.ts';
import { readGeminiUsage } from './usage.ts';

/**
 * Gemini's stream (each event is a whole `GenerateContentResponse` with the next parts) → OpenAI chunks. It has no last event: the answer is
 * complete when the provider closes after an event with a finish reason. Tool calls come whole. Usage grows from event to event; the last counts.
 */
export class GeminiStreamDecoder implements StreamDecoder {
  readonly #out: HubStream;
  #finishReason: string | null = null;
  #providerUsage: unknown = null;

  constructor(options: StreamDecoderOptions) {
    this.#out = new HubStream(options);
  }

  onEvent(_event: string | null, data: string): StreamStep {
    const out = this.#out;
    if (out.hasEnded) return out.take();
    let parsed: unknown;
    try {
      parsed = parseJsonText(data);
    } catch {
      return out.fail('provider_bad_response', `Google sent a stream event that is not JSON: ${data.slice(0, 80)}`);
    }
    const error = errorOf(parsed);
    if (error !== null) {
      const { code, message } = classifyErrorObject(error, null);
      return out.fail(code, message);
    }
    if (!isObject(parsed)) return out.fail('provider_bad_response', 'Google sent a stream event that is not an object');
    const blocked = blockReason(parsed);
    if (blocked !== null) return out.fail('content_filtered', `Google refused the prompt: ${blocked}.`);
    return this.#read(parsed);
  }

  end(): StreamStep {
    const out = this.#out;
    if (out.hasEnded) return out.take();
    if (this.#finishReason === null)
      return out.fail('provider_stream_cut', 'Google closed the stream before a finish reason; the answer is incomplete');
    if (isBrokenCall(this.#finishReason) && out.toolCount === 0)
      return out.fail('provider_bad_response', `Google's answer ended with ${this.#finishReason}`);
    return out.complete(finishReason(this.#finishReason, out.toolCount > 0), readGeminiUsage(this.#providerUsage), this.#providerUsage);
  }

  #read(event: JsonObject): StreamStep {
    const out = this.#out;
    const facts = out.start(
      typeof event.responseId === 'string' ? event.responseId : null,
      typeof event.modelVersion === 'string' ? event.modelVersion : null,
    );
    const candidate = Array.isArray(event.candidates) ? (event.candidates[0] as unknown) : undefined;
    if (isObject(candidate)) {
      for (const part of readParts(candidate)) {
        if (part.kind === 'text') out.text(part.text);
        else if (part.kind === 'thought') out.reasoning(part.text);
        else if (part.kind === 'image') out.image(part.url);
        else out.toolArguments(out.startTool(part.id ?? makeToolId(out.id, out.toolCount), part.name, part.extra), part.arguments);
      }
      if (typeof candidate.finishReason === 'string') this.#finishReason = candidate.finishReason;
    }
    if (!isObject(event.usageMetadata)) return out.take(facts);
    this.#providerUsage = event.usageMetadata;
    return out.take({ ...facts, providerUsage: event.usageMetadata });
  }
}
