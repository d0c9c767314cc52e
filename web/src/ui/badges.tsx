import type { ReactNode } from 'react';

/** Marks everything that a simulated provider answered. Dashed and hatched, not coloured: it is no state. */
export function SimulatedBadge(): ReactNode {
  return (
    <span
      className="hatched inline-block rounded-sm border border-dashed border-line-strong px-1 align-middle text-2xs leading-4 font-normal text-ink-2"
      data-tip="A simulated provider answered: no model was called and no money was spent."
    >
      simulated
    </span>
  );
}

export function Badge({ children, tip }: { children: ReactNode; tip?: string }): ReactNode {
  return (
    <span
      className="inline-block max-w-full truncate rounded-sm border border-line bg-sunken px-1 align-middle text-2xs leading-4 font-normal text-ink-2"
      data-tip={tip}
    >
      {children}
    </span>
  );
}

/** More than one provider call for one answer. */
export function AttemptsBadge({ attempts }: { attempts: number }): ReactNode {
  return (
    <span
      className="inline-flex items-center gap-0.5 rounded-sm bg-warning-soft px-1 text-2xs leading-4 text-warning"
      data-tip={`${attempts} provider calls were made for this answer: a fallback or a retry.`}
    >
      <svg viewBox="0 0 10 10" className="size-2.5" fill="none" stroke="currentColor" strokeWidth="1.3" aria-hidden="true">
        <path d="M1 3h4.5a2.5 2.5 0 0 1 0 5H4M5.5 6 3.6 8l1.9 2M1 3h0" transform="translate(1 -1)" />
      </svg>
      <span className="sr-only">attempts: </span>
      {attempts}×
    </span>
  );
}
