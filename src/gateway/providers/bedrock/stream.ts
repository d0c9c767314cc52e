import { parseJsonText } from '../../../kernel/parse-json.ts';
import { HubStream } from '../../hub/completion.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import type { StreamDecoder, StreamDecoderOptions, StreamStep } from '../../provider.ts';
import { finishReason } from './answer.ts';
import { classifyException } from './errors.ts';
import { readBedrockUsage } from './usage.ts';

type OpenBlock =
  | { readonly kind: 'tool'; readonly index: number; hasArguments: boolean }
  | { readonly kind: 'thinking'; thinking: string; signature: string; redacted: string };

/**
 * ConverseStream's events → OpenAI chunks. `metadata` with the usage follows `messageStop` and is the end; a stream that closes after `messageStop`
 * without it is complete, its usage unknown.
 */
export class BedrockStreamDecoder implements StreamDecoder {
  readonly #out: HubStream;
  readonly #blocks = new Map<unknown, OpenBlock>();
  #stopReason: string | null = null;

  constructor(options: StreamDecoderOptions) {
    this.#out = new HubStream(options);
  }

  onEvent(event: string | null, data: string): StreamStep {
    const out = this.#out;
    if (out.hasEnded) return out.take();
    let parsed: unknown;
    try {
      parsed = parseJsonText(data === '' ? '{}' : data);
    } catch {
      return out.fail('provider_bad_response', `Bedrock sent a stream event that is not JSON: ${data.slice(0, 80)}`);
    }
    if (!isObject(parsed)) return out.fail('provider_bad_response', 'Bedrock sent a stream event that is not an object');
    const failed = event === null ? null : /^(?:exception|error):(.*)$/.exec(event);
    if (failed !== null) {
      const { code, message } = classifyException(failed[1] ?? '', parsed.message, null);
      return out.fail(code, message);
    }
    return this.#read(event, parsed);
  }

  end(): StreamStep {
    const out = this.#out;
    if (out.hasEnded) return out.take();
    if (this.#stopReason === null)
      return out.fail('provider_stream_cut', 'Bedrock closed the stream before messageStop; the answer is incomplete');
    return out.complete(finishReason(this.#stopReason), null, null);
  }

  #read(event: string | null, data: JsonObject): StreamStep {
    const out = this.#out;
    switch (event) {
      case 'messageStart':
        return out.take(out.start(null, null));
      case 'contentBlockStart':
        this.#startBlock(data);
        return out.take();
      case 'contentBlockDelta':
        if (isObject(data.delta)) this.#readDelta(data.contentBlockIndex, data.delta);
        return out.take();
      case 'contentBlockStop':
        this.#stopBlock(data.contentBlockIndex);
        return out.take();
      case 'messageStop':
        if (typeof data.stopReason === 'string') this.#stopReason = data.stopReason;
        return out.take();
      case 'metadata':
        if (this.#stopReason === null) return out.take({ providerUsage: data.usage ?? null });
        return withTier(out.complete(finishReason(this.#stopReason), readBedrockUsage(data.usage), data.usage), data.serviceTier);
      default:
        return out.take();
    }
  }

  #startBlock({ start, contentBlockIndex: place }: JsonObject): void {
    const tool = isObject(start) ? start.toolUse : undefined;
    if (!isObject(tool) || typeof tool.toolUseId !== 'string' || typeof tool.name !== 'string') return;
    this.#blocks.set(place, { kind: 'tool', index: this.#out.startTool(tool.toolUseId, tool.name), hasArguments: false });
  }

  #readDelta(place: unknown, { text, toolUse, reasoningContent }: JsonObject): void {
    const out = this.#out;
    // Some models send no messageStart before their first block.
    out.start(null, null);
    if (typeof text === 'string') out.text(text);
    else if (isObject(toolUse) && typeof toolUse.input === 'string') {
      const block = this.#blocks.get(place);
      if (block?.kind !== 'tool' || toolUse.input === '') return;
      block.hasArguments = true;
      out.toolArguments(block.index, toolUse.input);
    } else if (isObject(reasoningContent)) this.#readReasoning(place, reasoningContent);
  }

  #readReasoning(place: unknown, { text, signature, redactedContent }: JsonObject): void {
    let block = this.#blocks.get(place);
    if (block === undefined) {
      block = { kind: 'thinking', thinking: '', signature: '', redacted: '' };
      this.#blocks.set(place, block);
    }
    if (block.kind !== 'thinking') return;
    if (typeof text === 'string') {
      block.thinking += text;
      this.#out.reasoning(text);
    }
    if (typeof signature === 'string') block.signature += signature;
    if (typeof redactedContent === 'string') block.redacted += redactedContent;
  }

  #stopBlock(place: unknown): void {
    const block = this.#blocks.get(place);
    this.#blocks.delete(place);
    if (block?.kind === 'tool' && !block.hasArguments) this.#out.toolArguments(block.index, '{}');
    if (block?.kind !== 'thinking') return;
    if (block.redacted !== '') this.#out.thinkingBlock({ type: 'redacted_thinking', data: block.redacted });
    else if (block.signature !== '') this.#out.thinkingBlock({ type: 'thinking', thinking: block.thinking, signature: block.signature });
  }
}

/** @param told `{ type }` of the answer */
function withTier(step: StreamStep, told: unknown): StreamStep {
  return isObject(told) && typeof told.type === 'string' ? { ...step, facts: { ...step.facts, serviceTier: told.type } } : step;
}
