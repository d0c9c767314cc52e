import { z } from 'zod';
import type { WorkerPresence } from '../worker-presence.ts';
import { EJECTION_REASONS } from './target-health.ts';

const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();

/** What one gateway worker knows of a target, or what several know together. */
export const TargetReport = z
  .object({
    model: z.string().describe('Model alias'),
    provider: z.string(),
    state: z
      .enum(['healthy', 'cooling', 'ejected', 'half_open'])
      .describe('cooling: rate-limited, left alone for a while; ejected: failed too often; half_open: the next call tries it'),
    blockedForMs: milliseconds.describe('Until it may be asked again; 0 = it may now'),
    since: z.int().nullable().default(null).describe('Epoch ms since when it is out or left alone; null = healthy, or not known'),
    ejectionReason: z
      .enum(EJECTION_REASONS)
      .nullable()
      .default(null)
      .describe('Why it was ejected last: failures in a row, share of failures in a window, success rate below the others, a failed trial'),
    calls: count.describe('Attempts since the start of the gateway'),
    failures: count.describe('Of these, failures of the target itself'),
    ejections: count,
    consecutiveFailures: count,
    inFlight: count,
    windowOk: count.describe('Successes in the last whole observation window'),
    windowFailed: count.describe('Failures in the last whole observation window'),
    ttftMs: milliseconds.nullable().describe('Of streams: peak-sensitive mean of the time to first content; null = not measured'),
    answerMs: milliseconds.nullable().describe('Of JSON answers: peak-sensitive mean of the time to the whole answer; null = not measured'),
    lastError: z.object({ code: z.string(), atMs: z.int() }).nullable().describe('Newest error and when it happened, epoch milliseconds'),
  })
  .meta({ id: 'TargetReport' });
export type TargetReport = z.infer<typeof TargetReport>;

export const RouteReport = z
  .object({
    name: z.string(),
    strategy: z.string(),
    targets: z.array(z.object({ model: z.string(), weight: z.int(), tier: z.string().nullable(), isConditional: z.boolean() })),
    calls: count.describe('Calls of this route since the start of the gateway'),
    decisions: z
      .record(z.string(), count)
      .describe('Calls by why they went where they went; those of a plain, healthy priority route are not listed'),
    retries: count.describe('Tries at a target that had failed'),
    hedges: count.describe('Calls for which a second target was asked beside a slow first one'),
    hedgesWon: count.describe('Of these, those that the second target answered'),
    shadow: z
      .object({
        model: z.string(),
        calls: count,
        running: count,
        skipped: count.describe('Not mirrored: over budget, too many at once, or not translatable'),
        spentTodayPicoUsd: z.string().describe('Cost of mirrored calls this UTC day, pico-dollars, decimal integer'),
        maxTodayPicoUsd: z.string(),
      })
      .nullable(),
  })
  .meta({ id: 'RouteReport' });
export type RouteReport = z.infer<typeof RouteReport>;

/** What a gateway worker tells control of its routing every two seconds. */
export const RoutingReport = z.object({
  targets: z.array(TargetReport),
  routes: z.array(RouteReport),
  idempotency: z.object({ entries: count, bytes: count, repeats: count, conflicts: count }),
});
export type RoutingReport = z.infer<typeof RoutingReport>;

const SEVERITY = ['healthy', 'cooling', 'half_open', 'ejected'] as const satisfies readonly TargetReport['state'][];

function later<T extends { readonly atMs: number }>(a: T | null, b: T | null): T | null {
  if (a === null || b === null) return a ?? b;
  return b.atMs > a.atMs ? b : a;
}

function longer(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function mergeTargets(a: TargetReport, b: TargetReport): TargetReport {
  const [worse, better] = SEVERITY.indexOf(b.state) > SEVERITY.indexOf(a.state) ? [b, a] : [a, b];
  return {
    ...a,
    state: worse.state,
    blockedForMs: Math.max(a.blockedForMs, b.blockedForMs),
    since: worse.state === better.state ? earlier(a.since, b.since) : worse.since,
    ejectionReason: worse.ejectionReason ?? better.ejectionReason,
    calls: a.calls + b.calls,
    failures: a.failures + b.failures,
    ejections: a.ejections + b.ejections,
    consecutiveFailures: Math.max(a.consecutiveFailures, b.consecutiveFailures),
    inFlight: a.inFlight + b.inFlight,
    windowOk: a.windowOk + b.windowOk,
    windowFailed: a.windowFailed + b.windowFailed,
    ttftMs: longer(a.ttftMs, b.ttftMs),
    answerMs: longer(a.answerMs, b.answerMs),
    lastError: later(a.lastError, b.lastError),
  };
}

function mergeRoutes(a: RouteReport, b: RouteReport): RouteReport {
  const decisions: Record<string, number> = { ...a.decisions };
  for (const [reason, calls] of Object.entries(b.decisions)) decisions[reason] = (decisions[reason] ?? 0) + calls;
  const sum = (left: string, right: string): string => (BigInt(left) + BigInt(right)).toString();
  return {
    ...a,
    calls: a.calls + b.calls,
    decisions,
    retries: a.retries + b.retries,
    hedges: a.hedges + b.hedges,
    hedgesWon: a.hedgesWon + b.hedgesWon,
    shadow:
      a.shadow === null || b.shadow === null
        ? (a.shadow ?? b.shadow)
        : {
            model: a.shadow.model,
            calls: a.shadow.calls + b.shadow.calls,
            running: a.shadow.running + b.shadow.running,
            skipped: a.shadow.skipped + b.shadow.skipped,
            spentTodayPicoUsd: sum(a.shadow.spentTodayPicoUsd, b.shadow.spentTodayPicoUsd),
            maxTodayPicoUsd: sum(a.shadow.maxTodayPicoUsd, b.shadow.maxTodayPicoUsd),
          },
  };
}

function mergeBy<T>(lists: readonly (readonly T[])[], keyOf: (entry: T) => string, merge: (a: T, b: T) => T): T[] {
  const merged = new Map<string, T>();
  for (const entry of lists.flat()) {
    const known = merged.get(keyOf(entry));
    merged.set(keyOf(entry), known === undefined ? entry : merge(known, entry));
  }
  return [...merged.values()];
}

/** Reports of workers as one answer of the API. */
export function routingState(
  workers: readonly { readonly worker: string; readonly report: RoutingReport }[],
  gateways: WorkerPresence[],
): {
  workers: number;
  gateways: WorkerPresence[];
  routes: RouteReport[];
  targets: TargetReport[];
  byWorker: { worker: string; targets: TargetReport[] }[];
} {
  const { routes, targets } = mergeReports(workers.map(({ report }) => report));
  const byWorker = workers.map(({ worker, report }) => ({ worker, targets: report.targets }));
  return { workers: workers.length, gateways, routes, targets, byWorker };
}

/** One picture of several workers: amounts are added up, states and times are the worst that one of them sees. */
export function mergeReports(reports: readonly RoutingReport[]): Pick<RoutingReport, 'targets' | 'routes'> {
  return {
    targets: mergeBy(
      reports.map(({ targets }) => targets),
      ({ model, provider }) => `${model}\u0000${provider}`,
      mergeTargets,
    ),
    routes: mergeBy(
      reports.map(({ routes }) => routes),
      ({ name }) => name,
      mergeRoutes,
    ),
  };
}
