import type { EvalCase } from './model.ts';

/** Ways in which LLM features fail. A case that guards against one says so in its slice `failure`. */
export const FAILURE_CATEGORIES = ['hallucination', 'refusal', 'format', 'injection', 'retrieval', 'drift', 'safety', 'cost'] as const;
export const FAILURE_SLICE = 'failure';

export interface Coverage {
  /** The known categories, then those that cases name beside them, then null = cases that name none. */
  readonly categories: readonly (string | null)[];
  /** The whole dataset, then each tag and each value of a slice. 0 = a hole. */
  readonly rows: readonly { readonly label: string; readonly total: number; readonly counts: readonly number[] }[];
}

const ROWS_CAP = 200;

/** How many cases guard what against which failure. */
export function coverageOf(cases: readonly EvalCase[]): Coverage {
  const named = new Set(cases.flatMap(({ slices }) => (slices[FAILURE_SLICE] === undefined ? [] : [slices[FAILURE_SLICE]])));
  const known: readonly string[] = FAILURE_CATEGORIES;
  const categories: (string | null)[] = [...known, ...[...named].filter((name) => !known.includes(name)).sort(), null];
  const rows = new Map<string, { total: number; counts: number[] }>();
  const count = (label: string, column: number): void => {
    const row = rows.get(label) ?? { total: 0, counts: categories.map(() => 0) };
    row.total++;
    row.counts[column] = (row.counts[column] ?? 0) + 1;
    rows.set(label, row);
  };
  for (const { tags, slices } of cases) {
    const column = categories.indexOf(slices[FAILURE_SLICE] ?? null);
    count('', column);
    for (const tag of tags) count(`tag: ${tag}`, column);
    for (const [name, value] of Object.entries(slices)) if (name !== FAILURE_SLICE) count(`${name}: ${value}`, column);
  }
  return {
    categories,
    rows: [...rows]
      .map(([label, row]) => ({ label: label === '' ? 'all cases' : label, ...row }))
      .sort((a, b) => b.total - a.total || (a.label < b.label ? -1 : 1))
      .slice(0, ROWS_CAP),
  };
}
