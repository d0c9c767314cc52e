export const PRESETS = ['15m', '1h', '6h', '24h', '7d', '30d'] as const;
export type Preset = (typeof PRESETS)[number];

const PRESET_MS: Readonly<Record<Preset, number>> = {
  '15m': 900_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
};

export const PRESET_LABELS: Readonly<Record<Preset, string>> = {
  '15m': '15 minutes',
  '1h': '1 hour',
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
};

/** A preset slides with the clock; a custom range (epoch ms, end exclusive) stays. */
export type Range =
  | { readonly kind: 'preset'; readonly preset: Preset }
  | { readonly kind: 'custom'; readonly from: number; readonly to: number };

/** The part of the URL that holds the range. */
export interface RangeSearch {
  range?: Preset;
  from?: number;
  to?: number;
}

export const DEFAULT_PRESET: Preset = '24h';

export function isPreset(value: unknown): value is Preset {
  return PRESETS.some((preset) => preset === value);
}

/** Reads the range of a URL; what makes no sense is dropped, so that an old or mistyped link still opens. */
export function parseRangeSearch(search: Readonly<Record<string, unknown>>): RangeSearch {
  const from = toEpochMs(search.from);
  const to = toEpochMs(search.to);
  if (from !== null && to !== null && from < to) return { from, to };
  return isPreset(search.range) ? { range: search.range } : {};
}

function toEpochMs(value: unknown): number | null {
  const number = typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}

export function rangeOf(search: RangeSearch): Range {
  if (search.from !== undefined && search.to !== undefined) return { kind: 'custom', from: search.from, to: search.to };
  return { kind: 'preset', preset: search.range ?? DEFAULT_PRESET };
}

export function searchOf(range: Range): RangeSearch {
  if (range.kind === 'custom') return { from: range.from, to: range.to };
  return range.preset === DEFAULT_PRESET ? {} : { range: range.preset };
}

/** The interval that the range means now. */
export function resolveRange(range: Range, nowMs: number): { readonly from: number; readonly to: number } {
  if (range.kind === 'custom') return { from: range.from, to: range.to };
  return { from: nowMs - PRESET_MS[range.preset], to: nowMs };
}

/** Stable text of a range for query keys. */
export function rangeKey(range: Range): string {
  return range.kind === 'custom' ? `${range.from}-${range.to}` : range.preset;
}
