import { createRootRoute, createRoute, createRouter, Link, lazyRouteComponent, Outlet } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { asApiError } from './api/problem.ts';
import { parseCompareSearch } from './compare/compare-search.ts';
import { parseCostsSearch } from './costs/costs-search.ts';
import { parseDatasetSearch } from './datasets/datasets-search.ts';
import { parseLimitsSearch } from './limits/limits-search.ts';
import { OverviewPage } from './overview/overview-page.tsx';
import { parseRangeSearch } from './range/range.ts';
import { parseRoutesSearch } from './routes/routes-search.ts';
import { parseSessionsSearch } from './sessions/sessions-search.ts';
import { parseLoginSearch, parseReplaySearch, parseTraceSearch } from './shell/search.ts';
import { Shell } from './shell/shell.tsx';
import { parseSearch, parseTracesSearch, stringifySearch } from './traces/filters.ts';
import { ErrorPanel } from './ui/query-state.tsx';
import { TooltipLayer } from './ui/tooltip.tsx';

const rootRoute = createRootRoute({
  component: () => (
    <>
      <Outlet />
      <TooltipLayer />
    </>
  ),
  notFoundComponent: NotFound,
  errorComponent: ({ error, reset }) => (
    <div className="p-5">
      <ErrorPanel error={asApiError(error)} retry={reset} />
    </div>
  ),
});

const shellRoute = createRoute({ getParentRoute: () => rootRoute, id: 'shell', component: Shell });

const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  validateSearch: parseRangeSearch,
  component: OverviewPage,
});
const tracesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/traces',
  validateSearch: parseTracesSearch,
  component: lazyRouteComponent(() => import('./traces/traces-page.tsx'), 'TracesPage'),
});
const traceRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/traces/$traceId',
  validateSearch: parseTraceSearch,
  component: lazyRouteComponent(() => import('./trace/trace-page.tsx'), 'TracePage'),
});
const compareRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/compare',
  validateSearch: parseCompareSearch,
  component: lazyRouteComponent(() => import('./compare/compare-page.tsx'), 'ComparePage'),
});
const replaysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/replays',
  component: lazyRouteComponent(() => import('./replays/replays-page.tsx'), 'ReplaysPage'),
});
const replayRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/replays/$id',
  validateSearch: parseReplaySearch,
  component: lazyRouteComponent(() => import('./replays/replay-page.tsx'), 'ReplayPage'),
});
const sessionsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sessions',
  validateSearch: parseSessionsSearch,
  component: lazyRouteComponent(() => import('./sessions/sessions-page.tsx'), 'SessionsPage'),
});
const sessionRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sessions/$session',
  component: lazyRouteComponent(() => import('./sessions/session-page.tsx'), 'SessionPage'),
});
const usersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/users',
  validateSearch: parseSessionsSearch,
  component: lazyRouteComponent(() => import('./sessions/users-page.tsx'), 'UsersPage'),
});
const userRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/users/$user',
  validateSearch: parseRangeSearch,
  component: lazyRouteComponent(() => import('./sessions/user-page.tsx'), 'UserPage'),
});
const featuresRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/features',
  component: lazyRouteComponent(() => import('./features/features-page.tsx'), 'FeaturesPage'),
});
const featureRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/features/$name',
  validateSearch: parseRangeSearch,
  component: lazyRouteComponent(() => import('./features/feature-page.tsx'), 'FeaturePage'),
});
const providersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/providers',
  validateSearch: parseRangeSearch,
  component: lazyRouteComponent(() => import('./providers/providers-page.tsx'), 'ProvidersPage'),
});
const routesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/routes',
  validateSearch: parseRoutesSearch,
  component: lazyRouteComponent(() => import('./routes/routes-page.tsx'), 'RoutesPage'),
});
const cacheRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/cache',
  validateSearch: parseRangeSearch,
  component: lazyRouteComponent(() => import('./cache/cache-page.tsx'), 'CachePage'),
});
const limitsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/limits',
  validateSearch: parseLimitsSearch,
  component: lazyRouteComponent(() => import('./limits/limits-page.tsx'), 'LimitsPage'),
});
const costsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/costs',
  validateSearch: parseCostsSearch,
  component: lazyRouteComponent(() => import('./costs/costs-page.tsx'), 'CostsPage'),
});
const datasetsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/datasets',
  component: lazyRouteComponent(() => import('./datasets/datasets-page.tsx'), 'DatasetsPage'),
});
const datasetRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/datasets/$name',
  validateSearch: parseDatasetSearch,
  component: lazyRouteComponent(() => import('./datasets/dataset-page.tsx'), 'DatasetPage'),
});
const sqlRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sql',
  component: lazyRouteComponent(() => import('./sql/sql-page.tsx'), 'SqlPage'),
});
const keysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/keys',
  component: lazyRouteComponent(() => import('./keys/keys-page.tsx'), 'KeysPage'),
});
const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: parseLoginSearch,
  component: lazyRouteComponent(() => import('./login/login-page.tsx'), 'LoginPage'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    shellRoute.addChildren([
      overviewRoute,
      tracesRoute,
      traceRoute,
      compareRoute,
      sessionsRoute,
      sessionRoute,
      usersRoute,
      userRoute,
      replaysRoute,
      replayRoute,
      featuresRoute,
      featureRoute,
      providersRoute,
      routesRoute,
      limitsRoute,
      cacheRoute,
      costsRoute,
      datasetsRoute,
      datasetRoute,
      sqlRoute,
      keysRoute,
    ]),
    loginRoute,
  ]),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

function NotFound(): ReactNode {
  return (
    <main className="flex flex-col items-start gap-2 p-6">
      <h1 className="text-lg font-semibold">There is no such page</h1>
      <Link to="/" className="link">
        Go to the Overview
      </Link>
    </main>
  );
}
