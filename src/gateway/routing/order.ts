/**
 * Orders of targets, each pure: the first is asked, the rest are its fallbacks. Randomness comes in as a function.
 * Every function returns all targets that it was given, each once.
 */

/** Uniform in [0, 1). */
export type Random = () => number;

/** Draws without replacement, each time in proportion to weight; targets of weight 0 come last, in their own order. */
export function orderByWeight<T>(targets: readonly T[], weightOf: (target: T) => number, random: Random): T[] {
  const rest = targets.filter((target) => weightOf(target) > 0);
  const ordered: T[] = [];
  while (rest.length > 0) {
    let point = random() * rest.reduce((sum, target) => sum + weightOf(target), 0);
    let chosen = rest.length - 1;
    for (let index = 0; index < rest.length; index++) {
      point -= weightOf(rest[index] as T); // index < length
      if (point < 0) {
        chosen = index;
        break;
      }
    }
    ordered.push(...rest.splice(chosen, 1));
  }
  return [...ordered, ...targets.filter((target) => weightOf(target) <= 0)];
}

/**
 * Power of two choices: of two targets at random the one with the lower cost goes first; the rest follow by cost. As good as looking at all
 * of them, and without the herd that a single best target draws.
 * @param costOf e.g. latency × calls in flight; 0 for a target that was never measured, so that it is
 * @see Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing"
 */
export function orderByTwoChoices<T>(targets: readonly T[], costOf: (target: T) => number, random: Random): T[] {
  if (targets.length < 2) return [...targets];
  const first = Math.floor(random() * targets.length);
  let second = Math.floor(random() * (targets.length - 1));
  if (second >= first) second++;
  const a = targets[first] as T; // both are below the length
  const b = targets[second] as T;
  const chosen = costOf(b) < costOf(a) ? b : a;
  return [
    chosen,
    ...orderByCost(
      targets.filter((target) => target !== chosen),
      costOf,
    ),
  ];
}

/** Cheapest first; equal ones, and those without a price (null, last), keep their order. */
export function orderByCost<T>(targets: readonly T[], costOf: (target: T) => number | bigint | null): T[] {
  return [...targets].sort((a, b) => {
    const left = costOf(a);
    const right = costOf(b);
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

/**
 * Weighted rendezvous hashing: the same key gives the same order for as long as a target exists, and a target that is added or leaves moves
 * only the keys that it gains or had.
 * @param hashOf uniform in (0, 1) for a target and the key
 * @see Thaler and Ravishankar, "Using name-based mappings to increase hit rates"; Schindelhauer and Schomaker for the weights
 */
export function orderByRendezvous<T>(targets: readonly T[], weightOf: (target: T) => number, hashOf: (target: T) => number): T[] {
  return orderByCost(targets, (target) => {
    const weight = weightOf(target);
    return weight <= 0 ? null : -Math.log(hashOf(target)) / weight;
  });
}

/**
 * FNV-1a with a final mix (murmur3's), as a fraction in (0, 1): spreads short, similar keys evenly. Not for anything that an attacker gains from.
 */
export function hashFraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return ((hash >>> 0) + 0.5) / 4_294_967_296;
}
