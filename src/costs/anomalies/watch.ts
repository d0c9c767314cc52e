import type { EventLog } from '../../kernel/event-log/event-log.ts';
import { newUuidV7 } from '../../kernel/ids.ts';
import { formatUsd, PICO_PER_USD } from '../../kernel/money.ts';
import type { Scope } from '../../kernel/scope.ts';
import { type CostQueries, HOURLY_DIMENSIONS, type HourlyDimension } from '../cost-queries.ts';
import type { FindPrice } from '../variance/prices.ts';
import { HOUR_MS } from './baseline.ts';
import { findCauses } from './causes.ts';
import { DAY_MS, detect, type Finding, HISTORY_DAYS, NEEDED_MS } from './detect.ts';
import type { AnomalyCauses, CostAnomaly } from './model.ts';
import type { AnomalyStore } from './store.ts';

/** Records of an hour may come this late and are still judged with it. */
const SETTLED_MS = 5 * 60_000;
/** Hours that are judged after control was away; what lies before is seen by windows and days. */
const MAX_CATCH_UP_HOURS = 24;
/** An anomaly that was not seen for so long is over. A creep is judged once a day. */
const QUIET_MS = { spike: 12 * HOUR_MS, creep: 2 * DAY_MS } as const;

export interface LearningSeries {
  readonly dimension: HourlyDimension;
  readonly key: string;
  readonly readyAtMs: number;
}

/** What is remembered between runs. */
export interface WatchState {
  /** End of the last hour that was judged, epoch ms. */
  readonly checkedToMs: number;
  readonly watched: number;
  readonly learning: readonly LearningSeries[];
}

export interface WatchOptions {
  readonly costs: CostQueries;
  readonly findPrice: FindPrice;
  readonly anomalies: AnomalyStore;
  readonly eventLog: EventLog;
  readonly state: { get(scope: Scope): Promise<WatchState | null>; put(scope: Scope, state: WatchState): Promise<void> };
  readonly minimumUsd: number;
  readonly nowMs: number;
  /** The causes of one could not be read; it is kept without. */
  readonly onError: (thrown: unknown) => void;
}

/** Hourly cost of one member, US dollars, from the first hour of the history on. */
interface Series {
  readonly dimension: HourlyDimension;
  readonly key: string;
  readonly hours: Float64Array;
}

async function readSeries(scope: Scope, costs: CostQueries, fromMs: number, toMs: number): Promise<Series[]> {
  const all: Series[] = [];
  for (const dimension of HOURLY_DIMENSIONS) {
    const byKey = new Map<string, Float64Array>();
    for (const { key, atMs, costPicoUsd } of await costs.hourly(scope, { from: fromMs, to: toMs }, dimension)) {
      const hours = byKey.get(key) ?? new Float64Array((toMs - fromMs) / HOUR_MS);
      byKey.set(key, hours);
      // Statistics, not money: a float is precise enough to tell 4 deviations.
      hours[(atMs - fromMs) / HOUR_MS] = Number(costPicoUsd) / Number(PICO_PER_USD);
    }
    for (const [key, hours] of byKey) all.push({ dimension, key, hours });
  }
  return all;
}

function picoOf(usd: number): bigint {
  return BigInt(Math.round(usd * 1e6)) * (PICO_PER_USD / 1_000_000n);
}

export function subjectOf({ dimension, key }: Pick<CostAnomaly, 'dimension' | 'key'>): string {
  return `${dimension}/${key || '(none)'}`;
}

function dollars(pico: bigint): string {
  return `$${Number(formatUsd(pico)).toFixed(2)}`;
}

/** One sentence with the values. */
export function describeAnomaly(anomaly: CostAnomaly): string {
  const { detector, observedPicoUsd, expectedPicoUsd, fromMs, toMs, causes } = anomaly;
  const time = `${new Date(fromMs).toISOString().slice(0, 16)}Z to ${new Date(toMs).toISOString().slice(0, 16)}Z`;
  const cause = causes?.ranked[0];
  const because = cause === undefined ? '' : ` Largest cause: ${cause.effect} of ${cause.model} for ${cause.feature}.`;
  return `${subjectOf(anomaly)} cost ${dollars(observedPicoUsd)} where ${dollars(expectedPicoUsd)} is usual (${detector}, ${time}).${because}`;
}

/**
 * Judges every hour that is over and was not judged yet. Runs again with the same result: an anomaly is one row and one event.
 * @returns how many new ones were found
 */
