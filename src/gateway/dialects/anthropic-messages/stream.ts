import type { PlimsollError } from '../../../kernel/errors.ts';
import type { StreamEncoder } from '../../client-dialect.ts';
import { type HubChunkChoice, idUnder, readHubChunk } from '../../hub/answer.ts';
import type { JsonObject } from '../../hub/json.ts';
import { ToolCallOrder, type ToolCallSink } from '../../hub/tool-call-order.ts';
import type { HubUsage } from '../../hub/usage.ts';
import { encodeUsage, endingOf } from './answer.ts';
import { anthropicErrorEvent } from './errors.ts';
import { wantsThinking } from './request.ts';

type BlockKind = 'text' | 'thinking' | 'tool';

/**
 * Hub chunks → Anthropic's stream events: `message_start`, blocks one after the other (each with one start and one stop), `message_delta` with
 * stop reason and usage, `message_stop`. The last two come at the end of the stream, so that one that was cut never looks complete.
 */
export class AnthropicStreamEncoder implements StreamEncoder, ToolCallSink {
  readonly #requestedModel: string;
  readonly #request: JsonObject;
  readonly #wantsThinking: boolean;
  readonly #tools: ToolCallOrder;
  #out = '';
  #id = '';
  #hasStarted = false;
  /** Kind of the open block; null between blocks. */
  #open: BlockKind | null = null;
  #index = -1;
  #hasText = false;
  #hasToolCalls = false;
  /** Text that came in the middle of a tool call's arguments. */
  #lateText = '';
  #refusal = '';
  #finishReason: string | null = null;
  #stopSequence: string | null = null;
  #usage: HubUsage | null = null;

  constructor(options: { readonly requestedModel: string; readonly request: JsonObject }) {
    this.#requestedModel = options.requestedModel;
    this.#request = options.request;
    this.#wantsThinking = wantsThinking(options.request);
    this.#tools = new ToolCallOrder(this, (index) => idUnder('toolu_', `${this.#id}_${index}`));
  }

  onChunk(chunk: unknown): string {
    this.#out = '';
    const { id, model, choices, usage } = readHubChunk(chunk);
    if (!this.#hasStarted) this.#start(id ?? '', model ?? this.#requestedModel);
    if (usage !== null) this.#usage = usage;
    for (const choice of choices) if (choice.index === 0) this.#addChoice(choice);
    return this.#out;
  }

  end(): string {
    this.#out = '';
    this.#tools.finish();
    if (this.#lateText !== '') this.#addText(this.#lateText);
    if (!this.#hasText && this.#refusal !== '') this.#addText(this.#refusal);
    this.#stop();
    const ending = endingOf(
      { finishReason: this.#finishReason, refusal: this.#refusal, stopSequence: this.#stopSequence },
      this.#hasToolCalls,
      this.#request,
    );
    this.#event({ type: 'message_delta', delta: ending, usage: encodeUsage(this.#usage) });
    this.#event({ type: 'message_stop' });
    return this.#out;
  }

  fail(error: PlimsollError): string {
    return anthropicErrorEvent(error);
  }

  startToolCall(id: string, name: string): void {
    this.#hasToolCalls = true;
    this.#startBlock('tool', { type: 'tool_use', id, name, input: {} });
  }

  addToolArguments(text: string): void {
    this.#delta({ type: 'input_json_delta', partial_json: text });
  }

  endToolCall(): void {
    this.#stop();
  }

  #event(event: JsonObject): void {
    this.#out += `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`;
  }

  #start(id: string, model: string): void {
    this.#hasStarted = true;
    this.#id = id;
    this.#event({
      type: 'message_start',
      message: {
        id: idUnder('msg_', id),
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        stop_details: null,
        usage: encodeUsage(null),
      },
    });
  }

  #addChoice(choice: HubChunkChoice): void {
    if (this.#wantsThinking) {
      if (choice.reasoning !== '') this.#addThinking(choice.reasoning);
      for (const block of choice.thinkingBlocks) this.#addThinkingBlock(block);
    }
    if (choice.text !== '') {
      if (this.#canOpen()) this.#addText(choice.text);
      else this.#lateText += choice.text;
    }
    this.#refusal += choice.refusal;
    if (choice.toolCalls.length > 0) {
      if (this.#open !== 'tool') this.#stop();
      for (const call of choice.toolCalls) this.#tools.add(call);
    }
    this.#finishReason = choice.finishReason ?? this.#finishReason;
    this.#stopSequence = choice.stopSequence ?? this.#stopSequence;
  }

  /** False while a tool call lacks arguments: no other block may come between them. */
  #canOpen(): boolean {
    return this.#open !== 'tool' || this.#tools.close();
  }

  #startBlock(kind: BlockKind, block: JsonObject): void {
    this.#stop();
    this.#open = kind;
    this.#index++;
    this.#event({ type: 'content_block_start', index: this.#index, content_block: block });
  }

  #delta(delta: JsonObject): void {
    this.#event({ type: 'content_block_delta', index: this.#index, delta });
  }

  #stop(): void {
    if (this.#open === null) return;
    this.#open = null;
    this.#event({ type: 'content_block_stop', index: this.#index });
  }

  #addText(text: string): void {
    if (this.#open !== 'text') this.#startBlock('text', { type: 'text', text: '', citations: null });
    this.#hasText = true;
    this.#delta({ type: 'text_delta', text });
  }

  #addThinking(thinking: string): void {
    if (!this.#canOpen()) return;
    if (this.#open !== 'thinking') this.#startBlock('thinking', { type: 'thinking', thinking: '', signature: '' });
    this.#delta({ type: 'thinking_delta', thinking });
  }

  /** A whole thinking block closes the deltas that came before it: only its signature is new. */
  #addThinkingBlock(block: JsonObject): void {
    if (!this.#canOpen()) return;
    if (block.type === 'redacted_thinking') {
      this.#startBlock('thinking', { type: 'redacted_thinking', data: block.data });
      this.#stop();
      return;
    }
    if (this.#open !== 'thinking') this.#addThinking(typeof block.thinking === 'string' ? block.thinking : '');
    if (typeof block.signature === 'string' && block.signature !== '') this.#delta({ type: 'signature_delta', signature: block.signature });
    this.#stop();
  }
}
