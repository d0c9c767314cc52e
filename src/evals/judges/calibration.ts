import { z } from 'zod';
import { cohenKappa } from '../../stats/agreement.ts';
import { wilsonInterval } from '../../stats/intervals.ts';
import { type Estimate, type JudgeErrors, predictionPoweredMean, roganGladen } from '../../stats/judge-correction.ts';
import type { GateMetric } from '../gate/model.ts';

/** One item that people and the judge have given a verdict on. */
export const JudgedLabel = z.strictObject({
  itemId: z.string().describe('What was judged: a case’s output, a span'),
  human: z.boolean().describe('What people say, after adjudication: the output has the property'),
  judge: z.boolean().nullable().describe('What the judge says; null = it gave no verdict that could be read'),
});
export type JudgedLabel = z.infer<typeof JudgedLabel>;

const Interval = z.tuple([z.number(), z.number()]).describe('95 % confidence');
const Rate = z.object({
  value: z.number().nullable().describe('Null = no item to tell from'),
  interval: Interval,
  n: z.int().describe('Items that people put in this class and the judge gave a verdict on'),
});

/** How a judge stood to people's labels, at one hash. */
export const Calibration = z.object({
  judgeHash: z.string().describe('Of the judge whose verdicts these were: model, prompt, rubric, parameters'),
  atMs: z.int(),
  labels: z.int().describe('Items with a human label and a verdict of the judge'),
  unjudged: z.int().describe('Items that people labelled and the judge could not'),
  agreement: z.number().nullable(),
  kappa: z.object({ value: z.number().nullable(), interval: Interval.nullable() }),
  sensitivity: Rate.describe('Of the items that have the property, the share that the judge finds'),
  specificity: Rate.describe('Of the items that do not have it, the share that the judge leaves alone'),
});
export type Calibration = z.infer<typeof Calibration>;

export const CalibrationPolicy = z.strictObject({
  minimumLabels: z.int().min(2).default(50).describe('Labelled items that a judge must have been held against'),
  minimumPerClass: z.int().min(1).default(10).describe('Of them with the property, and without it'),
  minimumKappa: z.number().min(0).max(1).default(0.4).describe('The lower end of kappa’s interval must be at least this'),
  maximumUnjudged: z.number().min(0).max(1).default(0.1).describe('Largest share of labelled items that the judge may have no verdict on'),
});
export type CalibrationPolicy = z.infer<typeof CalibrationPolicy>;

/** @param labels one per item, drawn at random from what the judge is used on */
export function calibrate(judgeHash: string, labels: readonly JudgedLabel[], atMs: number): Calibration {
  const judged = labels.flatMap(({ human, judge }) => (judge === null ? [] : [{ human, judge }]));
  const { found, truePositives, leftAlone, trueNegatives } = countErrors(judged);
  const kappa = judged.length === 0 ? null : cohenKappa(judged.map(({ human, judge }) => [String(human), String(judge)] as const));
  const rate = (part: number, n: number): z.infer<typeof Rate> => ({
    value: n === 0 ? null : part / n,
    interval: wilsonInterval(part, n),
    n,
  });
  return {
    judgeHash,
    atMs,
    labels: judged.length,
    unjudged: labels.length - judged.length,
    agreement: kappa?.agreement ?? null,
    kappa: {
      value: kappa?.kappa ?? null,
      interval: kappa?.interval === undefined || kappa.interval === null ? null : [kappa.interval[0], kappa.interval[1]],
    },
    sensitivity: rate(found, truePositives),
    specificity: rate(leftAlone, trueNegatives),
  };
}

function countErrors(judged: readonly { readonly human: boolean; readonly judge: boolean }[]): JudgeErrors {
  const positives = judged.filter(({ human }) => human);
  const negatives = judged.filter(({ human }) => !human);
  return {
    found: positives.filter(({ judge }) => judge).length,
    truePositives: positives.length,
    leftAlone: negatives.filter(({ judge }) => !judge).length,
    trueNegatives: negatives.length,
  };
}

export interface CalibrationState {
  /** `stale` = it was held against people, but as another judge: model, prompt, rubric or parameters have changed since. */
  readonly state: 'calibrated' | 'uncalibrated' | 'stale';
  /** One sentence: why, and what is missing. */
  readonly reason: string;
}

/** @param calibration the newest of this judge, whatever its hash; null = there is none */
export function calibrationState(calibration: Calibration | null, judgeHash: string, policy: CalibrationPolicy): CalibrationState {
  if (calibration === null) return { state: 'uncalibrated', reason: 'Nobody has held this judge against people’s labels.' };
  if (calibration.judgeHash !== judgeHash)
    return {
      state: 'stale',
      reason: 'The judge’s model, prompt, rubric or parameters have changed since it was held against people’s labels.',
    };
  const lacking = whatLacks(calibration, policy);
  return lacking === null
    ? { state: 'calibrated', reason: `Held against ${calibration.labels} labels, kappa ${calibration.kappa.value?.toFixed(2)}.` }
    : { state: 'uncalibrated', reason: lacking };
}

