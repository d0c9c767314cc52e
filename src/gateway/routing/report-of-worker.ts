import type { Clock } from '../../kernel/clock.ts';
import { roundMs } from '../call.ts';
import type { CompiledSnapshot, Destination } from '../compiled-snapshot.ts';
import type { IdempotencyStore } from '../idempotency/idempotency-store.ts';
import type { RouteReport, RoutingReport, TargetReport } from './report.ts';
import type { RoutingRegistry } from './routing-registry.ts';
import type { TargetHealth } from './target-health.ts';

function targetReport(health: TargetHealth, nowMs: number, epochMs: number, intervalMs: number | null): TargetReport {
  if (intervalMs !== null) health.rotate(nowMs, intervalMs);
  const { ok, failed } = health.lastWindow;
  const sinceMs = health.sinceMs(nowMs);
  const rounded = (ms: number | null): number | null => (ms === null ? null : roundMs(ms));
  return {
    model: health.model,
    provider: health.provider,
    state: health.state(nowMs),
    blockedForMs: Math.round(health.blockedForMs(nowMs)),
    since: sinceMs === null ? null : Math.round(epochMs - (nowMs - sinceMs)),
    ejectionReason: health.ejectionReason,
    calls: health.calls,
    failures: health.failures,
    ejections: health.ejections,
    consecutiveFailures: health.consecutiveFailures,
    inFlight: health.inFlight,
    windowOk: ok,
    windowFailed: failed,
    ttftMs: rounded(health.streams.mean.valueMs),
    answerMs: rounded(health.answers.mean.valueMs),
    lastError: health.lastError,
  };
}

function routeReport({ name, targets, routing }: Destination, nowMs: number): RouteReport {
  if (routing === null) {
    return {
      name,
      strategy: 'priority',
      targets: targets.map(({ model }) => ({ model, weight: 1, tier: null, isConditional: false })),
      calls: 0,
      decisions: {},
      retries: 0,
      hedges: 0,
      hedgesWon: 0,
      shadow: null,
    };
  }
  const { state, policy, shadow } = routing;
  return {
    name,
    strategy: policy.strategy,
    targets: routing.candidates.map(({ target, weight, tier, when }) => ({
      model: target.model,
      weight,
      tier,
      isConditional: when !== null,
    })),
    calls: state.calls,
    decisions: Object.fromEntries(state.decisions),
    retries: state.retries.taken,
    hedges: state.hedges.taken,
    hedgesWon: state.hedgesWon,
    shadow:
      shadow === null
        ? null
        : {
            model: shadow.target.model,
            ...state.shadow,
            spentTodayPicoUsd: state.shadowSpentPicoUsd(nowMs).toString(),
            maxTodayPicoUsd: shadow.maxPicoUsdPerDay.toString(),
          },
  };
}

export function routingReport(
  registry: RoutingRegistry,
  clock: Clock,
  snapshot: CompiledSnapshot | null,
  idempotency: IdempotencyStore,
): RoutingReport {
  const routes = snapshot === null ? [] : [...snapshot.destinations.values()].filter(({ route }) => route !== null);
  return {
    targets: registry.health
      .all()
      .map((health) => targetReport(health, clock.monotonicMs(), clock.nowMs(), registry.health.policy?.intervalMs ?? null)),
    routes: routes.map((route) => routeReport(route, clock.nowMs())),
    idempotency: idempotency.stats,
  };
}
