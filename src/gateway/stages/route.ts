import { PlimsollError } from '../../kernel/errors.ts';
import type { Call } from '../call.ts';
import type { CompiledSnapshot, Destination } from '../compiled-snapshot.ts';
import { servingDestination } from '../operations/operation-request.ts';
import type { SnapshotFeature, SnapshotKey } from '../snapshot.ts';
import { restrictDestination } from '../target-policy.ts';
import { suggestNames } from './authenticate.ts';

/** A request for this model takes the route of the feature that calls. */
const FEATURE_ROUTE = 'default';

/** Routes and model aliases that a key may name and its feature may use, in the order of the snapshot's maps. @param nowMs epoch ms; approvals expire */
export function allowedDestinations(key: SnapshotKey, snapshot: CompiledSnapshot, nowMs = snapshot.createdAtMs): Destination[] {
  const all = [...snapshot.destinations.values()];
  const policy = key.feature === null ? undefined : snapshot.targetPolicies.get(key.feature);
  return all.filter(
    (destination) =>
      (key.models === null || key.models.includes(destination.name)) &&
      (policy === undefined || policy.restrict(destination, nowMs).destination.targets.length > 0),
  );
}

/**
 * Where a model name leads.
 * @throws PlimsollError `not_found` for a name that nothing has (the message lists close ones), `permission_denied` for one that the key may not use
 */
export function findDestination(
  name: string,
  key: SnapshotKey,
  feature: SnapshotFeature | null,
  snapshot: CompiledSnapshot,
  nowMs = snapshot.createdAtMs,
): Destination {
  const resolved = name === FEATURE_ROUTE && feature !== null ? feature.route : name;
  const destination = snapshot.destinations.get(resolved);
  if (destination === undefined) {
    const names = allowedDestinations(key, snapshot, nowMs).map((allowed) => allowed.name);
    throw new PlimsollError('not_found', `There is no model or route "${resolved}".${suggestNames(resolved, names)}`, {
      details: { param: 'model' },
    });
  }
  if (key.models !== null && !key.models.includes(resolved) && !key.models.includes(name)) {
    throw new PlimsollError('permission_denied', `The key "${key.name}" may not use "${resolved}". It may use: ${key.models.join(', ')}.`, {
      details: { param: 'model' },
    });
  }
  return destination;
}

export function route(call: Call): void {
  const { caller, body, snapshot, startedAtMs } = call;
  if (caller === null || body === null) throw new PlimsollError('internal', 'route ran before authenticate and admit');
  const allowed = restrictDestination(call, findDestination(body.model, caller.key, caller.feature, snapshot, startedAtMs));
  call.destination = call.operation === 'chat' ? allowed : servingDestination(allowed, call.operation);
}
