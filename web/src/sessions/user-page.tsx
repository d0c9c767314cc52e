import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { sessionsQuery, userQuery } from '../api/queries.ts';
import type { SessionSummary, UserDetail } from '../api/schema.ts';
import { formatUsd } from '../format/money.ts';
import { formatInteger } from '../format/number.ts';
import { formatDate } from '../format/time.ts';
import { parseRangeSearch, rangeOf, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { useTitle } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { usageColumns } from './usage-columns.tsx';
import { Total, UsageTotals } from './usage-totals.tsx';

const route = getRouteApi('/shell/users/$user');

const SESSION_COLUMNS: Column<SessionSummary>[] = [
  {
    key: 'session',
    header: 'Session',
    cell: ({ session }) => (
      <Link to="/sessions/$session" params={{ session }} className="stretched link block max-w-64 truncate font-medium" data-row>
        <bdi>{session}</bdi>
      </Link>
    ),
  },
  ...usageColumns<SessionSummary>(),
];

const DAY_COLUMNS: Column<UserDetail['days'][number]>[] = [
  { key: 'day', header: 'Day (UTC)', cell: ({ at }) => formatDate(at, 'utc') },
  { key: 'requests', header: 'Requests', isNumeric: true, cell: ({ requests }) => formatInteger(requests) },
  { key: 'errors', header: 'Errors', isNumeric: true, cell: ({ errors }) => formatInteger(errors) },
  { key: 'cost', header: 'Cost', isNumeric: true, cell: ({ costPicoUsd }) => formatUsd(costPicoUsd) },
];

export function UserPage(): ReactNode {
  const { user } = route.useParams();
  const search = useParsedSearch(route.useSearch(), parseRangeSearch);
  const navigate = route.useNavigate();
  const range = useMemo(() => rangeOf(search), [search]);
  const detail = useQuery(userQuery(range, user));
  const sessions = useInfiniteQuery(sessionsQuery(range, { user }));
  useTitle(`User ${user}`);
  return (
    <article className="flex min-w-0 flex-col gap-3">
      <header className="flex flex-wrap items-end gap-x-3 gap-y-2">
        <div className="mr-auto min-w-0">
          <nav aria-label="Breadcrumb" className="text-xs text-ink-3">
            <Link to="/users" className="hover:underline">
              Users
            </Link>{' '}
            /
          </nav>
          <h1 className="truncate text-lg font-semibold tracking-tight">
            <bdi>{user}</bdi>
          </h1>
        </div>
        <Link to="/traces" search={{ user, ...searchOf(range) }} className="button">
          Show traces
        </Link>
        <RangePicker range={range} onChange={(next) => void navigate({ search: searchOf(next), replace: true })} />
      </header>
      <QueryState query={detail} skeleton={<SkeletonRows count={3} height={56} />}>
        {(found) => (
          <>
            <UsageTotals of={found.user}>
              <Total name="Sessions">{formatInteger(found.user.sessionCount)}</Total>
            </UsageTotals>
            <h2 className="font-semibold">Days</h2>
            <Table
              caption="Days"
              rows={found.days.toReversed()}
              columns={DAY_COLUMNS}
              rowKey={({ at }) => String(at)}
              empty="No request in this range."
            />
          </>
        )}
      </QueryState>
      <h2 className="font-semibold">Sessions</h2>
      <QueryState query={sessions} skeleton={<SkeletonRows count={6} height={35} />}>
        {(data) => (
          <>
            <Table
              caption="Sessions"
              rows={data.pages.flatMap((page) => page.sessions)}
              columns={SESSION_COLUMNS}
              rowKey={({ session }) => session}
              empty="None of this user's requests in this range names a session."
              minWidth={900}
            />
            {sessions.hasNextPage && (
              <button type="button" className="button self-start" onClick={() => void sessions.fetchNextPage()}>
                Show more sessions
              </button>
            )}
          </>
        )}
      </QueryState>
    </article>
  );
}
