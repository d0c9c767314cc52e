import type { Span } from '../api/schema.ts';
import { formatDuration } from '../format/number.ts';
import { STATUS_WORDS } from '../traces/status-word.ts';
import type { State } from '../ui/state-mark.tsx';

/** A run of which a client told the beginning and nobody the end. */
export function isUnfinished(span: Span): boolean {
  return span.attributes['plimsoll.unfinished'] === true;
}

export function spanStatus(span: Span): { readonly state: State; readonly word: string } {
  return isUnfinished(span) ? { state: STATUS_WORDS.aborted.state, word: 'Unfinished' } : STATUS_WORDS[span.status];
}

/** How long it took, in words where nobody knows. */
export function spanDuration(span: Span): string {
  return isUnfinished(span) ? 'no end' : formatDuration(Number(span.durationNs) / 1e6);
}
