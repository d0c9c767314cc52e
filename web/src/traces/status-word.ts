import type { TraceSummary } from '../api/schema.ts';
import type { State } from '../ui/state-mark.tsx';

/** State and word of a call. An abort is the caller's choice: worth seeing, not an error of ours. */
export const STATUS_WORDS: Readonly<Record<TraceSummary['status'], { readonly state: State; readonly word: string }>> = {
  ok: { state: 'ok', word: 'OK' },
  error: { state: 'critical', word: 'Error' },
  aborted: { state: 'warning', word: 'Aborted' },
};
