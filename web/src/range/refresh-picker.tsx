import type { ReactNode } from 'react';
import { formatClock } from '../format/time.ts';
import { REFRESH_SECONDS, usePreferences } from '../shell/preferences.tsx';
import type { Range } from './range.ts';

/** Poll interval for a range: a custom range does not move; a hidden page pauses by itself (react-query). */
export function useRefreshMs(range: Range): number | false {
  const { refreshSeconds } = usePreferences();
  return range.kind === 'custom' || refreshSeconds === 0 ? false : refreshSeconds * 1000;
}

export function RefreshPicker({ range, updatedAt }: { range: Range; updatedAt: number }): ReactNode {
  const { refreshSeconds, zone, set } = usePreferences();
  return (
    <label className="flex items-center gap-2">
      <span className="label tabular hidden whitespace-nowrap lg:inline">
        {updatedAt > 0 ? `Read at ${formatClock(updatedAt, zone)}` : ''}
      </span>
      <span className="sr-only">Refresh</span>
      <select
        className="field"
        value={range.kind === 'custom' ? 0 : refreshSeconds}
        disabled={range.kind === 'custom'}
        onChange={(event) => set({ refreshSeconds: REFRESH_SECONDS.find((seconds) => String(seconds) === event.target.value) ?? 0 })}
      >
        {REFRESH_SECONDS.map((seconds) => (
          <option key={seconds} value={seconds}>
            {seconds === 0 ? 'No refresh' : `Every ${seconds} s`}
          </option>
        ))}
      </select>
    </label>
  );
}
