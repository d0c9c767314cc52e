import { parseRangeSearch, type RangeSearch } from '../range/range.ts';
import { isMonth } from './month.ts';
import { type PlanSearch, parsePlanSearch } from './plan-search.ts';

export const TABS = ['changes', 'units', 'budgets', 'anomalies', 'waste', 'statements', 'invoices', 'plan'] as const;
export type CostTab = (typeof TABS)[number];

export const GROUPS = ['feature', 'team', 'customer', 'user', 'model', 'key', 'route', 'operation', 'requestedModel', 'tag'] as const;
export type CostGroup = (typeof GROUPS)[number];

/** With what a period is compared: the same days a week earlier, the time right before, or a range of its own. */
export const COMPARISONS = ['week', 'previous', 'custom'] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** Search parameters of the Costs page; what is left out is the default. */
export interface CostsSearch extends RangeSearch, PlanSearch {
  tab?: Exclude<CostTab, 'changes'>;
  by?: Exclude<CostGroup, 'feature'>;
  /** Name of the tag, of `by: tag`. */
  tag?: string;
  against?: Exclude<Comparison, 'week'>;
  /** Of `against: custom`, epoch ms. */
  beforeFrom?: number;
  beforeTo?: number;
  /** Anomalies: the open ones or those that ended; both when left out. */
  state?: 'open' | 'ended';
  /** The statement that is open, its version (the newest when left out), and the team that it is read for. */
  month?: string;
  version?: number;
  team?: string | undefined;
  /** Id of the invoice that is open. */
  invoice?: string;
}

function oneOf<T extends string>(known: readonly T[], value: unknown): T | undefined {
  return known.find((word) => word === value);
}

function epoch(value: unknown): number | undefined {
  const number = typeof value === 'number' ? value : Number(typeof value === 'string' && value !== '' ? value : Number.NaN);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function word(value: unknown): string | undefined {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim().slice(0, 128) : '';
  return text === '' ? undefined : text;
}

/** What of the statements and invoices is open. */
function parseDocument(tab: CostTab | undefined, search: Readonly<Record<string, unknown>>): Partial<CostsSearch> {
  const invoice = word(search.invoice);
  if (tab === 'invoices') return invoice === undefined ? {} : { invoice };
  const month = word(search.month);
  if (tab !== 'statements' || month === undefined || !isMonth(month)) return {};
  const version = epoch(search.version);
  const team = word(search.team);
  return { month, ...(version === undefined || version === 0 ? {} : { version }), ...(team === undefined ? {} : { team }) };
}

/** Reads the URL; what makes no sense is dropped. */
export function parseCostsSearch(search: Readonly<Record<string, unknown>>): CostsSearch {
  const tab = oneOf(TABS, search.tab);
  const by = oneOf(GROUPS, search.by);
  const tag = typeof search.tag === 'string' ? search.tag.trim().slice(0, 128) : '';
  const against = oneOf(COMPARISONS, search.against);
  const [beforeFrom, beforeTo] = [epoch(search.beforeFrom), epoch(search.beforeTo)];
  const isCustom = against === 'custom' && beforeFrom !== undefined && beforeTo !== undefined && beforeFrom < beforeTo;
  const state = search.state === 'open' || search.state === 'ended' ? search.state : undefined;
  return {
    ...parseRangeSearch(search),
    ...(tab === undefined || tab === 'changes' ? {} : { tab }),
    ...(by === undefined || by === 'feature' || (by === 'tag' && tag === '') ? {} : { by }),
    ...(by === 'tag' && tag !== '' ? { tag } : {}),
    ...(against === 'previous' ? { against } : isCustom ? { against: 'custom', beforeFrom, beforeTo } : {}),
    ...(state === undefined ? {} : { state }),
    ...parseDocument(tab, search),
    ...(tab === 'plan' ? parsePlanSearch(search) : {}),
  };
}

export const GROUP_WORDS: Readonly<Record<CostGroup, string>> = {
  feature: 'feature',
  team: 'team',
  customer: 'customer',
  user: 'user',
  model: 'model',
  key: 'key',
  route: 'route',
  operation: 'endpoint',
  requestedModel: 'model asked for',
  tag: 'tag',
};
