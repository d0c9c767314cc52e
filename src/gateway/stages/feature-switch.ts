import { describeThrottle } from '../../features/switch.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CompiledSnapshot } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import type { SnapshotFeature, SnapshotFeatureSwitch } from '../snapshot.ts';

function pausedError(feature: string, pause: SnapshotFeatureSwitch, nowMs: number): PlimsollError {
  const { expiresAtMs } = pause;
  const end = expiresAtMs === null ? 'until somebody resumes it' : `until ${new Date(expiresAtMs).toISOString()}`;
  return new PlimsollError('feature_paused', `The feature "${feature}" was paused by ${pause.setBy} ${end}: ${pause.reason}`, {
    details: {
      feature,
      switch: pause.id,
      ...(expiresAtMs === null ? {} : { retryAfterSeconds: Math.ceil((expiresAtMs - nowMs) / 1000) }),
    },
  });
}

function throttledError(feature: string, throttle: SnapshotFeatureSwitch, waitMs: number): PlimsollError {
  return new PlimsollError(
    'rate_limited',
    `The feature "${feature}" was throttled by ${throttle.setBy} to ${describeThrottle(throttle)}: ${throttle.reason}`,
    { details: { feature, switch: throttle.id, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) } },
  );
}

/**
 * Refuses the call when its feature is paused or throttled. The time is asked here and not by control: a switch ends when it should, also
 * while control is away.
 * @throws PlimsollError `feature_paused`, `rate_limited`
 */
export function checkFeatureSwitch(feature: SnapshotFeature, snapshot: CompiledSnapshot, context: GatewayContext): void {
  const active = feature.switch;
  if (active === undefined) return;
  const nowMs = context.clock.nowMs();
  if (active.expiresAtMs !== null && active.expiresAtMs <= nowMs) return;
  if (active.kind === 'pause') throw pausedError(feature.name, active, nowMs);
  const waitMs = context.throttles.take(feature.name, active, snapshot.limits.workers ?? 1, context.clock.monotonicMs());
  if (waitMs > 0) throw throttledError(feature.name, active, waitMs);
}
