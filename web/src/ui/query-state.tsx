import type { ReactNode } from 'react';
import { type ApiError, asApiError } from '../api/problem.ts';
import { Prose } from './prose.tsx';
import { StateMark } from './state-mark.tsx';

interface QueryLike<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly isFetching: boolean;
  readonly refetch: () => unknown;
}

interface QueryStateProps<T> {
  readonly query: QueryLike<T>;
  /** As tall as the content, so that nothing jumps. */
  readonly skeleton: ReactNode;
  readonly children: (data: T) => ReactNode;
}

/** Loading, error and stale data, handled once for every view. */
export function QueryState<T>({ query, skeleton, children }: QueryStateProps<T>): ReactNode {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <ErrorPanel error={asApiError(query.error)} isRetrying={query.isFetching} retry={() => void query.refetch()} />;
  return (
    <div role="status" aria-label="Loading">
      {skeleton}
    </div>
  );
}

interface ErrorPanelProps {
  readonly error: ApiError;
  readonly isRetrying?: boolean;
  readonly retry?: () => void;
}

/** What happened, what to do next, and a way to try again. */
export function ErrorPanel({ error, isRetrying = false, retry }: ErrorPanelProps): ReactNode {
  return (
    <div role="alert" className="panel flex min-h-32 flex-col items-start justify-center gap-2 p-5">
      <StateMark state="critical" word={error.kind === 'unreachable' ? 'No answer from control' : 'This could not be shown'} />
      <p className="max-w-prose text-ink">{error.message}</p>
      <p className="max-w-prose text-ink-2">
        <Prose text={error.fix} />
      </p>
      <div className="mt-1 flex flex-wrap items-center gap-3">
        {retry && (
          <button type="button" className="button" onClick={retry} disabled={isRetrying}>
            {isRetrying ? 'Trying…' : 'Try again'}
          </button>
        )}
        <code className="font-mono text-2xs text-ink-3">{error.code}</code>
      </div>
    </div>
  );
}

export function SkeletonRows({ count, height = 34 }: { count: number; height?: number }): ReactNode {
  return (
    <div className="panel overflow-hidden">
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <div key={index} className="flex items-center border-b px-3 last:border-b-0" style={{ height }}>
          <div className="skeleton h-3" style={{ width: `${30 + ((index * 37) % 50)}%` }} />
        </div>
      ))}
    </div>
  );
}
