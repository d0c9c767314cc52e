import type { TraceSummary } from '../../../src/traces/model.ts';

export interface Merged {
  readonly rows: readonly TraceSummary[];
  readonly addedIds: readonly string[];
  /** True when every row of a full page was new: rows between it and the list may be missing, so the list must be read again. */
  readonly hasGap: boolean;
}

/** Newest first; the id decides between equal times, so that two polls never swap rows. */
export function compareTraces(a: TraceSummary, b: TraceSummary): number {
  return b.startedAt - a.startedAt || (a.traceId < b.traceId ? 1 : a.traceId > b.traceId ? -1 : 0);
}

/**
 * Merges the newest page into the rows already shown. A long call can start before rows that are shown already: it enters at its place.
 * @param shown rows newest first
 * @param page  newest page of the same list
 * @param limit size of a full page
 */
export function mergeLive(shown: readonly TraceSummary[], page: readonly TraceSummary[], limit: number): Merged {
  const fresh = new Map(page.map((row) => [row.traceId, row]));
  const known = new Set(shown.map((row) => row.traceId));
  const addedIds = page.filter((row) => !known.has(row.traceId)).map((row) => row.traceId);
  if (addedIds.length === 0 && shown.every((row) => isSame(fresh.get(row.traceId), row))) return { rows: shown, addedIds, hasGap: false };
  const rows = shown.map((row) => fresh.get(row.traceId) ?? row);
  for (const row of page) if (!known.has(row.traceId)) rows.push(row);
  return { rows: rows.sort(compareTraces), addedIds, hasGap: shown.length > 0 && page.length >= limit && addedIds.length === page.length };
}

/** A trace grows while its spans arrive; these are the parts that then change. */
function isSame(fresh: TraceSummary | undefined, row: TraceSummary): boolean {
  return (
    fresh === undefined ||
    (fresh.spanCount === row.spanCount &&
      fresh.status === row.status &&
      fresh.durationMs === row.durationMs &&
      fresh.costPicoUsd === row.costPicoUsd &&
      fresh.outputPreview === row.outputPreview)
  );
}

/** How many of the added rows stand above the first visible one: the list scrolls by that many rows to keep its place. */
export function addedAbove(rows: readonly TraceSummary[], addedIds: readonly string[], firstVisibleId: string | null): number {
  if (firstVisibleId === null) return 0;
  const added = new Set(addedIds);
  let count = 0;
  for (const row of rows) {
    if (row.traceId === firstVisibleId) return count;
    if (added.has(row.traceId)) count += 1;
  }
  return 0;
}
