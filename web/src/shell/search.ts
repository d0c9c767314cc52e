import { useMemo } from 'react';

/** Search parameters of the login page. `next` comes from the URL: only a path of this site is followed. */
export function parseLoginSearch(search: Readonly<Record<string, unknown>>): { next?: string } {
  return typeof search.next === 'string' && /^\/(?![/\\])/.test(search.next) ? { next: search.next } : {};
}

export interface TraceSearch {
  span?: string;
  /** What stands beside the span; the waterfall when absent. */
  view?: 'graph';
}

export function parseTraceSearch(search: Readonly<Record<string, unknown>>): TraceSearch {
  return {
    ...(typeof search.span === 'string' ? { span: search.span } : {}),
    ...(search.view === 'graph' ? { view: 'graph' as const } : {}),
  };
}

/** Number of the call that is shown beside the recorded one. */
export function parseReplaySearch(search: Readonly<Record<string, unknown>>): { call?: number } {
  const call = Number(search.call);
  return Number.isSafeInteger(call) && call > 0 ? { call } : {};
}

/** The router keeps parameters that a route's validation dropped; a page works only with what `parse` lets through. */
export function useParsedSearch<T>(raw: Readonly<Record<string, unknown>>, parse: (search: Readonly<Record<string, unknown>>) => T): T {
  return useMemo(() => parse(raw), [raw, parse]);
}
