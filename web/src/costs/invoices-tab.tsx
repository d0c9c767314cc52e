import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { CostInvoice } from '../api/schema.ts';
import { formatInteger } from '../format/number.ts';
import { formatDate } from '../format/time.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import type { TabProps } from './controls.tsx';
import { invoicesQuery } from './cost-queries.ts';
import { ImportInvoiceDialog } from './import-invoice-dialog.tsx';
import { ReconciliationView } from './reconciliation-view.tsx';
import { Usd } from './tiles.tsx';

export function InvoicesTab({ search, change, refetchInterval }: TabProps): ReactNode {
  const invoices = useQuery({ ...invoicesQuery, refetchInterval });
  const [isImporting, setIsImporting] = useState(false);
  const open = (invoice: string): void => change({ tab: 'invoices', invoice });
  return (
    <QueryState query={invoices} skeleton={<SkeletonRows count={6} />}>
      {({ invoices: list }) =>
        search.invoice === undefined ? (
          <div className="flex flex-col gap-3">
            <div className="flex flex-wrap items-center gap-3">
              <button type="button" className="button button-primary" onClick={() => setIsImporting(true)}>
                Import an invoice
              </button>
              <span className="text-ink-2">A provider’s export of costs, held against the ledger by day and model.</span>
            </div>
            <Table
              caption="Imported invoices, the newest first"
              rows={list}
              columns={COLUMNS}
              rowKey={({ id }) => id}
              empty="No invoice yet. Download the costs of a month from your provider as CSV and import the file: each gap gets a reason."
              minWidth={860}
            />
            {isImporting && (
              <ImportInvoiceDialog
                onClose={() => setIsImporting(false)}
                onImported={(id) => {
                  setIsImporting(false);
                  open(id);
                }}
              />
            )}
          </div>
        ) : (
          <ReconciliationView
            id={search.invoice}
            invoice={list.find(({ id }) => id === search.invoice) ?? null}
            onRemoved={() => change({ tab: 'invoices' })}
          />
        )
      }
    </QueryState>
  );
}

const COLUMNS: readonly Column<CostInvoice>[] = [
  {
    key: 'name',
    header: 'Invoice',
    className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
    cell: ({ id, name }) => (
      <Link className="link block max-w-72 truncate font-medium" to="/costs" search={{ tab: 'invoices', invoice: id }} data-row>
        {name}
      </Link>
    ),
  },
  { key: 'providers', header: 'Provider', cell: ({ providers }) => providers.join(', ') },
  {
    key: 'days',
    header: 'Days, UTC',
    cell: ({ from, to }) => <span className="tabular whitespace-nowrap">{from === to ? from : `${from} to ${to}`}</span>,
  },
  { key: 'total', header: 'Charged', isNumeric: true, cell: (row) => <Usd picoUsd={row.totalPicoUsd} /> },
  { key: 'lines', header: 'Days and models', isNumeric: true, cell: ({ lines }) => formatInteger(lines) },
  {
    key: 'imported',
    header: 'Imported',
    cell: ({ importedAt, importedBy }) => (
      <span className="whitespace-nowrap">
        <TimeText at={importedAt} format={formatDate} /> <span className="text-ink-3">by {importedBy}</span>
      </span>
    ),
  },
];