function whatLacks({ labels, unjudged, kappa, sensitivity, specificity }: Calibration, policy: CalibrationPolicy): string | null {
  if (labels < policy.minimumLabels) return `${labels} labels; ${policy.minimumLabels} are needed.`;
  const perClass = Math.min(sensitivity.n, specificity.n);
  if (perClass < policy.minimumPerClass)
    return `${sensitivity.n} labelled items have the property and ${specificity.n} do not; ${policy.minimumPerClass} of each are needed.`;
  const share = unjudged / (labels + unjudged);
  if (share > policy.maximumUnjudged)
    return `The judge gave no verdict on ${unjudged} of ${labels + unjudged} labelled items; at most ${policy.maximumUnjudged * 100} % may be so.`;
  // Full agreement has no interval by kappa's formula; the classes are large enough here to believe it.
  const low = kappa.interval?.[0] ?? kappa.value;
  if (low === null || low < policy.minimumKappa)
    return `Kappa is ${kappa.value?.toFixed(2) ?? 'not known'}, perhaps only ${low?.toFixed(2) ?? 'less'}; at least ${policy.minimumKappa} must be shown.`;
  return null;
}

/** An uncalibrated judge may inform, not block. @param state null = the metric asks no judge */
export function withCalibration(metric: GateMetric, state: CalibrationState | null): GateMetric {
  return state === null || state.state === 'calibrated' ? metric : { ...metric, mayBlock: false };
}

export interface CorrectedRate {
  /** Of the judge alone, as it would be reported without a correction; Wilson interval. Null without verdicts. */
  readonly judge: Estimate | null;
  /** Of people's labels alone, Wilson interval; null without labels. */
  readonly human: Estimate | null;
  /** Prediction-powered mean: needs labels drawn at random from the same items. Its interval is the one to report. */
  readonly corrected: (Estimate & { readonly lambda: number }) | null;
  /** Rogan-Gladen from the judge's sensitivity and specificity: also where the labels come from elsewhere. Null for a judge no better than chance. */
  readonly roganGladen: Estimate | null;
  readonly labels: number;
  readonly judged: number;
}

/**
 * The rate of a property among items that a judge has judged and of which people labelled a few.
 * @param labelled people's and the judge's verdict of the same items
 * @param judged   the judge's verdicts on the other items
 */
export function correctRate(
  labelled: readonly { readonly human: boolean; readonly judge: boolean }[],
  judged: readonly boolean[],
): CorrectedRate {
  const pairs = labelled.map(({ human, judge }) => ({ human: Number(human), judge: Number(judge) }));
  const verdicts = [...labelled.map(({ judge }) => judge), ...judged];
  const seen = verdicts.filter(Boolean).length;
  const corrected = correctedMean(pairs, judged.map(Number));
  const positives = labelled.filter(({ human }) => human).length;
  return {
    judge: verdicts.length === 0 ? null : { value: seen / verdicts.length, interval: wilsonInterval(seen, verdicts.length) },
    human: labelled.length === 0 ? null : { value: positives / labelled.length, interval: wilsonInterval(positives, labelled.length) },
    corrected,
    roganGladen: roganGladen(seen, verdicts.length, countErrors(labelled)),
    labels: labelled.length,
    judged: judged.length,
  };
}

/** One error of the judge of either kind that was not seen. */
const PSEUDO_LABELS = [
  { human: 1, judge: 0 },
  { human: 0, judge: 1 },
];

/**
 * The prediction-powered rate, its width taken as if the labels held one more error of either kind: few labels without an error do not mean that the next
 * one is none, and with few errors their spread is underestimated (for the plain proportion: Agresti & Coull 1998). Clipped to what a rate can be.
 */
function correctedMean(
  labelled: readonly { readonly human: number; readonly judge: number }[],
  judged: readonly number[],
): CorrectedRate['corrected'] {
  const mean = predictionPoweredMean(labelled, judged);
  const cautious = predictionPoweredMean([...labelled, ...PSEUDO_LABELS], judged);
  if (mean === null || cautious === null) return null;
  const half = Math.max(mean.interval[1] - mean.value, cautious.interval[1] - cautious.value);
  const clip = (rate: number): number => Math.min(1, Math.max(0, rate));
  return { value: clip(mean.value), interval: [clip(mean.value - half), clip(mean.value + half)], lambda: mean.lambda };
}
