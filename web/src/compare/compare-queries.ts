import { queryOptions } from '@tanstack/react-query';
import { api, unwrap } from '../api/client.ts';
import type { TextsDiff, TraceDiff } from '../api/schema.ts';

export function traceDiffQuery(a: string, b: string) {
  return queryOptions({
    queryKey: ['trace-diff', a, b],
    queryFn: ({ signal }) =>
      unwrap<TraceDiff>(api.GET('/api/v1/traces/{traceId}/diff/{otherId}', { params: { path: { traceId: a, otherId: b } }, signal })),
    staleTime: 10_000,
  });
}

export interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
}

export function textsDiffQuery(a: SpanPlace, b: SpanPlace) {
  return queryOptions({
    queryKey: ['texts-diff', a, b],
    queryFn: ({ signal }) =>
      unwrap<TextsDiff>(
        api.GET('/api/v1/traces/{traceId}/spans/{spanId}/texts/diff/{otherId}/{otherSpanId}', {
          params: { path: { ...a, otherId: b.traceId, otherSpanId: b.spanId } },
          signal,
        }),
      ),
    staleTime: 60_000,
  });
}
