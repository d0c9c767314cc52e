import type { SessionSummary, UserSummary } from '../api/schema.ts';
import { formatCount, formatInteger, UNKNOWN } from '../format/number.ts';
import { formatMoment } from '../format/time.ts';
import { CostSum } from '../ui/cost.tsx';
import type { Column } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';

/** Columns that sessions and users share. */
export function usageColumns<Row extends SessionSummary | UserSummary>(): Column<Row>[] {
  return [
    {
      key: 'features',
      header: 'Features',
      cell: (row) => <span className="block max-w-56 truncate text-ink-2">{row.features.join(', ') || UNKNOWN}</span>,
    },
    { key: 'requests', header: 'Requests', isNumeric: true, cell: (row) => formatInteger(row.requests) },
    {
      key: 'errors',
      header: 'Errors',
      isNumeric: true,
      cell: (row) => <span className={row.errors > 0 ? 'font-medium text-critical' : 'text-ink-3'}>{formatInteger(row.errors)}</span>,
    },
    {
      key: 'tokens',
      header: 'Tokens',
      tip: 'Input → output',
      isNumeric: true,
      cell: (row) => `${formatCount(row.inputTokens)} → ${formatCount(row.outputTokens)}`,
    },
    { key: 'cost', header: 'Cost', isNumeric: true, cell: (row) => <CostSum sum={row} /> },
    { key: 'last', header: 'Last seen', isNumeric: true, cell: (row) => <TimeText at={row.lastAt} format={formatMoment} /> },
  ];
}
