import type { Timer } from '../../kernel/clock.ts';
import type { Call } from '../call.ts';
import type { CompiledTarget } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { attemptOnce, type Failure } from './attempts.ts';
import type { CompiledRoute } from './compiled-route.ts';
import { Race } from './race.ts';
import { hasProviderSideEffects } from './side-effects.ts';

export interface HedgedOutcome {
  /** The call has its answer. */
  readonly isAnswered: boolean;
  /** In the order in which they happened; of an answered call, those of the attempts that failed by themselves. */
  readonly failures: readonly Failure[];
  /** The second target was asked too. */
  readonly isHedged: boolean;
}

/** How long the first target may take alone; null = not known yet. */
function delayMs(call: Call, first: CompiledTarget, route: CompiledRoute): number | null {
  const { hedge } = route.policy;
  if (hedge === null) return null;
  const { health } = first;
  return hedge.delayMs ?? (call.body?.isStream === true ? health.streams : health.answers).p95Ms();
}

/**
 * Asks the first target, and after a while the second one too, if the route's share of hedges allows it. The first content wins; the other
 * attempt is cancelled and recorded with what it used.
 */
export async function attemptHedged(
  call: Call,
  first: CompiledTarget,
  second: CompiledTarget,
  route: CompiledRoute,
  context: GatewayContext,
): Promise<HedgedOutcome> {
  const { hedge } = route.policy;
  const waitMs = delayMs(call, first, route);
  if (hedge === null || waitMs === null || (!hedge.allowSideEffects && hasProviderSideEffects(call))) {
    const failure = await attemptOnce(call, first, context, undefined);
    return { isAnswered: failure === null, failures: failure === null ? [] : [failure], isHedged: false };
  }
  const race = new Race();
  const failures: Failure[] = [];
  // Assigned in the timer, which the compiler does not see.
  let beside = null as Promise<Failure | null> | null;
  const launch = (): void => {
    if (race.isDecided || call.isAbandoned || call.stopReason !== null) return;
    if (second.health.blockedSinceMs(context.clock.monotonicMs()) !== null || !route.state.hedges.tryTake()) return;
    beside = attemptOnce(call, second, context, 'hedge', race).then((failure) => note(failure, true));
  };
  const note = (failure: Failure | null, isSecond: boolean): Failure | null => {
    if (failure === null) {
      if (isSecond) route.state.hedgesWon++;
    } else if (failure.code !== 'superseded') failures.push(failure);
    return failure;
  };
  const timer: Timer = context.clock.setTimer(waitMs, launch);
  const own = await attemptOnce(call, first, context, undefined, race).then((failure) => note(failure, false));
  timer.cancel();
  const other = beside === null ? undefined : await beside;
  call.running = null;
  return { isAnswered: own === null || other === null, failures, isHedged: beside !== null };
}