export async function watchCosts(scope: Scope, options: WatchOptions): Promise<number> {
  const { costs, findPrice, anomalies, eventLog, state, minimumUsd, nowMs, onError } = options;
  const endMs = Math.floor((nowMs - SETTLED_MS) / HOUR_MS) * HOUR_MS;
  const checkedToMs = (await state.get(scope))?.checkedToMs ?? endMs - HOUR_MS;
  const firstEndMs = Math.max(checkedToMs + HOUR_MS, endMs - (MAX_CATCH_UP_HOURS - 1) * HOUR_MS);
  if (firstEndMs > endMs) return 0;
  const startMs = firstEndMs - HISTORY_DAYS * DAY_MS;
  const series = await readSeries(scope, costs, startMs, endMs);
  const known = new Map((await anomalies.since(scope, startMs)).map((anomaly) => [anomaly.id, anomaly]));
  let found = 0;

  async function raise({ dimension, key }: Series, finding: Finding, atMs: number): Promise<void> {
    const amounts = { observedPicoUsd: picoOf(finding.observedUsd), expectedPicoUsd: picoOf(finding.expectedUsd) };
    const own = [...known.values()].filter((other) => other.dimension === dimension && other.key === key);
    const open = own.find((other) => other.detector === finding.detector && other.endedAtMs === null);
    if (open !== undefined) {
      const isWorse = finding.score > open.score;
      const next = {
        ...open,
        lastSeenMs: atMs,
        ...(isWorse ? { ...amounts, score: finding.score, fromMs: Math.min(open.fromMs, finding.fromMs), toMs: finding.toMs } : {}),
      };
      known.set(open.id, next);
      await anomalies.update(scope, next);
      return;
    }
    if (own.some(({ handling }) => handling?.mutedUntilMs != null && handling.mutedUntilMs > atMs)) return;
    // A team and a model repeat what a feature shows already.
    const isFolded =
      dimension !== 'feature' &&
      [...known.values()].some((other) => other.dimension !== dimension && other.endedAtMs === null && other.toMs > finding.fromMs);
    if (isFolded) return;
    let causes: AnomalyCauses | null = null;
    try {
      causes = await findCauses(scope, { costs, findPrice }, { dimension, key }, finding);
    } catch (thrown) {
      onError(thrown);
    }
    const anomaly: CostAnomaly = {
      id: newUuidV7(nowMs),
      dimension,
      key,
      detector: finding.detector,
      fromMs: finding.fromMs,
      toMs: finding.toMs,
      lastSeenMs: atMs,
      endedAtMs: null,
      detectedAtMs: nowMs,
      ...amounts,
      score: finding.score,
      causes,
      handling: null,
    };
    if (!(await anomalies.insert(scope, anomaly))) return;
    known.set(anomaly.id, anomaly);
    found++;
  }

  for (let atMs = firstEndMs; atMs <= endMs; atMs += HOUR_MS) {
    const end = (atMs - startMs) / HOUR_MS;
    const first = Math.max(0, end - HISTORY_DAYS * 24);
    for (const one of series) {
      const hours = [...one.hours.subarray(first, end)];
      for (const { dimension, key, detector, fromMs, lastSeenMs } of known.values()) {
        if (dimension !== one.dimension || key !== one.key || detector !== 'spike') continue;
        // What was an anomaly is not what is usual. The last day is what is judged.
        const from = Math.max(0, (fromMs - startMs) / HOUR_MS - first);
        const to = Math.min(hours.length - 24, (lastSeenMs - startMs) / HOUR_MS - first);
        if (from < to) hours.fill(Number.NaN, from, to);
      }
      for (const finding of detect({ fromMs: startMs + first * HOUR_MS, hours }, minimumUsd) ?? []) await raise(one, finding, atMs);
    }
    for (const anomaly of known.values()) {
      if (anomaly.endedAtMs !== null || atMs - anomaly.lastSeenMs < QUIET_MS[anomaly.detector]) continue;
      const ended = { ...anomaly, endedAtMs: anomaly.lastSeenMs };
      known.set(anomaly.id, ended);
      await anomalies.update(scope, ended);
    }
  }
  // Also of those of a run that was cut off in between: the log takes each once.
  for (const anomaly of known.values())
    if (anomaly.endedAtMs === null)
      await eventLog.append(
        scope,
        {
          name: 'cost.anomaly_found',
          subject: subjectOf(anomaly),
          severity: 'warning',
          message: describeAnomaly(anomaly),
          details: { anomalyId: anomaly.id, detector: anomaly.detector, score: anomaly.score },
          atMs: nowMs,
        },
        `cost.anomaly/${anomaly.id}`,
      );
  const learning = series.flatMap(({ dimension, key, hours }): LearningSeries[] => {
    const readyAtMs = startMs + hours.findIndex((cost) => cost > 0) * HOUR_MS + NEEDED_MS + HOUR_MS;
    return readyAtMs > endMs ? [{ dimension, key, readyAtMs }] : [];
  });
  await state.put(scope, { checkedToMs: endMs, watched: series.length - learning.length, learning });
  return found;
}
