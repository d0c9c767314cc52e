import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { limitsQuery } from '../api/queries.ts';
import type { LimitList } from '../api/schema.ts';
import { formatInteger } from '../format/number.ts';
import type { Range } from '../range/range.ts';
import { RefreshPicker, useRefreshMs } from '../range/refresh-picker.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { Choice } from '../ui/choice.tsx';
import { GatewaysNote, gatewaysText } from '../ui/gateways-note.tsx';
import { useIsPhone } from '../ui/media-query.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { LimitEvents } from './limit-events.tsx';
import { LimitCards, LimitTable } from './limit-list.tsx';
import { type LimitsSearch, PAGE_LINES, parseLimitsSearch, SCOPES } from './limits-search.ts';

const route = getRouteApi('/shell/limits');
/** What is used now has no range; it is read again as often as the reader wants. */
const NOW: Range = { kind: 'preset', preset: '15m' };

export function LimitsPage(): ReactNode {
  const search = useParsedSearch(route.useSearch(), parseLimitsSearch);
  const navigate = route.useNavigate();
  const lines = search.lines ?? PAGE_LINES;
  const refetchInterval = useRefreshMs(NOW);
  const filters = { ...(search.scope ? { scope: search.scope } : {}), ...(search.q ? { q: search.q } : {}) };
  const limits = useQuery({ ...limitsQuery(filters, lines), refetchInterval });
  const change = (next: Record<string, unknown>): void =>
    void navigate({ search: parseLimitsSearch({ ...search, lines: undefined, ...next }) });
  return (
    <>
      <PageHeader title="Limits">
        <RefreshPicker range={NOW} updatedAt={limits.dataUpdatedAt} />
      </PageHeader>
      <Views search={search} />
      {search.view === 'events' ? (
        <LimitEvents refetchInterval={refetchInterval} />
      ) : (
        <>
          <div className="mb-2 flex flex-wrap items-center gap-2">
            <SearchField label="Name, feature or owner" value={search.q ?? ''} onSubmit={(q) => change({ q })} />
            <Choice
              label="Scope"
              value={search.scope}
              options={SCOPES.map((scope) => [scope, scope])}
              onChange={(scope) => change({ scope })}
            />
          </div>
          <QueryState query={limits} skeleton={<SkeletonRows count={8} height={36} />}>
            {(list) => <Limits list={list} search={search} showMore={() => change({ lines: lines + PAGE_LINES })} />}
          </QueryState>
        </>
      )}
    </>
  );
}

/** Two views of one thing; which one is in the address. */
function Views({ search }: { search: LimitsSearch }): ReactNode {
  const { view: _view, ...rest } = search;
  const views = [
    ['Use', rest, search.view === undefined],
    ['Events', { ...rest, view: 'events' as const }, search.view === 'events'],
  ] as const;
  return (
    <nav aria-label="Views" className="mb-3 flex gap-4 border-b">
      {views.map(([name, target, isCurrent]) => (
        <Link
          key={name}
          to="/limits"
          search={target}
          aria-current={isCurrent ? 'page' : undefined}
          className={`-mb-px border-b-2 pb-1.5 ${isCurrent ? 'border-accent font-semibold' : 'border-transparent text-ink-2 hover:text-ink'}`}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}

interface LimitsProps {
  readonly list: LimitList;
  readonly search: LimitsSearch;
  readonly showMore: () => void;
}

function Limits({ list, search, showMore }: LimitsProps): ReactNode {
  const isPhone = useIsPhone();
  if (list.configured === 0) return <NoLimits />;
  const isFiltered = search.scope !== undefined || search.q !== undefined;
  const used = list.limits.filter(({ state }) => state === 'exceeded').length;
  return (
    <div className="flex flex-col gap-3">
      <GatewaysNote gateways={list.gateways} />
      {list.limits.length === 0 ? (
        <p className="panel px-3 py-6 text-center text-ink-3">No limit has this {search.q === undefined ? 'scope' : 'name'}.</p>
      ) : isPhone ? (
        <LimitCards limits={list.limits} />
      ) : (
        <LimitTable limits={list.limits} />
      )}
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-ink-3">
        <span>
          {list.limits.length < list.total ? `${formatInteger(list.limits.length)} of ` : ''}
          {formatInteger(list.total)} {list.total === 1 ? 'line' : 'lines'}
          {isFiltered ? ' with this filter' : ''} from {formatInteger(list.configured)} configured{' '}
          {list.configured === 1 ? 'limit' : 'limits'}
          {used > 0 ? `, ${formatInteger(used)} used up` : ''}; {gatewaysText(list.gateways)}, the sum of what each counted in the last two
          seconds
        </span>
        {list.limits.length < list.total && (
          <button type="button" className="button button-small" onClick={showMore}>
            Show more
          </button>
        )}
      </p>
    </div>
  );
}

function NoLimits(): ReactNode {
  const example =
    'limits:\n  - { scope: team, name: support, budgetUsd: 50, per: day }\n  - { scope: user, requestsPerMinute: 20, onExceed: queue }\n  - { scope: global, concurrency: 200 }';
  return (
    <section className="panel flex flex-col items-start gap-3 p-6">
      <h2 className="text-base font-semibold">No limit is configured</h2>
      <p className="max-w-prose text-ink-2">
        Every call is let in, and nothing stops a loop from spending. Add budgets, rates or concurrency to plimsoll.yaml; the file is loaded
        without a restart.
      </p>
      <pre className="max-w-full overflow-x-auto rounded-md border bg-sunken p-3 font-mono text-xs leading-5">{example}</pre>
    </section>
  );
}
