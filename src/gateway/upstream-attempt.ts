import { PlimsollError } from '../kernel/errors.ts';
import { newSpanId } from '../kernel/ids.ts';
import { estimateTokensFromCharacters } from '../models/token-estimate.ts';
import { NO_USAGE, outputTokens, type Usage } from '../models/usage.ts';
import type { AttemptRole, CallAttempt } from '../traces/call-record.ts';
import type { TargetHold } from './admission/reservation.ts';
import { reserveTarget } from './admission/reserve-target.ts';
import type { AnswerReader, FlowControl } from './answer-reader.ts';
import { attemptCost } from './attempt-cost.ts';
import { type Call, roundMs } from './call.ts';
import { attemptJson } from './call-json.ts';
import type { CompiledEndpoint, CompiledOperation, CompiledTarget } from './compiled-snapshot.ts';
import type { Deadlined } from './deadlines.ts';
import type { GatewayContext } from './gateway-context.ts';
import { JsonAnswerReader } from './json-answer-reader.ts';
import { ByteRelay } from './operations/byte-relay.ts';
import { OperationAnswerReader } from './operations/operation-answer.ts';
import { buildOperationRequest, operationAt } from './operations/operation-request.ts';
import type { ResponseHeaders } from './provider.ts';
import { passHeaders } from './response-headers.ts';
import type { Race } from './routing/race.ts';
import { hasProviderSideEffects } from './routing/side-effects.ts';
import { StreamRelay } from './streams/stream-relay.ts';
import { noteTarget } from './target-notices.ts';
import { assertTargetAllowed } from './target-policy.ts';
import type { AnswerHandler, Exchange, OutgoingRequest } from './upstream/exchange.ts';
import { transportError } from './upstream/transport-error.ts';
import type { UpstreamError } from './upstream/upstream-error.ts';
import { buildUpstreamRequest } from './upstream-request.ts';

/** Time that a provider gets to close its side after `[DONE]`, so that the connection can be used again. */
const LINGER_MS = 1000;
/** A connection that was closed while it was idle says so within a round trip. One that ends later had begun to work on the request. */
const STALE_WITHIN_MS = 1000;
const MAX_ERROR_BODY_BYTES = 64 * 1024;

/** waiting: queued or connecting · sent: no answer yet · body: reading it · lingering: complete, the provider still has to close · over */
type Phase = 'waiting' | 'sent' | 'body' | 'lingering' | 'over';

/** What `run` comes to: null when the call has its answer. */
type Outcome = PlimsollError | null;

/** One try at one provider: dispatches, watches the clock, reads the answer, and leaves one `CallAttempt`. */
export class UpstreamAttempt implements AnswerHandler, Deadlined, FlowControl {
  slot = -1;
  readonly #call: Call;
  readonly #target: CompiledTarget;
  readonly #endpoint: CompiledEndpoint;
  /** Null for chat. */
  readonly #operation: CompiledOperation | null;
  readonly #context: GatewayContext;
  /** Null = the only attempt at its time. */
  readonly #race: Race | null;
  readonly #role: AttemptRole | undefined;
  readonly #spanId = newSpanId();
  readonly #startMs: number;
  readonly #totalDeadlineMs: number;
  #phase: Phase = 'waiting';
  /** Monotonic time of the last sign of life; the deadline of the phase counts from it. */
  #lastActivityMs: number;
  #exchange: Exchange | null = null;
  /** Until an answer begins: what may have to be sent again. */
  #request: OutgoingRequest | null = null;
  #sentMs = 0;
  #isResent = false;
  #isPaused = false;
  #status: number | null = null;
  #headers: ResponseHeaders = {};
  #reader: AnswerReader | null = null;
  #errorBody: Buffer[] = [];
  #errorBytes = 0;
  #wasNeverSent = false;
  /** Of the limits of this model and provider. */
  #hold: TargetHold | null = null;
  #isReported = false;
  #recorded: CallAttempt | null = null;
  #resolve: (outcome: Outcome) => void = () => {};

  constructor(call: Call, target: CompiledTarget, context: GatewayContext, race: Race | null = null, role?: AttemptRole) {
    this.#call = call;
    this.#race = race;
    this.#role = role;
    this.#target = target;
    this.#operation = call.operation === 'chat' ? null : target.operationFor(call.operation);
    this.#endpoint =
      this.#operation?.asChat ?? (call.dialect.name === 'openai-chat' ? target.hubEndpoint : target.endpointFor(call.dialect.name));
    this.#context = context;
    this.#startMs = context.clock.monotonicMs();
    this.#lastActivityMs = this.#startMs;
    this.#totalDeadlineMs = this.#startMs + target.provider.timeouts.totalMs;
  }

