import type { RunSummary } from '../evals/runner/summary.ts';
import { formatCost, formatCount, formatRate } from './format.ts';
import { renderTable } from './terminal.ts';

const LABEL = 34;

function short(text: string): string {
  return text.length <= LABEL ? text : `${text.slice(0, LABEL - 1)}…`;
}

export function summaryText(summary: RunSummary): string {
  const { id, state, stopped, done, total, cells, metrics, spentPicoUsd, judgePicoUsd, unpriced, replayed, retried } = summary;
  const table = renderTable(
    [
      { title: 'prompt' },
      { title: 'target' },
      { title: 'passed (95 % interval)', isNumber: true },
      { title: 'failed', isNumber: true },
      { title: 'errors', isNumber: true },
      { title: 'score', isNumber: true },
    ],
    cells.map((cell) => [
      short(cell.prompt),
      short(cell.target),
      formatRate(cell.passRatio, cell.passInterval),
      formatCount(cell.failed),
      formatCount(cell.errors + cell.unmeasured),
      cell.meanScore === null ? '–' : cell.meanScore.toFixed(3),
    ]),
  );
  const lines = metrics.map(
    ({ name, mean, measured, unmeasured }) =>
      `${name}: ${mean === null ? 'unmeasured' : mean.toFixed(3)} (n = ${measured}${unmeasured > 0 ? `, ${unmeasured} unmeasured` : ''})`,
  );
  const judges = judgePicoUsd === '0' ? '' : `, judges ${formatCost(judgePicoUsd, 0)}`;
  return [
    `Run ${id}: ${state}, ${formatCount(done)} of ${formatCount(total)} answers; ${formatCost(spentPicoUsd, unpriced)}${judges}`,
    ...(stopped === null ? [] : [`Stopped: ${stopped.reason} Go on with --resume ${id}`]),
    ...(retried > 0 ? [`${formatCount(retried)} answers came only after a retry.`] : []),
    ...(replayed > 0 ? [`${formatCount(replayed)} answers were paid for by an earlier process of this run; they are not in the sum.`] : []),
    '',
    table,
    ...(lines.length > 0 ? ['', ...lines] : []),
  ].join('\n');
}
