import { describeResidency, type Residency, residencyRefusal } from '../features/residency.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { TargetRules } from '../traces/call-record.ts';
import type { Call } from './call.ts';
import type { CompiledTarget, Destination } from './compiled-snapshot.ts';
import type { CompiledRoute } from './routing/compiled-route.ts';
import type { SnapshotFeature } from './snapshot.ts';

/** A destination as one feature may use it. */
interface Restricted {
  /** The same object where nothing is left out; no targets = the feature may not use it at all. */
  readonly destination: Destination;
  readonly rules: TargetRules;
}

/**
 * Which targets may see a feature's data. The only place that decides it: routing works on what `restrict` leaves over, and every attempt is
 * asked again before its first byte leaves (`assertTargetAllowed`), so that no fallback, hedge, shadow or downgrade can go around it.
 */
export class TargetPolicy {
  readonly #feature: string;
  readonly #residency: Residency | null;
  readonly #restricted = new WeakMap<Destination, Restricted>();

  constructor(feature: SnapshotFeature) {
    this.#feature = feature.name;
    this.#residency = feature.residency ?? null;
  }

  /** Why the target may not be used; null when it may. */
  refusal(target: CompiledTarget): string | null {
    return this.#residency === null ? null : residencyRefusal(this.#residency, target);
  }

  /** What is left of a destination, and the rules that left it over. */
  restrict(destination: Destination): Restricted {
    let restricted = this.#restricted.get(destination);
    if (restricted === undefined) {
      restricted = this.#apply(destination);
      this.#restricted.set(destination, restricted);
    }
    return restricted;
  }

  #apply(destination: Destination): Restricted {
    const targets: CompiledTarget[] = [];
    const excluded: TargetRules['excluded'][number][] = [];
    for (const target of destination.targets) {
      const rule = this.refusal(target);
      if (rule === null) targets.push(target);
      else excluded.push({ model: target.model, rule });
    }
    const residency = this.#residency === null ? null : describeResidency(this.#residency);
    const routing = destination.routing === null ? null : this.#restrictRoute(destination.routing);
    const isWhole = excluded.length === 0 && routing === destination.routing;
    return { destination: isWhole ? destination : { ...destination, targets, routing }, rules: { residency, excluded } };
  }

  /** What a route may choose from, mirror to and be judged by; the same object where nothing is left out. */
  #restrictRoute(route: CompiledRoute): CompiledRoute {
    const mayUse = (target: CompiledTarget): boolean => this.refusal(target) === null;
    const candidates = route.candidates.filter(({ target }) => mayUse(target));
    const shadow = route.shadow !== null && mayUse(route.shadow.target) ? route.shadow : null;
    const classifier = route.classifier !== null && mayUse(route.classifier.target) ? route.classifier : null;
    const isWhole = candidates.length === route.candidates.length && shadow === route.shadow && classifier === route.classifier;
    return isWhole ? route : { ...route, candidates, shadow, classifier };
  }

  /** What the client is told when nothing is left. */
  error(wanted: string, rules: TargetRules): PlimsollError {
    const demand = rules.residency === null ? '' : ` (residency: ${rules.residency})`;
    const refused = rules.excluded.map(({ model, rule }) => `${model}: ${rule}`).join('; ');
    return new PlimsollError(
      'target_not_allowed',
      `The feature "${this.#feature}" may use no target of "${wanted}"${demand}: ${refused}.`,
      {
        details: { param: 'model', feature: this.#feature, residency: rules.residency, excluded: rules.excluded },
      },
    );
  }
}

/** Policies of the features that demand something, by name. */
export function compileTargetPolicies(features: readonly SnapshotFeature[]): ReadonlyMap<string, TargetPolicy> {
  return new Map(features.filter((feature) => feature.residency !== undefined).map((feature) => [feature.name, new TargetPolicy(feature)]));
}

function policyOf(call: Call): TargetPolicy | undefined {
  const { targetPolicies } = call.snapshot;
  return targetPolicies.size === 0 || call.caller === null ? undefined : targetPolicies.get(call.caller.feature.name);
}

/**
 * The part of a destination that the call's feature may use; noted on the call for its trace. Whoever gives a call another destination (a
 * downgrade, an experiment) passes it through here.
 * @throws PlimsollError `target_not_allowed` when nothing is left
 */
export function restrictDestination(call: Call, destination: Destination): Destination {
  const policy = policyOf(call);
  if (policy === undefined) return destination;
  const restricted = policy.restrict(destination);
  call.targetRules = restricted.rules;
  if (restricted.destination.targets.length === 0) throw policy.error(destination.name, restricted.rules);
  return restricted.destination;
}

export function isTargetAllowed(call: Call, target: CompiledTarget): boolean {
  return (policyOf(call)?.refusal(target) ?? null) === null;
}

/** The last check, before the first byte leaves. @throws PlimsollError `target_not_allowed` */
export function assertTargetAllowed(call: Call, target: CompiledTarget): void {
  const policy = policyOf(call);
  const rule = policy?.refusal(target) ?? null;
  if (policy === undefined || rule === null) return;
  throw policy.error(target.model, { residency: call.targetRules?.residency ?? null, excluded: [{ model: target.model, rule }] });
}
