import { z } from 'zod';
import { PlimsollError } from '../../kernel/errors.ts';
import { nearest } from '../../kernel/suggest.ts';
import { TraceQuery } from '../model.ts';
import { SessionQuery } from '../sessions.ts';

export const ViewPage = z.enum(['traces', 'sessions', 'users']);
export type ViewPage = z.infer<typeof ViewPage>;

/** The ranges of the dashboard that move with the clock. */
const RANGES = ['15m', '1h', '6h', '24h', '7d', '30d'] as const;
const range = z.enum(RANGES).optional();

const { cursor: _cursor, limit: _limit, ...traceFilters } = TraceQuery.shape;
const sessionFilters = {
  range,
  from: SessionQuery.shape.from,
  to: SessionQuery.shape.to,
  feature: SessionQuery.shape.feature,
  user: SessionQuery.shape.user,
  /** What the API calls `search`; the pages write `q`. */
  q: SessionQuery.shape.search,
  sort: SessionQuery.shape.sort.optional(),
};

const FILTERS = {
  traces: { ...traceFilters, range },
  sessions: sessionFilters,
  users: sessionFilters,
} as const satisfies Record<ViewPage, z.ZodRawShape>;

/** What `plimsoll traces list` makes of a view: the filters of the API, and the range that moves, when it is one. */
export interface TraceView {
  readonly filters: Readonly<Record<string, string>>;
  readonly range: (typeof RANGES)[number] | null;
}

function refuse(message: string, param: string): never {
  throw new PlimsollError('invalid_argument', message, { details: { param } });
}

/**
 * The query of a page's URL, checked against the filters of that page, in one form: without `?`, names in order.
 * @throws PlimsollError `invalid_argument` for a name that is no filter, a name that is there twice, or a value that the API would refuse
 */
export function normaliseViewQuery(page: ViewPage, text: string): string {
  const shape: Readonly<Record<string, z.ZodType>> = FILTERS[page];
  const names = Object.keys(shape);
  const pairs = [...new URLSearchParams(text)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const seen = new Set<string>();
  for (const [name, value] of pairs) {
    const schema = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (schema === undefined) {
      const close = nearest(name, names);
      refuse(`${JSON.stringify(name)} is no filter of the page ${page}${close === null ? '' : `; did you mean "${close}"?`}`, 'query');
    }
    if (seen.has(name)) refuse(`The filter "${name}" is there twice.`, 'query');
    seen.add(name);
    const parsed = schema.safeParse(value);
    if (!parsed.success) refuse(`Filter ${name}: ${parsed.error.issues[0]?.message ?? 'not valid'}`, 'query');
  }
  if (seen.has('range') && (seen.has('from') || seen.has('to')))
    refuse('A view has a range that moves with the clock, or a fixed one, not both.', 'query');
  return new URLSearchParams(pairs).toString();
}

/** @param query as `normaliseViewQuery` gave it */
export function readTraceView(query: string): TraceView {
  const { range, ...filters } = Object.fromEntries(new URLSearchParams(query));
  return { filters, range: RANGES.find((known) => known === range) ?? null };
}
