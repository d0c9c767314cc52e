import { z } from 'zod';
import type { ModelDay } from '../cost-queries.ts';
import { type InvoiceLine, modelFamily } from './read-invoice.ts';

const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);

export const GAP_REASONS = ['none', 'not_through_here', 'not_on_invoice', 'unpriced_here', 'estimated_here', 'unexplained'] as const;

const Amounts = z.object({
  invoicePicoUsd: pico('Charged by the provider'),
  ledgerPicoUsd: pico('What the ledger has'),
  gapPicoUsd: pico('Invoice less ledger'),
  gapRatio: z.number().nullable().describe('Gap ÷ invoice; null = the invoice has nothing'),
});

const Line = Amounts.extend({
  reason: z
    .enum(GAP_REASONS)
    .describe(
      'not_through_here: the ledger has no call of it; not_on_invoice: the invoice has nothing; unpriced_here: calls without a price; estimated_here: tokens were estimated; unexplained: none of these; none: no gap above a tenth of a percent or a cent',
    ),
  unpricedCalls: z.int(),
  estimatedPicoUsd: pico('Of the ledger, priced by estimated tokens'),
});

export const Reconciliation = z
  .object({
    total: Amounts,
    byReason: z
      .array(z.object({ reason: z.enum(GAP_REASONS), gapPicoUsd: pico('Sum of the gaps'), lines: z.int() }))
      .describe('Add up to the gap'),
    models: z.array(Line.extend({ model: z.string() })).describe('The largest gap first'),
    days: z.array(Amounts.extend({ day: z.string() })),
    lines: z.array(Line.extend({ day: z.string(), model: z.string() })).describe('By day and model; the largest gaps first, at most 1000'),
    lineCount: z.int(),
  })
  .meta({ id: 'CostReconciliation' });
export type Reconciliation = z.infer<typeof Reconciliation>;

interface Cell {
  readonly day: string;
  readonly model: string;
  invoice: bigint;
  ledger: bigint;
  estimated: bigint;
  unpricedCalls: number;
  hasInvoice: boolean;
  hasLedger: boolean;
}

const CENT = 10n ** 10n;

function size(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}

/** Too small to look after: a cent, or a tenth of a percent. */
function isNegligible(gap: bigint, invoice: bigint): boolean {
  return size(gap) <= CENT || size(gap) * 1000n <= size(invoice);
}

function reasonOf({
  invoice,
  ledger,
  estimated,
  unpricedCalls,
  hasInvoice,
  hasLedger,
}: Omit<Cell, 'day' | 'model'>): (typeof GAP_REASONS)[number] {
  const gap = invoice - ledger;
  if (isNegligible(gap, invoice)) return 'none';
  if (!hasLedger) return 'not_through_here';
  if (!hasInvoice) return 'not_on_invoice';
  if (gap > 0n && unpricedCalls > 0) return 'unpriced_here';
  if (size(gap) <= estimated) return 'estimated_here';
  return 'unexplained';
}

function amounts(invoice: bigint, ledger: bigint): z.infer<typeof Amounts> {
  const gap = invoice - ledger;
  return {
    invoicePicoUsd: invoice.toString(),
    ledgerPicoUsd: ledger.toString(),
    gapPicoUsd: gap.toString(),
    gapRatio: invoice === 0n ? null : Number((gap * 1_000_000n) / invoice) / 1_000_000,
  };
}

function toLine(cell: Omit<Cell, 'day' | 'model'>): z.infer<typeof Line> {
  return {
    ...amounts(cell.invoice, cell.ledger),
    reason: reasonOf(cell),
    unpricedCalls: cell.unpricedCalls,
    estimatedPicoUsd: cell.estimated.toString(),
  };
}

const MAX_LINES = 1_000;

/** What a provider charged against what the ledger has, by day and model. Models are matched without the date of their version. Pure. */
export function reconcile(invoice: readonly InvoiceLine[], ledger: readonly ModelDay[]): Reconciliation {
  const cells = new Map<string, Cell>();
  const cellOf = (day: string, name: string): Cell => {
    const model = modelFamily(name);
    const key = `${day} ${model}`;
    const known = cells.get(key) ?? {
      day,
      model,
      invoice: 0n,
      ledger: 0n,
      estimated: 0n,
      unpricedCalls: 0,
      hasInvoice: false,
      hasLedger: false,
    };
    cells.set(key, known);
    return known;
  };
  for (const { day, model, picoUsd } of invoice) {
    const cell = cellOf(day, model);
    cell.invoice += picoUsd;
    cell.hasInvoice = true;
  }
  for (const row of ledger) {
    const cell = cellOf(row.day, row.model);
    cell.ledger += row.costPicoUsd;
    cell.estimated += row.estimatedPicoUsd;
    cell.unpricedCalls += row.unpricedAttempts;
    cell.hasLedger = true;
  }
  const all = [...cells.values()];
  const sum = (of: readonly Cell[], value: (cell: Cell) => bigint): bigint => of.reduce((total, cell) => total + value(cell), 0n);
  const whole = (of: readonly Cell[]): Omit<Cell, 'day' | 'model'> => ({
    invoice: sum(of, (cell) => cell.invoice),
    ledger: sum(of, (cell) => cell.ledger),
    estimated: sum(of, (cell) => cell.estimated),
    unpricedCalls: of.reduce((total, cell) => total + cell.unpricedCalls, 0),
    hasInvoice: of.some((cell) => cell.hasInvoice),
    hasLedger: of.some((cell) => cell.hasLedger),
  });
  const byGap = (a: { gapPicoUsd: string }, b: { gapPicoUsd: string }): number => {
    const [left, right] = [size(BigInt(a.gapPicoUsd)), size(BigInt(b.gapPicoUsd))];
    return left === right ? 0 : left > right ? -1 : 1;
  };
  const lines = all.map((cell) => ({ day: cell.day, model: cell.model, ...toLine(cell) })).sort(byGap);
  const models = [...Map.groupBy(all, ({ model }) => model)].map(([model, own]) => ({ model, ...toLine(whole(own)) })).sort(byGap);
  const days = [...Map.groupBy(all, ({ day }) => day)].sort(([a], [b]) => (a < b ? -1 : 1));
  const { invoice: charged, ledger: known } = whole(all);
  return {
    total: amounts(charged, known),
    byReason: GAP_REASONS.flatMap((reason) => {
      const own = lines.filter((line) => line.reason === reason);
      return own.length === 0
        ? []
        : [{ reason, gapPicoUsd: own.reduce((total, line) => total + BigInt(line.gapPicoUsd), 0n).toString(), lines: own.length }];
    }),
    models,
    days: days.map(([day, own]) => ({ day, ...amounts(whole(own).invoice, whole(own).ledger) })),
    lines: lines.slice(0, MAX_LINES),
    lineCount: lines.length,
  };
}
