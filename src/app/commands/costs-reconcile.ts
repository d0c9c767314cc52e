import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { INVOICE_FORMATS } from '../../costs/invoices/read-invoice.ts';
import type { Reconciliation } from '../../costs/invoices/reconcile.ts';
import type { InvoiceView } from '../../costs/invoices/routes.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatCount } from '../format.ts';
import { renderTable } from '../terminal.ts';

type Amounts = Reconciliation['total'];

function cells({ invoicePicoUsd, ledgerPicoUsd, gapPicoUsd, gapRatio }: Amounts): string[] {
  const gap = gapRatio === null ? '–' : `${(gapRatio * 100).toFixed(2)} %`;
  return [formatCost(invoicePicoUsd, 0), formatCost(ledgerPicoUsd, 0), formatCost(gapPicoUsd, 0), gap];
}

const AMOUNTS = ['invoice', 'ledger', 'gap', 'gap'].map((title) => ({ title, isNumber: true }));

function render({ total, models, byReason }: Reconciliation): string {
  const table = renderTable(
    [{ title: 'model' }, ...AMOUNTS, { title: 'because' }],
    [...models.map((line) => [line.model, ...cells(line), line.reason.replaceAll('_', ' ')]), ['total', ...cells(total), '']],
  );
  const reasons = byReason.map(
    ({ reason, gapPicoUsd, lines }) =>
      `${reason.replaceAll('_', ' ')} ${formatCost(gapPicoUsd, 0)} (${formatCount(lines)} days and models)`,
  );
  return `${table}\nThe gap by reason: ${reasons.join(', ')}.`;
}

export default defineCommand<CliContext>()({
  name: 'costs reconcile',
  summary: "Import a provider's invoice and hold it against the ledger: the gap by day and model, and what explains it",
  example: 'plimsoll costs reconcile october.csv --provider openai',
  options: z.strictObject({
    file: z.string().optional().describe('CSV: an export of OpenAI or Anthropic, or columns day, model, cost_usd'),
    provider: z.string().optional().describe('Providers of plimsoll.yaml that it is for, separated by commas'),
    format: z.enum(INVOICE_FORMATS).optional().describe('Told by the columns when left out'),
    id: z.string().optional().describe('An invoice that was imported before, instead of a file'),
  }),
  positionals: ['file'],
  async run({ options, output, context }) {
    const { file, provider, format, id } = options;
    let invoiceId = id;
    if (invoiceId === undefined) {
      if (file === undefined || provider === undefined)
        throw new PlimsollError('invalid_argument', 'Give a file and --provider, or the --id of an invoice that was imported');
      const csv = await readFile(file, 'utf8').catch((cause: unknown) => {
        throw new PlimsollError('invalid_argument', `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
          cause,
        });
      });
      const providers = provider.split(',').map((name) => name.trim());
      const body = { name: basename(file), providers, csv, ...(format === undefined ? {} : { format }) };
      const imported = await context.client.call<InvoiceView>('POST', '/api/v1/costs/invoices', { body });
      output.note(`Imported as ${imported.id}: ${imported.from} to ${imported.to}, ${formatCost(imported.totalPicoUsd, 0)}.`);
      invoiceId = imported.id;
    }
    const found = await context.client.call<Reconciliation>(
      'GET',
      `/api/v1/costs/invoices/${encodeURIComponent(invoiceId)}/reconciliation`,
    );
    output.print(render(found), { invoiceId, ...found });
    return 0;
  },
});
