import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { eventsQuery } from '../api/queries.ts';
import type { EventView } from '../api/schema.ts';
import { Prose } from '../ui/prose.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type State, StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';

const NAMES = ['limit.budget_reached', 'limit.exceeded', 'agent.loop_stopped'];
const WORDS: Readonly<Record<string, string>> = {
  'limit.budget_reached': 'budget',
  'limit.exceeded': 'exceeded',
  'agent.loop_stopped': 'loop stopped',
};
const STATES: Readonly<Record<EventView['severity'], State>> = { info: 'neutral', warning: 'warning', critical: 'critical' };

const COLUMNS: readonly Column<EventView>[] = [
  { key: 'at', header: 'When', cell: (event) => <TimeText at={event.at} /> },
  { key: 'what', header: 'What', cell: (event) => <StateMark state={STATES[event.severity]} word={WORDS[event.name] ?? event.name} /> },
  { key: 'subject', header: 'Whose', cell: (event) => <span className="font-medium whitespace-nowrap">{event.subject}</span> },
  {
    key: 'message',
    header: 'In words',
    cell: (event) => (
      <span className="block min-w-72 py-1.5 text-ink-2">
        <Prose text={event.message} />
      </span>
    ),
  },
];

/** What happened under limits, newest first: shares of budgets reached, limits that only alert exceeded, agent runs stopped. */
export function LimitEvents({ refetchInterval }: { refetchInterval: number | false }): ReactNode {
  const events = useInfiniteQuery({ ...eventsQuery(NAMES), refetchInterval });
  return (
    <QueryState query={events} skeleton={<SkeletonRows count={8} height={36} />}>
      {(data) => (
        <>
          <Table
            caption="Events of limits"
            rows={data.pages.flatMap((page) => page.events)}
            columns={COLUMNS}
            rowKey={(event) => event.id}
            empty="Nothing has happened yet. An event is written when a share of a budget is reached, a limit that only alerts is exceeded, or an agent run is stopped."
            minWidth={720}
          />
          {events.hasNextPage && (
            <button type="button" className="button mt-3" disabled={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
              Show earlier events
            </button>
          )}
        </>
      )}
    </QueryState>
  );
}
