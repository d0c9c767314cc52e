import type { CostSeries } from './detect.ts';

/** A made-up feature: calls by chance around a daily and weekly rhythm, each at a cost of its own. */
export interface Traffic {
  readonly name: string;
  /** Calls in a mean hour. */
  readonly callsPerHour: number;
  /** Mean cost of a call, US dollars. */
  readonly callUsd: number;
  /** Standard deviation of the logarithm of a call's cost. */
  readonly callSpread: number;
  /** Standard deviation of the logarithm of a whole day's level. */
  readonly daySpread: number;
}

export const TRAFFICS: readonly Traffic[] = [
  { name: 'a call every five hours', callsPerHour: 0.2, callUsd: 20, callSpread: 0.7, daySpread: 0.1 },
  { name: 'two calls an hour', callsPerHour: 2, callUsd: 5, callSpread: 1, daySpread: 0.1 },
  { name: 'fifty an hour', callsPerHour: 50, callUsd: 0.5, callSpread: 1, daySpread: 0.1 },
  { name: 'two thousand an hour', callsPerHour: 2_000, callUsd: 0.05, callSpread: 0.8, daySpread: 0.08 },
  { name: 'a hundred thousand an hour', callsPerHour: 100_000, callUsd: 0.002, callSpread: 0.8, daySpread: 0.05 },
];

/** Mulberry32: same seed, same numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Knuth's product for few, the normal limit for many. */
function poisson(mean: number, random: () => number): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** Office hours, a quiet night, half a weekend; means 1 over the week. */
function rhythm(hourOfWeek: number): number {
  const hour = hourOfWeek % 24;
  const day = Math.floor(hourOfWeek / 24);
  const daily = 0.25 + 1.5 * Math.max(0, Math.sin(((hour - 5) / 16) * Math.PI)) ** 2;
  return (daily * (day >= 5 ? 0.5 : 1.15)) / 0.82;
}

/** Factor on the number of calls at an hour since the start of the series. */
export type Planted = (hour: number) => number;

/** Monday, 00:00 UTC. */
export const SERIES_START: number = Date.UTC(2026, 5, 1);

/** Hourly cost of `days` days. */
export function simulateHours(traffic: Traffic, days: number, seed: number, planted: Planted = () => 1): CostSeries {
  const random = seededRandom(seed);
  const { callsPerHour, callUsd, callSpread, daySpread } = traffic;
  const centre = Math.log(callUsd) - callSpread ** 2 / 2;
  const callDeviation = callUsd * Math.sqrt(Math.exp(callSpread ** 2) - 1);
  const hours: number[] = [];
  for (let day = 0; day < days; day++) {
    const level = Math.exp(daySpread * normal(random));
    for (let hour = 0; hour < 24; hour++) {
      const place = day * 24 + hour;
      const calls = poisson(callsPerHour * rhythm(place % 168) * level * planted(place), random);
      let cost = 0;
      if (calls > 200) cost = Math.max(0, calls * callUsd + Math.sqrt(calls) * callDeviation * normal(random));
      else for (let call = 0; call < calls; call++) cost += Math.exp(centre + callSpread * normal(random));
      hours.push(cost);
    }
  }
  return { fromMs: SERIES_START, hours };
}
