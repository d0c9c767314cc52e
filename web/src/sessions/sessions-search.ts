import { parseRangeSearch, type RangeSearch } from '../range/range.ts';

export const SORTS = ['recent', 'cost', 'requests', 'errors'] as const;
export type Sort = (typeof SORTS)[number];
export const SORT_LABELS: Readonly<Record<Sort, string>> = {
  recent: 'Last seen',
  cost: 'Cost',
  requests: 'Requests',
  errors: 'Errors',
};

export interface SessionFilters {
  feature?: string;
  user?: string;
  /** What the name contains. */
  q?: string;
  sort?: Sort;
}

/** Search parameters of the pages Sessions and Users. */
export type SessionsSearch = RangeSearch & SessionFilters;

/** Reads the URL; what the API would refuse is dropped. */
export function parseSessionsSearch(search: Readonly<Record<string, unknown>>): SessionsSearch {
  const result: SessionsSearch = parseRangeSearch(search);
  for (const name of ['feature', 'user', 'q'] as const) {
    const value = search[name];
    const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
    if (text !== '' && text.length <= 512) result[name] = text;
  }
  const sort = SORTS.find((known) => known === search.sort);
  if (sort !== undefined && sort !== 'recent') result.sort = sort;
  return result;
}
