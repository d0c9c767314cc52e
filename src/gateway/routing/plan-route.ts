import type { Call } from '../call.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { CallFacts } from './call-facts.ts';
import { type ChoiceInputs, chooseTargets, type Difficulty, describeChoice } from './choose-targets.ts';
import { classifyByModel } from './classify-by-model.ts';
import type { Candidate, CompiledRoute } from './compiled-route.ts';
import { classifyComplexity } from './complexity/classify.ts';
import { expectedCostPicoUsd } from './estimate.ts';
import { hashFraction } from './order.ts';
import { withoutBlocked } from './outlier-detection.ts';

/** Without rules of their own half of a route's targets may be out. */
const DEFAULT_MAX_EJECTION_RATIO = 0.5;

/** Finagle's load metric: what a target takes, times the calls that would share it. A target that was never measured is tried first. */
function latencyCost({ target }: Candidate, isStream: boolean): number {
  const { health } = target;
  const latencyMs = (isStream ? health.streams : health.answers).mean.valueMs ?? (isStream ? health.answers : health.streams).mean.valueMs;
  return latencyMs === null ? health.inFlight : latencyMs * (health.inFlight + 1);
}

function stickyKey(call: Call, stickyBy: 'session' | 'user' | 'customer'): string | null {
  const value = call[stickyBy];
  return value === null ? null : `${call.snapshot.organisationId}\u0000${value}`;
}

function finish(call: Call, context: GatewayContext, route: CompiledRoute, facts: CallFacts, difficulty: Difficulty | null): void {
  const { policy, state } = route;
  const eligible = route.candidates.filter(({ when }) => when === null || when(facts));
  // Control refuses routes without a target that takes everything; a snapshot that has one all the same must still serve.
  const all = eligible.length > 0 ? eligible : route.candidates;
  const ratio = context.routing.health.policy?.maxEjectionRatio ?? DEFAULT_MAX_EJECTION_RATIO;
  const available = withoutBlocked(all, ({ target }) => target.health, context.clock.monotonicMs(), ratio);
  const key = stickyKey(call, policy.stickyBy);
  const inputs: ChoiceInputs = {
    random: context.random,
    costOf: ({ target }) => expectedCostPicoUsd(target, facts.estimatedInputTokens, facts.maxOutputTokens()),
    latencyOf: (candidate) => latencyCost(candidate, facts.isStream),
    stickyHash: key === null ? null : ({ target }) => hashFraction(`${key}\u0000${target.model}`),
    difficulty,
    disabledTiers: call.snapshot.disabledTiers.get(facts.feature),
  };
  const choice = chooseTargets(policy.strategy, available, inputs);
  const leftOut = available === all ? [] : all.filter((candidate) => !available.includes(candidate));
  call.targets = choice.ordered.map(({ target }) => target);
  call.routing = describeChoice(policy.strategy, choice, all, leftOut, difficulty);
  state.count(leftOut.length === 0 ? choice.reasonClass : `${choice.reasonClass}:unhealthy`);
}

/** True while a route has nothing to decide: its targets in order, all of them fine. */
function isUntroubled({ candidates }: CompiledRoute): boolean {
  for (const { target } of candidates) if (target.health.isSuspect) return false;
  return true;
}

/**
 * Puts the targets of a call in the order in which they are to be asked.
 * @returns a promise only where a model has to judge the request
 */
export function planRoute(call: Call, context: GatewayContext): Promise<void> | null {
  const { destination } = call;
  if (destination === null) return null;
  const route = destination.routing;
  call.targets = destination.targets;
  if (route === null) return null;
  route.state.calls++;
  if (route.isPlain && isUntroubled(route)) return null;
  const facts = new CallFacts(call, context.clock.nowMs());
  if (route.policy.strategy !== 'complexity') {
    finish(call, context, route, facts, null);
    return null;
  }
  const prompt = facts.prompt();
  const local = prompt === null ? null : classifyComplexity(prompt);
  if (route.classifier === null || prompt === null) {
    finish(call, context, route, facts, local);
    return null;
  }
  return classifyByModel(call, route.classifier, prompt, context).then((judged) => finish(call, context, route, facts, judged ?? local));
}
