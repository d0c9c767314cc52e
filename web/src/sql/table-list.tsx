import type { ReactNode } from 'react';
import type { SqlTable } from '../api/schema.ts';
import { formatInteger } from '../format/number.ts';

interface TableListProps {
  readonly tables: readonly SqlTable[];
  readonly onUse: (query: string) => void;
}

/** What may be read, and what its columns mean. */
export function TableList({ tables, onUse }: TableListProps): ReactNode {
  return (
    <section className="panel min-w-0 overflow-hidden" aria-label="Tables">
      <h2 className="border-b px-3 py-2 font-semibold">Tables</h2>
      {tables.map((table) => (
        <details key={table.name} className="border-b last:border-b-0">
          <summary className="px-3 py-1.5 hover:bg-hover">
            <code className="font-mono font-semibold">{table.name}</code>
            <span className="ml-2 text-xs text-ink-3">{formatInteger(table.columns.length)} columns</span>
          </summary>
          <div className="px-3 pb-2">
            <p className="mb-1.5 text-ink-2">{table.description}.</p>
            <button type="button" className="button button-small mb-2" onClick={() => onUse(table.example)}>
              Use an example
            </button>
            <dl className="max-h-96 overflow-y-auto text-xs">
              {table.columns.map((column) => (
                <div key={column.name} className="border-t py-1">
                  <dt>
                    <code className="font-mono">{column.name}</code>{' '}
                    <span className="[overflow-wrap:anywhere] text-ink-3">{column.type}</span>
                  </dt>
                  <dd className="text-ink-2">{column.description}</dd>
                </div>
              ))}
            </dl>
          </div>
        </details>
      ))}
    </section>
  );
}
