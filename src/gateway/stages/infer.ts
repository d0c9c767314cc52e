import { PlimsollError } from '../../kernel/errors.ts';
import type { AttemptRole } from '../../traces/call-record.ts';
import type { Call } from '../call.ts';
import type { CompiledTarget } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { hasLargerWindow, retryDelayMs, stepAfter } from '../routing/after-failure.ts';
import { attemptOnce, type Failure } from '../routing/attempts.ts';
import { fullJitterMs } from '../routing/backoff.ts';
import type { CompiledRoute } from '../routing/compiled-route.ts';
import { withSaving } from '../routing/estimate.ts';
import { attemptHedged } from '../routing/hedge.ts';
import { pause } from '../routing/pause.ts';
import { mayRestart } from '../routing/restart.ts';
import { hasProviderSideEffects } from '../routing/side-effects.ts';

/** What the client is told when every target failed: the last error that may pass, else the last, with all of them named. */
function summarise(failures: readonly Failure[]): PlimsollError {
  const told = failures.findLast(({ error }) => error.retryable) ?? failures.at(-1);
  if (told === undefined) return new PlimsollError('internal', 'A destination without targets was called');
  const { error } = told;
  const asked = new Set(failures.map(({ target }) => target));
  const message =
    failures.length === 1
      ? error.message
      : `${asked.size === 1 ? `All ${failures.length} tries` : `All ${asked.size} targets`} failed: ${failures.map((failure) => `${failure.target.model}: ${failure.code} (${failure.error.message})`).join('; ')}`;
  return new PlimsollError(error.code, message, { details: { ...error.details, retryAfter: told.retryAfter }, cause: error });
}

/** Whether a target may be asked after the failures before it. */
function mayFollow(call: Call, target: CompiledTarget, last: Failure): 'yes' | 'skip' | 'stop' {
  const policy = call.destination?.routing?.policy ?? null;
  const step = stepAfter(last, policy, () => hasProviderSideEffects(call));
  if (step !== 'larger_window') return step === 'next' ? 'yes' : 'stop';
  const estimated = call.opened?.estimatedInputTokens ?? 0;
  return hasLargerWindow(target.contextTokens, last.target.contextTokens, estimated) ? 'yes' : 'skip';
}

/** Content that has reached the client cannot be taken back, unless the client said that it can. */
function checkMayGoOn(call: Call, { error, hasStarted }: Failure): void {
  if (call.stopReason !== null || error.code === 'client_closed' || error.code === 'superseded') throw error;
  if (hasStarted && (error.code !== 'provider_stream_cut' || !mayRestart(call))) throw error;
}

/** Wait before the same target is tried again; null = it is not. Takes from the route's budget. */
function retryDelay(
  call: Call,
  route: CompiledRoute | null,
  failure: Failure,
  tries: number,
  hasNext: boolean,
  context: GatewayContext,
): number | null {
  if (route === null) return null;
  const { retries } = route.policy;
  const delayMs = retryDelayMs({
    failure,
    policy: retries,
    tries,
    hasNext,
    elapsedMs: call.elapsedMs(),
    jitterMs: fullJitterMs(tries, retries, context.random()),
  });
  if (delayMs === null || (failure.mayHaveRun && hasProviderSideEffects(call))) return null;
  return route.state.retries.tryTake() ? delayMs : null;
}

/** Tries one target as often as the route allows. @returns null when it answered, else every failure, in order */
async function askTarget(call: Call, index: number, failures: Failure[], context: GatewayContext): Promise<number | null> {
  const route = call.destination?.routing ?? null;
  const target = call.targets[index] as CompiledTarget; // the caller counts over the same list
  const second = call.targets[index + 1];
  let used = 1;
  const last = failures.at(-1);
  let role: AttemptRole | undefined = last === undefined ? undefined : last.hasStarted ? 'restart' : 'fallback';
  for (let tries = 1; ; tries++) {
    let failure: Failure | null;
    if (failures.length === 0 && second !== undefined && route !== null && route.policy.hedge !== null) {
      const hedged = await attemptHedged(call, target, second, route, context);
      if (hedged.isAnswered) return null;
      failures.push(...hedged.failures);
      for (const each of hedged.failures) checkMayGoOn(call, each);
      if (hedged.failures.some((each) => each.target === second)) used = 2;
      failure = failures.at(-1) ?? null;
      // Two targets at once are no try that is repeated as it was.
      if (hedged.isHedged || failure === null) return used;
    } else {
      failure = await attemptOnce(call, target, context, role);
      if (failure === null) return null;
      failures.push(failure);
      checkMayGoOn(call, failure);
    }
    const delayMs = retryDelay(call, route, failure, tries, index + used < call.targets.length, context);
    if (delayMs === null) return used;
    role = failure.hasStarted ? 'restart' : 'retry';
    await pause(call, delayMs, context.clock);
  }
}

/** What the choice of the route saved, now that the tokens are known. */
function noteSaving(call: Call): void {
  const { routing, destination } = call;
  const answered = call.attempts.findLast(({ status }) => status === 'ok');
  if (routing === null || answered === undefined) return;
  const other = destination?.targets.find(({ model }) => model === routing.counterfactualModel);
  call.routing = withSaving(routing, answered, other);
}

/**
 * Asks the targets in order until one answers. Another try, at the same target or the next, only after a failure that may pass there, only what
 * is safe to repeat, and only while the client has received no content (or said that its stream may begin anew).
 * @throws PlimsollError when none answered, the answer broke off, or the client left
 */
export async function infer(call: Call, context: GatewayContext): Promise<void> {
  const failures: Failure[] = [];
  const route = call.destination?.routing ?? null;
  if (route !== null) {
    route.state.retries.deposit(route.policy.retries.budgetRatio);
    if (route.policy.hedge !== null) route.state.hedges.deposit(route.policy.hedge.maxRatio);
  }
  for (let index = 0; index < call.targets.length; ) {
    const target = call.targets[index] as CompiledTarget; // index < length
    if (call.stopReason !== null) throw call.stopReason;
    if (call.isAbandoned) throw new PlimsollError('client_closed', 'The client closed the connection before a provider was asked.');
    const last = failures.at(-1);
    if (last !== undefined) {
      const verdict = mayFollow(call, target, last);
      if (verdict === 'stop' || (route !== null && call.elapsedMs() > route.policy.retries.deadlineMs)) break;
      if (verdict === 'skip') {
        index++;
        continue;
      }
    }
    const used = await askTarget(call, index, failures, context);
    if (used === null) {
      noteSaving(call);
      return;
    }
    index += used;
  }
  throw summarise(failures);
}
