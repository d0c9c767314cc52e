import type { Clock, Timer } from '../../kernel/clock.ts';
import type { PlimsollError } from '../../kernel/errors.ts';
import type { AnswerTexts, Call } from '../call.ts';
import { streamHead } from '../response-headers.ts';
import type { CachedAnswer } from './answer-cache.ts';
import { completionOf, isSameStream, jsonBodyFor, streamBytesFor } from './hub-answer.ts';

type Loose = Readonly<Record<string, unknown>>;

/** Texts of a kept answer, read only when the payload policy asks for them. */
class CachedTexts implements AnswerTexts {
  readonly isTruncated = false;
  readonly #answer: CachedAnswer;

  constructor(answer: CachedAnswer) {
    this.#answer = answer;
  }

  messagesJson(): Buffer {
    return Buffer.from(JSON.stringify(this.#messages()));
  }

  text(): string {
    const content = this.#messages()[0]?.content;
    return typeof content === 'string' ? content : '';
  }

  #messages(): Loose[] {
    const { choices } = completionOf(this.#answer);
    return Array.isArray(choices) ? (choices as { message?: Loose }[]).map(({ message }) => message ?? {}) : [];
  }
}

/** Sends the pieces of a stream with the pauses that they were recorded with. */
class PacedStream {
  readonly #call: Call;
  readonly #answer: CachedAnswer;
  readonly #clock: Clock;
  readonly #startMs: number;
  #sentBytes = 0;
  #index = 0;
  #timer: Timer | null = null;
  #settle: { resolve: () => void; reject: (error: PlimsollError) => void } = { resolve: () => {}, reject: () => {} };

  constructor(call: Call, answer: CachedAnswer, clock: Clock) {
    this.#call = call;
    this.#answer = answer;
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
  }

  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#call.running = this;
      this.#send();
    });
  }

  fail(error: PlimsollError): void {
    this.#timer?.cancel();
    this.#call.running = null;
    this.#settle.reject(error);
  }

  readonly #send = (): void => {
    const { body, cadence, lastBytes } = this.#answer;
    const contentEnd = body.length - lastBytes;
    const elapsedMs = this.#clock.monotonicMs() - this.#startMs;
    let end = this.#sentBytes;
    while (this.#index < cadence.length && (cadence[this.#index + 1] ?? 0) <= elapsedMs) {
      end = Math.min(cadence[this.#index] ?? contentEnd, contentEnd);
      this.#index += 2;
    }
    if (end > this.#sentBytes) {
      this.#call.keepCopy(body.subarray(this.#sentBytes, end));
      if (!this.#call.isClientGone) this.#call.response.write(body.subarray(this.#sentBytes, end));
    }
    this.#sentBytes = end;
    if (this.#index < cadence.length) {
      this.#timer = this.#clock.setTimer((cadence[this.#index + 1] ?? 0) - elapsedMs, this.#send);
      return;
    }
    this.#call.running = null;
    this.#call.answer = {
      kind: 'stream',
      content: end < contentEnd ? body.subarray(end, contentEnd) : null,
      lastBytes: body.subarray(contentEnd),
    };
    this.#settle.resolve();
  };
}

/**
 * Makes a kept answer this call's own: JSON or a stream, in its client's dialect. A stream that is in the client's form leaves byte for byte.
 * @throws PlimsollError when the client leaves while a stream is replayed with its pauses
 */
export async function serveKept(call: Call, answer: CachedAnswer, replay: 'instant' | 'recorded', clock: Clock): Promise<void> {
  call.texts = new CachedTexts(answer);
  if (call.body?.isStream !== true) {
    call.answer = { kind: 'json', body: jsonBodyFor(call, answer) };
    call.ttftMs = call.elapsedMs();
    return;
  }
  const isPaced = replay === 'recorded' && isSameStream(call, answer);
  const bytes = isPaced ? null : streamBytesFor(call, answer, Math.floor(clock.nowMs() / 1000));
  call.ttftMs = call.elapsedMs();
  if (call.isClientGone) return;
  call.response.writeHead(200, streamHead(call, answer.origin.model));
  if (bytes === null) await new PacedStream(call, answer, clock).run();
  else call.answer = { kind: 'stream', ...bytes };
}
