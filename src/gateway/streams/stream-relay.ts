import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { AnswerReader, FlowControl } from '../answer-reader.ts';
import { mayAnswerNothing } from '../body/empty-answer.ts';
import type { Call } from '../call.ts';
import type { StreamEncoder, StreamReframer } from '../client-dialect.ts';
import type { CompiledEndpoint, CompiledTarget } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { chunkJson } from '../hub/text-chunk.ts';
import { holdsStreamEnd } from '../output/output-rules.ts';
import type { AnswerFacts, StreamDecoder, StreamStep } from '../provider.ts';
import { statusOfErrorEvent } from '../providers/openai/errors.ts';
import { streamHead } from '../response-headers.ts';
import { restartMarker } from '../routing/restart.ts';
import { AnswerAccumulator } from './answer-accumulator.ts';
import { EventStreamScanner } from './event-stream-scanner.ts';
import { OpenAiChunkReader } from './openai-chunk.ts';
import { type SseListener, SseScanner } from './sse-scanner.ts';

/** Longest event that is followed; a chat chunk has some hundred bytes, an image in one event a few megabytes. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;
/** More than this without content is passed on as it comes. */
const MAX_HELD_BYTES = 1024 * 1024;
const OPEN_BRACE = 0x7b;
const DONE = Buffer.from('[DONE]');
const NOTHING = Buffer.alloc(0);
const DONE_EVENT = Buffer.from('data: [DONE]\n\n');

/**
 * Passes a provider's stream to the client event by event: whole events only, so that an error event can follow at any time. Everything waits
 * until the first content: until then another target can still answer. `[DONE]` waits until the call is settled.
 */
export class StreamRelay implements AnswerReader, SseListener {
  hasStarted = false;
  isDone = false;
  readonly #call: Call;
  readonly #target: CompiledTarget;
  readonly #flow: FlowControl;
  readonly #context: GatewayContext;
  readonly #scanner: SseScanner | EventStreamScanner;
  readonly #chunk: OpenAiChunkReader;
  /** Null = the provider speaks the hub's dialect: its bytes are scanned. */
  readonly #decoder: StreamDecoder | null;
  /** Null = the client speaks the hub's dialect, or the provider's. */
  readonly #encoder: StreamEncoder | null;
  readonly #isForwarded: boolean;
  /** Null = a forwarded stream leaves in the bytes in which it came. */
  readonly #reframer: StreamReframer | null;
  readonly #answer: AnswerAccumulator;
  readonly #withholdUsage: boolean;
  #responseId: string | null = null;
  #responseModel: string | null = null;
  readonly #finishReasons: string[] = [];
  #usage: AnswerFacts['usage'] = null;
  #serviceTier: string | undefined;
  #providerUsage: unknown = null;
  readonly #openChoices = new Set<number>();
  #nowMs = 0;
  #lastContentMs: number | null = null;
  /** Bytes on their way to the client, written once per turn of the event loop. */
  #out: Buffer[] = [];
  /** The last piece of #out as a range, so that neighbouring events leave as one. */
  #rangeBuffer: Buffer | null = null;
  #rangeStart = 0;
  #rangeEnd = 0;
  /** Behind #out and instead of a range: becomes bytes once, however many events it holds. */
  #text = '';
  #isFlushScheduled = false;
  /** What waits for the first content. */
  #heldBytes = 0;
  /** The end waits until the answer was checked: from the finish on, nothing leaves before the stage behind has looked at it. */
  readonly #holdsEnd: boolean;

  constructor(call: Call, target: CompiledTarget, endpoint: CompiledEndpoint, context: GatewayContext, flow: FlowControl) {
    this.#call = call;
    this.#target = target;
    this.#flow = flow;
    this.#context = context;
    this.#scanner =
      endpoint.endpoint.framing === 'aws-event-stream'
        ? new EventStreamScanner(this, MAX_EVENT_BYTES)
        : new SseScanner(this, MAX_EVENT_BYTES);
    this.#chunk = new OpenAiChunkReader(context.answerScanner);
    const includeUsage = call.body?.includeUsage ?? false;
    this.#withholdUsage = !includeUsage;
    this.#answer = new AnswerAccumulator(call.snapshot.limits.maxPayloadBytes);
    this.#isForwarded = endpoint.isForwarded;
    this.#holdsEnd = holdsStreamEnd(call);
    const { answers } = endpoint.endpoint;
    const { translation } = call.dialect;
    const requestedModel = call.body?.model ?? '';
    const createdSeconds = answers === null && translation === null ? 0 : Math.floor(context.clock.nowMs() / 1000);
    // A client's encoder wants the usage whatever the client asked for: most dialects always tell it.
    this.#decoder =
      answers?.createStreamDecoder({
        requestedModel,
        createdSeconds,
        includeUsage: includeUsage || translation !== null,
        answerId: call.answerId,
      }) ?? null;
    this.#encoder =
      this.#isForwarded || translation === null
        ? null
        : translation.createStreamEncoder({ requestedModel, createdSeconds, request: call.parsedBody(), path: call.path });
    this.#reframer = this.#isForwarded ? (call.dialect.createReframer?.(call.path) ?? null) : null;
  }

