import { type Coverage, coverageOf } from './coverage.ts';
import { clusterOf, type EvalCase, questionOf } from './model.ts';
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
  /** What the open cases of these pairs ask, by hash, cut to one line; sealed ones are not in it. */
  readonly questions: Readonly<Record<string, string>>;
  /** Of what is open. */
  readonly coverage: Coverage;
}

/** First words of what is asked. */
function lineOf(evalCase: EvalCase): string {
  return questionOf(evalCase).replaceAll(/\s+/g, ' ').trim().slice(0, 160).toWellFormed();
}

export function checkCases(cases: readonly EvalCase[], parts: ReadonlyMap<string, CasePart>): CaseCheck {
  const pairs = cases.length > COMPARED_CASES ? null : nearDuplicates(cases);
  const told = pairs?.slice(0, TOLD_PAIRS) ?? null;
  const leaks = pairs === null ? null : leaksOf(pairs, parts).slice(0, TOLD_PAIRS);
  const named = new Set([...(told ?? []), ...(leaks ?? [])].flatMap(({ left, right }) => [left, right]));
  const open = cases.filter(({ hash }) => parts.get(hash) !== 'holdout');
  return {
    cases: cases.length,
    clusters: new Set(cases.map(clusterOf)).size,
    parts: countParts(parts),
    duplicates: told,
    leaks,
    questions: Object.fromEntries(open.flatMap((each) => (named.has(each.hash) ? [[each.hash, lineOf(each)]] : []))),
    coverage: coverageOf(open),
  };
}
