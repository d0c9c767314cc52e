import { PlimsollError } from '../../kernel/errors.ts';
import type { AnswerReader, FlowControl } from '../answer-reader.ts';
import type { Call } from '../call.ts';
import type { CompiledOperation, CompiledTarget } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import type { AnswerFacts, ResponseHeaders } from '../provider.ts';
import { answerHead } from '../response-headers.ts';
import { type SseListener, SseScanner } from '../streams/sse-scanner.ts';
import { factsAtStart, factsOf, reportedError } from './operation-answer.ts';
import { TopLevel } from './top-level.ts';

/** An image in one event has some megabytes. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024;
const OPEN_BRACE = 0x7b;

/**
 * Passes an answer that is no JSON (sound, subtitles, events) to the client as it comes, with back-pressure. One chunk is held back until the next
 * one, so that the end leaves only when the call is settled; of events, errors and usage are read.
 */
export class ByteRelay implements AnswerReader, SseListener {
  facts: AnswerFacts;
  hasStarted = false;
  readonly isDone = false;
  readonly #call: Call;
  readonly #target: CompiledTarget;
  readonly #operation: CompiledOperation;
  readonly #context: GatewayContext;
  readonly #flow: FlowControl;
  readonly #contentType: string;
  /** Null for answers that are no events. */
  readonly #events: SseScanner | null;
  #isComplete: boolean;
  #held: Buffer | null = null;
  #lastContentMs: number | null = null;

  constructor(
    call: Call,
    target: CompiledTarget,
    operation: CompiledOperation,
    headers: ResponseHeaders,
    context: GatewayContext,
    flow: FlowControl,
  ) {
    this.#call = call;
    this.#target = target;
    this.#operation = operation;
    this.#context = context;
    this.#flow = flow;
    const type = headers['content-type'];
    this.#contentType = typeof type === 'string' ? type : 'application/octet-stream';
    const isEventStream = this.#contentType.includes('event-stream');
    this.#events = isEventStream ? new SseScanner(this, MAX_EVENT_BYTES) : null;
    // Of other answers HTTP itself tells whether they are whole.
    this.#isComplete = !isEventStream;
    this.facts = factsAtStart(call);
  }

  onData(chunk: Buffer, nowMs: number): void {
    // Read before it is sent: an error in the first event is no answer.
    if (this.#events !== null && !this.#events.push(chunk)) throw this.#cut(this.#events.problem);
    this.#call.markContent(nowMs, this.#lastContentMs);
    this.#lastContentMs = nowMs;
    const before = this.#held;
    this.#held = chunk;
    if (before !== null) this.#send(before);
  }

  onEnd(): void {
    this.#events?.end();
    if (!this.#isComplete) throw this.#cut('closed its stream before the answer was complete');
    if (this.#held === null) throw this.#cut('answered with nothing');
    this.#start();
    this.#call.answer = { kind: 'stream', content: this.#held, lastBytes: null };
  }

  onEvent(_raw: Buffer, _start: number, _end: number, data: Buffer, dataStart: number, dataEnd: number): boolean {
    if (data[dataStart] !== OPEN_BRACE) {
      if (data.toString('latin1', dataStart, Math.min(dataEnd, dataStart + 6)) === '[DONE]') this.#isComplete = true;
      return true;
    }
    let event: TopLevel;
    try {
      event = new TopLevel(data, this.#context.answerScanner, dataStart, dataEnd);
    } catch {
      throw this.#cut('sent an event that is not JSON');
    }
    if (event.has('error')) throw reportedError(data.toString('utf8', dataStart, Math.min(dataEnd, dataStart + 64 * 1024)), this.#target);
    // `transcript.text.done`, `speech.audio.done`, `image_generation.completed`
    if (/[._](done|completed)$/.test(event.string('type') ?? '')) this.#isComplete = true;
    if (event.has('usage')) this.facts = factsOf(this.#call, event, this.#operation, this.#context);
    return true;
  }

  onComment(): void {}

  #start(): void {
    if (this.hasStarted) return;
    if (!this.#flow.claim(true)) throw new PlimsollError('superseded', 'Another attempt answered first.');
    this.hasStarted = true;
    const { response, isClientGone } = this.#call;
    if (!isClientGone) response.writeHead(200, answerHead(this.#call, this.#contentType, this.#target.model));
  }

  #send(chunk: Buffer): void {
    this.#start();
    const { response, isClientGone } = this.#call;
    if (isClientGone || response.writableEnded || response.write(chunk)) return;
    this.#flow.pause();
    response.once('drain', this.#onDrain);
  }

  readonly #onDrain = (): void => this.#flow.resume();

  #cut(what: string): PlimsollError {
    const { name } = this.#target.provider;
    return new PlimsollError(this.hasStarted ? 'provider_stream_cut' : 'provider_bad_response', `"${name}" ${what}.`, {
      details: { provider: name },
    });
  }
}
