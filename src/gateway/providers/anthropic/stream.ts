import type { ErrorCode } from '../../../kernel/errors.ts';
import { parseJsonText } from '../../../kernel/parse-json.ts';
import { isObject, type JsonObject } from '../../hub/json.ts';
import { ChunkEnvelope, TextChunk } from '../../hub/text-chunk.ts';
import type { AnswerFacts, StreamDecoder, StreamStep } from '../../provider.ts';
import { toOpenAiUsage } from '../../usage.ts';
import { finishReason, refusalText } from './answer.ts';
import { classifyErrorObject } from './errors.ts';
import { readTextDelta } from './text-delta.ts';
import { mergeUsage, readAnthropicUsage } from './usage.ts';

export interface StreamOptions {
  readonly requestedModel: string;
  readonly createdSeconds: number;
  readonly includeUsage: boolean;
}

interface ToolBlock {
  readonly kind: 'tool';
  readonly toolIndex: number;
  /** Some servers send the whole input here instead of in deltas. */
  readonly startInput: unknown;
  hasArguments: boolean;
}
interface ThinkingBlock {
  readonly kind: 'thinking';
  thinking: string;
  signature: string;
}
type OpenBlock = ToolBlock | ThinkingBlock | { readonly kind: 'text' };

const NOTHING: StreamStep = Object.freeze({ chunks: [], hasContent: false, isDone: false, error: null, facts: {} });

function failed(code: ErrorCode, message: string): StreamStep {
  return { ...NOTHING, error: { code, message } };
}

/**
 * Anthropic's stream events → OpenAI chunks. The finish reason and the usage are sent only at `message_stop`, so that a stream that was cut before
 * it never looks complete. Event and block types that we do not know are skipped.
 * `facts.outputCharacters` is the total so far. `facts.usage` comes with the final counts; `facts.providerUsage` from `message_start` on,
 * so that the input of a stream that is aborted is still known exactly (`readUsage`); its output must then be estimated.
 */
