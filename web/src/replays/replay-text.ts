import type { ReplayReport, ReplayRun } from '../api/schema.ts';
import { FILTER_LABELS, FILTER_NAMES } from '../traces/filters.ts';
import type { State } from '../ui/state-mark.tsx';

export const REPLAY_STATES: Readonly<Record<ReplayRun['state'], { readonly state: State; readonly word: string }>> = {
  selecting: { state: 'neutral', word: 'choosing calls' },
  ready: { state: 'neutral', word: 'ready to start' },
  running: { state: 'neutral', word: 'running' },
  done: { state: 'ok', word: 'done' },
  stopped: { state: 'warning', word: 'stopped' },
  cancelled: { state: 'warning', word: 'cancelled' },
  failed: { state: 'critical', word: 'not possible' },
};

/** Nothing will change any more. */
export function isOver({ state }: Pick<ReplayRun, 'state'>): boolean {
  return state === 'done' || state === 'stopped' || state === 'cancelled' || state === 'failed';
}

/** Which calls were asked for, in words. */
export function sourceText({ source }: ReplayRun['request']): string {
  if ('traceId' in source) return `trace ${source.traceId.slice(0, 8)}`;
  const filter: Readonly<Record<string, unknown>> = source.filter;
  const parts = FILTER_NAMES.flatMap((name) =>
    filter[name] === undefined ? [] : [`${FILTER_LABELS[name].toLowerCase()} ${String(filter[name])}`],
  );
  return `newest ${source.limit} of ${parts.length === 0 ? 'all calls' : parts.join(', ')}`;
}

export function modelText({ model }: ReplayRun['request']): string {
  return model ?? 'as recorded';
}

/** Change from one number to another, e.g. `−90 %`; null where there is nothing to compare with. */
export function changeText(before: number | null, after: number | null): string | null {
  if (before === null || after === null || before === 0) return null;
  const percent = Math.round((after / before - 1) * 100);
  return percent === 0 ? '±0 %' : `${percent > 0 ? '+' : '−'}${Math.abs(percent)} %`;
}

export function progressText({ summary, selected }: ReplayReport): string {
  return `${summary.done + summary.failed} of ${selected}`;
}
