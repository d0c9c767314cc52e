import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import type { CostInvoice, CostReconciliation } from '../api/schema.ts';
import { formatInteger, formatPercent, UNKNOWN } from '../format/number.ts';
import { Dialog } from '../ui/dialog.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { reconciliationQuery } from './cost-queries.ts';
import { Tiles, Usd } from './tiles.tsx';

type Amounts = CostReconciliation['total'];
type Line = CostReconciliation['lines'][number];
type Reason = Line['reason'];

/** Word, what it means, and what to do about it. */
const REASONS: Readonly<Record<Reason, readonly [string, string]>> = {
  none: ['no gap', 'Below a cent or a tenth of a percent.'],
  not_through_here: [
    'not through here',
    'The ledger has no call of that model on that day: look for a key that is used beside the gateway.',
  ],
  not_on_invoice: ['not on the invoice', 'The ledger has calls that nobody charged: the export may be cut off, or of another account.'],
  unpriced_here: ['unpriced here', 'Calls without a price: set it under prices in plimsoll.yaml, then run plimsoll costs reprice.'],
  estimated_here: ['estimated here', 'No more than what was priced by estimated tokens, because the provider reported none.'],
  unexplained: ['unexplained', 'None of these. Compare the price of the model with the contract, and its discounts.'],
};

interface Props {
  readonly id: string;
  /** Null = not in the list, or not any more. */
  readonly invoice: CostInvoice | null;
  readonly onRemoved: () => void;
}

export function ReconciliationView({ id, invoice, onRemoved }: Props): ReactNode {
  const reconciliation = useQuery(reconciliationQuery(id));
  const [isRemoving, setIsRemoving] = useState(false);
  return (
    <article className="flex flex-col gap-3">
      <nav aria-label="Breadcrumb" className="-mb-1 text-xs text-ink-3 print:hidden">
        <Link className="hover:underline" to="/costs" search={{ tab: 'invoices' }}>
          Invoices
        </Link>{' '}
        / {invoice?.name ?? id}
      </nav>
      <header className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <div className="mr-auto min-w-0">
          <h2 className="text-base font-semibold break-words">{invoice?.name ?? 'Invoice'}</h2>
          {invoice !== null && (
            <p className="text-xs text-ink-2">
              {invoice.providers.join(', ')}, {invoice.from} to {invoice.to} (UTC). Imported <TimeText at={invoice.importedAt} /> by{' '}
              {invoice.importedBy}, read as {invoice.format}
              {invoice.roundedRows > 0 && `; ${formatInteger(invoice.roundedRows)} amounts were finer than a pico-dollar`}.
            </p>
          )}
        </div>
        <div className="flex gap-2 print:hidden">
          <a className="button" href={`/api/v1/costs/invoices/${encodeURIComponent(id)}/reconciliation/csv`} download>
            CSV
          </a>
          <button type="button" className="button" onClick={() => window.print()}>
            Print
          </button>
          {invoice !== null && (
            <button type="button" className="button" onClick={() => setIsRemoving(true)}>
              Remove
            </button>
          )}
        </div>
      </header>
      <QueryState query={reconciliation} skeleton={<SkeletonRows count={10} />}>
        {(view) => <Reconciled view={view} providers={invoice?.providers ?? []} />}
      </QueryState>
      {isRemoving && invoice !== null && <RemoveDialog invoice={invoice} onClose={() => setIsRemoving(false)} onRemoved={onRemoved} />}
    </article>
  );
}

