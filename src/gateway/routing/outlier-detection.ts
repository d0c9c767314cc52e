/**
 * Envoy's outlier detection as pure functions over counts.
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
 */
import type { HealthPolicy } from './policy.ts';

/** Calls of one target in one window. */
export interface WindowCounts {
  readonly ok: number;
  readonly failed: number;
}

/** @param ejections how often in a row, this one included (≥ 1) @returns milliseconds */
export function ejectionMs(ejections: number, policy: Pick<HealthPolicy, 'baseEjectionMs' | 'maxEjectionMs'>): number {
  return Math.min(policy.baseEjectionMs * Math.max(1, ejections), Math.max(policy.baseEjectionMs, policy.maxEjectionMs));
}

/** Ejections that still count: one is forgotten for each window in which the target stayed in. */
export function rememberedEjections(ejections: number, healthyMs: number, intervalMs: number): number {
  return Math.max(0, ejections - Math.floor(Math.max(0, healthyMs) / intervalMs));
}

/** Whether a target's own window is bad enough. */
export function exceedsFailureRatio({ ok, failed }: WindowCounts, policy: Pick<HealthPolicy, 'failureRatio' | 'minimumCalls'>): boolean {
  const calls = ok + failed;
  return calls >= policy.minimumCalls && failed >= policy.failureRatio * calls;
}

/** Positions of the targets whose success rate lies too far below that of the others; empty when too few have enough calls. */
export function successRateOutliers(
  windows: readonly WindowCounts[],
  policy: Pick<HealthPolicy, 'successRateStdevFactor' | 'minimumTargets' | 'minimumCalls'>,
): number[] {
  const rates: { position: number; rate: number }[] = [];
  for (const [position, { ok, failed }] of windows.entries()) {
    if (ok + failed >= policy.minimumCalls) rates.push({ position, rate: ok / (ok + failed) });
  }
  if (rates.length < policy.minimumTargets) return [];
  const mean = rates.reduce((sum, { rate }) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / rates.length;
  const threshold = mean - policy.successRateStdevFactor * Math.sqrt(variance);
  // Equal rates have no outlier, whatever rounding makes of them.
  return rates.filter(({ rate }) => rate < threshold - 1e-9).map(({ position }) => position);
}

/** What decides whether a target is left out. */
export interface Blockable {
  /** Monotonic milliseconds since when it should get no traffic; null = it may. */
  blockedSinceMs(nowMs: number): number | null;
}

/**
 * The targets that may be asked: without those that are blocked, longest first, as far as the share allows. One always stays: with every
 * target blocked the one that was fine last is asked.
 * @returns the list itself when nothing is left out
 */
export function withoutBlocked<T>(
  targets: readonly T[],
  healthOf: (target: T) => Blockable,
  nowMs: number,
  maxEjectionRatio: number,
): readonly T[] {
  const blocked: { target: T; sinceMs: number }[] = [];
  for (const target of targets) {
    const sinceMs = healthOf(target).blockedSinceMs(nowMs);
    if (sinceMs !== null) blocked.push({ target, sinceMs });
  }
  if (blocked.length === 0) return targets;
  const most = Math.min(Math.max(1, Math.floor(maxEjectionRatio * targets.length)), targets.length - 1);
  blocked.sort((a, b) => a.sinceMs - b.sinceMs);
  const out = new Set(blocked.slice(0, most).map(({ target }) => target));
  return targets.filter((target) => !out.has(target));
}
