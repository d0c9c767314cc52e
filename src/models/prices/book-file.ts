import { z } from 'zod';
import { parseDay } from '../../kernel/config/day.ts';
import { METERED_UNITS } from '../metered-units.ts';
import { NO_USAGE, type UsageClass } from '../usage.ts';

/** The form of `price-book.json`, which `npm run prices` writes. A reader of this version refuses any other. */
export const BOOK_FORMAT_VERSION = 1;

const pico = z.string().regex(/^(0|[1-9]\d{0,18})$/, 'pico-dollars are a decimal integer');
const day = z.string().refine((text) => text.length === 10 && !Number.isNaN(parseDay(text)), 'a day is YYYY-MM-DD');
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/, 'a time of day is HH:MM:SSZ');

const perToken = z.partialRecord(z.enum(Object.keys(NO_USAGE) as [UsageClass, ...UsageClass[]]), pico);
const tiers = z.array(z.strictObject({ aboveInputTokens: z.int().nonnegative(), perToken }));

/** Which model ids mean a model. Compared without case, but for `regex`. */
export type ModelMatch =
  | { readonly or: readonly ModelMatch[] }
  | { readonly and: readonly ModelMatch[] }
  | { readonly equals: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly contains: string }
  | { readonly regex: string };

const text = z.string().min(1);
const ModelMatch: z.ZodType<ModelMatch> = z.union([
  z.strictObject({ equals: text }),
  z.strictObject({ starts_with: text }),
  z.strictObject({ ends_with: text }),
  z.strictObject({ contains: text }),
  z.strictObject({ regex: text }),
  z.strictObject({ or: z.array(z.lazy(() => ModelMatch)).min(1) }),
  z.strictObject({ and: z.array(z.lazy(() => ModelMatch)).min(1) }),
]);

export const BookRow = z.strictObject({
  source: text.describe('Where the row was taken from: a name under `sources`'),
  validFrom: day.optional().describe('First day, UTC; absent = since ever'),
  validTo: day.optional().describe('First day on which it no longer holds, UTC; absent = open'),
  hours: z.strictObject({ from: timeOfDay, to: timeOfDay }).optional().describe('Holds only from (inclusive) to (exclusive) each day'),
  region: text.optional().describe('Holds only in this region; absent = wherever no other row does'),
  perToken: perToken.describe('Pico-dollars per token'),
  tiers: tiers.optional().describe('Complete prices once the input is longer'),
  perRequest: pico.optional().describe('Pico-dollars per request'),
  perUnit: z.partialRecord(z.enum(METERED_UNITS), pico).optional().describe('Pico-dollars per piece'),
  serviceTiers: z
    .record(text, z.strictObject({ source: text, perToken, tiers: tiers.optional() }))
    .optional()
    .describe('Complete prices of other service tiers, e.g. batch'),
});
export type BookRow = z.infer<typeof BookRow>;

const BookModel = z.strictObject({
  id: text,
  match: ModelMatch,
  contextTokens: z.int().positive().optional(),
  isDeprecated: z.literal(true).optional(),
  rows: z.array(BookRow).describe('Empty = known and not priced'),
});
export type BookModel = z.infer<typeof BookModel>;

const BookProvider = z.strictObject({
  id: text,
  addressPattern: text.describe('Regular expression at the start of a base URL'),
  fallbackProviders: z.array(text).optional().describe('Whose models it also serves at their prices'),
  models: z.array(BookModel),
});
export type BookProvider = z.infer<typeof BookProvider>;

export const PriceBookFile = z.strictObject({
  formatVersion: z.literal(BOOK_FORMAT_VERSION),
  version: day.describe('Day on which the sources were taken'),
  currency: z.literal('USD'),
  sources: z.record(text, z.strictObject({ package: text, version: text, licence: text, url: z.url() })),
  providers: z.array(BookProvider),
});
export type PriceBookFile = z.infer<typeof PriceBookFile>;
