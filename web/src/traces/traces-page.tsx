import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import { tracesQuery } from '../api/queries.ts';
import { AddToDatasetButton } from '../datasets/add-to-dataset.tsx';
import { FirstCall } from '../overview/first-call.tsx';
import { rangeOf, resolveRange, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { ReplayButton } from '../replays/replay-button.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { ViewsMenu } from '../views/views-menu.tsx';
import { CompareBar, togglePicked } from './compare-bar.tsx';
import { ExportMenu } from './export-menu.tsx';
import { FilterBar } from './filter-bar.tsx';
import { activeFilters, filtersOf, parseSearch, parseTracesSearch, stringifySearch, type TracesSearch } from './filters.ts';
import { TraceList } from './trace-list.tsx';
import { useLiveTail } from './use-live-tail.ts';

const route = getRouteApi('/shell/traces');

/** Traces that one click makes cases of: as many as a person looks at. */
const CASES_AT_ONCE = 20;

export function TracesPage(): ReactNode {
  const search = useParsedSearch(route.useSearch(), parseTracesSearch);
  const navigate = route.useNavigate();
  const range = useMemo(() => rangeOf(search), [search]);
  const filters = useMemo(() => filtersOf(search), [search]);
  const [picked, setPicked] = useState<readonly string[]>([]);
  const pick = useCallback((traceId: string): void => setPicked((current) => togglePicked(current, traceId)), []);
  const [isLiveWanted, setIsLiveWanted] = useState(true);
  const isLive = isLiveWanted && range.kind === 'preset';
  const setSearch = useCallback((next: TracesSearch): void => void navigate({ search: next, replace: true }), [navigate]);

  const traces = useInfiniteQuery(tracesQuery(range, filters));
  const base = useMemo(() => traces.data?.pages.flatMap((page) => page.traces) ?? [], [traces.data]);
  const { refetch, fetchNextPage } = traces;
  const tail = useLiveTail({ base, isLive: isLive && traces.isSuccess, range, filters, onGap: () => void refetch() });
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);

  return (
    <div className="flex h-[calc(100dvh-3rem-3.25rem-1.5rem)] min-h-96 flex-col md:h-[calc(100dvh-2rem)]">
      <PageHeader title="Traces">
        <Link to="/replays" className="link text-sm">
          Replays
        </Link>
        <AddToDatasetButton
          origin={() => ({ ...resolveRange(range, Date.now()), ...filters, limit: CASES_AT_ONCE })}
          what={`the newest ${CASES_AT_ONCE} of these traces`}
        />
        <ReplayButton source={{ filter: { ...resolveRange(range, Date.now()), ...filters } }} what="these calls" />
        <button
          type="button"
          className="button"
          aria-pressed={isLive}
          disabled={range.kind === 'custom'}
          data-tip={range.kind === 'custom' ? 'A custom range does not move.' : 'New traces enter at the top, once a second.'}
          onClick={() => setIsLiveWanted(!isLiveWanted)}
        >
          <LiveShape isLive={isLive} />
          {isLive ? 'Live' : 'Paused'}
        </button>
        <ExportMenu range={range} filters={filters} />
        <ViewsMenu
          page="traces"
          query={stringifySearch({ ...search })}
          onOpen={(query) => void navigate({ search: parseTracesSearch(parseSearch(query)) })}
        />
        <RangePicker range={range} onChange={(next) => setSearch({ ...filters, ...searchOf(next) })} />
      </PageHeader>
      <FilterBar search={search} onChange={setSearch} />
      <QueryState query={traces} skeleton={<SkeletonRows count={18} />}>
        {() =>
          tail.rows.length > 0 ? (
            <TraceList
              rows={tail.rows}
              addedIds={tail.addedIds}
              picked={picked}
              onPick={pick}
              hasMore={traces.hasNextPage}
              isLoadingMore={traces.isFetchingNextPage}
              loadMore={loadMore}
            />
          ) : activeFilters(search).length > 0 ? (
            <NoMatch onClear={() => setSearch(searchOf(range))} />
          ) : (
            <FirstCall />
          )
        }
      </QueryState>
      <CompareBar picked={picked} onClear={() => setPicked([])} />
    </div>
  );
}

function LiveShape({ isLive }: { isLive: boolean }): ReactNode {
  return (
    <svg viewBox="0 0 10 10" className={`size-2.5 ${isLive ? 'text-ok' : 'text-ink-3'}`} fill="currentColor" aria-hidden="true">
      {isLive ? <circle cx="5" cy="5" r="3.6" /> : <path d="M2 1.5h2v7H2ZM6 1.5h2v7H6Z" />}
    </svg>
  );
}

function NoMatch({ onClear }: { onClear: () => void }): ReactNode {
  return (
    <section className="panel flex flex-col items-start gap-2 p-6">
      <h2 className="text-base font-semibold">No trace matches</h2>
      <p className="text-ink-2">Widen the time range, or remove a filter.</p>
      <button type="button" className="button mt-1" onClick={onClear}>
        Clear all filters
      </button>
    </section>
  );
}
