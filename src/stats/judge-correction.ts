import { PlimsollError } from '../kernel/errors.ts';
import { normalQuantile, studentQuantile } from './distributions.ts';
import { covariance, mean } from './moments.ts';

export interface Estimate {
  readonly value: number;
  /** 95 % confidence. */
  readonly interval: readonly [number, number];
}

/** What a judge made of items of which people know the truth. */
export interface JudgeErrors {
  /** Of `truePositives` items that have the property, so many were found. */
  readonly found: number;
  readonly truePositives: number;
  /** Of `trueNegatives` items without it, so many were left alone. */
  readonly leftAlone: number;
  readonly trueNegatives: number;
}

/**
 * The true rate of a property behind the rate that an imperfect judge reports, with the uncertainty of the judge's own sensitivity and specificity
 * carried into the interval.
 * @param reported items in which the judge saw the property
 * @param n        items judged
 * @returns null when the judge is no better than chance (sensitivity + specificity ≤ 1): then nothing can be said
 * @throws PlimsollError `invalid_argument` for counts that cannot be
 * @see Rogan & Gladen 1978, American Journal of Epidemiology 107:71; Lang & Reiczigel 2014, Preventive Veterinary Medicine 113:13 (the interval)
 */
export function roganGladen(reported: number, n: number, errors: JudgeErrors): Estimate | null {
  const { found, truePositives, leftAlone, trueNegatives } = errors;
  for (const [part, whole] of [
    [reported, n],
    [found, truePositives],
    [leftAlone, trueNegatives],
  ] as const) {
    if (!(Number.isSafeInteger(part) && Number.isSafeInteger(whole) && part >= 0 && part <= whole))
      throw new PlimsollError('invalid_argument', `Not a proportion: ${part} of ${whole}`);
  }
  if (n === 0 || truePositives === 0 || trueNegatives === 0) return null;
  const raw = (reported / n + leftAlone / trueNegatives - 1) / (found / truePositives + leftAlone / trueNegatives - 1);
  if (found / truePositives + leftAlone / trueNegatives <= 1) return null;
  const z = normalQuantile(0.975);
  const p = (reported + (z * z) / 2) / (n + z * z);
  const sensitivity = (found + 1) / (truePositives + 2);
  const specificity = (leftAlone + 1) / (trueNegatives + 2);
  const informed = sensitivity + specificity - 1;
  if (informed <= 0) return null;
  const rate = (p + specificity - 1) / informed;
  const ofSensitivity = (sensitivity * (1 - sensitivity)) / (truePositives + 2);
  const ofSpecificity = (specificity * (1 - specificity)) / (trueNegatives + 2);
  const shift = 2 * z * z * (rate * ofSensitivity - (1 - rate) * ofSpecificity);
  const half = (z * Math.sqrt((p * (1 - p)) / (n + z * z) + rate * rate * ofSensitivity + (1 - rate) ** 2 * ofSpecificity)) / informed;
  return { value: clip(raw), interval: [clip(rate + shift - half), clip(rate + shift + half)] };
}

function clip(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/**
 * Mean of what people would say about all items, from their labels of a few and a judge's scores of all: prediction-powered inference with the
 * weight λ that makes the interval narrowest. A judge that says nothing useful gets λ near 0 and does no harm.
 * @param labelled people's label and judge's score of the same item; drawn at random from all
 * @param judged   judge's scores of the other items
 * @returns null with fewer than two labels
 * @see Angelopoulos, Duchi & Zrnic 2023, "PPI++", arXiv 2311.01453, section 6 (the mean, λ clipped to [0, 1])
 */
export function predictionPoweredMean(
  labelled: readonly { readonly human: number; readonly judge: number }[],
  judged: readonly number[],
): (Estimate & { readonly lambda: number }) | null {
  const n = labelled.length;
  const m = judged.length;
  if (n < 2) return null;
  const human = labelled.map((item) => item.human);
  const judge = labelled.map((item) => item.judge);
  // The labels are few: theirs is the larger part of the uncertainty.
  const z = studentQuantile(0.975, n - 1);
  const humanMean = mean(human);
  if (m < 2) {
    const half = z * Math.sqrt(covariance(human, human) / n);
    return { value: humanMean, interval: [humanMean - half, humanMean + half], lambda: 0 };
  }
  const spread = covariance([...judge, ...judged], [...judge, ...judged]);
  const best = spread === 0 ? 0 : covariance(human, judge) / ((1 + n / m) * spread);
  const lambda = Math.min(1, Math.max(0, best));
  const value = humanMean + lambda * (mean(judged) - mean(judge));
  const residuals = human.map((label, index) => label - lambda * (judge[index] ?? 0));
  const half = z * Math.sqrt(covariance(residuals, residuals) / n + (lambda * lambda * covariance(judged, judged)) / m);
  return { value, interval: [value - half, value + half], lambda };
}
