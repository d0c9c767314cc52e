import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { contentHash, newUuidV7 } from '../../kernel/ids.ts';
import { defineRoute, FileAnswer, RouteAnswer } from '../../kernel/routes.ts';
import type { Actor, Scope } from '../../kernel/scope.ts';
import type { CostQueries } from '../cost-queries.ts';
import { DAY_MS } from '../period.ts';
import { INVOICE_FORMATS, readInvoice } from './read-invoice.ts';
import { Reconciliation, reconcile } from './reconcile.ts';
import { reconciliationCsv } from './reconciliation-csv.ts';
import type { InvoiceStore, StoredInvoice } from './store.ts';

export interface InvoiceServices {
  readonly invoices: InvoiceStore;
  readonly costs: CostQueries;
  /** What people call an actor. */
  readonly actorName: (scope: Scope, actor: Actor) => Promise<string>;
  readonly clock: Clock;
}

export const InvoiceView = z
  .object({
    id: z.string(),
    name: z.string(),
    format: z.enum(INVOICE_FORMATS),
    providers: z.array(z.string()),
    importedAt: z.int(),
    importedBy: z.string(),
    from: z.string().describe('First day, UTC'),
    to: z.string().describe('Last day, UTC'),
    lines: z.int().describe('By day and model'),
    roundedRows: z.int().describe('Rows whose amount was finer than a pico-dollar'),
    totalPicoUsd: z.string().describe('Pico-dollars'),
  })
  .meta({ id: 'CostInvoice' });
export type InvoiceView = z.infer<typeof InvoiceView>;

function toView({ importedAtMs, contentHash: _hash, lines, ...invoice }: StoredInvoice): InvoiceView {
  const days = lines.map(({ day }) => day).sort();
  return {
    ...invoice,
    providers: [...invoice.providers],
    importedAt: importedAtMs,
    from: days[0] ?? '',
    to: days.at(-1) ?? '',
    lines: lines.length,
    totalPicoUsd: lines.reduce((sum, { picoUsd }) => sum + picoUsd, 0n).toString(),
  };
}

const route = defineRoute<InvoiceServices>();
const Id = z.strictObject({ id: z.string().min(1).max(64) });

async function find(services: InvoiceServices, scope: Scope, id: string): Promise<StoredInvoice> {
  const found = await services.invoices.get(scope, id);
  if (found === null) throw new PlimsollError('not_found', `There is no invoice ${id}.`, { details: { param: 'id' } });
  return found;
}

async function reconciled(services: InvoiceServices, scope: Scope, id: string): Promise<Reconciliation> {
  const invoice = await find(services, scope, id);
  const days = invoice.lines.map(({ day }) => Date.parse(`${day}T00:00:00Z`));
  const period = { from: Math.min(...days), to: Math.max(...days) + DAY_MS };
  return reconcile(invoice.lines, await services.costs.modelDays(scope, period, invoice.providers));
}

export const invoiceRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/costs/invoices',
    summary: 'List imported invoices, the newest first',
    permission: 'costs:read',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(500).default(100) }),
    response: z.object({ invoices: z.array(InvoiceView) }).meta({ id: 'CostInvoiceList' }),
    handler: async ({ scope, query, services }) => ({ invoices: (await services.invoices.list(scope, query.limit)).map(toView) }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/costs/invoices',
    summary: "Import a provider's export of costs (CSV of OpenAI's or Anthropic's shape, or day, model, cost)",
    permission: 'costs:write',
    audit: 'cost_invoice.imported',
    status: 201,
    body: z.strictObject({
      name: z
        .string()
        .trim()
        .min(1)
        .max(200)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
        .regex(/^[^\x00-\x1F\x7F]*$/, 'has a control character')
        .describe('What people call it, e.g. the file'),
      providers: z.array(z.string().min(1).max(128)).min(1).max(50).describe('Providers of plimsoll.yaml whose calls it is for'),
      format: z.enum(INVOICE_FORMATS).optional().describe('Told by the columns when left out'),
      csv: z.string().min(1).describe('The file; at most about a megabyte: sum up by day and model before when it is longer'),
    }),
    response: InvoiceView,
    async handler({ scope, body, actor, services }) {
      const { name, providers, csv, format } = body;
      const { lines, roundedRows, format: found } = readInvoice(csv, format ?? null);
      const nowMs = services.clock.nowMs();
      const invoice: StoredInvoice = {
        id: newUuidV7(nowMs),
        name,
        format: found,
        providers: [...new Set(providers)].sort(),
        importedAtMs: nowMs,
        importedBy: await services.actorName(scope, actor),
        contentHash: contentHash(csv),
        roundedRows,
        lines,
      };
      if (!(await services.invoices.insert(scope, invoice)))
        throw new PlimsollError('conflict', 'This very file was imported already; remove that invoice to import it anew.', {
          details: { param: 'csv' },
        });
      const view = toView(invoice);
      return new RouteAnswer(
        view,
        {},
        { subject: `cost_invoice/${invoice.id}`, details: { name, providers, totalPicoUsd: view.totalPicoUsd } },
      );
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/invoices/:id/reconciliation',
    summary: 'An invoice against the ledger: the gap by day and model, each with what explains it',
    permission: 'costs:read',
    params: Id,
    response: Reconciliation,
    handler: ({ scope, params, services }) => reconciled(services, scope, params.id),
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/invoices/:id/reconciliation/csv',
    summary: 'The same as CSV for a spreadsheet, by day and model',
    permission: 'costs:read',
    params: Id,
    fileTypes: ['text/csv'],
    response: z.string(),
    async handler({ scope, params, services }) {
      const csv = reconciliationCsv(await reconciled(services, scope, params.id));
      return new FileAnswer('text/csv; charset=utf-8', `reconciliation-${params.id.replaceAll(/[^\w-]/g, '')}.csv`, Readable.from([csv]));
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/costs/invoices/:id',
    summary: 'Remove an imported invoice',
    permission: 'costs:write',
    audit: 'cost_invoice.removed',
    status: 204,
    params: Id,
    response: z.null(),
    async handler({ scope, params, services }) {
      const { id, name } = await find(services, scope, params.id);
      await services.invoices.remove(scope, id);
      return new RouteAnswer(null, {}, { subject: `cost_invoice/${id}`, details: { name } });
    },
  }),
];
