import { PlimsollError } from '../../kernel/errors.ts';
import type { HubToolCallDelta } from './answer.ts';

/** Takes tool calls one after the other: each is started, gets its arguments in pieces, and ends before the next one starts. */
export interface ToolCallSink {
  startToolCall(id: string, name: string): void;
  addToolArguments(text: string): void;
  endToolCall(): void;
}

/** Whether JSON text that comes in pieces has reached the end of its first object or list. */
class JsonEnd {
  isComplete = false;
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  push(text: string): void {
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (this.#isEscaped) this.#isEscaped = false;
      else if (this.#inString) {
        if (unit === 0x5c) this.#isEscaped = true;
        else if (unit === 0x22) this.#inString = false;
      } else if (unit === 0x22) this.#inString = true;
      else if (unit === 0x7b || unit === 0x5b) this.#depth++;
      else if ((unit === 0x7d || unit === 0x5d) && --this.#depth === 0) this.isComplete = true;
    }
  }
}

interface OpenCall {
  readonly index: number;
  id: string | null;
  name: string;
  /** Arguments that wait for their turn. */
  waiting: string;
  readonly end: JsonEnd;
  hasStarted: boolean;
  hasArguments: boolean;
  isOver: boolean;
}

/**
 * Puts the tool call deltas of a stream in order. Providers may mix the deltas of parallel calls; most dialects have one open block at a time. A
 * call that comes while the one before it has not all its arguments waits for them, so that nothing is lost and nothing is mixed.
 */
export class ToolCallOrder {
  readonly #sink: ToolCallSink;
  readonly #fallbackId: (index: number) => string;
  /** By the provider's index; calls that are over stay, so that late deltas are noticed. */
  readonly #calls = new Map<number, OpenCall>();
  /** Calls that have not ended; the first is the one under way. */
  readonly #queue: OpenCall[] = [];
  #lastIndex = -1;

  /** @param fallbackId for servers that give calls no id */
  constructor(sink: ToolCallSink, fallbackId: (index: number) => string) {
    this.#sink = sink;
    this.#fallbackId = fallbackId;
  }

  /** @throws PlimsollError `provider_bad_response` for arguments of a call that was complete */
  add(part: HubToolCallDelta): void {
    // Without an index a new id begins a new call.
    const index = part.index ?? (part.id !== null || this.#lastIndex < 0 ? this.#lastIndex + 1 : this.#lastIndex);
    this.#lastIndex = index;
    let call = this.#calls.get(index);
    if (call === undefined) {
      call = {
        index,
        id: part.id,
        name: '',
        waiting: '',
        end: new JsonEnd(),
        hasStarted: false,
        hasArguments: false,
        isOver: false,
      };
      this.#calls.set(index, call);
      this.#queue.push(call);
    } else if (call.isOver) {
      if (part.arguments.trim() === '') return;
      throw new PlimsollError('provider_bad_response', `The provider sent more arguments for "${call.name}" after their end.`);
    }
    call.id ??= part.id;
    if (!call.hasStarted) call.name += part.name;
    call.waiting += part.arguments;
    call.end.push(part.arguments);
    this.#advance();
  }

  /** Ends the call under way if it has all its arguments. @returns false when it has not */
  close(): boolean {
    this.#advance();
    const [current] = this.#queue;
    if (current === undefined) return true;
    if (this.#queue.length > 1 || !current.end.isComplete) return false;
    this.#end(current);
    return true;
  }

  /** The answer is over: sends what waits and ends all calls. */
  finish(): void {
    for (let current = this.#queue[0]; current !== undefined; current = this.#queue[0]) {
      this.#send(current, true);
      this.#end(current);
    }
  }

  #advance(): void {
    for (;;) {
      const [current] = this.#queue;
      if (current === undefined) return;
      this.#send(current, false);
      if (this.#queue.length === 1 || !current.end.isComplete || !current.hasStarted) return;
      this.#end(current);
    }
  }

  #send(call: OpenCall, isLast: boolean): void {
    if (!call.hasStarted) {
      if (call.name === '') {
        if (!isLast) return;
        throw new PlimsollError('provider_bad_response', 'The provider sent a tool call without a name.');
      }
      call.hasStarted = true;
      this.#sink.startToolCall(call.id ?? this.#fallbackId(call.index), call.name);
    }
    if (call.waiting === '') return;
    const text = call.waiting;
    call.waiting = '';
    call.hasArguments = true;
    this.#sink.addToolArguments(text);
  }

  #end(call: OpenCall): void {
    this.#queue.shift();
    call.isOver = true;
    // No arguments at all are an empty object wherever they are parsed.
    if (!call.hasArguments) this.#sink.addToolArguments('{}');
    this.#sink.endToolCall();
  }
}
