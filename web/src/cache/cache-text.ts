import type { CacheFeature, CacheView } from '../api/schema.ts';
import { formatUsd } from '../format/money.ts';
import { formatInteger, UNKNOWN } from '../format/number.ts';
import type { State } from '../ui/state-mark.tsx';

export interface CacheWord {
  readonly state: State;
  readonly word: string;
}

/** What the cache of a feature does now. */
export function cacheWord({ mode, semantic }: Pick<CacheFeature, 'mode' | 'semantic'>): CacheWord {
  if (mode === 'off') return { state: 'neutral', word: 'off' };
  if (semantic === null) return { state: 'ok', word: mode };
  switch (semantic.state) {
    case 'live':
      return { state: 'ok', word: 'semantic on' };
    case 'shadow':
      return { state: 'warning', word: 'semantic in shadow' };
    case 'off':
      return { state: 'critical', word: 'semantic off' };
    case 'unchecked':
      return { state: 'unmeasured', word: 'semantic unchecked' };
    default:
      return semantic.state satisfies never;
  }
}

const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** `0 B`, `1.5 KB`, `64 MB` (1 KB = 1,024 B). Null = not known. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return UNKNOWN;
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const text = unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, '');
  return `${text} ${BYTE_UNITS[unit]}`;
}

export interface SavedText {
  readonly text: string;
  readonly isUnknown: boolean;
}

/** Money that hits did not cost again: `≥` when a part has no price, `unpriced` when nothing of it has. */
export function savedText({ savedPicoUsd, unpricedHits }: Pick<CacheFeature, 'savedPicoUsd' | 'unpricedHits'>, hits: number): SavedText {
  if (hits > 0 && unpricedHits >= hits) return { text: 'unpriced', isUnknown: true };
  return { text: `${unpricedHits > 0 ? '≥ ' : ''}${formatUsd(savedPicoUsd)}`, isUnknown: false };
}

export interface CacheTotals {
  readonly calls: number;
  readonly hits: number;
  readonly savedPicoUsd: string;
  readonly unpricedHits: number;
  readonly savedTokens: number;
  /** Null = no gateway has said. */
  readonly entries: number | null;
  readonly bytes: number | null;
}

function hitsOf({ hits, nearHits, semanticHits }: CacheFeature): number {
  return hits + nearHits + semanticHits;
}

function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** All features together. */
export function totalsOf({ features }: Pick<CacheView, 'features'>): CacheTotals {
  const sum = (of: (feature: CacheFeature) => number): number => features.reduce((total, feature) => total + of(feature), 0);
  const cached = features.filter(({ mode }) => mode !== 'off');
  return {
    calls: sum(({ calls }) => calls),
    hits: sum(hitsOf),
    savedPicoUsd: features.reduce((total, { savedPicoUsd }) => total + BigInt(savedPicoUsd), 0n).toString(),
    unpricedHits: sum(({ unpricedHits }) => unpricedHits),
    savedTokens: sum(({ savedInputTokens, savedOutputTokens }) => savedInputTokens + savedOutputTokens),
    entries: sumKnown(cached.map(({ entries }) => entries)),
    bytes: sumKnown(cached.map(({ bytes }) => bytes)),
  };
}

/** What a check of labelled pairs found, in a sentence. */
export function checkText(check: NonNullable<CacheFeature['check']>): string {
  const pairs = `${formatInteger(check.same)} pairs labelled same, ${formatInteger(check.different)} labelled different`;
  const from = check.recommendedThreshold === null ? '' : `; safe from threshold ${check.recommendedThreshold} on`;
  return `${check.verdict} (${pairs}${from})`;
}

/** What the form of a purge says. */
export interface PurgeForm {
  readonly what: 'feature' | 'tag' | 'all';
  readonly feature: string;
  readonly tag: string;
}

/** Body of a purge. */
export function purgeOf({ what, feature, tag }: PurgeForm): { all: true } | { feature?: string; tag?: string } {
  if (what === 'all') return { all: true };
  if (what === 'feature') return { feature };
  return { tag: tag.trim(), ...(feature === '' ? {} : { feature }) };
}

export function purgeText(form: PurgeForm): string {
  if (form.what === 'all') return 'every kept answer of every feature';
  if (form.what === 'feature') return `every kept answer of ${form.feature}`;
  return `kept answers with the tag ${form.tag.trim()}${form.feature === '' ? '' : ` of ${form.feature}`}`;
}
