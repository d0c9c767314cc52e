import { canonicalJson } from '../../datasets/json-value.ts';
import { isRecord } from '../../traces/preview.ts';
import { editDistance } from '../text/edit-distance.ts';

/** Both sides are too large to be compared. */
export class TooLarge extends Error {}

/** Cells of all comparisons of texts together: about a second. */
const MAX_CELLS = 300_000_000;

/**
 * How alike two JSON values are, in [0, 1]: the mean over the members of objects (of both sides) and the items of lists (by place), edit distance of
 * texts, relative distance of numbers; values of different kinds as texts.
 * @throws TooLarge; RangeError deeper than the stack
 * @see https://github.com/braintrustdata/autoevals, JSONDiff
 */
export function jsonLikeness(first: unknown, second: unknown): number {
  let cells = 0;
  const ofTexts = (a: string, b: string): number => {
    if (a === b) return 1;
    cells += a.length * b.length;
    const distance = cells > MAX_CELLS ? null : editDistance(a, b);
    if (distance === null) throw new TooLarge('The values are too large to be compared.');
    return 1 - distance / Math.max(a.length, b.length);
  };
  const compare = (a: unknown, b: unknown): number => {
    if (isRecord(a) && isRecord(b)) {
      const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
      const member = (of: Readonly<Record<string, unknown>>, name: string): unknown => (Object.hasOwn(of, name) ? of[name] : null);
      return names.length === 0 ? 1 : names.reduce((sum, name) => sum + compare(member(a, name), member(b, name)), 0) / names.length;
    }
    if (Array.isArray(a) && Array.isArray(b)) {
      const [shorter, longer] = a.length <= b.length ? [a, b] : [b, a];
      return longer.length === 0 ? 1 : shorter.reduce((sum: number, _, index) => sum + compare(a[index], b[index]), 0) / longer.length;
    }
    if (typeof a === 'string' && typeof b === 'string') return ofTexts(a, b);
    if (typeof a === 'number' && typeof b === 'number') return a === b ? 1 : 1 - Math.min(1, Math.abs(a - b) / (Math.abs(a) + Math.abs(b)));
    if (a === null || b === null) return a === b ? 1 : 0;
    return ofTexts(canonicalJson(a), canonicalJson(b));
  };
  return compare(first, second);
}
