import { type ReactNode, useEffect } from 'react';
import { asApiError } from '../api/problem.ts';
import type { ViewDone } from './view-actions.ts';

interface ViewToastProps {
  readonly done: ViewDone | null;
  readonly undo: { readonly isPending: boolean; readonly error: unknown; mutate(done: ViewDone): void };
  readonly onDismiss: () => void;
}

const SHOWN_MS = 12_000;

/** What was done, with its undo; over the page, so that nothing moves. */
export function ViewToast({ done, undo, onDismiss }: ViewToastProps): ReactNode {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the time runs from what was done, not from each drawing
  useEffect(() => {
    if (done === null) return;
    const timer = window.setTimeout(onDismiss, SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [done]);
  return (
    <div role="status" className="fixed inset-x-3 bottom-17 z-30 mx-auto w-fit max-w-[calc(100vw-24px)] md:bottom-5">
      {done !== null && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border bg-raised px-3.5 py-2 shadow-float">
          <span>
            {done.text}
            {undo.error !== null && <span className="text-critical"> {asApiError(undo.error).message}</span>}
          </span>
          <button type="button" className="button button-small" disabled={undo.isPending} onClick={() => undo.mutate(done)}>
            {undo.isPending ? 'Undoing…' : 'Undo'}
          </button>
          <button type="button" className="button button-small button-quiet" onClick={onDismiss}>
            Dismiss
          </button>
        </div>
      )}
    </div>
  );
}
