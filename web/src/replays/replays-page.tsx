import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { replaysQuery } from '../api/queries.ts';
import type { ReplayRun } from '../api/schema.ts';
import { formatUsdNumber } from '../format/money.ts';
import { formatCount } from '../format/number.ts';
import { formatAgo } from '../format/time.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { modelText, REPLAY_STATES, sourceText } from './replay-text.ts';

export function ReplaysPage(): ReactNode {
  const replays = useInfiniteQuery(replaysQuery);
  return (
    <>
      <PageHeader title="Replays">
        <Link to="/traces" className="button">
          Choose calls in Traces
        </Link>
      </PageHeader>
      <p className="mb-3 max-w-prose text-ink-2">
        Recorded calls made again: byte for byte, or at another model, under a cost ceiling, each beside the recorded answer. Replays count
        as no request of a feature; its budgets hold for them.
      </p>
      <QueryState query={replays} skeleton={<SkeletonRows count={6} height={36} />}>
        {(data) => (
          <>
            <Table
              caption="Replays, newest first"
              rows={data.pages.flatMap((page) => page.replays)}
              columns={columnsOf(Date.now())}
              rowKey={(run) => run.id}
              empty="Nothing was replayed yet. Open a trace, or filter Traces, and choose Replay."
              minWidth={760}
            />
            {replays.hasNextPage && (
              <button
                type="button"
                className="button mt-3"
                disabled={replays.isFetchingNextPage}
                onClick={() => void replays.fetchNextPage()}
              >
                Show more replays
              </button>
            )}
          </>
        )}
      </QueryState>
    </>
  );
}

function columnsOf(nowMs: number): Column<ReplayRun>[] {
  return [
    {
      key: 'calls',
      header: 'Calls',
      cell: (run) => (
        <Link to="/replays/$id" params={{ id: run.id }} className="stretched block max-w-80 truncate font-medium">
          {sourceText(run.request)}
        </Link>
      ),
    },
    { key: 'model', header: 'Asked', cell: (run) => <span className="whitespace-nowrap">{modelText(run.request)}</span> },
    { key: 'state', header: 'State', cell: (run) => <StateMark {...REPLAY_STATES[run.state]} /> },
    { key: 'selected', header: 'Chosen', isNumeric: true, cell: (run) => formatCount(run.selected) },
    { key: 'ceiling', header: 'Ceiling', isNumeric: true, cell: (run) => formatUsdNumber(run.request.maxCostUsd) },
    { key: 'when', header: 'Asked for', cell: (run) => <TimeText at={run.requestedAtMs} format={(ms) => formatAgo(ms, nowMs)} /> },
  ];
}
