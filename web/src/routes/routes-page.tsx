import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { asApiError } from '../api/problem.ts';
import { decisionsQuery, routingQuery, targetsQuery } from '../api/queries.ts';
import { type Range, rangeOf, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { RefreshPicker, useRefreshMs } from '../range/refresh-picker.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { Choice } from '../ui/choice.tsx';
import { GatewaysNote, gatewaysText } from '../ui/gateways-note.tsx';
import { ErrorPanel, QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { DecisionTable } from './decision-table.tsx';
import { RoutePanel } from './route-panel.tsx';
import { parseRoutesSearch } from './routes-search.ts';

const route = getRouteApi('/shell/routes');

export function RoutesPage(): ReactNode {
  const search = useParsedSearch(route.useSearch(), parseRoutesSearch);
  const navigate = route.useNavigate();
  const range = useMemo(() => rangeOf(search), [search]);
  const chosen = search.route;
  const keep = chosen === undefined ? {} : { route: chosen };
  const setRange = (next: Range): void => void navigate({ search: { ...searchOf(next), ...keep } });
  const refetchInterval = useRefreshMs(range);
  const routing = useQuery({ ...routingQuery, refetchInterval });
  const targets = useQuery({ ...targetsQuery(range, 'route'), refetchInterval });
  const decisions = useQuery({ ...decisionsQuery(range, chosen), refetchInterval });
  const metricsError = targets.data === undefined ? targets.error : null;
  return (
    <>
      <PageHeader title="Routes">
        <RefreshPicker range={range} updatedAt={routing.dataUpdatedAt} />
        <RangePicker range={range} onChange={setRange} />
      </PageHeader>
      <QueryState query={routing} skeleton={<RoutesSkeleton />}>
        {(state) =>
          state.configured.length === 0 ? (
            <NoRoutes />
          ) : (
            <div className="flex flex-col gap-3">
              <GatewaysNote gateways={state.gateways} />
              <div className="flex">
                <Choice
                  label="Route"
                  value={chosen}
                  options={state.configured.map(({ name }) => [name, name])}
                  onChange={(name) => void navigate({ search: parseRoutesSearch({ ...search, route: name }) })}
                />
              </div>
              {metricsError && <ErrorPanel error={asApiError(metricsError)} retry={() => void targets.refetch()} />}
              {state.configured
                .filter(({ name }) => chosen === undefined || name === chosen)
                .map((each) => (
                  <RoutePanel
                    key={each.name}
                    route={each}
                    rows={targets.data?.rows}
                    decided={decisions.data && (decisions.data.routes.find(({ route: name }) => name === each.name) ?? null)}
                    live={state.routes.find(({ name }) => name === each.name)}
                    health={state.targets}
                    range={range}
                  />
                ))}
              <section aria-labelledby="decisions" className="flex min-w-0 flex-col gap-1">
                <h2 id="decisions" className="text-base font-semibold">
                  Newest decisions
                </h2>
                <QueryState query={decisions} skeleton={<SkeletonRows count={6} height={36} />}>
                  {({ recent }) => <DecisionTable decisions={recent} />}
                </QueryState>
              </section>
              <p className="text-xs text-ink-3">
                Answers, errors and latency are those of clients’ calls in the range. Counts since the start and the shadow’s spending are
                those of {gatewaysText(state.gateways)} now, added up.
              </p>
            </div>
          )
        }
      </QueryState>
    </>
  );
}

function RoutesSkeleton(): ReactNode {
  return (
    <div className="flex flex-col gap-3">
      <SkeletonRows count={4} height={44} />
      <SkeletonRows count={4} height={44} />
    </div>
  );
}

function NoRoutes(): ReactNode {
  const example =
    'routes:\n  default: { targets: [gpt, claude] }\n  by-difficulty:\n    strategy: complexity\n    targets:\n      - { model: small, tier: simple }\n      - { model: large, tier: complex }';
  return (
    <section className="panel flex flex-col items-start gap-3 p-6">
      <h2 className="text-base font-semibold">No route is configured</h2>
      <p className="max-w-prose text-ink-2">
        A route is what a request names as its model: targets, who is asked first, and what happens when one fails. Add one to
        plimsoll.yaml; it is loaded without a restart, and streams that run are not disturbed.
      </p>
      <pre className="max-w-full overflow-x-auto rounded-md border bg-sunken p-3 font-mono text-xs leading-5">{example}</pre>
    </section>
  );
}
