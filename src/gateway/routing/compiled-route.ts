import type { CompiledTarget } from '../compiled-snapshot.ts';
import { compileCondition, type Predicate } from './condition.ts';
import { type ClassifierPolicy, type QualityFloor, type RoutePolicy, type ShadowPolicy, TIERS, type Tier } from './policy.ts';
import type { RouteState } from './route-state.ts';

/** One target of a route with what the route says of it. */
export interface Candidate {
  readonly target: CompiledTarget;
  /** From 1, as people count. */
  readonly position: number;
  readonly weight: number;
  readonly tier: Tier | null;
  /** Null = always. */
  readonly when: Predicate | null;
}

/** A route in the form that a call reads. */
export interface CompiledRoute {
  readonly policy: RoutePolicy;
  readonly state: RouteState;
  readonly candidates: readonly Candidate[];
  /** In order, and always all of them: nothing to decide while every target is fine. */
  readonly isPlain: boolean;
  readonly shadow: { readonly target: CompiledTarget; readonly policy: ShadowPolicy; readonly maxPicoUsdPerDay: bigint } | null;
  readonly classifier: { readonly target: CompiledTarget; readonly policy: ClassifierPolicy } | null;
}

const PICO_USD_PER_USD = 1_000_000_000_000;

/** @param targets by model alias @param names of the route's targets, in its order @param workers gateway processes that share the shadow's budget */
export function compileRoute(
  policy: RoutePolicy,
  names: readonly string[],
  targets: ReadonlyMap<string, CompiledTarget>,
  state: RouteState,
  workers: number,
): CompiledRoute {
  const candidates: Candidate[] = [];
  for (const [index, name] of names.entries()) {
    const target = targets.get(name);
    const own = policy.targets[index];
    if (target === undefined) continue;
    const when = own?.when ?? null;
    candidates.push({
      target,
      position: index + 1,
      weight: own?.weight ?? 1,
      tier: own?.tier ?? null,
      when: when === null ? null : compileCondition(when),
    });
  }
  const { shadow, classifier } = policy;
  const shadowTarget = shadow === null ? undefined : targets.get(shadow.model);
  const classifierTarget = classifier === null ? undefined : targets.get(classifier.model);
  return {
    policy,
    state,
    candidates,
    isPlain: policy.strategy === 'priority' && candidates.every(({ when }) => when === null),
    shadow:
      shadow === null || shadowTarget === undefined
        ? null
        : {
            target: shadowTarget,
            policy: shadow,
            maxPicoUsdPerDay: BigInt(Math.floor((shadow.maxUsdPerDay * PICO_USD_PER_USD) / workers)),
          },
    classifier: classifier === null || classifierTarget === undefined ? null : { target: classifierTarget, policy: classifier },
  };
}

/** Tiers whose measured quality is below the feature's floor, by feature. The highest tier always stays: there is nothing above it. */
export function disabledTiers(floors: readonly QualityFloor[]): ReadonlyMap<string, ReadonlySet<Tier>> {
  const byFeature = new Map<string, Set<Tier>>();
  for (const { feature, minimum, scores } of floors) {
    const below = TIERS.slice(0, -1).filter((tier) => {
      const score = scores[tier];
      return score !== undefined && score < minimum;
    });
    if (below.length > 0) byFeature.set(feature, new Set(below));
  }
  return byFeature;
}
