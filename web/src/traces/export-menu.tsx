import type { ReactNode } from 'react';
import { type Range, resolveRange } from '../range/range.ts';
import { Icon } from '../shell/icons.tsx';
import { Popover } from '../ui/popover.tsx';
import { exportHref } from './export-href.ts';
import type { Filters } from './filters.ts';

const FORMATS = [
  ['jsonl', 'JSON Lines', 'A line a span, with its texts'],
  ['parquet', 'Parquet', 'The same as columns, for DuckDB, pandas, Spark'],
  ['otlp', 'OTLP', 'For OpenTelemetry collectors, or another Plimsoll'],
] as const;

/** Exports all traces that the page's range and filters name, not only those that are loaded. */
export function ExportMenu({ range, filters }: { range: Range; filters: Filters }): ReactNode {
  return (
    <Popover
      align="end"
      label={
        <>
          Export
          <Icon name="chevron" className="size-3 rotate-90" />
        </>
      }
    >
      {(close) => (
        <div className="w-72 max-w-full">
          <h2 className="label">Export what is listed</h2>
          <ul className="-mx-1 mt-1.5">
            {FORMATS.map(([format, name, what]) => (
              <li key={format}>
                <a
                  className="block rounded-md px-2 py-1.5 hover:bg-accent-soft focus-visible:bg-accent-soft"
                  href={exportHref(format, resolveRange(range, Date.now()), filters)}
                  download
                  onClick={close}
                >
                  <span className="font-semibold">{name}</span>
                  <span className="block text-xs text-ink-2">{what}</span>
                </a>
              </li>
            ))}
          </ul>
          <p className="mt-1.5 text-xs text-ink-3">Texts that a policy or retention keeps out are not in it.</p>
        </div>
      )}
    </Popover>
  );
}
