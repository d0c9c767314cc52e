import { PlimsollError } from '../../kernel/errors.ts';
import { formatUsd } from '../../kernel/money.ts';
import { compiledAtServiceTier, estimateNanoUsd } from '../../models/price-usage.ts';
import type { Admission, AdmissionRequest } from '../admission/admission.ts';
import { borrowFor } from '../admission/borrow.ts';
import {
  askedAnswers,
  askedOutputTokens,
  askedServiceTier,
  DEFAULT_OUTPUT_TOKENS,
  estimateInputTokens,
  namesOutputTokens,
} from '../admission/estimate.ts';
import { type ApplicableLimits, type Cap, capsFor } from '../admission/limit-book.ts';
import { loopStopped } from '../admission/limit-event.ts';
import { findLoop } from '../admission/loop-breaker.ts';
import { ownerText, Refusal, unpriced } from '../admission/refusal.ts';
import type { Reservation } from '../admission/reservation.ts';
import { waitForRoom } from '../admission/wait-for-room.ts';
import type { Call } from '../call.ts';
import type { CompiledTarget, Destination } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { servingDestination } from '../operations/operation-request.ts';
import { restrictDestination } from '../target-policy.ts';

/** The limits of who calls; null when there are none. Asked for once the caller is known. */
function limitsOf(call: Call, admission: Admission): ApplicableLimits | null {
  const { caller, snapshot } = call;
  if (caller === null) throw new PlimsollError('internal', 'admission was asked before authenticate');
  const { key, feature } = caller;
  const limits = admission.applicable({
    organisationId: snapshot.organisationId,
    keyId: key.id,
    keyName: key.name,
    team: key.team,
    feature: feature.name,
  });
  return limits.isUnlimited ? null : limits;
}

/** Before the body is read. @throws PlimsollError when a limit is used up whatever the body says */
export function refuseEarly(call: Call, { admission }: GatewayContext): void {
  call.limits = limitsOf(call, admission);
  const refusal = call.limits === null ? null : admission.peek(call.limits, call);
  if (refusal !== null) throw refuse(call, refusal, admission);
}

function refuse(call: Call, refusal: Refusal, admission: Admission): PlimsollError {
  admission.countRefusal(refusal);
  call.refusal = refusal;
  return refusal.error();
}

/** Output tokens that one answer of a target may have. */
function outputTokensAt(target: CompiledTarget, asked: number | null): number {
  const most = target.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  return Math.min(asked ?? target.maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS, most);
}

/** What a call may use: at each target, and at the dearest and longest of them. */
function estimate(call: Call, destination: Destination, asked: number | null): void {
  if (call.body === null) throw new PlimsollError('internal', 'admit ran before the body was read');
  // Of a form with files the text that stands for it is counted: sound has no length in tokens that its bytes would tell.
  const inputTokens = call.estimate?.inputTokens ?? estimateInputTokens(call.body.summary ?? call.body.bytes);
  // Embeddings, reranks and the like answer with no tokens.
  const answers = call.dialect.operation?.hasOutputTokens === false ? 0 : askedAnswers(call.body);
  const tier = askedServiceTier(call.body);
  let outputTokens = 0;
  let nanoUsd = 0;
  for (const target of destination.targets) {
    const output = outputTokensAt(target, asked) * answers;
    outputTokens = Math.max(outputTokens, output);
    // A tier whose price is not known is held at the list price, and booked at it.
    const price = compiledAtServiceTier(target.price, tier) ?? target.price;
    nanoUsd = Math.max(nanoUsd, (price === null ? null : estimateNanoUsd(inputTokens, output, price)) ?? 0);
  }
  call.estimate = { inputTokens, outputTokens, nanoUsd };
}

function checkCap(cap: Cap | null, asked: number, what: string, unit: string, show: (amount: number) => string): void {
  if (cap === null || asked <= cap.amount) return;
  const { rule, amount } = cap;
  throw new PlimsollError(
    'request_over_limit',
    `The request ${what} ${show(asked)}; one request may have at most ${show(amount)}.${ownerText(rule)}`,
    {
      details: {
        limit: {
          id: rule.id,
          scope: rule.scope,
          unit,
          limit: show(amount),
          requested: show(asked),
          owner: rule.owner,
          costOwner: rule.costOwner,
        },
      },
    },
  );
}

/** @throws PlimsollError `request_over_limit` for a request that is too large by itself */
function applyCaps(call: Call, limits: ApplicableLimits, destination: Destination): void {
  const caps = capsFor(limits, call);
  let asked = call.body === null ? null : askedOutputTokens(call.body);
  if (asked === null && caps.outputTokens !== null) {
    if (call.body !== null && namesOutputTokens(call.body))
      throw new PlimsollError('invalid_argument', 'The number of output tokens must be a whole number above 0, or be left out.', {
        details: { param: 'max_tokens' },
      });
    asked = caps.outputTokens.amount;
    call.outputTokensCap = asked;
  }
  estimate(call, destination, asked);
  const tokens = (amount: number): string => `${amount} tokens`;
  checkCap(caps.inputTokens, call.estimate?.inputTokens ?? 0, 'has about', 'input_tokens', tokens);
  if (asked !== null) checkCap(caps.outputTokens, asked, 'asks for up to', 'output_tokens', tokens);
  checkCap(caps.nanoUsd, call.estimate?.nanoUsd ?? 0, 'may cost', 'usd', (nano) => `$${formatUsd(BigInt(nano) * 1000n)}`);
  if (caps.nanoUsd?.rule.unpriced === 'reject' && destination.targets.every((target) => target.price === null))
    throw unpriced(destination.name, caps.nanoUsd.rule.id);
}

