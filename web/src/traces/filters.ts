import { parseRangeSearch, type RangeSearch } from '../range/range.ts';

export const STATUSES = ['ok', 'error', 'aborted'] as const;
export type Status = (typeof STATUSES)[number];

const TEXT_FILTERS = [
  'feature',
  'team',
  'user',
  'session',
  'customer',
  'model',
  'provider',
  'route',
  'errorType',
  'traceId',
  'attribute',
  'q',
] as const;
const NUMBER_FILTERS = ['minDurationMs', 'minCostUsd'] as const;
export type TextFilter = (typeof TEXT_FILTERS)[number];
export type NumberFilter = (typeof NUMBER_FILTERS)[number];

export type Filters = { status?: Status } & { [K in TextFilter]?: string } & { [K in NumberFilter]?: number };

/** Search parameters of the Traces page. */
export type TracesSearch = RangeSearch & Filters;

export const FILTER_LABELS: Readonly<Record<keyof Filters, string>> = {
  q: 'Text',
  status: 'Status',
  feature: 'Feature',
  model: 'Model',
  provider: 'Provider',
  route: 'Route',
  errorType: 'Error type',
  user: 'User',
  session: 'Session',
  team: 'Team',
  customer: 'Customer',
  attribute: 'Attribute',
  traceId: 'Trace id',
  minDurationMs: 'Duration ≥ ms',
  minCostUsd: 'Cost ≥ $',
};
export const FILTER_NAMES = Object.keys(FILTER_LABELS) as readonly (keyof Filters)[]; // keys of a closed literal

const MAX_TEXT = 512;
/** `name=value` of an attribute of any span of a trace. */
const ATTRIBUTE = /^[^=]{1,256}=/;

export function splitAttribute(text: string | undefined): { readonly name: string; readonly value: string } {
  const at = text?.indexOf('=') ?? -1;
  return text === undefined || at < 0 ? { name: '', value: '' } : { name: text.slice(0, at), value: text.slice(at + 1) };
}

/** Empty without a name: no filter. */
export function joinAttribute(name: string, value: string): string {
  return name.trim() === '' ? '' : `${name.trim()}=${value}`;
}

/** Reads the filters of a URL; values that the API would refuse are dropped. */
export function parseTracesSearch(search: Readonly<Record<string, unknown>>): TracesSearch {
  const result: TracesSearch = parseRangeSearch(search);
  for (const name of TEXT_FILTERS) {
    const value = search[name];
    const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
    if (text !== '' && text.length <= MAX_TEXT && (name !== 'attribute' || ATTRIBUTE.test(text))) result[name] = text;
  }
  for (const name of NUMBER_FILTERS) {
    const value = search[name];
    const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
    if (Number.isFinite(number) && number >= 0) result[name] = number;
  }
  const status = STATUSES.find((known) => known === search.status);
  if (status !== undefined) result.status = status;
  return result;
}

/** The filters alone, without the range: what makes two lists the same list. */
export function filtersOf(search: TracesSearch): Filters {
  const { range: _range, from: _from, to: _to, ...filters } = search;
  return filters;
}

export function activeFilters(search: TracesSearch): readonly (keyof Filters)[] {
  return FILTER_NAMES.filter((name) => search[name] !== undefined);
}

/** The search without one filter. */
export function withoutFilter(search: TracesSearch, name: keyof Filters): TracesSearch {
  const { [name]: _removed, ...rest } = search;
  return rest;
}

/** Plain `a=b` pairs instead of the router's JSON, so that people can read and write links by hand. */
export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(search))
    if (value !== undefined && value !== null && value !== '') pairs.set(name, String(value));
  const text = pairs.toString();
  return text === '' ? '' : `?${text}`;
}

export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}
