import type { PlimsollError } from '../../../kernel/errors.ts';
import type { StreamEncoder } from '../../client-dialect.ts';
import { type HubChunkChoice, idUnder, readHubChunk } from '../../hub/answer.ts';
import type { JsonObject } from '../../hub/json.ts';
import { ToolCallOrder, type ToolCallSink } from '../../hub/tool-call-order.ts';
import type { HubUsage } from '../../hub/usage.ts';
import { errorEventData, responseError } from './errors.ts';
import {
  callItem,
  endingOf,
  type ItemStatus,
  messageItem,
  type ResponseIdentity,
  reasoningItem,
  refusalPart,
  responseObject,
  textPart,
  type WantedReasoning,
  wantedReasoning,
} from './output.ts';

interface StreamOptions {
  readonly requestedModel: string;
  readonly createdSeconds: number;
  readonly request: JsonObject;
}

/** The item under way, with what it holds so far. */
type OpenItem =
  | { readonly kind: 'reasoning'; readonly id: string; text: string; blocks: readonly JsonObject[]; hasPart: boolean }
  | {
      readonly kind: 'message';
      readonly id: string;
      readonly parts: JsonObject[];
      open: { readonly type: 'output_text' | 'refusal'; text: string } | null;
    }
  | { readonly kind: 'call'; readonly id: string; readonly callId: string; readonly name: string; arguments: string };

/**
 * Hub chunks → events of the Responses API: numbered, items one after the other, each added, filled and done once; the whole response again in the
 * last event. That one comes at the end of the stream only, so that a stream that was cut never looks complete.
 */