function requestOf(call: Call, limits: ApplicableLimits, isDowngraded: boolean): AdmissionRequest {
  const tokens = (call.estimate?.inputTokens ?? 0) + (call.estimate?.outputTokens ?? 0);
  const { user, customer, session } = call;
  return { limits, tokens, nanoUsd: call.estimate?.nanoUsd ?? 0, user, customer, session, isDowngraded, isInternal: call.purpose !== null };
}

/** @throws PlimsollError when the call is refused by the limit */
function downgrade(call: Call, refusal: Refusal): void {
  const name = refusal.rule.downgradeTo ?? '';
  const cheaper = call.snapshot.destinations.get(name);
  if (cheaper === undefined || call.destination === null) throw refusal.error();
  if (cheaper.name !== call.destination.name) {
    call.downgradedFrom = call.destination.name;
    call.warnings.push(`downgraded from ${call.destination.name} to ${name} by the limit ${refusal.counter.limit.id}`);
    // Where its answers may come from holds on every route.
    const allowed = restrictDestination(call, cheaper);
    call.destination = call.operation === 'chat' ? allowed : servingDestination(allowed, call.operation);
  }
}

/**
 * One synchronous step; where limits are shared with other gateways and this one has nothing left, borrowing comes before it.
 * @throws PlimsollError `not_ready` when nobody can be asked; `client_closed` when the client left meanwhile
 */
function reserve(call: Call, request: AdmissionRequest, admission: Admission): Reservation | Refusal | Promise<Reservation | Refusal> {
  const outcome = admission.reserve(request);
  if (!(outcome instanceof Refusal && outcome.isShort)) return outcome;
  const attempt = (): Reservation | Refusal => {
    if (call.isAbandoned) throw new PlimsollError('client_closed', 'The client closed the connection before there was room.');
    return admission.reserve(request);
  };
  return borrowFor(outcome, attempt, admission);
}

/** @throws PlimsollError `agent_loop_stopped` for a step of a run that goes in circles */
function breakLoop(call: Call, context: GatewayContext): void {
  const feature = call.caller?.feature;
  if (feature?.loopBreaker === undefined || call.operation !== 'chat') return;
  const found = findLoop(call.hubRequest().messages, feature.loopBreaker);
  if (found === null) return;
  const { kind, count, message } = found;
  context.emitEvent(loopStopped(feature, call.session, message, call.snapshot, context.clock.nowMs()));
  throw new PlimsollError('agent_loop_stopped', `This agent run was stopped. ${message}`, {
    details: { limit: { id: `loop-breaker@${feature.name}`, scope: 'session', reason: kind, used: count, owner: feature.owner } },
  });
}

/**
 * For a call that the gateway makes by itself: budgets of its caller and limits of its target hold for it too. It never waits and goes nowhere else.
 * @throws PlimsollError `budget_exceeded`
 */
export async function admitInternal(call: Call, { admission }: GatewayContext): Promise<void> {
  const { destination } = call;
  const limits = limitsOf(call, admission);
  if (limits === null || destination === null || call.body === null) return;
  call.limits = limits;
  estimate(call, destination, askedOutputTokens(call.body));
  const outcome = await reserve(call, requestOf(call, limits, false), admission);
  if (outcome instanceof Refusal) throw outcome.error();
  call.reservation = outcome;
}

/**
 * Reserves what the call may use under every limit that applies to it, or refuses it: all or nothing, in one synchronous step. Only a call that has
 * to wait in a line waits; what it reserves then is again one step.
 * @returns a promise only where it has to wait
 * @throws PlimsollError `rate_limited`, `budget_exceeded`, `agent_loop_stopped`, `request_over_limit`; `client_closed` when it left while it waited
 */
export function admit(call: Call, context: GatewayContext): Promise<void> | null {
  const { admission } = context;
  breakLoop(call, context);
  const { limits, destination } = call;
  if (limits === null || destination === null) return null;
  if (limits.needsEstimate) applyCaps(call, limits, destination);
  const outcome = reserve(call, requestOf(call, limits, false), admission);
  if (outcome instanceof Promise || outcome instanceof Refusal) return admitOtherwise(call, limits, outcome, admission);
  call.reservation = outcome;
  return null;
}

/** What a call without room at once can still do: borrow, go to a cheaper route, or wait in a line. */
async function admitOtherwise(
  call: Call,
  limits: ApplicableLimits,
  first: Refusal | Promise<Reservation | Refusal>,
  admission: Admission,
): Promise<void> {
  let outcome = await first;
  if (outcome instanceof Refusal && outcome.rule.onExceed === 'downgrade') {
    downgrade(call, outcome);
    if (limits.needsEstimate && call.destination !== null) applyCaps(call, limits, call.destination);
    outcome = await reserve(call, requestOf(call, limits, true), admission);
  }
  if (outcome instanceof Refusal && outcome.rule.onExceed === 'queue' && !outcome.isHopeless) {
    await waitForRoom(call, admission, requestOf(call, limits, call.downgradedFrom !== null), outcome);
    return;
  }
  if (outcome instanceof Refusal) throw refuse(call, outcome, admission);
  call.reservation = outcome;
}
