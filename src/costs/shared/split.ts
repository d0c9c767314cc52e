export interface Weight {
  readonly name: string;
  /** ≥ 0 */
  readonly weight: bigint;
}

function compare(a: bigint | string, b: bigint | string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/**
 * Splits an amount in proportion to weights, exactly: each gets the whole part of its share, and what is left goes in single units to the largest
 * remainders (Hamilton's method). Equal remainders: the larger weight first; equal weights: the name decides who gets the one unit more, which no
 * rule without a name could. The order of the weights never matters.
 * @param amount may be negative: then all parts are
 * @returns parts by name that add up to the amount; null when all weights are 0
 */
export function splitExactly(amount: bigint, weights: readonly Weight[]): ReadonlyMap<string, bigint> | null {
  const whole = weights.reduce((sum, { weight }) => sum + weight, 0n);
  if (whole === 0n) return null;
  const sign = amount < 0n ? -1n : 1n;
  const size = sign * amount;
  const shares = weights.map(({ name, weight }) => ({ name, weight, part: (size * weight) / whole, remainder: (size * weight) % whole }));
  const left = Number(size - shares.reduce((sum, { part }) => sum + part, 0n)); // fewer than there are weights
  shares.sort((a, b) => compare(b.remainder, a.remainder) || compare(b.weight, a.weight) || compare(a.name, b.name));
  return new Map(shares.map(({ name, part }, place) => [name, sign * (part + (place < left ? 1n : 0n))]));
}
