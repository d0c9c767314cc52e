import { boundedMeanInterval, meanInterval, wilsonInterval } from '../../stats/intervals.ts';
import { CSAT_SCALE, FEEDBACK_NAMES, type ScoreSummaryRow } from './model.ts';
import type { ScoreTotals } from './store.ts';

/** Whether scores are stars, whose scale is known. */
function isStars({ kind, name, dataType }: ScoreTotals): boolean {
  return kind === 'feedback' && name === FEEDBACK_NAMES.stars && dataType === 'numeric';
}

/** Mean with its interval; null for texts and categories. Pure. */
export function meanOf(totals: ScoreTotals): { readonly mean: number; readonly interval: [number, number] | null } | null {
  const { dataType, count, sum } = totals;
  if (count === 0 || (dataType !== 'numeric' && dataType !== 'boolean')) return null;
  const mean = sum / count;
  if (dataType === 'boolean') return { mean, interval: wilsonInterval(Math.round(sum), count) };
  if (isStars(totals)) return { mean, interval: boundedMeanInterval(mean, count, CSAT_SCALE.least, CSAT_SCALE.most) };
  return { mean, interval: meanInterval(sum, totals.sumOfSquares, count) };
}

export function summaryRow(totals: ScoreTotals): ScoreSummaryRow {
  const { feature, kind, name, dataType, source, count, categories } = totals;
  const mean = meanOf(totals);
  const isNumeric = dataType === 'numeric';
  return {
    feature,
    kind,
    name,
    dataType,
    source,
    count,
    mean: mean?.mean ?? null,
    interval: mean?.interval ?? null,
    least: isNumeric ? totals.least : null,
    most: isNumeric ? totals.most : null,
    categories: [...categories],
  };
}
