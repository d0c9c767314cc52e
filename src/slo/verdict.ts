import { wilsonInterval } from '../stats/intervals.ts';
import type { LineVerdict, LoadLine } from './model.ts';

/** Where an interval lies against a line. Touching the line counts as its good side. */
export function verdictOf(interval: readonly [number, number] | null, line: number | null, sense: LoadLine['sense']): LineVerdict {
  if (line === null) return 'no_line';
  if (interval === null) return 'unclear';
  const [low, high] = interval;
  if (sense === 'at_most') return high <= line ? 'within' : low > line ? 'beyond' : 'unclear';
  return low >= line ? 'within' : high < line ? 'beyond' : 'unclear';
}

/**
 * Verdict on a quantile: it lies under the line exactly when no more than the rest of the calls take longer.
 * @param over     calls over the line
 * @param quantile in (0, 1)
 */
export function quantileVerdict(over: number, count: number, quantile: number): LineVerdict {
  // 1 − 0.95 is a little more than 0.05.
  return verdictOf(wilsonInterval(over, count), Math.round((1 - quantile) * 1e9) / 1e9, 'at_most');
}

/**
 * Share of what a line allows that is used; 1 = at the line.
 * @param best the end of the scale where nothing is used: 0 for rates and times, 1 or 5 for what should be high
 */
export function loadOf(value: number, line: number, best: number): number {
  const allowed = Math.abs(line - best);
  const used = Math.abs(value - best);
  return allowed === 0 ? (used === 0 ? 1 : Number.MAX_SAFE_INTEGER) : used / allowed;
}
