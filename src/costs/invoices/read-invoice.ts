import { PlimsollError } from '../../kernel/errors.ts';
import { nearest } from '../../kernel/suggest.ts';
import { parseCsv } from './parse-csv.ts';

export const INVOICE_FORMATS = ['openai', 'anthropic', 'generic'] as const;
export type InvoiceFormat = (typeof INVOICE_FORMATS)[number];

/** What a provider charged for a model on a day, UTC. */
export interface InvoiceLine {
  /** `2026-10-31`. */
  readonly day: string;
  /** As the provider writes it, without what it says of token kinds. */
  readonly model: string;
  readonly picoUsd: bigint;
}

export interface Invoice {
  readonly format: InvoiceFormat;
  /** By day and model, summed up. */
  readonly lines: readonly InvoiceLine[];
  /** Rows whose amount was finer than a pico-dollar and was rounded to it. */
  readonly roundedRows: number;
}

const MAX_MODEL_LENGTH = 256;

/** Columns by what they hold: names that exports have had, in small letters. */
interface Shape {
  readonly format: InvoiceFormat;
  readonly day: readonly string[];
  readonly model: readonly string[];
  readonly amount: readonly string[];
  readonly currency: readonly string[];
  /** Must be there for the shape to be this one. */
  readonly mark: readonly string[];
}

const SHAPES: readonly Shape[] = [
  {
    format: 'openai',
    mark: ['amount_value'],
    day: ['start_time_iso', 'start_time', 'date'],
    model: ['line_item', 'model'],
    amount: ['amount_value'],
    currency: ['amount_currency', 'currency'],
  },
  {
    format: 'anthropic',
    mark: ['usage_date_utc'],
    day: ['usage_date_utc'],
    model: ['model', 'model_version'],
    amount: ['cost_usd', 'simulated_cost_usd'],
    currency: ['currency'],
  },
  {
    format: 'generic',
    mark: [],
    day: ['day', 'date', 'usage_date', 'chargeperiodstart'],
    model: ['model', 'sku', 'skuid', 'line_item'],
    amount: ['cost_usd', 'amount_usd', 'cost', 'amount', 'billedcost'],
    currency: ['currency', 'billingcurrency'],
  },
];

/**
 * Exact pico-dollars of a decimal text, an exponent included; what is finer is rounded, halves away from zero.
 * @returns null for what is no number
 */
export function picoOfAmount(text: string): { readonly pico: bigint; readonly isRounded: boolean } | null {
  const match = /^([+-]?)\$?(\d{1,15}(?:,\d{3})*)?(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(text.trim());
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return null;
  const digits = BigInt(`${whole.replaceAll(',', '')}${fraction}` || '0');
  const shift = 12 - fraction.length + Number(exponent);
  if (shift >= 0) {
    const pico = digits * 10n ** BigInt(shift);
    return { pico: sign === '-' ? -pico : pico, isRounded: false };
  }
  const divisor = 10n ** BigInt(-shift);
  const pico = (2n * digits + divisor) / (2n * divisor);
  return { pico: sign === '-' ? -pico : pico, isRounded: digits % divisor !== 0n };
}

/** Day of a date, a timestamp or epoch seconds; UTC. */
function dayOf(text: string): string | null {
  const trimmed = text.trim();
  if (/^\d{9,11}(\.\d+)?$/.test(trimmed)) return new Date(Number(trimmed) * 1000).toISOString().slice(0, 10);
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$/.exec(trimmed);
  const day = match?.[1] ?? null;
  return day !== null && !Number.isNaN(Date.parse(`${day}T00:00:00Z`)) ? day : null;
}

/** `gpt-5-mini-2026-01-01, cached input` → `gpt-5-mini-2026-01-01`. */
function modelOf(text: string): string {
  return (text.split(',')[0] ?? '').trim().toLowerCase();
}

/** A model without the date of its version: `gpt-5-mini-2026-01-01`, `claude-x-20260101` and `-latest` are one. */
export function modelFamily(model: string): string {
  return model.toLowerCase().replace(/[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$/, '');
}

/**
 * Reads a provider's export of costs.
 * @param format null = told by its columns
 * @throws PlimsollError `invalid_argument` naming the row and column that cannot be read; nothing is skipped
 */
export function readInvoice(csv: string, format: InvoiceFormat | null): Invoice {
  const fail = (message: string): PlimsollError => new PlimsollError('invalid_argument', message, { details: { param: 'csv' } });
  // What a decoder put where the bytes were not UTF-8, and what is in no text.
  if (/[\0\uFFFD]/.test(csv)) throw fail('The file is not UTF-8 text: save it as "CSV UTF-8", and not as a workbook.');
  const [head = [], ...rows] = parseCsv(csv);
  const names = head.map((name) => name.trim().toLowerCase());
  const shape =
    format === null
      ? SHAPES.find(({ mark }) => mark.every((name) => names.includes(name)))
      : SHAPES.find((candidate) => candidate.format === format);
  if (head.length === 1 && /[;\t]/.test(head[0] ?? ''))
    throw fail('The columns must be separated by commas, with a point in amounts: save it as CSV (UTF-8, English).');
  if (shape === undefined || rows.length === 0) throw fail('The CSV has no rows under its header.');
  const column = (wanted: readonly string[]): number => names.findIndex((name) => wanted.includes(name));
  const [day, model, amount, currency] = [column(shape.day), column(shape.model), column(shape.amount), column(shape.currency)];
  for (const [place, wanted] of [
    [day, shape.day],
    [model, shape.model],
    [amount, shape.amount],
  ] as const)
    if (place < 0) {
      const close = nearest(wanted[0] ?? '', names);
      throw fail(
        `No column is named ${wanted.join(' or ')}${close === null ? '' : ` (there is "${close}")`}; the columns are ${names.slice(0, 30).join(', ').slice(0, 500)}.`,
      );
    }
  const sums = new Map<string, { day: string; model: string; pico: bigint }>();
  let roundedRows = 0;
  rows.forEach((row, index) => {
    const at = `Row ${index + 2}`;
    const money = row[currency]?.trim().toUpperCase();
    if (currency >= 0 && money !== undefined && money !== '' && money !== 'USD')
      throw fail(`${at}: "${money}" is not USD; amounts in other currencies are not converted.`);
    const date = dayOf(row[day] ?? '');
    if (date === null) throw fail(`${at}: "${(row[day] ?? '').slice(0, 80)}" is not a day.`);
    const value = picoOfAmount(row[amount] ?? '');
    if (value === null) throw fail(`${at}: "${(row[amount] ?? '').slice(0, 80)}" is not an amount.`);
    if (value.isRounded) roundedRows++;
    const name = modelOf(row[model] ?? '') || '(no model)';
    if (name.length > MAX_MODEL_LENGTH)
      throw fail(`${at}: the model has ${name.length} characters, at most ${MAX_MODEL_LENGTH} are taken.`);
    const key = `${date} ${name}`;
    const known = sums.get(key);
    sums.set(key, { day: date, model: name, pico: (known?.pico ?? 0n) + value.pico });
  });
  const lines = [...sums.values()].map((line): InvoiceLine => ({ day: line.day, model: line.model, picoUsd: line.pico }));
  return { format: shape.format, lines: lines.sort((a, b) => (`${a.day} ${a.model}` < `${b.day} ${b.model}` ? -1 : 1)), roundedRows };
}
