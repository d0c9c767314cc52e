import type { PlimsollError } from '../../../kernel/errors.ts';
import type { StreamEncoder } from '../../client-dialect.ts';
import { type HubChunkChoice, type HubToolCallDelta, readHubChunk } from '../../hub/answer.ts';
import type { JsonObject } from '../../hub/json.ts';
import type { HubUsage } from '../../hub/usage.ts';
import { callParts, encodeUsage, finishReasonOf } from './answer.ts';
import { ArrayFraming, EVENTS, type Framing, failure } from './framing.ts';
import { parsePath } from './path.ts';
import { wantsThoughts } from './request.ts';

interface OpenCall {
  id: string | null;
  name: string;
  arguments: string;
  thoughtSignature: string | null;
}

/** What one candidate still owes. */
class Candidate {
  readonly calls = new Map<number, OpenCall>();
  readonly thinkingBlocks: JsonObject[] = [];
  hasText = false;
  refusal = '';
  finishReason: string | null = null;
  #lastIndex = -1;

  addCall(part: HubToolCallDelta): void {
    // Without an index a new id begins a new call.
    const index = part.index ?? (part.id !== null || this.#lastIndex < 0 ? this.#lastIndex + 1 : this.#lastIndex);
    this.#lastIndex = index;
    const call = this.calls.get(index) ?? { id: null, name: '', arguments: '', thoughtSignature: null };
    this.calls.set(index, call);
    call.id ??= part.id;
    if (call.name === '') call.name = part.name;
    call.arguments += part.arguments;
    call.thoughtSignature ??= part.thoughtSignature ?? null;
  }
}

/**
 * Hub chunks → Google's stream: each element is a response with the next parts. Function calls come whole, so they wait for the end; the last
 * element has finish reason and usage. It comes at the end of the stream only, so that one that was cut never looks complete.
 */
export class GeminiStreamEncoder implements StreamEncoder {
  readonly #framing: Framing;
  readonly #wantsThoughts: boolean;
  readonly #candidates = new Map<number, Candidate>();
  #model: string;
  #id = '';
  #usage: HubUsage | null = null;

  constructor(options: { readonly requestedModel: string; readonly request: JsonObject; readonly path: string }) {
    this.#framing = parsePath(options.path).isEventStream ? EVENTS : new ArrayFraming();
    this.#wantsThoughts = wantsThoughts(options.request);
    this.#model = options.requestedModel;
  }

  onChunk(chunk: unknown): string {
    const { id, model, choices, usage } = readHubChunk(chunk);
    this.#id = id ?? this.#id;
    this.#model = model ?? this.#model;
    if (usage !== null) this.#usage = usage;
    const candidates = choices.flatMap((choice) => this.#addChoice(choice));
    return candidates.length === 0 ? '' : this.#element(candidates, {});
  }

  end(): string {
    const candidates = [...this.#candidates].map(([index, candidate]) => {
      const parts: JsonObject[] = candidate.hasText || candidate.refusal === '' ? [] : [{ text: candidate.refusal }];
      parts.push(...callParts([...candidate.calls.values()], candidate.thinkingBlocks, candidate.finishReason === 'length'));
      const isRefused = candidate.refusal !== '' && candidate.finishReason === 'stop';
      return {
        content: { role: 'model', parts: parts.length === 0 ? [{ text: '' }] : parts },
        finishReason: isRefused ? 'SAFETY' : finishReasonOf(candidate.finishReason),
        index,
      };
    });
    return this.#element(candidates, encodeUsage(this.#usage)) + this.#framing.end();
  }

  fail(error: PlimsollError): string {
    return failure(this.#framing, error);
  }

  #element(candidates: readonly JsonObject[], rest: JsonObject): string {
    return this.#framing.element(JSON.stringify({ candidates, ...rest, modelVersion: this.#model, responseId: this.#id }));
  }

  #addChoice(choice: HubChunkChoice): JsonObject[] {
    let candidate = this.#candidates.get(choice.index);
    if (candidate === undefined) {
      candidate = new Candidate();
      this.#candidates.set(choice.index, candidate);
    }
    for (const call of choice.toolCalls) candidate.addCall(call);
    candidate.thinkingBlocks.push(...choice.thinkingBlocks);
    candidate.refusal += choice.refusal;
    candidate.finishReason = choice.finishReason ?? candidate.finishReason;
    const parts: JsonObject[] = [];
    if (this.#wantsThoughts && choice.reasoning !== '') parts.push({ text: choice.reasoning, thought: true });
    if (choice.text !== '') parts.push({ text: choice.text });
    candidate.hasText ||= choice.text !== '';
    return parts.length === 0 ? [] : [{ content: { role: 'model', parts }, index: choice.index }];
  }
}
