import { queryOptions } from '@tanstack/react-query';
import { api, unwrap } from '../api/client.ts';
import type { SqlConsole, SqlResult } from '../api/schema.ts';

export const sqlConsoleQuery = queryOptions({
  queryKey: ['sql-console'],
  queryFn: ({ signal }) => unwrap<SqlConsole>(api.GET('/api/v1/sql', { signal })),
  staleTime: 60_000,
});

export function runSql(query: string, runId: string): Promise<SqlResult> {
  return unwrap<SqlResult>(api.POST('/api/v1/sql', { body: { query, runId } }));
}

export function cancelSql(runId: string): Promise<void> {
  return unwrap<void>(api.DELETE('/api/v1/sql/{runId}', { params: { path: { runId } } }));
}
