import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

/** Most traces that are compared at once. */
export const COMPARED = 2;

/** The picked ids after one was clicked: of three the oldest choice goes. */
export function togglePicked(picked: readonly string[], traceId: string): readonly string[] {
  return picked.includes(traceId) ? picked.filter((id) => id !== traceId) : [...picked, traceId].slice(-COMPARED);
}

/** What was picked in the list, over its foot, so that nothing moves. */
export function CompareBar({ picked, onClear }: { picked: readonly string[]; onClear: () => void }): ReactNode {
  const [a, b] = picked;
  return (
    <div role="status" className="fixed inset-x-3 bottom-17 z-30 mx-auto w-fit md:bottom-8">
      {a !== undefined && (
        <div className="flex items-center gap-3 rounded-lg border bg-raised px-3.5 py-2 shadow-float">
          <span>{b === undefined ? 'One trace chosen: choose another to compare' : 'Two traces chosen'}</span>
          {b !== undefined && (
            <Link to="/compare" search={{ a, b }} className="button button-small button-primary">
              Compare
            </Link>
          )}
          <button type="button" className="button button-small button-quiet" onClick={onClear}>
            Clear
          </button>
        </div>
      )}
    </div>
  );
}