export class AnthropicStreamDecoder implements StreamDecoder {
  readonly #options: StreamOptions;
  readonly #blocks = new Map<unknown, OpenBlock>();
  #id = '';
  #model: string;
  #hasStarted = false;
  #hasEnded = false;
  #toolCount = 0;
  #outputCharacters = 0;
  #stopReason: string | null = null;
  #refusal: string | null = null;
  #usage: Record<string, unknown> = {};
  #textEnvelope: ChunkEnvelope | null = null;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#model = options.requestedModel;
  }

  onEvent(event: string | null, data: string): StreamStep {
    if (this.#hasEnded) return NOTHING;
    const delta = readTextDelta(data);
    if (delta !== null && delta.text !== '' && this.#blocks.get(delta.index)?.kind === 'text')
      return this.#text(delta.text, delta.textJson);
    let parsed: unknown;
    try {
      parsed = parseJsonText(data);
    } catch {
      return this.#fail('provider_bad_response', `Anthropic sent a stream event that is not JSON: ${data.slice(0, 80)}`);
    }
    if (!isObject(parsed)) return this.#fail('provider_bad_response', 'Anthropic sent a stream event that is not an object');
    const type = parsed.type ?? event;
    if (type === 'message_start') return this.#start(parsed);
    if (type === 'error') {
      this.#hasEnded = true;
      return { ...NOTHING, error: classifyErrorObject(parsed.error, null) };
    }
    switch (type) {
      case 'content_block_start':
      case 'content_block_delta':
      case 'content_block_stop':
      case 'message_delta':
      case 'message_stop':
        if (!this.#hasStarted) return this.#fail('provider_bad_response', `Anthropic sent ${type} before message_start`);
        break;
      default:
        return NOTHING;
    }
    if (type === 'content_block_start') return this.#blockStart(parsed);
    if (type === 'content_block_delta') return this.#blockDelta(parsed);
    if (type === 'content_block_stop') return this.#blockStop(parsed);
    return type === 'message_delta' ? this.#messageDelta(parsed) : this.#stop();
  }

  end(): StreamStep {
    if (this.#hasEnded) return NOTHING;
    return this.#fail('provider_stream_cut', 'Anthropic closed the stream before message_stop; the answer is incomplete');
  }

  #fail(code: ErrorCode, message: string): StreamStep {
    this.#hasEnded = true;
    return failed(code, message);
  }

  #chunk(delta: JsonObject, finish: string | null = null): JsonObject {
    return { ...this.#envelope(), choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] };
  }

  #envelope(): JsonObject {
    return { id: this.#id, object: 'chat.completion.chunk', created: this.#options.createdSeconds, model: this.#model };
  }

  #content(delta: JsonObject, characters: number): StreamStep {
    this.#outputCharacters += characters;
    return { ...NOTHING, chunks: [this.#chunk(delta)], hasContent: characters > 0, facts: { outputCharacters: this.#outputCharacters } };
  }

  #text(text: string, textJson: string | null = null): StreamStep {
    this.#textEnvelope ??= new ChunkEnvelope(this.#id, this.#options.createdSeconds, this.#model);
    this.#outputCharacters += text.length;
    const facts = { outputCharacters: this.#outputCharacters };
    return { chunks: [new TextChunk(this.#textEnvelope, text, textJson)], hasContent: true, isDone: false, error: null, facts };
  }

  #start({ message }: JsonObject): StreamStep {
    if (this.#hasStarted) return NOTHING;
    if (!isObject(message) || typeof message.id !== 'string')
      return this.#fail('provider_bad_response', 'Anthropic sent a message_start without a message');
    this.#hasStarted = true;
    this.#id = message.id;
    if (typeof message.model === 'string') this.#model = message.model;
    this.#usage = mergeUsage(this.#usage, message.usage);
    const responseModel = typeof message.model === 'string' ? message.model : null;
    const facts: Partial<AnswerFacts> = { responseId: this.#id, responseModel, providerUsage: this.#usage };
    return { ...NOTHING, chunks: [this.#chunk({ role: 'assistant', content: '' })], facts };
  }

  #blockStart({ index, content_block: block }: JsonObject): StreamStep {
    if (!isObject(block)) return NOTHING;
    switch (block.type) {
      case 'text':
        this.#blocks.set(index, { kind: 'text' });
        return typeof block.text === 'string' && block.text !== '' ? this.#text(block.text) : NOTHING;
      case 'thinking': {
        const thinking = typeof block.thinking === 'string' ? block.thinking : '';
        this.#blocks.set(index, { kind: 'thinking', thinking, signature: typeof block.signature === 'string' ? block.signature : '' });
        return thinking === '' ? NOTHING : this.#content({ reasoning_content: thinking }, thinking.length);
      }
      case 'redacted_thinking':
        return this.#content({ thinking_blocks: [{ type: 'redacted_thinking', data: block.data }] }, 0);
      case 'tool_use': {
        if (typeof block.id !== 'string' || typeof block.name !== 'string') return NOTHING;
        const toolIndex = this.#toolCount++;
        this.#blocks.set(index, { kind: 'tool', toolIndex, startInput: block.input, hasArguments: false });
        const call = { index: toolIndex, id: block.id, type: 'function', function: { name: block.name, arguments: '' } };
        return this.#content({ tool_calls: [call] }, block.name.length);
      }
      default:
        return NOTHING;
    }
  }

  #blockDelta({ index, delta }: JsonObject): StreamStep {
    const block = this.#blocks.get(index);
    if (block === undefined || !isObject(delta)) return NOTHING;
    if (block.kind === 'text' && delta.type === 'text_delta' && typeof delta.text === 'string' && delta.text !== '')
      return this.#text(delta.text);
    if (block.kind === 'tool' && delta.type === 'input_json_delta' && typeof delta.partial_json === 'string' && delta.partial_json !== '') {
      block.hasArguments = true;
      return this.#toolArguments(block, delta.partial_json);
    }
    if (block.kind === 'thinking' && delta.type === 'thinking_delta' && typeof delta.thinking === 'string' && delta.thinking !== '') {
      block.thinking += delta.thinking;
      return this.#content({ reasoning_content: delta.thinking }, delta.thinking.length);
    }
    if (block.kind === 'thinking' && delta.type === 'signature_delta' && typeof delta.signature === 'string')
      block.signature += delta.signature;
    return NOTHING;
  }

  #toolArguments(block: ToolBlock, text: string): StreamStep {
    return this.#content({ tool_calls: [{ index: block.toolIndex, function: { arguments: text } }] }, text.length);
  }

  #blockStop({ index }: JsonObject): StreamStep {
    const block = this.#blocks.get(index);
    this.#blocks.delete(index);
    if (block?.kind === 'tool' && !block.hasArguments) return this.#toolArguments(block, JSON.stringify(block.startInput ?? {}));
    if (block?.kind === 'thinking')
      return this.#content({ thinking_blocks: [{ type: 'thinking', thinking: block.thinking, signature: block.signature }] }, 0);
    return NOTHING;
  }

  #messageDelta({ delta, usage }: JsonObject): StreamStep {
    this.#usage = mergeUsage(this.#usage, usage);
    if (isObject(delta) && typeof delta.stop_reason === 'string') this.#stopReason = delta.stop_reason;
    if (isObject(delta)) this.#refusal = refusalText(delta.stop_details) ?? this.#refusal;
    return { ...NOTHING, facts: { usage: readAnthropicUsage(this.#usage), providerUsage: this.#usage } };
  }

  #stop(): StreamStep {
    if (this.#stopReason === null)
      return this.#fail('provider_stream_cut', 'Anthropic ended the stream without a stop reason; the answer is incomplete');
    this.#hasEnded = true;
    const reason = finishReason(this.#stopReason);
    const usage = readAnthropicUsage(this.#usage);
    const chunks: JsonObject[] = [];
    if (this.#refusal !== null) chunks.push(this.#chunk({ refusal: this.#refusal }));
    chunks.push(this.#chunk({}, reason));
    if (this.#options.includeUsage && usage !== null) chunks.push({ ...this.#envelope(), choices: [], usage: toOpenAiUsage(usage) });
    const facts = { finishReasons: [reason], usage, providerUsage: this.#usage, outputCharacters: this.#outputCharacters };
    return { ...NOTHING, chunks, isDone: true, facts };
  }
}
