import { parseRangeSearch, type RangeSearch } from '../range/range.ts';

/** Search parameters of the Routes page. */
export interface RoutesSearch extends RangeSearch {
  /** Only decisions of this route. */
  route?: string;
}

export function parseRoutesSearch(search: Readonly<Record<string, unknown>>): RoutesSearch {
  const route = typeof search.route === 'string' ? search.route.trim().slice(0, 512) : '';
  return { ...parseRangeSearch(search), ...(route === '' ? {} : { route }) };
}
