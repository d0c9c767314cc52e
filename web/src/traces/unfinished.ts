import { formatDuration } from '../format/number.ts';
import { STATUS_WORDS } from './status-word.ts';

/** What stands where a number will be. */
export const NOT_YET = 'not yet';

type Told = { readonly status: keyof typeof STATUS_WORDS; readonly isUnfinished: boolean };

/** State and word of a trace; one whose end nobody told is no aborted one. */
export function traceStatus({ status, isUnfinished }: Told): (typeof STATUS_WORDS)[keyof typeof STATUS_WORDS] {
  return isUnfinished ? { state: STATUS_WORDS.aborted.state, word: 'Unfinished' } : STATUS_WORDS[status];
}

/** Since its start, in one unit or two: `12 min 5 s so far`. */
export function soFar({ startedAt }: { readonly startedAt: number }, nowMs: number): string {
  return `${formatDuration(Math.max(0, Math.floor((nowMs - startedAt) / 1_000) * 1_000))} so far`;
}
