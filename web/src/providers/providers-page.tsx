import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { asApiError } from '../api/problem.ts';
import { modelsQuery, providersQuery, targetsQuery } from '../api/queries.ts';
import type { ModelView, ProviderList, TargetRow } from '../api/schema.ts';
import { parseRangeSearch, type Range, rangeOf, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { RefreshPicker, useRefreshMs } from '../range/refresh-picker.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { GatewaysNote, gatewaysText } from '../ui/gateways-note.tsx';
import { ErrorPanel, QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { bySeverity, summaryWord } from './health-text.ts';
import { ProviderPanel } from './provider-panel.tsx';

const route = getRouteApi('/shell/providers');

export function ProvidersPage(): ReactNode {
  const search = useParsedSearch(route.useSearch(), parseRangeSearch);
  const navigate = route.useNavigate();
  const range = useMemo(() => rangeOf(search), [search]);
  const setRange = (next: Range): void => void navigate({ search: searchOf(next) });
  const refetchInterval = useRefreshMs(range);
  const providers = useQuery({ ...providersQuery, refetchInterval });
  const byTarget = useQuery({ ...targetsQuery(range, 'target'), refetchInterval });
  const byProvider = useQuery({ ...targetsQuery(range, 'provider'), refetchInterval });
  const models = useQuery(modelsQuery);
  return (
    <>
      <PageHeader title="Providers">
        <RefreshPicker range={range} updatedAt={providers.dataUpdatedAt} />
        <RangePicker range={range} onChange={setRange} />
      </PageHeader>
      <QueryState query={providers} skeleton={<ProvidersSkeleton />}>
        {(list) => (
          <Providers
            list={list}
            byTarget={byTarget.data?.rows}
            byProvider={byProvider.data?.rows}
            models={models.data ?? []}
            metricsError={
              byTarget.data === undefined && byTarget.error ? (
                <ErrorPanel error={asApiError(byTarget.error)} retry={() => void byTarget.refetch()} />
              ) : null
            }
            range={range}
          />
        )}
      </QueryState>
    </>
  );
}

interface ProvidersProps {
  readonly list: ProviderList;
  /** Undefined = not read yet. */
  readonly byTarget: readonly TargetRow[] | undefined;
  readonly byProvider: readonly TargetRow[] | undefined;
  readonly models: readonly ModelView[];
  /** The health of targets is shown all the same: it comes from the gateways, not from the trace store. */
  readonly metricsError: ReactNode;
  readonly range: Range;
}

function Providers({ list, byTarget, byProvider, models, metricsError, range }: ProvidersProps): ReactNode {
  if (list.providers.length === 0) return <NoProviders />;
  const sorted = [...list.providers].sort((a, b) =>
    bySeverity(summaryWord(a.targets, a.models.length), summaryWord(b.targets, b.models.length)),
  );
  return (
    <div className="flex flex-col gap-3">
      <GatewaysNote gateways={list.gateways} />
      <Lifecycle models={models} />
      {metricsError}
      {sorted.map((provider) => (
        <ProviderPanel
          key={provider.name}
          provider={provider}
          totals={byProvider}
          rows={byTarget}
          models={models.filter((model) => model.provider === provider.name)}
          range={range}
        />
      ))}
      <p className="text-xs text-ink-3">
        Health now, by {gatewaysText(list.gateways)}, each by its own calls: the worst is shown. Attempts, errors and latency are those of
        the range, without probes.
      </p>
    </div>
  );
}

/** Models whose end is announced, the nearest first. */
function Lifecycle({ models }: { models: readonly ModelView[] }): ReactNode {
  const ending = models
    .filter((model) => model.warning !== null)
    .sort((a, b) => (a.retiresAt ?? Number.POSITIVE_INFINITY) - (b.retiresAt ?? Number.POSITIVE_INFINITY));
  if (ending.length === 0) return null;
  return (
    <ul aria-label="Ends of models" className="flex flex-col gap-1 rounded-md bg-warning-soft px-3.5 py-2">
      {ending.map((model) => {
        const isRetired = model.retiresAt !== null && model.retiresAt <= Date.now();
        return (
          <li key={model.name} className="flex flex-wrap items-baseline gap-x-2">
            <StateMark state={isRetired ? 'critical' : 'warning'} word={model.name} />
            <span>
              {model.upstreamModel} of {model.provider}: {model.warning}.
            </span>
            <span className="text-ink-2">
              {model.successor === null ? (
                'Name a successor in plimsoll.yaml.'
              ) : (
                <>
                  Plan the move: <code className="font-mono text-xs">plimsoll models migrate {model.name}</code>
                </>
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function ProvidersSkeleton(): ReactNode {
  return (
    <div className="flex flex-col gap-3">
      <SkeletonRows count={4} height={44} />
      <SkeletonRows count={4} height={44} />
    </div>
  );
}

function NoProviders(): ReactNode {
  const example =
    'providers:\n  openai: { kind: openai, apiKey: "${OPENAI_API_KEY}" }\nmodels:\n  gpt: { provider: openai, model: gpt-5-mini }\nroutes:\n  default: { targets: [gpt] }';
  return (
    <section className="panel flex flex-col items-start gap-3 p-6">
      <h2 className="text-base font-semibold">No provider is configured</h2>
      <p className="max-w-prose text-ink-2">
        A provider is where models are reached. Add one to plimsoll.yaml, or let <code className="font-mono text-xs">plimsoll init</code>{' '}
        write the file; it is loaded without a restart.
      </p>
      <pre className="max-w-full overflow-x-auto rounded-md border bg-sunken p-3 font-mono text-xs leading-5">{example}</pre>
    </section>
  );
}
