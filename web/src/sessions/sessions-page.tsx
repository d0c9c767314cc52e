import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { sessionsQuery } from '../api/queries.ts';
import type { SessionSummary } from '../api/schema.ts';
import { formatDuration, UNKNOWN } from '../format/number.ts';
import { rangeOf, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { parseSearch, stringifySearch } from '../traces/filters.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { ViewsMenu } from '../views/views-menu.tsx';
import { SessionsBar } from './sessions-bar.tsx';
import { parseSessionsSearch, type SessionsSearch } from './sessions-search.ts';
import { usageColumns } from './usage-columns.tsx';

const route = getRouteApi('/shell/sessions');

const COLUMNS: Column<SessionSummary>[] = [
  {
    key: 'session',
    header: 'Session',
    className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
    cell: ({ session }) => (
      <Link to="/sessions/$session" params={{ session }} className="stretched link block max-w-64 truncate font-medium" data-row>
        <bdi>{session}</bdi>
      </Link>
    ),
  },
  {
    key: 'users',
    header: 'User',
    cell: ({ users, userCount }) => (
      <span className="block max-w-44 truncate text-ink-2" data-tip={userCount > 1 ? users.join(', ') : undefined}>
        <bdi>{users[0] ?? UNKNOWN}</bdi>
        {userCount > 1 && <span className="text-ink-3"> and {userCount - 1} more</span>}
      </span>
    ),
  },
  ...usageColumns<SessionSummary>(),
  { key: 'duration', header: 'From first to last', isNumeric: true, cell: ({ firstAt, lastAt }) => formatDuration(lastAt - firstAt) },
];

export function SessionsPage(): ReactNode {
  const search = useParsedSearch(route.useSearch(), parseSessionsSearch);
  const navigate = route.useNavigate();
  const range = useMemo(() => rangeOf(search), [search]);
  const setSearch = (next: SessionsSearch): void => void navigate({ search: next, replace: true });
  const sessions = useInfiniteQuery(sessionsQuery(range, search));
  return (
    <>
      <PageHeader title="Sessions">
        <ViewsMenu
          page="sessions"
          query={stringifySearch({ ...search })}
          onOpen={(query) => void navigate({ search: parseSessionsSearch(parseSearch(query)) })}
        />
        <RangePicker range={range} onChange={(next) => setSearch({ ...withoutRange(search), ...searchOf(next) })} />
      </PageHeader>
      <SessionsBar label="Session contains" search={search} onChange={setSearch} />
      <QueryState query={sessions} skeleton={<SkeletonRows count={12} height={35} />}>
        {(data) => (
          <>
            <Table
              caption="Sessions"
              rows={data.pages.flatMap((page) => page.sessions)}
              columns={COLUMNS}
              rowKey={({ session }) => session}
              empty="No session in this range. Requests belong to one when they carry the header x-plimsoll-session, or a span gen_ai.conversation.id."
              minWidth={1080}
            />
            {sessions.hasNextPage && (
              <button
                type="button"
                className="button mt-3"
                disabled={sessions.isFetchingNextPage}
                onClick={() => void sessions.fetchNextPage()}
              >
                Show more sessions
              </button>
            )}
            <p className="mt-3 text-xs text-ink-3">Counted over whole days (UTC) that the range touches.</p>
          </>
        )}
      </QueryState>
    </>
  );
}

export function withoutRange({ feature, user, q, sort }: SessionsSearch): SessionsSearch {
  return {
    ...(feature === undefined ? {} : { feature }),
    ...(user === undefined ? {} : { user }),
    ...(q === undefined ? {} : { q }),
    ...(sort === undefined ? {} : { sort }),
  };
}
