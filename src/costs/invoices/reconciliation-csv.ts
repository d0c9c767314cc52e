import { formatUsd } from '../../kernel/money.ts';
import { csvFile, csvText } from '../csv-file.ts';
import type { Reconciliation } from './reconcile.ts';

const HEAD = ['Day', 'Model', 'InvoiceUsd', 'LedgerUsd', 'GapUsd', 'GapPercent', 'Reason', 'UnpricedCalls', 'LedgerEstimatedUsd'];

/** By day and model, the largest gap first, with exact dollars; what does not fit (`lineCount`) is said in a last row. */
export function reconciliationCsv({ lines, lineCount }: Reconciliation): string {
  const usd = (pico: string): string => formatUsd(BigInt(pico));
  const rows = lines.map((line) => [
    line.day,
    csvText(line.model),
    usd(line.invoicePicoUsd),
    usd(line.ledgerPicoUsd),
    usd(line.gapPicoUsd),
    line.gapRatio === null ? '' : (line.gapRatio * 100).toFixed(4),
    line.reason,
    `${line.unpricedCalls}`,
    usd(line.estimatedPicoUsd),
  ]);
  const left = lineCount - lines.length;
  return csvFile(
    HEAD,
    left === 0
      ? rows
      : [...rows, ['', csvText(`${left} more lines with smaller gaps are not in this file`), ...HEAD.slice(2).map(() => '')]],
  );
}
