import type { LimitView } from '../api/schema.ts';

export const SCOPES = [
  'global',
  'organisation',
  'team',
  'user',
  'key',
  'feature',
  'customer',
  'session',
  'model',
  'provider',
] as const satisfies readonly LimitView['scope'][];

/** Lines that are shown first, and by how many more at each step. */
export const PAGE_LINES = 100;
const MOST_LINES = 2_000;

/** Search parameters of the Limits page. */
export interface LimitsSearch {
  view?: 'events';
  scope?: LimitView['scope'];
  q?: string;
  /** How many lines are shown. */
  lines?: number;
}

/** Reads the URL; what makes no sense is dropped. */
export function parseLimitsSearch(search: Readonly<Record<string, unknown>>): LimitsSearch {
  const scope = SCOPES.find((known) => known === search.scope);
  const q = typeof search.q === 'string' ? search.q.trim().slice(0, 256) : '';
  const lines = Number(search.lines);
  return {
    ...(search.view === 'events' ? { view: 'events' as const } : {}),
    ...(scope === undefined ? {} : { scope }),
    ...(q === '' ? {} : { q }),
    ...(Number.isSafeInteger(lines) && lines > PAGE_LINES ? { lines: Math.min(MOST_LINES, lines) } : {}),
  };
}
