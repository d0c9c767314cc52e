import { PlimsollError } from '../kernel/errors.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import type { AnswerReader, FlowControl } from './answer-reader.ts';
import { isEmptyAnswer, mayAnswerNothing } from './body/empty-answer.ts';
import { scanOpenAiAnswer } from './body/openai-answer.ts';
import type { AnswerTexts, Call } from './call.ts';
import type { CompiledEndpoint, CompiledTarget } from './compiled-snapshot.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { AnswerFacts } from './provider.ts';
import { statusOfErrorEvent } from './providers/openai/errors.ts';

/** Longest JSON answer that is held in memory until its usage is known. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;

const NO_FACTS: AnswerFacts = Object.freeze({
  responseId: null,
  responseModel: null,
  finishReasons: [],
  usage: null,
  providerUsage: null,
  outputCharacters: 0,
});

/** Slices of the answer's own bytes; decoded only when the payload record wants them. */
class JsonTexts implements AnswerTexts {
  readonly isTruncated = false;
  readonly #bytes: Buffer;
  readonly #messages: readonly (readonly [number, number])[];

  constructor(bytes: Buffer, messages: readonly (readonly [number, number])[]) {
    this.#bytes = bytes;
    this.#messages = messages;
  }

  messagesJson(): Buffer {
    let length = 1 + Math.max(1, this.#messages.length);
    for (const [start, end] of this.#messages) length += end - start;
    const json = Buffer.allocUnsafe(length);
    json[0] = OPEN_BRACKET;
    let offset = 1;
    for (const [start, end] of this.#messages) {
      if (offset > 1) json[offset++] = COMMA;
      offset += this.#bytes.copy(json, offset, start, end);
    }
    json[offset] = CLOSE_BRACKET;
    return json;
  }

  text(): string {
    const first = this.#messages[0];
    if (first === undefined) return '';
    const message: unknown = parseJsonText(this.#bytes.toString('utf8', first[0], first[1]));
    const content = typeof message === 'object' && message !== null && 'content' in message ? message.content : null;
    return typeof content === 'string' ? content : '';
  }
}

/** A JSON answer: gathered, read for usage, forwarded byte for byte (or translated). */
export class JsonAnswerReader implements AnswerReader {
  facts = NO_FACTS;
  readonly hasStarted = false;
  readonly isDone = false;
  readonly #call: Call;
  readonly #target: CompiledTarget;
  readonly #endpoint: CompiledEndpoint;
  readonly #context: GatewayContext;
  readonly #flow: FlowControl;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(call: Call, target: CompiledTarget, endpoint: CompiledEndpoint, context: GatewayContext, flow: FlowControl) {
    this.#call = call;
    this.#flow = flow;
    this.#target = target;
    this.#endpoint = endpoint;
    this.#context = context;
  }

  onData(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_ANSWER_BYTES) throw this.#badResponse(`sent more than ${MAX_ANSWER_BYTES} bytes`);
    this.#chunks.push(chunk);
  }

  onEnd(): void {
    const bytes = this.#chunks.length === 1 && this.#chunks[0] !== undefined ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#bytes);
    if (this.#call.body?.isStream === true) throw this.#notAStream(bytes);
    const { answers } = this.#endpoint.endpoint;
    const { translation } = this.#call.dialect;
    if (answers === null) {
      this.#forward(bytes);
      if (translation !== null) this.#encode(this.#parse(bytes));
      return;
    }
    const createdSeconds = Math.floor(this.#context.clock.nowMs() / 1000);
    const decoded = answers.decodeResponse(this.#parse(bytes), this.#call.body?.model ?? '', createdSeconds, this.#call.answerId);
    // The hub's form is what is kept with the trace, whatever the client gets.
    this.#forward(Buffer.from(JSON.stringify(decoded.completion)));
    this.facts = decoded.facts;
    if (this.#endpoint.isForwarded) this.#call.answer = { kind: 'json', body: bytes };
    else if (translation !== null) this.#encode(decoded.completion);
  }

  /** Replaces the hub's answer by the client's. */
  #encode(completion: unknown): void {
    const answer = this.#call.dialect.translation?.encodeAnswer(completion, this.#call.parsedBody());
    this.#call.answer = { kind: 'json', body: Buffer.from(JSON.stringify(answer)) };
  }

  #forward(bytes: Buffer): void {
    const { adapter } = this.#target.provider;
    let answer: ReturnType<typeof scanOpenAiAnswer>;
    try {
      answer = scanOpenAiAnswer(bytes, this.#context.answerScanner);
    } catch (cause) {
      throw this.#badResponse('answered with something that is not JSON', cause);
    }
    if (answer.error !== null) throw this.#errorAnswer(bytes);
    if (isEmptyAnswer(bytes, answer) && !mayAnswerNothing(this.#call)) throw this.#badResponse('answered with nothing');
    const usageText = answer.usage === null ? null : bytes.toString('utf8', answer.usage[0], answer.usage[1]);
    let outputBytes = answer.textBytes;
    for (const [start, end] of answer.messages) outputBytes += end - start;
    this.facts = {
      responseId: answer.id,
      responseModel: answer.model,
      finishReasons: answer.finishReasons,
      usage: usageText === null ? null : adapter.readUsage(parseJsonText(usageText)),
      providerUsage: usageText,
      outputCharacters: outputBytes,
      serviceTier: answer.serviceTier ?? undefined,
    };
    if (!this.#flow.claim(true)) throw new PlimsollError('superseded', 'Another attempt answered first.');
    this.#call.texts = new JsonTexts(bytes, answer.messages);
    this.#call.answer = { kind: 'json', body: bytes };
    this.#call.flight?.setCompletion(bytes);
    this.#call.ttftMs = this.#call.elapsedMs();
  }

  #parse(bytes: Buffer): unknown {
    try {
      return parseJsonText(bytes.toString('utf8', 0, bytes.length));
    } catch (cause) {
      throw this.#badResponse('answered with something that is not JSON', cause);
    }
  }

  /** JSON in place of a stream is mostly an error in the clothes of a 200. */
  #notAStream(bytes: Buffer): PlimsollError {
    const parsed = this.#parse(bytes);
    if (typeof parsed === 'object' && parsed !== null && 'error' in parsed) return this.#errorAnswer(bytes);
    return this.#badResponse('answered with JSON although a stream was asked for');
  }

  #errorAnswer(bytes: Buffer): PlimsollError {
    const text = bytes.toString('utf8', 0, Math.min(bytes.length, 64 * 1024));
    const { code, message } = this.#target.provider.adapter.classifyError(statusOfErrorEvent(text), text, {});
    return new PlimsollError(code, message, { details: { provider: this.#target.provider.name } });
  }

  #badResponse(what: string, cause?: unknown): PlimsollError {
    const { name } = this.#target.provider;
    return new PlimsollError('provider_bad_response', `"${name}" ${what}.`, { details: { provider: name }, cause });
  }
}
