import { createHash } from 'node:crypto';

/** A reproducible stream of random numbers. Never for secrets. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, below); `below` ≥ 1. */
  integer(below: number): number;
  /** Uniform pick; the list is never empty. */
  pick<T>(values: readonly [T, ...T[]] | readonly T[]): T;
  chance(probability: number): boolean;
  /** Standard normal (Box–Muller). */
  normal(): number;
  /** Exponential with the given mean. */
  exponential(mean: number): number;
  /** Lognormal with the given median and 95th percentile (same unit, median ≤ p95). */
  lognormal(median: number, p95: number): number;
  /** Number of events of a Poisson process with the given mean ≥ 0. */
  poisson(mean: number): number;
  /** `digits` lower-case hex digits. */
  hex(digits: number): string;
}

/** Standard normal quantile of 0.95: relates a lognormal's p95 to its sigma. */
const NORMAL_P95 = 1.6448536269514722;

/**
 * A generator for any mix of keys: the same keys give the same stream on every machine.
 * The state (sfc32, 128 bits) comes from sha-256 of the keys, so that neighbouring keys give unrelated streams.
 * @see http://pracrand.sourceforge.net/ (sfc)
 */
export function seededRandom(...keys: readonly (string | number)[]): SeededRandom {
  const digest = createHash('sha256').update(keys.join('\u0000')).digest();
  let a = digest.readUInt32LE(0) | 0;
  let b = digest.readUInt32LE(4) | 0;
  let c = digest.readUInt32LE(8) | 0;
  let counter = digest.readUInt32LE(12) | 1;

  function bits(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  }
  const next = (): number => bits() / 4_294_967_296;
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

  function poisson(mean: number): number {
    // Knuth's product needs e^-mean; beyond 30 the normal approximation is closer than a caller here can tell.
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    const limit = Math.exp(-mean);
    let product = next();
    let count = 0;
    while (product > limit) {
      product *= next();
      count++;
    }
    return count;
  }

  return {
    next,
    integer: (below) => Math.floor(next() * below),
    pick<T>(values: readonly T[]): T {
      return values[Math.floor(next() * values.length)] as T; // index < length for a list that is not empty
    },
    chance: (probability) => next() < probability,
    normal,
    exponential: (mean) => -Math.log(1 - next()) * mean,
    lognormal: (median, p95) => median * Math.exp((Math.log(p95 / median) / NORMAL_P95) * normal()),
    poisson,
    hex(digits) {
      let text = '';
      while (text.length < digits) text += bits().toString(16).padStart(8, '0');
      return text.slice(0, digits);
    },
  };
}
