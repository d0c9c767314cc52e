import { PlimsollError } from '../kernel/errors.ts';

/** C(count, k) / C(n, k), without large numbers. */
function drawnAll(count: number, n: number, k: number): number {
  let share = 1;
  for (let drawn = 0; drawn < k; drawn++) share *= Math.max(0, count - drawn) / (n - drawn);
  return share;
}

function check(passes: number, n: number, k: number): void {
  const isGood = [passes, n, k].every(Number.isInteger) && k >= 1 && k <= n && passes >= 0 && passes <= n;
  if (!isGood)
    throw new PlimsollError(
      'invalid_argument',
      `Of ${n} repeats with ${passes} passes, ${k} cannot be drawn: 0 ≤ passes ≤ n and 1 ≤ k ≤ n.`,
    );
}

/**
 * Probability that k tries all pass (pass^k), estimated without bias from one case's n repeats.
 * @param passes repeats that passed (count, 0 ≤ passes ≤ n)
 * @param k      tries (count, 1 ≤ k ≤ n); the n-th power of a rate would be too high on average
 * @throws PlimsollError `invalid_argument`
 * @see Yao et al. 2024, "τ-bench", arXiv 2406.12045: C(c, k) / C(n, k)
 */
export function passAllOf(passes: number, n: number, k: number): number {
  check(passes, n, k);
  return drawnAll(passes, n, k);
}

/**
 * Probability that one of k tries or more passes (pass@k), estimated without bias from one case's n repeats.
 * @param passes repeats that passed (count, 0 ≤ passes ≤ n)
 * @param k      tries (count, 1 ≤ k ≤ n)
 * @throws PlimsollError `invalid_argument`
 * @see Chen et al. 2021, "Evaluating Large Language Models Trained on Code", arXiv 2107.03374: 1 − C(n − c, k) / C(n, k)
 */
export function passAnyOf(passes: number, n: number, k: number): number {
  check(passes, n, k);
  return 1 - drawnAll(n - passes, n, k);
}
