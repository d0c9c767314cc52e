import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { inputTokens, NO_USAGE, type Usage } from '../models/usage.ts';
import type { AnswerIndex } from './answers.ts';
import { type WireFailure, wireFailure } from './chat-request.ts';
import { type PlannedOutcome, planAnswer } from './completion.ts';
import type { SimConfig } from './config.ts';
import { type Delivery, deliverBody, deliverEvents, type ResponseHeaders } from './delivery.ts';
import { alterBody, alterEvents } from './event-faults.ts';
import { contextFailure, failureOfFaults, retryAfterHeaders, serverFailure, unknownModelFailure } from './failures.ts';
import { type FaultBoard, type FaultRule, ruleOf } from './fault-board.ts';
import { OccurrenceCounter, selectFaults } from './fault-selection.ts';
import { type Fault, findFault } from './faults.ts';
import { type BilledEnding, type InvoiceBook, usageSoFar } from './invoice.ts';
import type { ModelBoard, ServedModel } from './model-board.ts';
import { seededRandom } from './seeded-random.ts';
import {
  type BilledUnits,
  type CallTarget,
  type DirectCall,
  type GenerateCall,
  NO_UNITS,
  type ReplyStamp,
  type WireDialect,
} from './wire.ts';

const REMEMBERED_REQUESTS = 20_000;

/** What is known of a request whatever it asks for. */
export interface Bearings {
  readonly dialect: WireDialect;
  readonly requestId: string;
  readonly apiKey: string;
  readonly faultHeader: string | null;
  readonly delivery: Delivery;
  readonly headers: ResponseHeaders;
}

export interface AnsweringOptions {
  readonly config: SimConfig;
  readonly clock: Clock;
  readonly seed: number;
  readonly models: ModelBoard;
  readonly faults: FaultBoard;
  readonly invoice: InvoiceBook;
  readonly index: AnswerIndex;
}

/** What a model's answer is, whatever the dialect. */
interface Prepared {
  readonly bearings: Bearings;
  readonly model: ServedModel;
  readonly stamp: ReplyStamp;
  readonly faults: readonly Fault[];
}

function targetOf(call: GenerateCall | DirectCall): CallTarget {
  if (call.kind === 'direct') return call.target;
  const { model, fingerprint, metadataFault, turns } = call.request;
  return { model, fingerprint, metadataFault, lastUserText: turns.findLast((turn) => turn.role === 'user')?.text ?? '' };
}

function outcomeOf(faults: readonly Fault[]): PlannedOutcome | null {
  if (faults.length === 0) return null;
  if (findFault(faults, 'refusal')) return { kind: 'refusal' };
  if (findFault(faults, 'content_filter')) return { kind: 'content_filter' };
  if (findFault(faults, 'empty_completion')) return { kind: 'empty' };
  const loop = findFault(faults, 'tool_loop');
  return loop === null ? null : { kind: 'tool_loop', steps: loop.value ?? 1 };
}

/** From a call to its answer on the wire and its place on the invoice: what all dialects share. */
export class AnsweringEngine {
  readonly #options: AnsweringOptions;
  readonly #generalRules: readonly FaultRule[];
  readonly #occurrences = new OccurrenceCounter(REMEMBERED_REQUESTS);
  readonly #firstCounter = new OccurrenceCounter(REMEMBERED_REQUESTS);
  readonly byModel: Record<string, number> = {};
  readonly byFault: Record<string, number> = {};

  constructor(options: AnsweringOptions) {
    this.#options = options;
    this.#generalRules = options.config.faults.map(ruleOf);
  }

  async answer(bearings: Bearings, call: GenerateCall | DirectCall): Promise<void> {
    const { models, seed, clock } = this.#options;
    const target = targetOf(call);
    const model = models.get(target.model);
    if (model === null) return this.refuse(bearings, unknownModelFailure(bearings.dialect, target.model));
    this.byModel[model.name] = (this.byModel[model.name] ?? 0) + 1;
    const occurrence = this.#occurrences.next(`${model.name}:${target.fingerprint}`);
    let faults: readonly Fault[];
    try {
      faults = this.#select(bearings, target, model, occurrence);
    } catch (thrown) {
      if (!(thrown instanceof PlimsollError)) throw thrown;
      return this.refuse(bearings, wireFailure(400, 'invalid', thrown.message));
    }
    for (const { name } of faults) this.byFault[name] = (this.byFault[name] ?? 0) + 1;
    const stamp: ReplyStamp = {
      id: seededRandom(seed, target.fingerprint, 'id', occurrence).hex(24),
      createdSeconds: Math.floor(clock.nowMs() / 1_000),
      seed,
      systemFingerprint: `fp_sim_${seededRandom(seed, model.name, model.profile.version).hex(10)}`,
    };
    const prepared: Prepared = { bearings: { ...bearings, delivery: { ...bearings.delivery, faults } }, model, stamp, faults };
    const failure = failureOfFaults(faults, bearings.dialect, model.name, model.profile.contextTokens);
    if (failure !== null) return this.#fail(prepared, failure, call);
    return call.kind === 'generate' ? this.#generate(prepared, call) : this.#compute(prepared, call);
  }

