import type { ReactNode } from 'react';

export interface Column<Row> {
  readonly key: string;
  readonly header: ReactNode;
  readonly cell: (row: Row) => ReactNode;
  readonly isNumeric?: boolean;
  readonly className?: string;
  readonly tip?: string;
}

interface TableProps<Row> {
  readonly caption: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  readonly empty: ReactNode;
  readonly minWidth?: number;
}

/** A table with aligned numbers that scrolls inside itself when it is wider than its place. The first cell of a row may hold a `stretched` link. */
export function Table<Row>({ caption, rows, columns, rowKey, empty, minWidth = 0 }: TableProps<Row>): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className="panel scroll-x" tabIndex={0} aria-label={caption}>
      <table className="w-full" style={{ minWidth }}>
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={`h-8 border-b px-3 text-xs whitespace-nowrap text-ink-3 ${column.isNumeric ? 'text-right' : 'text-left'} ${column.className ?? ''}`}
                data-tip={column.tip}
              >
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} className="group relative hover:bg-hover">
              {columns.map((column) => (
                <td
                  key={column.key}
                  className={`h-[35px] border-b px-3 group-last:border-b-0 ${column.isNumeric ? 'tabular text-right whitespace-nowrap' : 'text-left'} ${column.className ?? ''}`}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <div className="px-3 py-6 text-center text-ink-3">{empty}</div>}
    </section>
  );
}
