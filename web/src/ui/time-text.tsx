import type { ReactNode } from 'react';
import { formatIso, formatMoment } from '../format/time.ts';
import { usePreferences } from '../shell/preferences.tsx';

/** A moment in the zone that the reader chose; the full ISO text on hover. */
export function TimeText({ at, format = formatMoment }: { at: number; format?: typeof formatMoment }): ReactNode {
  const { zone } = usePreferences();
  return (
    <time dateTime={new Date(at).toISOString()} data-tip={formatIso(at, zone)} className="tabular relative z-1 whitespace-nowrap">
      {format(at, zone)}
    </time>
  );
}
