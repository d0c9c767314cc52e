import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { SqlConsole } from '../api/schema.ts';
import { formatInteger } from '../format/number.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { ResultView } from './result-view.tsx';
import { SqlEditor } from './sql-editor.tsx';
import { sqlConsoleQuery } from './sql-queries.ts';
import { TableList } from './table-list.tsx';
import { useSqlRun } from './use-sql-run.ts';

/** Read-only SQL over the trace store, for admins. */
export function SqlPage(): ReactNode {
  const view = useQuery(sqlConsoleQuery);
  return (
    <>
      <PageHeader title="SQL" />
      <QueryState query={view} skeleton={<SkeletonRows count={10} />}>
        {(data) => (data.isEnabled ? <Console view={data} /> : <Off reason={data.reason ?? ''} />)}
      </QueryState>
    </>
  );
}

function Off({ reason }: { reason: string }): ReactNode {
  return (
    <section className="panel flex max-w-prose flex-col gap-2 p-5">
      <h2 className="text-base font-semibold">The SQL console is off</h2>
      <p className="text-ink-2">{reason}</p>
    </section>
  );
}

function Console({ view }: { view: SqlConsole }): ReactNode {
  const run = useSqlRun(view.tables[0]?.example ?? 'SHOW TABLES');
  const { seconds, memoryBytes, rows, threads } = view.limits;
  return (
    <div className="grid min-w-0 items-start gap-3 xl:grid-cols-[minmax(0,1fr)_320px]">
      <div className="flex min-w-0 flex-col gap-3">
        <SqlEditor run={run} />
        <ResultView run={run} />
      </div>
      <aside className="flex min-w-0 flex-col gap-3">
        <TableList tables={view.tables} onUse={run.setText} />
        <p className="px-1 text-xs text-ink-3">
          One SELECT at a time, read only: at most {seconds} s, {formatInteger(memoryBytes / 1e6)} MB, {formatInteger(rows)} rows,{' '}
          {threads === 1 ? 'one thread' : `${threads} threads`}, on a connection of its own. Every run is in the event log with who asked
          and what.
        </p>
      </aside>
    </div>
  );
}