export class ResponsesStreamEncoder implements StreamEncoder, ToolCallSink {
  readonly #options: StreamOptions;
  readonly #wanted: WantedReasoning;
  readonly #tools: ToolCallOrder;
  readonly #output: JsonObject[] = [];
  #identity: ResponseIdentity;
  #out = '';
  #sequence = 0;
  #hasStarted = false;
  #open: OpenItem | null = null;
  /** Text that came in the middle of a tool call's arguments. */
  #lateText = '';
  #finishReason: string | null = null;
  #usage: HubUsage | null = null;
  #messages = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#wanted = wantedReasoning(options.request);
    this.#identity = { id: '', model: options.requestedModel, createdSeconds: options.createdSeconds };
    this.#tools = new ToolCallOrder(this, (index) => idUnder('call_', `${this.#identity.id}_${index}`));
  }

  onChunk(chunk: unknown): string {
    this.#out = '';
    const { id, model, choices, usage } = readHubChunk(chunk);
    if (!this.#hasStarted) this.#start(id ?? '', model);
    if (usage !== null) this.#usage = usage;
    for (const choice of choices) if (choice.index === 0) this.#addChoice(choice);
    return this.#out;
  }

  end(): string {
    this.#out = '';
    this.#tools.finish();
    if (this.#lateText !== '') this.#addPart('output_text', this.#lateText);
    const ending = endingOf(this.#finishReason);
    this.#close(ending.status as ItemStatus); // completed or incomplete
    this.#event(`response.${String(ending.status)}`, { response: this.#response(ending, this.#usage) });
    return this.#out;
  }

  fail(error: PlimsollError): string {
    this.#out = '';
    this.#event('response.failed', { response: this.#response({ status: 'failed', error: responseError(error) }, this.#usage) });
    this.#out += `event: error\ndata: ${JSON.stringify(errorEventData(error, this.#sequence++))}\n\n`;
    return this.#out;
  }

  startToolCall(callId: string, name: string): void {
    this.#close('completed');
    const id = idUnder('fc_', `${this.#identity.id}_${this.#output.length}`);
    this.#open = { kind: 'call', id, callId, name, arguments: '' };
    this.#added(callItem(id, { id: callId, name, arguments: '' }, 'in_progress'));
  }

  addToolArguments(delta: string): void {
    if (this.#open?.kind !== 'call') return;
    this.#open.arguments += delta;
    this.#itemEvent('response.function_call_arguments.delta', this.#open.id, { delta });
  }

  endToolCall(): void {
    this.#close('completed');
  }

  #event(type: string, members: JsonObject): void {
    this.#out += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#sequence++, ...members })}\n\n`;
  }

  #itemEvent(type: string, itemId: string, members: JsonObject): void {
    this.#event(type, { item_id: itemId, output_index: this.#output.length, ...members });
  }

  #added(item: JsonObject): void {
    this.#event('response.output_item.added', { output_index: this.#output.length, item });
  }

  #done(item: JsonObject): void {
    this.#event('response.output_item.done', { output_index: this.#output.length, item });
    this.#output.push(item);
    this.#open = null;
  }

  #response(ending: JsonObject, usage: HubUsage | null): JsonObject {
    return responseObject(this.#identity, this.#options.request, ending, this.#output, usage);
  }

  #start(id: string, model: string | null): void {
    this.#hasStarted = true;
    this.#identity = { ...this.#identity, id, model: model ?? this.#identity.model };
    const response = this.#response({ status: 'in_progress' }, null);
    this.#event('response.created', { response });
    this.#event('response.in_progress', { response });
  }

  #addChoice(choice: HubChunkChoice): void {
    if (this.#wanted.summary && choice.reasoning !== '') this.#addReasoning(choice.reasoning, []);
    if (this.#wanted.sealed && choice.thinkingBlocks.length > 0) this.#addReasoning('', choice.thinkingBlocks);
    if (choice.text !== '') {
      if (this.#canOpen()) this.#addPart('output_text', choice.text);
      else this.#lateText += choice.text;
    }
    if (choice.refusal !== '' && this.#canOpen()) this.#addPart('refusal', choice.refusal);
    for (const call of choice.toolCalls) this.#tools.add(call);
    this.#finishReason = choice.finishReason ?? this.#finishReason;
  }

  /** False while a tool call lacks arguments: no other item may come between them. */
  #canOpen(): boolean {
    return this.#open?.kind !== 'call' || this.#tools.close();
  }

  #addReasoning(delta: string, blocks: readonly JsonObject[]): void {
    if (!this.#canOpen()) return;
    if (this.#open?.kind !== 'reasoning') {
      this.#close('completed');
      const id = idUnder('rs_', `${this.#identity.id}${this.#output.length === 0 ? '' : `_${this.#output.length}`}`);
      this.#open = { kind: 'reasoning', id, text: '', blocks: [], hasPart: false };
      this.#added(reasoningItem(id, '', []));
    }
    const item = this.#open;
    item.blocks = [...item.blocks, ...blocks];
    if (delta === '') return;
    if (!item.hasPart) {
      item.hasPart = true;
      this.#itemEvent('response.reasoning_summary_part.added', item.id, { summary_index: 0, part: { type: 'summary_text', text: '' } });
    }
    item.text += delta;
    this.#itemEvent('response.reasoning_summary_text.delta', item.id, { summary_index: 0, delta });
  }

  #addPart(type: 'output_text' | 'refusal', delta: string): void {
    if (this.#open?.kind !== 'message') {
      this.#close('completed');
      const id = idUnder('msg_', `${this.#identity.id}${this.#messages++ === 0 ? '' : `_${this.#messages}`}`);
      this.#open = { kind: 'message', id, parts: [], open: null };
      this.#added(messageItem(id, [], 'in_progress'));
    }
    const item = this.#open;
    if (item.open?.type !== type) {
      this.#closePart(item);
      item.open = { type, text: '' };
      this.#itemEvent('response.content_part.added', item.id, {
        content_index: item.parts.length,
        part: type === 'refusal' ? refusalPart('') : textPart(''),
      });
    }
    item.open.text += delta;
    const logprobs = type === 'refusal' ? {} : { logprobs: [] };
    this.#itemEvent(`response.${type}.delta`, item.id, { content_index: item.parts.length, delta, ...logprobs });
  }

  #closePart(item: OpenItem & { kind: 'message' }): void {
    if (item.open === null) return;
    const { type, text } = item.open;
    const part = type === 'refusal' ? refusalPart(text) : textPart(text);
    const at = { content_index: item.parts.length };
    this.#itemEvent(`response.${type}.done`, item.id, type === 'refusal' ? { ...at, refusal: text } : { ...at, text, logprobs: [] });
    this.#itemEvent('response.content_part.done', item.id, { ...at, part });
    item.parts.push(part);
    item.open = null;
  }

  #close(status: ItemStatus): void {
    const item = this.#open;
    if (item === null) return;
    switch (item.kind) {
      case 'reasoning': {
        const part = { type: 'summary_text', text: item.text };
        if (item.hasPart) {
          this.#itemEvent('response.reasoning_summary_text.done', item.id, { summary_index: 0, text: item.text });
          this.#itemEvent('response.reasoning_summary_part.done', item.id, { summary_index: 0, part });
        }
        this.#done(reasoningItem(item.id, item.text, item.blocks));
        return;
      }
      case 'message':
        this.#closePart(item);
        this.#done(messageItem(item.id, item.parts, status));
        return;
      case 'call': {
        const { id, callId, name } = item;
        this.#itemEvent('response.function_call_arguments.done', id, { name, arguments: item.arguments });
        this.#done(callItem(id, { id: callId, name, arguments: item.arguments }, status));
        return;
      }
      default:
        item satisfies never;
    }
  }
}
