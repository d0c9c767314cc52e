import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { cacheQuery } from '../api/queries.ts';
import type { CacheFeature, CacheView } from '../api/schema.ts';
import { formatCount, formatInteger, formatPercent, UNKNOWN } from '../format/number.ts';
import { parseRangeSearch, type Range, rangeOf, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { RefreshPicker, useRefreshMs } from '../range/refresh-picker.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { GatewaysNote } from '../ui/gateways-note.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { CacheTable } from './cache-table.tsx';
import { formatBytes, type PurgeForm, purgeText, savedText, totalsOf } from './cache-text.ts';
import { PurgeDialog } from './purge-dialog.tsx';
import { SemanticPanels } from './semantic-panels.tsx';

const route = getRouteApi('/shell/cache');

export function CachePage(): ReactNode {
  const search = useParsedSearch(route.useSearch(), parseRangeSearch);
  const navigate = route.useNavigate();
  const range = useMemo(() => rangeOf(search), [search]);
  const setRange = (next: Range): void => void navigate({ search: searchOf(next) });
  const refetchInterval = useRefreshMs(range);
  const cache = useQuery({ ...cacheQuery(range), refetchInterval });
  const [purging, setPurging] = useState<{ feature: string | null } | null>(null);
  const [done, setDone] = useState<{ form: PurgeForm; sequence: number } | null>(null);
  const names = cache.data?.features.filter(({ mode }) => mode !== 'off').map(({ feature }) => feature) ?? [];
  return (
    <>
      <PageHeader title="Cache">
        {names.length > 0 && (
          <button type="button" className="button" onClick={() => setPurging({ feature: null })}>
            Purge…
          </button>
        )}
        <RefreshPicker range={range} updatedAt={cache.dataUpdatedAt} />
        <RangePicker range={range} onChange={setRange} />
      </PageHeader>
      {done && <Purged done={done} onClose={() => setDone(null)} />}
      <QueryState query={cache} skeleton={<CacheSkeleton />}>
        {(view) => <Cache view={view} purge={(feature) => setPurging({ feature })} />}
      </QueryState>
      {purging && <PurgeDialog features={names} feature={purging.feature} onClose={() => setPurging(null)} onPurged={setDone} />}
    </>
  );
}

function Purged({ done, onClose }: { done: { form: PurgeForm; sequence: number }; onClose: () => void }): ReactNode {
  return (
    <div role="status" className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-md bg-accent-soft px-3.5 py-2">
      <span className="mr-auto">
        Purge {formatInteger(done.sequence)} voids {purgeText(done.form)} on every gateway within a second; one that does not answer now
        voids them before it gives an answer again.
      </span>
      <button type="button" className="button button-small button-quiet" onClick={onClose}>
        Dismiss
      </button>
    </div>
  );
}

function Cache({ view, purge }: { view: CacheView; purge: (feature: string) => void }): ReactNode {
  const isUsed = ({ mode, calls }: CacheFeature): boolean => mode !== 'off' || calls > 0;
  const shown = view.features.filter(isUsed);
  const rest = view.features.filter((feature) => !isUsed(feature));
  if (shown.length === 0) return <NoCache />;
  return (
    <div className="flex flex-col gap-3">
      <GatewaysNote gateways={view.gateways} />
      <Totals view={view} />
      <CacheTable features={shown} purge={purge} />
      <SemanticPanels features={view.features} />
      <p className="text-xs text-ink-3">
        Rates are hits of the calls that asked the cache, with the 95 % Wilson interval; what was saved is what the given answers cost when
        they were new. Kept in{' '}
        {view.driver === 'memory'
          ? `the memory of each gateway worker, at most ${formatBytes(view.maxBytes)} each`
          : `Redis, at most ${formatBytes(view.maxBytes)}`}
        ; {formatInteger(view.purges)} {view.purges === 1 ? 'purge' : 'purges'} so far.
        {rest.length > 0 && ` Without a cache: ${rest.map(({ feature }) => feature).join(', ')}.`}
      </p>
    </div>
  );
}

function Totals({ view }: { view: CacheView }): ReactNode {
  const totals = totalsOf(view);
  const saved = savedText(totals, totals.hits);
  const tiles = [
    ['Calls that asked', formatCount(totals.calls), null],
    [
      'Hits',
      formatCount(totals.hits),
      totals.calls === 0 ? 'no call asked' : `${formatPercent(totals.hits / totals.calls)} of n = ${formatCount(totals.calls)}`,
    ],
    ['Saved', saved.text, totals.unpricedHits === 0 || saved.isUnknown ? null : `+ ${formatInteger(totals.unpricedHits)} unpriced`],
    ['Tokens saved', formatCount(totals.savedTokens), null],
    ['Answers kept', formatCount(totals.entries), totals.entries === null ? 'no gateway has said' : null],
    ['Held', totals.bytes === null ? UNKNOWN : formatBytes(totals.bytes), null],
  ] as const;
  return (
    <dl className="panel grid grid-cols-2 overflow-hidden sm:grid-cols-3 xl:grid-cols-6">
      {tiles.map(([name, value, detail]) => (
        <div key={name} className="-mt-px -ml-px min-w-0 border-t border-l px-3.5 py-2.5">
          <dt className="label truncate">{name}</dt>
          <dd className="tabular mt-0.5">
            <span className="text-xl font-semibold tracking-tight whitespace-nowrap">{value}</span>
            <span className="block h-[17px] truncate text-xs text-ink-3">{detail}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function CacheSkeleton(): ReactNode {
  return (
    <div className="flex flex-col gap-3">
      <div className="panel h-[82px]" />
      <SkeletonRows count={4} height={44} />
    </div>
  );
}

function NoCache(): ReactNode {
  const example =
    'features:\n  customer-support:\n    route: default\n    cache: { mode: exact, ttlSeconds: 3600 }   # near: also other case and punctuation';
  return (
    <section className="panel flex flex-col items-start gap-3 p-6">
      <h2 className="text-base font-semibold">No feature keeps its answers</h2>
      <p className="max-w-prose text-ink-2">
        Every call is asked of a provider, also when the same question was answered a second ago. Give a feature a cache in plimsoll.yaml;
        the file is loaded without a restart. Start with exact: it never gives an answer to another request.
      </p>
      <pre className="max-w-full overflow-x-auto rounded-md border bg-sunken p-3 font-mono text-xs leading-5">{example}</pre>
    </section>
  );
}