  /** True when content has reached the client. */
  get hasStarted(): boolean {
    return this.#reader?.hasStarted ?? false;
  }

  /** Of the provider's answer; empty before one came. */
  get headers(): ResponseHeaders {
    return this.#headers;
  }

  /** False when the provider cannot have done anything: it never got the request, or refused it. */
  get mayHaveRun(): boolean {
    return !this.#wasNeverSent && (this.#status === null || this.#status < 400);
  }

  /** The log entry; null while it runs. */
  get recorded(): CallAttempt | null {
    return this.#recorded;
  }

  claim(isContent: boolean): boolean {
    if (!isContent) return false;
    if (this.#race !== null && !this.#race.claim(this)) return false;
    passHeaders(this.#headers, this.#call.answerHeaders);
    noteTarget(this.#call, this.#target);
    return true;
  }

  run(): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      const { provider } = this.#target;
      if (provider.missingSecret !== null) {
        this.#finish(
          new PlimsollError(
            'provider_auth_failed',
            `The credential of "${provider.name}" is missing: ${provider.missingSecret} is not set.`,
            {
              details: { provider: provider.name },
            },
          ),
        );
        return;
      }
      try {
        assertTargetAllowed(this.#call, this.#target);
        this.#call.running = this.#race ?? this;
        const hold = reserveTarget(this.#call, this.#target, this.#context.admission);
        if (hold instanceof Promise) {
          hold.then(
            (held) => this.#dispatch(held),
            (thrown: unknown) => this.#finish(this.#dispatchError(thrown)),
          );
        } else this.#dispatch(hold);
      } catch (thrown) {
        this.#finish(this.#dispatchError(thrown));
      }
    });
  }

  #dispatch(hold: TargetHold | null): void {
    if (this.#phase === 'over') {
      // It was given up while it waited for room.
      hold?.settle(null);
      return;
    }
    this.#hold = hold;
    try {
      this.#request = this.#buildRequest();
      this.#exchange = this.#context.pools.get(this.#target.provider).dispatch(this.#request, this);
      this.#context.deadlines.watch(this);
    } catch (thrown) {
      this.#finish(this.#dispatchError(thrown));
    }
  }

  onRequestStart(): void {
    this.#phase = 'sent';
    this.#sentMs = this.#context.clock.monotonicMs();
  }

  onResponseStart(status: number, headers: ResponseHeaders): void {
    this.#request = null;
    this.#status = status;
    this.#headers = headers;
    this.#phase = 'body';
    this.#lastActivityMs = this.#context.clock.monotonicMs();
    if (status >= 300) return;
    this.#reader = this.#createReader(headers);
  }

