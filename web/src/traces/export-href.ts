import type { Filters } from './filters.ts';

export type ExportFormat = 'jsonl' | 'parquet' | 'otlp';

/** Where the browser downloads an export: as a link, so that no file ever stands in the page's memory. */
export function exportHref(format: ExportFormat, period: { readonly from: number; readonly to: number }, filters: Filters): string {
  const query = new URLSearchParams({ format, from: `${period.from}`, to: `${period.to}` });
  for (const [name, value] of Object.entries(filters)) if (value !== undefined) query.set(name, String(value));
  return `/api/v1/traces/export?${query}`;
}
