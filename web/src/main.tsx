import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from './api/problem.ts';
import { router } from './router.tsx';
import { PreferencesProvider } from './shell/preferences.tsx';
import './styles/app.css';

/** The session is over: every page leads to the login, and back. */
function onError(error: unknown): void {
  if (!(error instanceof ApiError) || error.status !== 401) return;
  const { pathname, href } = router.state.location;
  if (pathname !== '/login') void router.navigate({ to: '/login', search: href === '/' ? {} : { next: href }, replace: true });
}

const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 4000,
      // A problem document is an answer; only a missing one is worth asking again at once.
      retry: (failures, error) => failures < 2 && error instanceof ApiError && error.kind === 'unreachable',
      retryDelay: 800,
      // A loopback server is reachable without a network.
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <PreferencesProvider>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </PreferencesProvider>
    </StrictMode>,
  );
