import { type Coverage, coverageOf } from './coverage.ts';
import { clusterOf, type EvalCase } from './model.ts';
import { type DuplicatePair, leaksOf, nearDuplicates } from './near-duplicates.ts';
import type { CasePart } from './source.ts';

/** Cases whose texts are compared with one another while somebody waits. */
export const COMPARED_CASES = 20_000;
const TOLD_PAIRS = 1_000;

export interface PartCounts {
  readonly train: number;
  readonly dev: number;
  readonly holdout: number;
  readonly excluded: number;
}

export function countParts(parts: ReadonlyMap<string, CasePart>): PartCounts {
  const counts = { train: 0, dev: 0, holdout: 0, excluded: 0 };
  for (const part of parts.values()) counts[part]++;
  return counts;
}

export interface CaseCheck {
  readonly cases: number;
  readonly clusters: number;
  readonly parts: PartCounts;
  /** Most alike first; null = too many cases to compare while you wait. */
  readonly duplicates: readonly DuplicatePair[] | null;
  /** Of the duplicates, those across the split: what is asked in one part is known from the other. */
  readonly leaks: readonly DuplicatePair[] | null;
  /** Of what is open. */
  readonly coverage: Coverage;
}

export function checkCases(cases: readonly EvalCase[], parts: ReadonlyMap<string, CasePart>): CaseCheck {
  const pairs = cases.length > COMPARED_CASES ? null : nearDuplicates(cases);
  return {
    cases: cases.length,
    clusters: new Set(cases.map(clusterOf)).size,
    parts: countParts(parts),
    duplicates: pairs?.slice(0, TOLD_PAIRS) ?? null,
    leaks: pairs === null ? null : leaksOf(pairs, parts).slice(0, TOLD_PAIRS),
    coverage: coverageOf(cases.filter(({ hash }) => parts.get(hash) !== 'holdout')),
  };
}