  get facts(): AnswerFacts {
    return {
      responseId: this.#responseId,
      responseModel: this.#responseModel,
      finishReasons: this.#finishReasons,
      usage: this.#usage,
      providerUsage: this.#providerUsage,
      outputCharacters: this.#usage === null ? this.#answer.characters() : 0,
      serviceTier: this.#serviceTier,
    };
  }

  onData(bytes: Buffer, nowMs: number): void {
    this.#nowMs = nowMs;
    try {
      if (!this.#scanner.push(bytes)) throw this.#badResponse(this.#scanner.problem);
    } finally {
      if (this.#rangeBuffer !== null || this.#text !== '' || this.#out.length > 0) this.#scheduleFlush();
    }
  }

  onEnd(): void {
    this.#nowMs = this.#context.clock.monotonicMs();
    this.#scanner.end();
    if (!this.isDone && this.#decoder !== null) {
      const step = this.#decoder.end();
      if (this.#reframer !== null) this.#reframe(this.#reframer, step, null);
      else if (this.#isForwarded) this.#observe(step, NOTHING, 0, 0);
      else this.#apply(step);
    }
    if (this.isDone) return;
    // Some servers leave out `[DONE]`; a finished choice is as good.
    if (this.#finishReasons.length > 0 && this.#openChoices.size === 0) {
      this.#requireAnswer();
      this.#complete(this.#encoder === null ? null : this.#encodedEnd());
      return;
    }
    const { name } = this.#target.provider;
    if (!this.hasStarted) throw this.#badResponse('closed its stream without an answer');
    throw new PlimsollError('provider_stream_cut', `"${name}" closed its stream before the answer was complete.`, {
      details: { provider: name },
    });
  }

  onComment(raw: Buffer, rawStart: number, rawEnd: number): void {
    if (this.#isForwarded && this.hasStarted) this.#forward(raw, rawStart, rawEnd);
  }

  onEvent(raw: Buffer, rawStart: number, rawEnd: number, data: Buffer, dataStart: number, dataEnd: number, name: string | null): boolean {
    if (this.#decoder !== null) {
      const step = this.#decoder.onEvent(name, data.toString('utf8', dataStart, dataEnd));
      if (this.#reframer !== null) this.#reframe(this.#reframer, step, data.toString('utf8', dataStart, dataEnd));
      else if (this.#isForwarded) this.#observe(step, raw, rawStart, rawEnd);
      else this.#apply(step);
      return !this.isDone;
    }
    if (data[dataStart] !== OPEN_BRACE) {
      if (dataEnd - dataStart === DONE.length && DONE.compare(data, dataStart, dataEnd) === 0) {
        this.#requireAnswer();
        this.#complete(this.#encoder === null ? Buffer.from(raw.subarray(rawStart, rawEnd)) : this.#encodedEnd());
        return false;
      }
      throw this.#badResponse('sent an event that is not JSON');
    }
    this.#readChunk(data, dataStart, dataEnd);
    if (!this.hasStarted) this.#start(this.#chunk.hasContent || this.#hasEndedOtherwise());
    if (this.#encoder !== null) {
      const chunk: unknown = parseJsonText(data.toString('utf8', dataStart, dataEnd));
      this.#call.flight?.addChunks(this, [chunk]);
      this.#sendChunk(chunk);
      return true;
    }
    if (this.#withholdUsage && this.#chunk.hasNoChoices && this.#chunk.usageStart >= 0) return true;
    this.#pass(raw, rawStart, rawEnd);
    return true;
  }

  #readChunk(data: Buffer, start: number, end: number): void {
    const chunk = this.#chunk;
    try {
      chunk.read(data, start, end);
    } catch (cause) {
      throw this.#badResponse('sent an event that is not JSON', cause);
    }
    if (chunk.errorStart >= 0) throw this.#errorEvent(data.toString('utf8', start, end));
    if (this.#responseId === null && chunk.idStart >= 0) this.#responseId = data.toString('utf8', chunk.idStart, chunk.idEnd);
    if (this.#responseModel === null && chunk.modelStart >= 0)
      this.#responseModel = data.toString('utf8', chunk.modelStart, chunk.modelEnd);
    if (this.#serviceTier === undefined && chunk.serviceTierStart >= 0)
      this.#serviceTier = data.toString('utf8', chunk.serviceTierStart, chunk.serviceTierEnd);
    if (chunk.usageStart >= 0) this.#readUsage(data.toString('utf8', chunk.usageStart, chunk.usageEnd));
    else if (chunk.groqStart >= 0) {
      const groq = parseJsonText(data.toString('utf8', chunk.groqStart, chunk.groqEnd)) as { usage?: unknown };
      if (groq.usage !== undefined) this.#readUsage(JSON.stringify(groq.usage));
    }
    if (chunk.isComplex)
      this.#readComplex(parseJsonText(data.toString('utf8', start, end)) as { choices?: unknown }); // the scanner saw an object
    else {
      if (chunk.contentStart >= 0) this.#answer.addContent(data, chunk.contentStart, chunk.contentEnd);
      if (chunk.finishReason !== null) this.#finish(0, chunk.finishReason);
      else if (chunk.hasContent) this.#openChoices.add(0);
    }
    if (chunk.hasContent) this.#markContent();
  }

  #readUsage(text: string): void {
    const usage = this.#target.provider.adapter.readUsage(parseJsonText(text));
    if (usage === null) return;
    this.#usage = usage;
    this.#providerUsage = text;
  }

  #readComplex(chunk: { choices?: unknown }): void {
    this.#answer.addChunk(chunk);
    for (const choice of Array.isArray(chunk.choices) ? (chunk.choices as { index?: unknown; finish_reason?: unknown }[]) : []) {
      const index = typeof choice?.index === 'number' ? choice.index : 0;
      if (typeof choice?.finish_reason === 'string') this.#finish(index, choice.finish_reason);
      else this.#openChoices.add(index);
    }
  }

  #finish(index: number, reason: string): void {
    this.#openChoices.delete(index);
    this.#finishReasons.push(reason);
  }

  #markContent(): void {
    this.#call.markContent(this.#nowMs, this.#lastContentMs);
    this.#lastContentMs = this.#nowMs;
  }

  #learn(step: StreamStep): void {
    const { facts } = step;
    if (facts.responseId !== undefined) this.#responseId = facts.responseId;
    if (facts.responseModel !== undefined) this.#responseModel = facts.responseModel;
    if (facts.finishReasons !== undefined) this.#finishReasons.splice(0, this.#finishReasons.length, ...facts.finishReasons);
    if (facts.usage !== undefined) this.#usage = facts.usage;
    if (facts.providerUsage !== undefined) this.#providerUsage = facts.providerUsage;
    if (facts.serviceTier !== undefined) this.#serviceTier = facts.serviceTier;
    for (const chunk of step.chunks) this.#answer.addChunk(chunk);
    if (step.hasContent) this.#markContent();
    if (step.error !== null) {
      throw new PlimsollError(step.error.code, step.error.message, { details: { provider: this.#target.provider.name } });
    }
    this.#call.flight?.addChunks(this, step.chunks);
  }

  /** One step of a stream that is forwarded as it is. */
  #observe(step: StreamStep, raw: Buffer, rawStart: number, rawEnd: number): void {
    this.#learn(step);
    if (!this.hasStarted) this.#start(step.hasContent || this.#hasEndedOtherwise());
    if (step.isDone) {
      this.#requireAnswer();
      this.#complete(Buffer.from(raw.subarray(rawStart, rawEnd)));
      return;
    }
    this.#pass(raw, rawStart, rawEnd);
  }

  /** One step of a forwarded stream that the client wants in another framing. @param data null when the step came from no event */
  #reframe(reframer: StreamReframer, step: StreamStep, data: string | null): void {
    this.#learn(step);
    if (!this.hasStarted) this.#start(step.hasContent || this.#hasEndedOtherwise());
    if (data !== null) this.#send(Buffer.from(reframer.onData(data)));
    if (!step.isDone) return;
    this.#requireAnswer();
    this.#complete(Buffer.from(reframer.end()));
  }

  /** One step of a translated stream. */
  #apply(step: StreamStep): void {
    this.#learn(step);
    if (!this.hasStarted) this.#start(step.hasContent || this.#hasEndedOtherwise());
    for (const chunk of step.chunks) this.#sendChunk(chunk);
    if (step.isDone) {
      this.#requireAnswer();
      this.#complete(this.#encodedEnd());
    }
  }

  /** A chunk of the hub, in the client's dialect. */
  #sendChunk(chunk: unknown): void {
    this.#sendText(this.#encoder === null ? `data: ${chunkJson(chunk)}\n\n` : this.#encoder.onChunk(chunk));
  }

  #encodedEnd(): Buffer {
    return this.#encoder === null ? DONE_EVENT : Buffer.from(this.#encoder.end());
  }

  /** The answer ended for a reason that says more than "done": an empty one is then what the provider means. */
  #hasEndedOtherwise(): boolean {
    return this.#finishReasons.some((reason) => reason !== 'stop');
  }

  /** At the end of a stream without content. @throws PlimsollError `provider_bad_response` unless silence can be the answer */
  #requireAnswer(): void {
    if (this.hasStarted) return;
    const isComplete = this.#finishReasons.length > 0;
    if (!isComplete || !mayAnswerNothing(this.#call)) throw this.#badResponse('ended its stream without an answer');
    this.#start(true);
  }

  #start(isContent: boolean): void {
    if (!this.#flow.claim(isContent || this.#heldBytes > MAX_HELD_BYTES)) return;
    this.hasStarted = true;
    const call = this.#call;
    call.texts = this.#answer;
    call.flight?.begin(this);
    call.brokenStream = this.#encoder ?? this.#reframer;
    if (call.response.headersSent) {
      this.#out.unshift(restartMarker(call, this.#target.model));
      return;
    }
    if (!call.isClientGone) call.response.writeHead(200, streamHead(call, this.#target.model));
  }

  #complete(lastBytes: Buffer | null): void {
    this.isDone = true;
    this.#closeRange();
    let content: Buffer | null = null;
    if (this.#out.length > 0) {
      content = Buffer.concat(this.#out);
      this.#out = [];
    }
    this.#call.answer = { kind: 'stream', content, lastBytes };
  }

  /** Before the start events are kept, so they are copied: the buffer that they lie in may be used again. */
  #pass(raw: Buffer, start: number, end: number): void {
    if (this.hasStarted) this.#forward(raw, start, end);
    else this.#send(Buffer.from(raw.subarray(start, end)));
  }

  #forward(raw: Buffer, start: number, end: number): void {
    if (this.#rangeBuffer === raw && this.#rangeEnd === start) {
      this.#rangeEnd = end;
      return;
    }
    this.#closeRange();
    this.#rangeBuffer = raw;
    this.#rangeStart = start;
    this.#rangeEnd = end;
  }

  #closeRange(): void {
    if (this.#text !== '') {
      this.#out.push(Buffer.from(this.#text));
      this.#text = '';
    }
    if (this.#rangeBuffer === null) return;
    const isWhole = this.#rangeStart === 0 && this.#rangeEnd === this.#rangeBuffer.length;
    this.#out.push(isWhole ? this.#rangeBuffer : this.#rangeBuffer.subarray(this.#rangeStart, this.#rangeEnd));
    this.#rangeBuffer = null;
  }

  #sendText(text: string): void {
    if (text === '') return;
    if (this.#rangeBuffer !== null) this.#closeRange();
    if (!this.hasStarted) this.#heldBytes += text.length;
    this.#text += text;
  }

  #send(bytes: Buffer): void {
    if (!this.hasStarted) this.#heldBytes += bytes.length;
    this.#closeRange();
    this.#out.push(bytes);
  }

  #scheduleFlush(): void {
    // A view of a carry buffer that grows on must not be extended by later events of another buffer: close it with the chunk.
    this.#closeRange();
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isFlushScheduled = false;
    // The head waits for the first content; what came before it waits too.
    if (!this.hasStarted) return;
    this.#closeRange();
    if (this.#holdsEnd && this.#finishReasons.length > 0) {
      // Copied: the buffer that they lie in may be used again.
      if (this.#out.length > 0) this.#out = [Buffer.concat(this.#out)];
      return;
    }
    const out = this.#out;
    if (out.length === 0) return;
    this.#out = [];
    const { response, flight } = this.#call;
    const bytes = out.length === 1 && out[0] !== undefined ? out[0] : Buffer.concat(out);
    this.#call.keepCopy(bytes);
    flight?.addPiece(bytes, this.#target.model, this.#nowMs);
    if (this.#call.isClientGone || response.writableEnded) return;
    if (response.write(bytes) || this.isDone || flight?.holdsBack === false) return;
    this.#flow.pause();
    response.once('drain', this.#onDrain);
  };

  readonly #onDrain = (): void => this.#flow.resume();

  #errorEvent(text: string): PlimsollError {
    const { name, adapter } = this.#target.provider;
    const { code, message } = adapter.classifyError(statusOfErrorEvent(text), text, {});
    return new PlimsollError(code, message, { details: { provider: name } });
  }

  #badResponse(what: string, cause?: unknown): PlimsollError {
    const { name } = this.#target.provider;
    return new PlimsollError(this.hasStarted ? 'provider_stream_cut' : 'provider_bad_response', `"${name}" ${what}.`, {
      details: { provider: name },
      cause,
    });
  }
}
