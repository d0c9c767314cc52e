import type { CallDialect } from './dialects.ts';
import { count, field, text } from './loose.ts';
import { TextCollector } from './messages.ts';
import { emptyAnswer, newHex, type ObservedCall } from './span.ts';

export interface CallSettings {
  readonly feature: string;
  readonly user: string | null;
  readonly session: string | null;
  /** False = no texts leave the application. */
  readonly recordTexts: boolean;
  readonly onCall: (feature: string, call: ObservedCall) => void;
  /** Told which trace an answer or stream belongs to. */
  readonly onAnswer: (answer: object, traceId: string) => void;
}

type Step = IteratorResult<unknown, unknown>;

/** One call from its start to its end. Nothing in it ever throws into the application. */
export class Observation {
  readonly #dialect: CallDialect;
  readonly #settings: CallSettings;
  readonly #traceId = newHex(16);
  readonly #startedAtMs = Date.now();
  readonly #startMs = performance.now();
  readonly #requestModel: string | null;
  readonly #input: string | null;
  readonly #answer = emptyAnswer();
  #isStream = false;
  #firstContentMs: number | null = null;
  #isOver = false;

  constructor(dialect: CallDialect, settings: CallSettings, request: unknown) {
    this.#dialect = dialect;
    this.#settings = settings;
    this.#requestModel = quietly(() => text(field(request, 'model')), null);
    // Now: the application may reuse its list of messages for the next turn.
    this.#input = settings.recordTexts ? quietly(() => dialect.input(request), null) : null;
  }

  /** @returns the very same value */
  take(value: unknown): unknown {
    quietly(() => {
      if (typeof value === 'object' && value !== null) {
        this.#settings.onAnswer(value, this.#traceId);
        if (typeof field(value, Symbol.asyncIterator as unknown as string) === 'function') {
          this.#isStream = true;
          this.#observeStream(value);
          return;
        }
      }
      const output = this.#dialect.readAnswer(this.#answer, value);
      this.#end(output, null, false);
    }, undefined);
    return value;
  }

  fail(thrown: unknown): void {
    quietly(() => this.#end(null, thrown, false), undefined);
  }

  /** Events are read as the application reads them; the stream itself stays what it is. */
  #observeStream(stream: object): void {
    const make: unknown = Reflect.get(stream, 'iterator');
    const isOwn = Object.hasOwn(stream, 'iterator') && typeof make === 'function';
    const original = isOwn ? make : Reflect.get(stream, Symbol.asyncIterator);
    const observed = (): AsyncIterator<unknown> => this.#observeIterator(Reflect.apply(original, stream, []));
    // Streams of these SDKs make every reading (for await, tee, toReadableStream) from this one function.
    if (isOwn) Reflect.set(stream, 'iterator', observed);
    else Object.defineProperty(stream, Symbol.asyncIterator, { value: observed, configurable: true, writable: true });
  }

  #observeIterator(source: AsyncIterator<unknown>): AsyncIterableIterator<unknown> {
    const texts = new TextCollector();
    const end = (thrown: unknown, isAborted: boolean): void =>
      quietly(() => this.#end(this.#settings.recordTexts ? texts.messages() : null, thrown, isAborted), undefined);
    const see = (step: Step): Step => {
      if (step.done === true) end(null, false);
      else
        quietly(() => {
          if (this.#dialect.readEvent(this.#answer, step.value, texts)) this.#firstContentMs ??= performance.now() - this.#startMs;
        }, undefined);
      return step;
    };
    const iterator: AsyncIterableIterator<unknown> = {
      next: (...args) =>
        source.next(...args).then(see, (thrown: unknown) => {
          end(thrown, false);
          throw thrown;
        }),
      [Symbol.asyncIterator]: () => iterator,
    };
    const { return: leave, throw: raise } = source;
    if (leave !== undefined)
      iterator.return = (value) => {
        end(null, true);
        return Reflect.apply(leave, source, [value]);
      };
    if (raise !== undefined) iterator.throw = (thrown) => Reflect.apply(raise, source, [thrown]);
    return iterator;
  }

  #end(output: string | null, thrown: unknown, isAborted: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { feature, user, session, recordTexts, onCall } = this.#settings;
    onCall(feature, {
      traceId: this.#traceId,
      operation: this.#dialect.operation,
      provider: this.#dialect.provider,
      startedAtMs: this.#startedAtMs,
      durationMs: performance.now() - this.#startMs,
      firstContentMs: this.#firstContentMs,
      user,
      session,
      requestModel: this.#requestModel,
      isStream: this.#isStream,
      input: this.#input,
      output: recordTexts ? output : null,
      answer: this.#answer,
      error: thrown === null ? null : describe(thrown),
      isAborted,
    });
  }
}

function describe(thrown: unknown): ObservedCall['error'] {
  const httpStatus = count(field(thrown, 'status'));
  return {
    type: thrown instanceof Error ? thrown.constructor.name : typeof thrown,
    message: (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, 1_000),
    httpStatus,
  };
}

/** A defect of ours costs a span, never a call. */
function quietly<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
