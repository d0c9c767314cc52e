import type { ReactNode } from 'react';

/** The Plimsoll mark: a circle with the load line through it. */
export function PlimsollMark({ className = 'size-5' }: { className?: string }): ReactNode {
  return (
    <svg viewBox="0 0 32 32" fill="none" stroke="currentColor" strokeWidth="2.6" className={className} aria-hidden="true">
      <circle cx="16" cy="16" r="9.2" />
      <path d="M2 16h28" />
    </svg>
  );
}
