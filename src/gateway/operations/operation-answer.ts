import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { MeteredUnits } from '../../models/metered-units.ts';
import type { AnswerReader, FlowControl } from '../answer-reader.ts';
import type { AnswerTexts, Call } from '../call.ts';
import type { CompiledOperation, CompiledTarget } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import type { AnswerFacts, ResponseHeaders } from '../provider.ts';
import { statusOfErrorEvent } from '../providers/openai/errors.ts';
import { TopLevel } from './top-level.ts';

/** Longest JSON answer that is held in memory: some images in base64. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/** A text that a sound was turned into, as the message of an answer. */
class TranscriptTexts implements AnswerTexts {
  readonly isTruncated = false;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  messagesJson(): Buffer {
    return Buffer.from(JSON.stringify([{ role: 'assistant', content: this.#text }]));
  }

  text(): string {
    return this.#text;
  }
}

/** Facts of an answer that is about to be read. */
export function factsAtStart(call: Call): AnswerFacts {
  const units = call.body === null ? {} : (call.dialect.operation?.measure(call.body) ?? {});
  return { responseId: null, responseModel: null, finishReasons: [], usage: null, providerUsage: null, outputCharacters: 0, units };
}

/** What a JSON object that is forwarded says of itself. */
export function factsOf(call: Call, answer: TopLevel, { endpoint }: CompiledOperation, context: GatewayContext): AnswerFacts {
  const before = factsAtStart(call);
  const reported = answer.json('usage') ?? answer.json('meta');
  const metered = endpoint.readMetered(reported === null ? undefined : parseJsonText(reported));
  const duration = answer.value('duration');
  const units: MeteredUnits = {
    ...before.units,
    ...(typeof duration === 'number' && duration > 0 ? { seconds: Math.ceil(duration) } : {}),
    ...(call.operation === 'image_generation' || call.operation === 'image_edit'
      ? { images: answer.count('data', context.answerScanner) }
      : {}),
    ...metered.units,
  };
  return {
    ...before,
    responseId: answer.string('id'),
    responseModel: answer.string('model'),
    usage: metered.usage,
    providerUsage: reported,
    units,
  };
}

/** An error in the clothes of a 200, or an error event. */
export function reportedError(text: string, target: CompiledTarget): PlimsollError {
  const { name, adapter } = target.provider;
  const { code, message } = adapter.classifyError(statusOfErrorEvent(text), text, {});
  return new PlimsollError(code, message, { details: { provider: name } });
}

/** The JSON answer to an operation besides chat: gathered, read for usage, forwarded byte for byte or translated. */
export class OperationAnswerReader implements AnswerReader {
  facts: AnswerFacts;
  readonly hasStarted = false;
  readonly isDone = false;
  readonly #call: Call;
  readonly #target: CompiledTarget;
  readonly #operation: CompiledOperation;
  readonly #headers: ResponseHeaders;
  readonly #context: GatewayContext;
  readonly #flow: FlowControl;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(
    call: Call,
    target: CompiledTarget,
    operation: CompiledOperation,
    headers: ResponseHeaders,
    context: GatewayContext,
    flow: FlowControl,
  ) {
    this.#call = call;
    this.#flow = flow;
    this.#target = target;
    this.#operation = operation;
    this.#headers = headers;
    this.#context = context;
    this.facts = factsAtStart(call);
  }

  onData(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_ANSWER_BYTES) throw this.#badResponse(`sent more than ${MAX_ANSWER_BYTES} bytes`);
    this.#chunks.push(chunk);
  }

  onEnd(): void {
    const bytes = this.#chunks.length === 1 && this.#chunks[0] !== undefined ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#bytes);
    const answer = this.#scan(bytes);
    if (answer.has('error')) throw reportedError(bytes.toString('utf8', 0, 64 * 1024), this.#target);
    const { decode } = this.#operation.endpoint;
    const body = decode === undefined ? this.#forward(bytes, answer) : this.#decode(bytes, decode);
    if (!this.#flow.claim(true)) throw new PlimsollError('superseded', 'Another attempt answered first.');
    const text = answer.string('text');
    if (text !== null) this.#call.texts = new TranscriptTexts(text);
    this.#call.answer = { kind: 'json', body };
    this.#call.ttftMs = this.#call.elapsedMs();
  }

  #forward(bytes: Buffer, answer: TopLevel): Buffer {
    this.facts = factsOf(this.#call, answer, this.#operation, this.#context);
    return bytes;
  }

  #decode(bytes: Buffer, decode: NonNullable<CompiledOperation['endpoint']['decode']>): Buffer {
    const call = this.#call;
    const decoded = decode(parseJsonText(bytes.toString('utf8')), call.parsedBody(), call.body?.model ?? '', this.#headers);
    const { answer, usage, units, providerUsage } = decoded;
    this.facts = { ...this.facts, usage, providerUsage: providerUsage ?? null, units: { ...this.facts.units, ...units } };
    return Buffer.from(JSON.stringify(answer));
  }

  #scan(bytes: Buffer): TopLevel {
    try {
      return new TopLevel(bytes, this.#context.answerScanner);
    } catch (cause) {
      throw this.#badResponse('answered with something that is not a JSON object', cause);
    }
  }

  #badResponse(what: string, cause?: unknown): PlimsollError {
    const { name } = this.#target.provider;
    return new PlimsollError('provider_bad_response', `"${name}" ${what}.`, { details: { provider: name }, cause });
  }
}
