/** How long a model can still be used, as far as anybody said so. Dates come from plimsoll.yaml: the price book knows none. */
export interface ModelLifecycle {
  /** The provider has announced its end: the price book says so, or `deprecatedAtMs` has passed or is set. */
  readonly isDeprecated: boolean;
  readonly deprecatedAtMs: number | null;
  /** From this moment on the provider no longer serves it. */
  readonly retiresAtMs: number | null;
  /** Model alias that takes its place. */
  readonly successor: string | null;
}

const DAY_MS = 86_400_000;
/** Days before a retirement at which people are told, each once. */
export const RETIREMENT_DAYS = [30, 14, 7, 1] as const;
/** From so many days on every answer carries a warning. */
const WARN_DAYS = 90;

/** Ids that end in a date (2024-08-06, 20241022, 0613, 2411), a revision (-002) or Bedrock's version (-v2:0). */
const PINNED = /([-@_]\d{4}-\d{2}-\d{2}|[-@_]\d{8}|[-@_]\d{3,4})(-v\d+(:\d+)?)?$|-v\d+:\d+$/;

/**
 * Whether a provider's model id names one version, or is a name that the provider may point at another one.
 * By the form of the id: providers publish no other sign.
 */
export function isPinnedVersion(upstreamModel: string): boolean {
  return PINNED.test(upstreamModel);
}

/** Whole days until a moment, rounded up; 0 or less = it has come. */
export function daysUntil(atMs: number, nowMs: number): number {
  return Math.ceil((atMs - nowMs) / DAY_MS);
}

/** The tightest of the `RETIREMENT_DAYS` that a date has come under; 0 = the date has come; null = it is further off. */
export function dueThreshold(atMs: number, nowMs: number): number | null {
  if (atMs <= nowMs) return 0;
  const days = (atMs - nowMs) / DAY_MS;
  return RETIREMENT_DAYS.findLast((threshold) => days <= threshold) ?? null;
}

/** What every answer of the model should say about its end, a few words; null = nothing is near. */
export function lifecycleWarning({ isDeprecated, retiresAtMs, successor }: ModelLifecycle, nowMs: number): string | null {
  const instead = successor === null ? '' : `; use ${successor}`;
  if (retiresAtMs !== null) {
    const day = new Date(retiresAtMs).toISOString().slice(0, 10);
    if (retiresAtMs <= nowMs) return `retired on ${day}${instead}`;
    const days = daysUntil(retiresAtMs, nowMs);
    if (days <= WARN_DAYS || isDeprecated) return `retires on ${day}, in ${days} ${days === 1 ? 'day' : 'days'}${instead}`;
  }
  return isDeprecated ? `deprecated by its provider${instead}` : null;
}

/**
 * `deprecation` (RFC 9745: a structured date, only where one is known) and `sunset` (RFC 8594: an HTTP date), as a flat name, value list.
 */
export function lifecycleHeaders({ deprecatedAtMs, retiresAtMs }: ModelLifecycle): string[] {
  const headers: string[] = [];
  if (deprecatedAtMs !== null) headers.push('deprecation', `@${Math.floor(deprecatedAtMs / 1000)}`);
  if (retiresAtMs !== null) headers.push('sunset', new Date(retiresAtMs).toUTCString());
  return headers;
}
