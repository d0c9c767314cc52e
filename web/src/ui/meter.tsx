import type { ReactNode } from 'react';

interface MeterProps {
  /** Read out instead of the picture. */
  readonly label: string;
  /** Share that is counted for good, and share that calls in flight hold; together they may exceed 1. */
  readonly usedRatio: number;
  readonly reservedRatio: number;
  /** Shares at which somebody is told, drawn as ticks. */
  readonly marks?: readonly number[];
  readonly state: 'within' | 'near' | 'exceeded';
}

const COLOURS = { within: 'bg-chart-1', near: 'bg-warning', exceeded: 'bg-critical' } as const;

/** How full something is: solid = used, hatched = held by calls in flight. The line of the limit is its right end, and stays inside when more is used. */
export function Meter({ label, usedRatio, reservedRatio, marks = [], state }: MeterProps): ReactNode {
  const total = usedRatio + reservedRatio;
  // Beyond the limit the picture is compressed, so that the line can be seen inside it.
  const scale = Math.max(1, total);
  const percent = (ratio: number): string => `${Math.min(100, (ratio / scale) * 100)}%`;
  return (
    <span role="img" aria-label={label} className="relative block h-2.5 w-full min-w-24 overflow-hidden rounded-sm border bg-sunken">
      <span
        className={`absolute inset-y-0 left-0 ${COLOURS[state]}`}
        style={{ width: percent(usedRatio), minWidth: usedRatio > 0 ? 2 : 0 }}
      />
      {reservedRatio > 0 && (
        <span
          className={`absolute inset-y-0 opacity-45 ${COLOURS[state]}`}
          style={{ left: percent(usedRatio), width: percent(reservedRatio), minWidth: 2 }}
        />
      )}
      {marks.map((mark) => (
        <span key={mark} className="absolute inset-y-0 w-px bg-ink-3 opacity-60" style={{ left: percent(mark) }} />
      ))}
      {total > 1 && <span className="absolute inset-y-0 w-0.5 bg-ink" style={{ left: percent(1) }} />}
    </span>
  );
}
