import type { ResultRow } from '../runner/result-row.ts';
import type { RunHeader } from '../runner/run-directory.ts';
import type { CaseScores } from './model.ts';

interface Collected {
  readonly caseId: string;
  readonly cluster: string;
  readonly slices: Readonly<Record<string, string>>;
  readonly scores: Record<string, (number | null)[]>;
}

/**
 * Rows of a run as the gate compares them: one entry per case, prompt and target, repeats together. A run with one prompt pairs its cases with those of
 * another such run whatever the prompt's text: the prompt is what changed. Of several prompts and targets the first pairs with the first.
 * @param metrics names; one that a row does not have is unmeasured there
 * @param isJudged whether a judge decides an assertion of that type
 */
export async function caseScores(
  header: Pick<RunHeader, 'prompts' | 'targets'>,
  rows: AsyncIterable<ResultRow>,
  metrics: readonly string[],
  isJudged: (type: string) => boolean,
): Promise<CaseScores[]> {
  const found = new Map<string, Collected>();
  for await (const row of rows) {
    const cell = [header.prompts.length > 1 ? `prompt ${row.prompt + 1}` : '', header.targets.length > 1 ? `target ${row.target + 1}` : '']
      .filter((part) => part !== '')
      .join(', ');
    const caseId = cell === '' ? row.case : `${row.case} (${cell})`;
    let entry = found.get(caseId);
    if (entry === undefined) {
      // Answers of several targets to one case are not independent either.
      entry = {
        caseId,
        cluster: row.cluster ?? row.case,
        slices: row.slices ?? {},
        scores: Object.fromEntries(metrics.map((name) => [name, []])),
      };
      found.set(caseId, entry);
    }
    for (const name of metrics) entry.scores[name]?.push(scoreOf(row, name, isJudged));
  }
  return [...found.values()];
}

function scoreOf(row: ResultRow, metric: string, isJudged: (type: string) => boolean): number | null {
  switch (metric) {
    case 'pass':
      return row.state === 'passed' ? 1 : row.state === 'failed' ? 0 : null;
    case 'checks':
      return checksOf(row, isJudged);
    case 'score':
      return row.state === 'error' ? null : row.score;
    case 'latencyMs':
      return row.latencyMs;
    case 'costUsd':
      return row.costPicoUsd === null ? null : Number(row.costPicoUsd) / 1e12;
    default:
      return row.metrics !== undefined && Object.hasOwn(row.metrics, metric) ? (row.metrics[metric] ?? null) : null;
  }
}

/** Whether every assertion passed that no judge decides. */
function checksOf({ assertions, state }: ResultRow, isJudged: (type: string) => boolean): number | null {
  const checks = assertions.filter(({ type, isInformational }) => isInformational !== true && !isJudged(type));
  if (checks.some(({ passed }) => passed === false)) return 0;
  if (checks.length === 0 || (state === 'error' && checks.some(({ state: told }) => told === 'failed'))) return null;
  return checks.some(({ passed }) => passed === true) ? 1 : null;
}
