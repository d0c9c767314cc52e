// biome-ignore-all lint/a11y/useSemanticElements: rows of a virtual table stand at absolute places, which table elements cannot
// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
// biome-ignore-all lint/a11y/useFocusableInteractive: cells of a grid that is only read
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useMemo, useRef } from 'react';
import type { SqlResult } from '../api/schema.ts';
import { formatDuration, formatInteger } from '../format/number.ts';
import { cellText, isNumberType, toCsv, toJson } from './sql-text.ts';
import type { SqlRun } from './use-sql-run.ts';

const ROW_HEIGHT = 28;
const MAX_HEIGHT = 560;
const CHARACTER_PX = 7.4;
const CELL_CHARACTERS = 400;
/** Rows whose texts tell how wide a column should be. */
const MEASURED_ROWS = 60;

export function ResultView({ run }: { run: SqlRun }): ReactNode {
  const { result, isRunning } = run;
  if (result === null) return null;
  return (
    <section
      className={`panel flex min-w-0 flex-col overflow-hidden ${isRunning ? 'opacity-60' : ''}`}
      aria-label="Result"
      aria-busy={isRunning}
    >
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b px-3 py-2">
        <span className="font-medium">
          {formatInteger(result.rows.length)} {result.rows.length === 1 ? 'row' : 'rows'}
        </span>
        <span className="tabular text-ink-2">
          {formatDuration(result.elapsedMs)} · {formatInteger(result.rowsRead)} rows, {bytesText(result.bytesRead)} read
        </span>
        <span className="ml-auto flex gap-2">
          <button type="button" className="button button-small" onClick={() => download(toCsv(result), 'text/csv', 'csv')}>
            CSV
          </button>
          <button type="button" className="button button-small" onClick={() => download(toJson(result), 'application/json', 'json')}>
            JSON
          </button>
        </span>
      </div>
      {result.isCut && (
        <p className="border-b bg-warning-soft px-3 py-1.5">
          There are more rows; only the first {formatInteger(result.rows.length)} are here, and in a download. Narrow the statement, or page
          with LIMIT and OFFSET.
        </p>
      )}
      {result.rows.length === 0 ? <p className="px-3 py-6 text-center text-ink-3">No rows.</p> : <ResultTable result={result} />}
    </section>
  );
}

function bytesText(bytes: number): string {
  return bytes < 1e6 ? `${formatInteger(Math.ceil(bytes / 1e3))} KB` : `${formatInteger(Math.round(bytes / 1e6))} MB`;
}

/** Only the rows in view exist. */
function ResultTable({ result: { columns, rows } }: { result: SqlResult }): ReactNode {
  const scrollRef = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  const isNumeric = columns.map(({ type }) => isNumberType(type));
  const template = useMemo(
    () =>
      widths({ columns, rows })
        .map((width) => `${width}px`)
        .join(' '),
    [columns, rows],
  );
  const grid = { gridTemplateColumns: template };
  return (
    <div
      ref={scrollRef}
      className="overflow-auto"
      style={{ maxHeight: MAX_HEIGHT }}
      tabIndex={0}
      role="table"
      aria-label="Rows"
      aria-rowcount={rows.length + 1}
    >
      <div role="row" aria-rowindex={1} className="sticky top-0 z-1 grid min-w-fit border-b bg-surface text-xs text-ink-3" style={grid}>
        {columns.map(({ name, type }, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two columns may have one name
          <span key={place} role="columnheader" className={`truncate px-3 py-1.5 ${isNumeric[place] ? 'text-right' : ''}`} title={type}>
            {name}
          </span>
        ))}
      </div>
      <div role="rowgroup" className="relative min-w-fit" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => (
          <div
            key={item.key}
            role="row"
            aria-rowindex={item.index + 2}
            className="absolute top-0 left-0 grid w-full border-b hover:bg-hover"
            style={{ ...grid, height: ROW_HEIGHT, transform: `translateY(${item.start}px)` }}
          >
            {(rows[item.index] ?? []).map((value, place) => {
              const text = cellText(value).slice(0, CELL_CHARACTERS);
              return (
                <span
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells have no identity but their column
                  key={place}
                  role="cell"
                  className={`truncate px-3 py-1 ${isNumeric[place] ? 'tabular text-right' : ''} ${value === null ? 'text-ink-3 italic' : ''}`}
                  title={text}
                >
                  <bdi>{text}</bdi>
                </span>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

function widths({ columns, rows }: Pick<SqlResult, 'columns' | 'rows'>): readonly number[] {
  return columns.map(({ name }, place) => {
    let characters = name.length;
    for (const row of rows.slice(0, MEASURED_ROWS)) characters = Math.max(characters, cellText(row[place]).length);
    return Math.round(Math.min(420, Math.max(64, characters * CHARACTER_PX + 26)));
  });
}

function download(text: string, type: string, extension: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `plimsoll-sql-${new Date().toISOString().replace(/[:.]/g, '-')}.${extension}`;
  link.click();
  URL.revokeObjectURL(url);
}