function Reconciled({ view, providers }: { view: CostReconciliation; providers: readonly string[] }): ReactNode {
  const { total, byReason, models, days, lines, lineCount } = view;
  const unexplained = byReason.find(({ reason }) => reason === 'unexplained');
  const gaps = lines.filter(({ reason }) => reason !== 'none');
  return (
    <>
      <Tiles
        tiles={[
          { name: 'Invoice', value: <Usd picoUsd={total.invoicePicoUsd} />, detail: providers.join(', ') },
          { name: 'Ledger', value: <Usd picoUsd={total.ledgerPicoUsd} />, detail: 'calls of these days' },
          { name: 'Gap', value: <Usd picoUsd={total.gapPicoUsd} sign />, detail: `${gapText(total)} of the invoice` },
          {
            name: 'Unexplained',
            value: <Usd picoUsd={unexplained?.gapPicoUsd ?? '0'} sign />,
            detail: unexplained === undefined ? 'every gap has a reason' : `${formatInteger(unexplained.lines)} days and models`,
          },
        ]}
      />
      <Section title="What explains the gap">
        <Table
          caption="The gap by reason"
          rows={byReason}
          columns={REASON_COLUMNS}
          rowKey={({ reason }) => reason}
          empty="There is nothing to compare."
          minWidth={640}
        />
      </Section>
      <div className="grid gap-3 xl:grid-cols-2">
        <Section title="By model">
          <Table
            caption="Invoice and ledger by model"
            rows={models}
            columns={MODEL_COLUMNS}
            rowKey={({ model }) => model}
            empty="No models."
            minWidth={600}
          />
        </Section>
        <Section title="By day, UTC">
          <Table
            caption="Invoice and ledger by day"
            rows={days}
            columns={DAY_COLUMNS}
            rowKey={({ day }) => day}
            empty="No days."
            minWidth={460}
          />
        </Section>
      </div>
      <Section title="Gaps by day and model">
        <Table
          caption="Gaps by day and model, the largest first"
          rows={gaps}
          columns={LINE_COLUMNS}
          rowKey={({ day, model }) => `${day} ${model}`}
          empty="No gap above a cent or a tenth of a percent: invoice and ledger agree."
          minWidth={700}
        />
        {lineCount > lines.length && (
          <p className="text-xs text-ink-3">
            {formatInteger(lineCount - lines.length)} more lines with smaller gaps are in the sums above.
          </p>
        )}
      </Section>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <section className="flex min-w-0 flex-col gap-2" aria-label={title}>
      <h3 className="font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function gapText({ gapRatio }: Amounts): string {
  if (gapRatio === null) return UNKNOWN;
  const sign = gapRatio < 0 ? '−' : '';
  // Of next to nothing on the invoice, a share says nothing.
  return Math.abs(gapRatio) > 10 ? `> ${sign}1000 %` : `${sign}${formatPercent(Math.abs(gapRatio))}`;
}

const AMOUNT_COLUMNS: readonly Column<Amounts>[] = [
  { key: 'invoice', header: 'Invoice', isNumeric: true, cell: (row) => <Usd picoUsd={row.invoicePicoUsd} /> },
  { key: 'ledger', header: 'Ledger', isNumeric: true, cell: (row) => <Usd picoUsd={row.ledgerPicoUsd} /> },
  { key: 'gap', header: 'Gap', isNumeric: true, tip: 'Invoice less ledger', cell: (row) => <Usd picoUsd={row.gapPicoUsd} sign /> },
  { key: 'ratio', header: 'Gap %', isNumeric: true, tip: 'Of the invoice', cell: gapText },
];

function reasonColumn<Row extends { readonly reason: Reason }>(): Column<Row> {
  return {
    key: 'reason',
    header: 'Because',
    cell: ({ reason }) => (
      <span data-tip={REASONS[reason][1]}>
        {reason === 'none' ? (
          <span className="text-ink-3">{REASONS.none[0]}</span>
        ) : reason === 'unexplained' ? (
          <StateMark state="warning" word={REASONS.unexplained[0]} />
        ) : (
          REASONS[reason][0]
        )}
      </span>
    ),
  };
}

const REASON_COLUMNS: readonly Column<CostReconciliation['byReason'][number]>[] = [
  reasonColumn(),
  { key: 'gap', header: 'Gap', isNumeric: true, cell: (row) => <Usd picoUsd={row.gapPicoUsd} sign /> },
  { key: 'lines', header: 'Days and models', isNumeric: true, cell: ({ lines }) => formatInteger(lines) },
  { key: 'next', header: 'What it means', cell: ({ reason }) => <span className="text-ink-2">{REASONS[reason][1]}</span> },
];
const MODEL_COLUMNS: readonly Column<CostReconciliation['models'][number]>[] = [
  { key: 'model', header: 'Model', cell: ({ model }) => <span className="block max-w-56 truncate">{model}</span> },
  ...AMOUNT_COLUMNS,
  reasonColumn(),
];
const DAY_COLUMNS: readonly Column<CostReconciliation['days'][number]>[] = [
  { key: 'day', header: 'Day', cell: ({ day }) => <span className="tabular whitespace-nowrap">{day}</span> },
  ...AMOUNT_COLUMNS,
];
const LINE_COLUMNS: readonly Column<Line>[] = [
  { key: 'day', header: 'Day', cell: ({ day }) => <span className="tabular whitespace-nowrap">{day}</span> },
  ...MODEL_COLUMNS,
];

function RemoveDialog({ invoice, onClose, onRemoved }: { invoice: CostInvoice; onClose: () => void; onRemoved: () => void }): ReactNode {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => unwrap<void>(api.DELETE('/api/v1/costs/invoices/{id}', { params: { path: { id: invoice.id } } })),
    onSuccess: async () => {
      onClose();
      onRemoved();
      await queryClient.invalidateQueries({ queryKey: ['costs', 'invoices'] });
    },
  });
  const error = remove.error ? asApiError(remove.error) : null;
  return (
    <Dialog title="Remove this invoice?" onClose={onClose}>
      <p className="text-ink-2">
        {invoice.name} and its reconciliation go; the ledger does not change. The same file can be imported again. The removal is audited.
      </p>
      {error && (
        <p role="alert" className="mt-3 text-critical">
          {error.message} {error.fix}
        </p>
      )}
      <div className="mt-5 flex justify-end gap-2">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button button-critical" disabled={remove.isPending} onClick={() => remove.mutate()}>
          {remove.isPending ? 'Removing…' : 'Remove'}
        </button>
      </div>
    </Dialog>
  );
}