  /** An error that costs nothing and is no model's. */
  async refuse(bearings: Bearings, failure: WireFailure, plannedMs = 0): Promise<void> {
    const { dialect, delivery, headers, requestId } = bearings;
    const all = {
      ...headers,
      ...dialect.errorHeaders?.(failure),
      ...retryAfterHeaders(failure.retryAfter, this.#options.clock.nowMs()),
    };
    await deliverBody(delivery, failure.status, all, 'application/json', JSON.stringify(dialect.errorBody(failure, requestId)), plannedMs);
  }

  #select(bearings: Bearings, target: CallTarget, model: ServedModel, occurrence: number): readonly Fault[] {
    const { faults, seed, clock } = this.#options;
    return selectFaults({
      header: bearings.faultHeader,
      target,
      apiKey: bearings.apiKey,
      rules: [...model.rules, ...this.#generalRules, ...faults.active(clock.nowMs())],
      seed,
      occurrence,
      firstCounter: this.#firstCounter,
    });
  }

  /** A model's error: on the invoice with no tokens. */
  async #fail({ bearings, model }: Prepared, failure: WireFailure, call: GenerateCall | DirectCall): Promise<void> {
    const plannedMs = model.profile.ttftMedianMs / 4;
    const { dialect, delivery, headers, requestId } = bearings;
    // Some dialects say within an answer that a prompt was refused.
    if (failure.status === 200 && call.kind === 'generate' && call.request.isStream) {
      const data = JSON.stringify(dialect.errorBody(failure, requestId));
      await deliverEvents(delivery, headers, call.framing, [{ event: null, data, offsetMs: plannedMs, generatedTokens: 0 }]);
    } else await this.refuse(bearings, failure, plannedMs);
    this.#book(bearings, model, 'failed', NO_USAGE, NO_UNITS);
  }

  #book({ apiKey }: Bearings, { name, profile }: ServedModel, ending: BilledEnding, usage: Usage, units: BilledUnits): void {
    this.#options.invoice.book({ apiKey, model: name, ending, usage, units, price: profile.price });
  }

  async #generate(prepared: Prepared, call: GenerateCall): Promise<void> {
    const { bearings, model, stamp, faults } = prepared;
    const { dialect, delivery, headers, requestId } = bearings;
    const { request } = call;
    const { profile } = model;
    const { index, seed } = this.#options;
    const plan = planAnswer({ request, profile, index, seed, outcome: outcomeOf(faults) });
    const input = inputTokens(usageSoFar(plan.usage, 0));
    if (input > profile.contextTokens) return this.#fail(prepared, contextFailure(dialect, input, profile.contextTokens), call);
    const errorAfter = findFault(faults, 'error_first_event') ? 0 : (findFault(faults, 'error_after')?.value ?? null);
    if (!request.isStream) {
      const body =
        errorAfter === null ? alterBody(call.renderBody(plan, stamp), faults) : dialect.errorBody(serverFailure(dialect), requestId);
      const end = await deliverBody(delivery, 200, headers, 'application/json', JSON.stringify(body), plan.durationMs);
      const ending = errorAfter === null ? end.ending : 'failed';
      // A JSON answer was generated whole before its first byte was sent.
      const generated = ending === 'client_left' ? 0 : plan.usage.outputTokens;
      if (ending !== 'failed') call.remember?.(plan, stamp);
      return this.#book(bearings, model, ending, ending === 'failed' ? NO_USAGE : usageSoFar(plan.usage, generated), NO_UNITS);
    }
    const events = alterEvents(call.renderEvents(plan, stamp), faults, dialect.errorEvent(serverFailure(dialect), requestId));
    const end = await deliverEvents(delivery, headers, call.framing, events);
    const ending = end.ending === 'complete' && errorAfter !== null ? (errorAfter === 0 ? 'failed' : 'cut') : end.ending;
    const generated = end.lastEvent?.generatedTokens ?? 0;
    if (ending !== 'failed') call.remember?.(plan, stamp);
    this.#book(bearings, model, ending, ending === 'failed' ? NO_USAGE : usageSoFar(plan.usage, generated), NO_UNITS);
  }

  async #compute({ bearings, model, stamp }: Prepared, call: DirectCall): Promise<void> {
    const { delivery, headers } = bearings;
    const answer = call.answer(stamp);
    const { ending } = await deliverBody(delivery, 200, headers, answer.contentType, answer.body, answer.durationMs);
    if (answer.isFree === true) return;
    const isBilled = ending === 'complete' || ending === 'cut';
    this.#book(bearings, model, ending, isBilled ? answer.usage : NO_USAGE, isBilled ? answer.units : NO_UNITS);
  }
}
