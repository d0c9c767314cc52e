import { PICO_PER_USD, type PicoUsd } from '../../kernel/money.ts';
import { forecastCost } from './forecast.ts';

const HOUR_MS = 3_600_000;

/** What is known of a period that is not over. */
export interface OpenPeriod {
  readonly startMs: number;
  readonly endMs: number;
  readonly nowMs: number;
  readonly spentPicoUsd: PicoUsd;
  /** Null = there is no limit. */
  readonly capacityPicoUsd: PicoUsd | null;
}

/** Hourly cost, US dollars, whole hours up to the last one that is over; from the first cost on. */
export interface CostHistory {
  /** Epoch ms of the first hour. */
  readonly fromMs: number;
  readonly hours: readonly number[];
}

export interface Outlook {
  /** Cost at the end of the period, and the interval of 80 %. */
  readonly expectedPicoUsd: PicoUsd;
  readonly lowPicoUsd: PicoUsd;
  readonly highPicoUsd: PicoUsd;
  /** Past forecasts behind the interval. */
  readonly samples: number;
  /** When the capacity is used up, epoch ms; null = not within the period. `earliest` by the high end of the interval, `latest` by the low end. */
  readonly usedUpAt: { readonly expectedMs: number | null; readonly earliestMs: number | null; readonly latestMs: number | null };
}

function pico(usd: number): bigint {
  return BigInt(Math.round(usd * 1e6)) * (PICO_PER_USD / 1_000_000n);
}

/** @returns null when the history is too short for a forecast */
export function outlookOf(period: OpenPeriod, history: CostHistory): Outlook | null {
  const { nowMs, endMs, spentPicoUsd, capacityPicoUsd } = period;
  const lastMs = history.fromMs + history.hours.length * HOUR_MS;
  const ahead = Math.max(0, Math.ceil((endMs - lastMs) / HOUR_MS));
  const forecast = forecastCost(history.hours, ahead);
  if (forecast === null) return null;
  // Of the hour that runs, and of the last one, only the part within what is still to come.
  const costs = forecast.hours.map((cost, hour) => {
    const from = Math.max(nowMs, lastMs + hour * HOUR_MS);
    const to = Math.min(endMs, lastMs + (hour + 1) * HOUR_MS);
    return { from, to, cost: to <= from ? 0 : (cost * (to - from)) / HOUR_MS };
  });
  const rest = costs.reduce((sum, { cost }) => sum + cost, 0);
  const usedUp = (ratio: number): number | null => {
    if (capacityPicoUsd === null) return null;
    let left = Number(capacityPicoUsd - spentPicoUsd) / Number(PICO_PER_USD);
    if (left <= 0) return nowMs;
    for (const { from, to, cost } of costs) {
      const scaled = cost * ratio;
      if (scaled >= left && scaled > 0) return Math.round(from + ((to - from) * left) / scaled);
      left -= scaled;
    }
    return null;
  };
  return {
    expectedPicoUsd: spentPicoUsd + pico(rest),
    lowPicoUsd: spentPicoUsd + pico(rest * forecast.lowRatio),
    highPicoUsd: spentPicoUsd + pico(rest * forecast.highRatio),
    samples: forecast.samples,
    usedUpAt: { expectedMs: usedUp(1), earliestMs: usedUp(forecast.highRatio), latestMs: usedUp(forecast.lowRatio) },
  };
}
