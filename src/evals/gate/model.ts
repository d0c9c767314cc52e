/** Scores of one case under one version, per metric and repeat. `null` = unmeasured: an error, or nothing to tell. Never 0 or NaN instead. */
export interface CaseScores {
  readonly caseId: string;
  /** What the case depends on with others (document, conversation, user); its own id when it stands alone. */
  readonly cluster: string;
  /** Slices that it belongs to: `{ language: 'de' }`. */
  readonly slices: Readonly<Record<string, string>>;
  readonly scores: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface GateMetric {
  readonly name: string;
  /** Whether a larger value is better. */
  readonly direction: 'higher' | 'lower';
  /** A drop up to this does no harm: units of the metric, > 0. */
  readonly margin: number;
  /** Largest possible difference of two values (1 for a score in [0, 1]); null = unbounded, such as a time. */
  readonly range: number | null;
  /** The new version's mean must be at least (lower is better: at most) this, at the bound of its interval; null = no such demand. */
  readonly threshold: number | null;
  /**
   * False = informational: compared and reported, but neither its drop nor its lack of evidence decides. For metrics of a judge that nobody has held
   * against people (see judges/calibration.ts). Absent = true.
   */
  readonly mayBlock?: boolean;
}

export interface GateSpec {
  readonly metrics: readonly GateMetric[];
  /** How often a version that did not change may be blocked, over all metrics and slices together. */
  readonly alpha: number;
  /** Names of slices in which no drop may hide. */
  readonly slices: readonly string[];
  /** A slice with fewer cases than this is named, not tested. */
  readonly minimumSliceCases: number;
  /** With a larger share of cases that could not be compared, nothing passes. */
  readonly maximumUnmeasured: number;
}

export const DEFAULT_GATE: Omit<GateSpec, 'metrics' | 'slices'> = { alpha: 0.05, minimumSliceCases: 5, maximumUnmeasured: 0.05 };

export type Verdict = 'pass' | 'regressed' | 'not enough evidence';

/** One metric, over all cases or in one slice. Differences are turned so that below 0 is worse. */
export interface Comparison {
  readonly metric: string;
  /** Null = all cases. */
  readonly slice: { readonly name: string; readonly value: string } | null;
  readonly verdict: Verdict;
  /** False = the verdict of this metric only informs. */
  readonly mayBlock: boolean;
  /** One sentence: why this verdict. */
  readonly reason: string;
  readonly cases: number;
  readonly clusters: number;
  /** Cases that one of the two versions has no score for. */
  readonly unmeasured: number;
  /** Means of the cases compared; null without any. */
  readonly baseline: number | null;
  readonly candidate: number | null;
  /** Candidate minus baseline, in the metric's own direction. */
  readonly difference: number | null;
  /** One-sided bounds of the difference, worse end first, each with the spec's alpha; null with fewer than two clusters. */
  readonly bounds: readonly [number, number] | null;
  /** Of "not worse"; adjusted for all comparisons of the gate (Holm). */
  readonly p: number | null;
  readonly adjustedP: number | null;
  /** A drop of this size or more would have been found with 80 % probability. */
  readonly detectableDrop: number | null;
  /** Independent cases that show the margin with 80 % probability if nothing changed. */
  readonly casesNeeded: number | null;
}

export interface GateReport {
  readonly verdict: Verdict;
  /** Overall comparisons in the order of the spec, then those of slices. */
  readonly comparisons: readonly Comparison[];
  /** Cases that only one of the two runs has. */
  readonly onlyInBaseline: readonly string[];
  readonly onlyInCandidate: readonly string[];
  /** Values of slices with too few cases to be tested. */
  readonly smallSlices: readonly { readonly name: string; readonly value: string; readonly cases: number }[];
}
