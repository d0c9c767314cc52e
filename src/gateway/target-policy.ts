import { judgeModel, type ModelApprovals } from '../features/model-approval.ts';
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
  /** From this moment (epoch ms) on it must be looked at again: an approval expires. */
  readonly validUntilMs: number;
}

/**
 * Which targets a feature may use: where they run, and what was decided about their models. The only place that decides it: routing works on
 * what `restrict` leaves over, and every attempt is asked again before its first byte leaves (`assertTargetAllowed`), so that no fallback,
 * hedge, shadow or downgrade can go around it.
 */
export class TargetPolicy {
  readonly #feature: string;
  readonly #residency: Residency | null;
  readonly #approvals: ModelApprovals | null;
  readonly #restricted = new WeakMap<Destination, Restricted>();

  constructor(feature: SnapshotFeature) {
    this.#feature = feature.name;
    this.#residency = feature.residency ?? null;
    this.#approvals = feature.approvals ?? null;
  }

  /** Why the target may not be used; null when it may. */
  refusal(target: CompiledTarget, nowMs: number): string | null {
    const outside = this.#residency === null ? null : residencyRefusal(this.#residency, target);
    return outside ?? (this.#approvals === null ? null : judgeModel(this.#approvals, target.model, nowMs).refusal);
  }

  /** What users of an allowed target should know; null = nothing. */
  warning(target: CompiledTarget, nowMs: number): string | null {
    return this.#approvals === null ? null : judgeModel(this.#approvals, target.model, nowMs).warning;
  }

  /** What is left of a destination, and the rules that left it over. */
  restrict(destination: Destination, nowMs: number): Restricted {
    let restricted = this.#restricted.get(destination);
    if (restricted === undefined || nowMs >= restricted.validUntilMs) {
      restricted = this.#apply(destination, nowMs);
      this.#restricted.set(destination, restricted);
    }
    return restricted;
  }

  #apply(destination: Destination, nowMs: number): Restricted {
    const targets: CompiledTarget[] = [];
    const excluded: TargetRules['excluded'][number][] = [];
    for (const target of destination.targets) {
      const rule = this.refusal(target, nowMs);
      if (rule === null) targets.push(target);
      else excluded.push({ model: target.model, rule });
    }
    const residency = this.#residency === null ? null : describeResidency(this.#residency);
    const routing = destination.routing === null ? null : this.#restrictRoute(destination.routing, nowMs);
    const isWhole = excluded.length === 0 && routing === destination.routing;
    const restricted = isWhole ? destination : { ...destination, targets, routing };
    return { destination: restricted, rules: { residency, excluded }, validUntilMs: this.#nextExpiryMs(nowMs) };
  }

  /** When the next approval ends; every restriction is looked at again then. */
  #nextExpiryMs(nowMs: number): number {
    const expiries = (this.#approvals?.entries ?? []).map(({ expiresAtMs }) => expiresAtMs ?? Number.POSITIVE_INFINITY);
    return Math.min(Number.POSITIVE_INFINITY, ...expiries.filter((expiryMs) => expiryMs > nowMs));
  }

  /** What a route may choose from, mirror to and be judged by; the same object where nothing is left out. */
  #restrictRoute(route: CompiledRoute, nowMs: number): CompiledRoute {
    const mayUse = (target: CompiledTarget): boolean => this.refusal(target, nowMs) === null;
    const candidates = route.candidates.filter(({ target }) => mayUse(target));
    const shadow = route.shadow !== null && mayUse(route.shadow.target) ? route.shadow : null;
    const classifier = route.classifier !== null && mayUse(route.classifier.target) ? route.classifier : null;
    const isWhole = candidates.length === route.candidates.length && shadow === route.shadow && classifier === route.classifier;
    return isWhole ? route : { ...route, candidates, shadow, classifier };
  }

  /** What the client is told when nothing is left. */
  error(wanted: string, excluded: TargetRules['excluded']): PlimsollError {
    const residency = this.#residency === null ? null : describeResidency(this.#residency);
    const demand = residency === null ? '' : ` (residency: ${residency})`;
    const refused = excluded.map(({ model, rule }) => `${model}: ${rule}`).join('; ');
    return new PlimsollError(
      'target_not_allowed',
      `The feature "${this.#feature}" may use no target of "${wanted}"${demand}: ${refused}.`,
      {
        details: { param: 'model', feature: this.#feature, residency, excluded },
      },
    );
  }
}

/** Policies of the features that demand something, by name. */
export function compileTargetPolicies(features: readonly SnapshotFeature[]): ReadonlyMap<string, TargetPolicy> {
  const demanding = features.filter(({ residency, approvals }) => residency !== undefined || approvals !== undefined);
  return new Map(demanding.map((feature) => [feature.name, new TargetPolicy(feature)]));
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
  const restricted = policy.restrict(destination, call.startedAtMs);
  call.targetRules = restricted.rules;
  if (restricted.destination.targets.length === 0) throw policy.error(destination.name, restricted.rules.excluded);
  return restricted.destination;
}

export function isTargetAllowed(call: Call, target: CompiledTarget): boolean {
  return (policyOf(call)?.refusal(target, call.startedAtMs) ?? null) === null;
}

/** The last check, before the first byte leaves. @throws PlimsollError `target_not_allowed` */
export function assertTargetAllowed(call: Call, target: CompiledTarget): void {
  const policy = policyOf(call);
  const rule = policy?.refusal(target, call.startedAtMs) ?? null;
  if (policy !== undefined && rule !== null) throw policy.error(target.model, [{ model: target.model, rule }]);
}

/** What the feature's list of models says of a target that answers; null = nothing. */
export function approvalWarning(call: Call, target: CompiledTarget): string | null {
  return policyOf(call)?.warning(target, call.startedAtMs) ?? null;
}
