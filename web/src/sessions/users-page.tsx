import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { usersQuery } from '../api/queries.ts';
import type { UserSummary } from '../api/schema.ts';
import { formatInteger } from '../format/number.ts';
import { rangeOf, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { parseSearch, stringifySearch } from '../traces/filters.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { ViewsMenu } from '../views/views-menu.tsx';
import { SessionsBar } from './sessions-bar.tsx';
import { withoutRange } from './sessions-page.tsx';
import { parseSessionsSearch, type SessionsSearch } from './sessions-search.ts';
import { usageColumns } from './usage-columns.tsx';

const route = getRouteApi('/shell/users');

const COLUMNS: Column<UserSummary>[] = [
  {
    key: 'user',
    header: 'User',
    className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
    cell: ({ user }) => (
      <Link to="/users/$user" params={{ user }} className="stretched link block max-w-64 truncate font-medium" data-row>
        <bdi>{user}</bdi>
      </Link>
    ),
  },
  { key: 'sessions', header: 'Sessions', isNumeric: true, cell: ({ sessionCount }) => formatInteger(sessionCount) },
  ...usageColumns<UserSummary>(),
];

export function UsersPage(): ReactNode {
  const search = useParsedSearch(route.useSearch(), parseSessionsSearch);
  const navigate = route.useNavigate();
  const range = useMemo(() => rangeOf(search), [search]);
  const setSearch = (next: SessionsSearch): void => void navigate({ search: next, replace: true });
  const users = useInfiniteQuery(usersQuery(range, search));
  return (
    <>
      <PageHeader title="Users">
        <ViewsMenu
          page="users"
          query={stringifySearch({ ...search })}
          onOpen={(query) => void navigate({ search: parseSessionsSearch(parseSearch(query)) })}
        />
        <RangePicker range={range} onChange={(next) => setSearch({ ...withoutRange(search), ...searchOf(next) })} />
      </PageHeader>
      <SessionsBar label="User contains" search={search} onChange={setSearch} />
      <QueryState query={users} skeleton={<SkeletonRows count={12} height={35} />}>
        {(data) => (
          <>
            <Table
              caption="Users"
              rows={data.pages.flatMap((page) => page.users)}
              columns={COLUMNS}
              rowKey={({ user }) => user}
              empty="No user in this range. Requests belong to one when they carry the header x-plimsoll-user or the field user, or a span user.id."
              minWidth={980}
            />
            {users.hasNextPage && (
              <button type="button" className="button mt-3" disabled={users.isFetchingNextPage} onClick={() => void users.fetchNextPage()}>
                Show more users
              </button>
            )}
            <p className="mt-3 text-xs text-ink-3">Counted over whole days (UTC) that the range touches.</p>
          </>
        )}
      </QueryState>
    </>
  );
}
