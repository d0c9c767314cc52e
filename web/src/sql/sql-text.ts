import type { SqlResult } from '../api/schema.ts';

/** A cell as text: NULL for what is not there, JSON for lists and maps. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function isNumberType(type: string): boolean {
  return /^(?:Nullable\(|LowCardinality\(|SimpleAggregateFunction\(\w+, )*(?:U?Int|Float|Decimal)/.test(type);
}

/** A text that a spreadsheet would take for a formula gets a quote before it: the texts are of others. */
function csvCell(value: unknown): string {
  const text = value === null || value === undefined ? '' : cellText(value);
  const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** CSV (RFC 4180) with a head line. */
export function toCsv({ columns, rows }: Pick<SqlResult, 'columns' | 'rows'>): string {
  return [columns.map(({ name }) => name), ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** A JSON list with an object a row, names in the order of the columns; of two columns with one name the second gets a number. */
export function toJson({ columns, rows }: Pick<SqlResult, 'columns' | 'rows'>): string {
  const used = new Map<string, number>();
  const names = columns.map(({ name }) => {
    const before = used.get(name) ?? 0;
    used.set(name, before + 1);
    return before === 0 ? name : `${name} ${before + 1}`;
  });
  const lines = rows.map(
    (row) => `  {${names.map((name, place) => `${JSON.stringify(name)}: ${JSON.stringify(row[place] ?? null)}`).join(', ')}}`,
  );
  return `[\n${lines.join(',\n')}\n]\n`;
}

/** `Line 2, column 5: …` of an error, as an offset into the statement; null when it names no place. */
export function offsetOfError(message: string, query: string): number | null {
  const found = /^Line (\d+), column (\d+):/.exec(message);
  if (!found) return null;
  const lines = query.split('\n');
  const line = Number(found[1]) - 1;
  if (line >= lines.length) return null;
  const before = lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0);
  return Math.min(query.length, before + Number(found[2]) - 1);
}

const KEPT = 50;

/** Queries that were run in this browser, the newest first, each once. */
export function withQuery(history: readonly string[], query: string): readonly string[] {
  const text = query.trim();
  return text === '' ? history : [text, ...history.filter((each) => each !== text)].slice(0, KEPT);
}

/** What a browser has kept; anything else is no history. */
export function readHistory(text: string | null): readonly string[] {
  try {
    const kept: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(kept) ? kept.filter((each) => typeof each === 'string').slice(0, KEPT) : [];
  } catch {
    return [];
  }
}