  #createReader(headers: ResponseHeaders): AnswerReader {
    const type = headers['content-type'];
    const isJson = typeof type === 'string' && type.includes('json');
    const operation = this.#operation;
    if (operation === null || operation.asChat !== null)
      return this.#call.body?.isStream === true && !isJson
        ? new StreamRelay(this.#call, this.#target, this.#endpoint, this.#context, this)
        : new JsonAnswerReader(this.#call, this.#target, this.#endpoint, this.#context, this);
    return isJson || this.#call.dialect.operation?.mayAnswerBytes !== true
      ? new OperationAnswerReader(this.#call, this.#target, operation, headers, this.#context, this)
      : new ByteRelay(this.#call, this.#target, operation, headers, this.#context, this);
  }

  /** @throws PlimsollError `invalid_argument` for what the provider does not serve or cannot be told */
  #buildRequest(): OutgoingRequest {
    const { operation } = this.#call;
    if (operation === 'chat' || operationAt(this.#target, operation).asChat !== null)
      return buildUpstreamRequest(this.#call, this.#target, this.#endpoint, this.#context);
    return buildOperationRequest(this.#call, this.#target, operation, this.#context);
  }

  onResponseData(chunk: Buffer): void {
    if (this.#phase !== 'body') return;
    this.#lastActivityMs = this.#context.clock.monotonicMs();
    const reader = this.#reader;
    if (reader === null) {
      if (this.#errorBytes < MAX_ERROR_BODY_BYTES) {
        this.#errorBody.push(chunk.subarray(0, MAX_ERROR_BODY_BYTES - this.#errorBytes));
        this.#errorBytes += chunk.length;
      }
      return;
    }
    try {
      reader.onData(chunk, this.#lastActivityMs);
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    if (reader.isDone) {
      this.#phase = 'lingering';
      this.#report(null);
    }
  }

  onResponseEnd(): void {
    if (this.#phase === 'lingering') {
      this.#close();
      return;
    }
    if (this.#phase !== 'body') return;
    try {
      if (this.#reader === null) throw this.#classify();
      this.#reader.onEnd();
    } catch (thrown) {
      this.#finish(
        thrown instanceof PlimsollError ? thrown : new PlimsollError('internal', 'The answer could not be read.', { cause: thrown }),
      );
      return;
    }
    this.#finish(null);
  }

  onResponseError(error: UpstreamError): void {
    if (this.#phase === 'lingering') {
      this.#close();
      return;
    }
    if (this.#phase === 'over' || this.#sendAgain(error)) return;
    this.#finish(transportError(error, this.#target.provider, this.hasStarted));
  }

  /**
   * Sends a request again, once, whose connection had been idle and ended at once and without a byte: the provider had closed it, and most likely
   * never read the request. It says nothing of the provider's health, and takes nothing of what a route allows to be tried again.
   * @returns false when that is not so, or asking twice could do something twice
   */
  #sendAgain({ isStale }: UpstreamError): boolean {
    const request = this.#request;
    if (!isStale || request === null || this.#isResent) return false;
    if (this.#context.clock.monotonicMs() > this.#sentMs + STALE_WITHIN_MS || hasProviderSideEffects(this.#call)) return false;
    this.#exchange = this.#context.pools.get(this.#target.provider).dispatch(request, this, true);
    this.#isResent = true;
    this.#phase = 'waiting';
    return true;
  }

  checkDeadline(nowMs: number): void {
    const { timeouts } = this.#target.provider;
    if (this.#phase === 'lingering') {
      if (nowMs >= this.#lastActivityMs + LINGER_MS) this.#abort();
      return;
    }
    if (nowMs >= this.#totalDeadlineMs) {
      // A client that does not read is not the provider's fault.
      if (this.#isPaused)
        this.#fail(new PlimsollError('client_closed', `The client did not take its answer within ${timeouts.totalMs} ms.`));
      else this.#failTimeout('total', timeouts.totalMs, 'did not finish');
    } else if (this.#phase === 'body') {
      if (!this.#isPaused && nowMs >= this.#lastActivityMs + timeouts.idleMs) this.#failTimeout('idle', timeouts.idleMs, 'went silent');
    } else if (nowMs >= this.#startMs + timeouts.firstByteMs) {
      this.#failTimeout('firstByte', timeouts.firstByteMs, this.#phase === 'sent' ? 'sent no byte' : 'had no connection free');
    }
  }

  /** Stops reading while the client is behind. */
  pause(): void {
    this.#isPaused = true;
    this.#exchange?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#lastActivityMs = this.#context.clock.monotonicMs();
    this.#exchange?.resume();
  }

  /** Ends the attempt from outside: the client left, or the gateway stops. */
  fail(error: PlimsollError): void {
    this.#fail(error);
  }

  #failTimeout(timeout: string, timeoutMs: number, what: string): void {
    const { name } = this.#target.provider;
    const isCut = this.hasStarted;
    this.#fail(
      new PlimsollError(isCut ? 'provider_stream_cut' : 'provider_timeout', `"${name}" ${what} within ${timeoutMs} ms.`, {
        details: { provider: name, timeout, timeoutMs },
      }),
    );
  }

  #fail(thrown: unknown): void {
    if (this.#phase === 'over') return;
    const error =
      thrown instanceof PlimsollError ? thrown : new PlimsollError('internal', 'The answer could not be handled.', { cause: thrown });
    this.#abort();
    this.#report(error);
  }

  /** Frees the connection at once: an unfinished answer cannot be skipped on it. */
  #abort(): void {
    const exchange = this.#exchange;
    this.#close();
    exchange?.abort();
  }

  #finish(outcome: Outcome): void {
    this.#close();
    this.#report(outcome);
  }

  #close(): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'waiting' && !this.#isResent) this.#wasNeverSent = true;
    this.#phase = 'over';
    this.#request = null;
    this.#context.deadlines.unwatch(this);
    this.#exchange = null;
  }

  #report(error: Outcome): void {
    if (this.#isReported) return;
    this.#isReported = true;
    // The one place that every failure of an attempt passes: what a provider says must not repeat our credential to a client or a record.
    const outcome = error === null ? null : this.#context.tokens.redactError(error, this.#target.provider);
    if (this.#race === null) this.#call.running = null;
    this.#recorded = this.#record(outcome);
    const json = attemptJson(this.#recorded, this.#target.json.attempt);
    this.#call.attempts.push(this.#recorded);
    this.#call.lastTarget = this.#target;
    this.#call.attemptsJson += this.#call.attemptsJson === '' ? json : `,${json}`;
    this.#hold?.settle(this.#recorded);
    this.#resolve(outcome);
  }

  #classify(): PlimsollError {
    const status = this.#status ?? 0;
    const { name, adapter } = this.#target.provider;
    if (status < 400) {
      return new PlimsollError('provider_bad_response', `"${name}" answered HTTP ${status}, which is no answer to a request.`, {
        details: { provider: name, status },
      });
    }
    const { code, message } = adapter.classifyError(status, Buffer.concat(this.#errorBody).toString('utf8'), this.#headers);
    return new PlimsollError(code, message, { details: { provider: name, status } });
  }

  #dispatchError(thrown: unknown): PlimsollError {
    if (!(thrown instanceof PlimsollError)) return new PlimsollError('internal', 'The call could not be sent.', { cause: thrown });
    if (thrown.code !== 'config_invalid') return thrown;
    const { name } = this.#target.provider;
    return new PlimsollError(thrown.code, `Provider "${name}": ${thrown.message}`, { details: { provider: name }, cause: thrown });
  }

  /** Usage as reported, else estimated once the provider worked for us; null when nothing can be said. */
  #usage(outcome: Outcome): { usage: Usage | null; source: CallAttempt['usageSource'] } {
    const facts = this.#reader?.facts;
    if (facts?.usage) return { usage: facts.usage, source: 'reported' };
    // What holds no text cannot be counted by its length.
    if (this.#call.dialect.operation?.estimatesTokens === false) return { usage: null, source: null };
    const outputCharacters = facts?.outputCharacters ?? 0;
    const wasAborted = isAbort(outcome) && !this.#wasNeverSent;
    if (outcome !== null && !wasAborted && outputCharacters === 0) return { usage: null, source: null };
    const outputEstimate = estimateTokensFromCharacters(outputCharacters);
    // Some dialects tell the input, cache classes included, before the answer begins: then only the output is a guess.
    const begun = facts?.providerUsage == null ? null : this.#target.provider.adapter.readUsage(facts.providerUsage);
    if (begun !== null) {
      const outputTextTokens = Math.max(outputEstimate, outputTokens(begun));
      return { usage: { ...begun, outputTextTokens, reasoningTokens: 0, audioOutputTokens: 0 }, source: 'estimated' };
    }
    const inputUncachedTokens = this.#call.estimate?.inputTokens ?? estimateTokensFromCharacters(this.#call.body?.bytes.length ?? 0);
    return { usage: { ...NO_USAGE, inputUncachedTokens, outputTextTokens: outputEstimate }, source: 'estimated' };
  }

  #record(outcome: Outcome): CallAttempt {
    const target = this.#target;
    const facts = this.#reader?.facts;
    const { usage, source } = this.#usage(outcome);
    const units = outcome === null ? facts?.units : undefined;
    // A refusal, or a call that never left, costs nothing; what a silent or cut call costs is not known.
    const isFree = this.#wasNeverSent || (this.#status !== null && this.#status >= 400);
    const cost = attemptCost(target, { usage, source, units, facts, isFree });
    const call = this.#call;
    const startOffsetMs = this.#startMs - call.startedMs;
    return {
      spanId: this.#spanId,
      model: target.model,
      provider: target.provider.name,
      providerKind: target.provider.kind,
      requestModel: target.upstreamModel,
      responseModel: facts?.responseModel ?? null,
      responseId: facts?.responseId ?? null,
      startOffsetMs: roundMs(startOffsetMs),
      durationMs: roundMs(this.#context.clock.monotonicMs() - this.#startMs),
      // A restarted stream's first content came before this attempt began.
      ttftMs:
        call.ttftMs === null || call.ttftMs < startOffsetMs || (outcome !== null && !this.hasStarted)
          ? null
          : roundMs(call.ttftMs - startOffsetMs),
      status: outcome === null ? 'ok' : isAbort(outcome) ? 'aborted' : 'error',
      httpStatus: this.#status,
      errorType: outcome?.code ?? null,
      errorMessage: outcome?.message ?? null,
      finishReasons: facts?.finishReasons ?? [],
      usage,
      units,
      usageSource: source,
      providerUsage: facts?.providerUsage == null ? null : asJson(facts.providerUsage),
      costPicoUsd: cost.costPicoUsd,
      costStatus: cost.costStatus,
      priceId: cost.priceId,
      serviceTier: cost.serviceTier,
      bookedPicoUsd: cost.bookedPicoUsd,
      region: target.region ?? undefined,
      isSelfHosted: target.isSelfHosted || undefined,
      isResent: this.#isResent || undefined,
      role: this.#role,
    };
  }
}

/** Ended by us or by the client, not by the provider. */
function isAbort(outcome: Outcome): boolean {
  return outcome !== null && (outcome.code === 'client_closed' || outcome.code === 'superseded');
}

function asJson(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
