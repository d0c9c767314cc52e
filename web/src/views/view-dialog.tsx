import { type FormEvent, type ReactNode, useState } from 'react';
import { asApiError } from '../api/problem.ts';
import type { SavedView } from '../api/schema.ts';
import { Dialog } from '../ui/dialog.tsx';
import type { ViewChange } from './view-actions.ts';
import { describeQuery } from './view-query.ts';

interface ViewDialogProps {
  /** Null = a new one. */
  readonly view: SavedView | null;
  /** The query of the page now. */
  readonly now: string;
  readonly change: {
    readonly isPending: boolean;
    readonly error: unknown;
    mutate(change: ViewChange, options: { onSuccess: () => void }): void;
    reset(): void;
  };
  readonly onClose: () => void;
}

/** Names a view, says who sees it, gives it the filters of the page, or deletes it. */
export function ViewDialog({ view, now, change, onClose }: ViewDialogProps): ReactNode {
  const [name, setName] = useState(view?.name ?? '');
  const [isShared, setIsShared] = useState(view?.isShared ?? false);
  const [takesNow, setTakesNow] = useState(view === null);
  const error = change.error ? asApiError(change.error) : null;
  const query = takesNow || view === null ? now : view.query;
  const close = (): void => {
    change.reset();
    onClose();
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    change.mutate({ before: view, after: { name: name.trim(), query, isShared } }, { onSuccess: onClose });
  };
  return (
    <Dialog title={view === null ? 'Save a view' : 'Edit the view'} onClose={close}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <label className="flex flex-col gap-1">
          <span className="font-medium">Name</span>
          <input
            className="field"
            required
            maxLength={120}
            autoComplete="off"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <div>
          <p className="font-medium">What it opens</p>
          <p className="[overflow-wrap:anywhere] text-ink-2">
            <bdi>{describeQuery(query)}</bdi>
          </p>
        </div>
        {view !== null && view.query !== now && (
          <label className="flex items-start gap-2">
            <input type="checkbox" className="mt-1" checked={takesNow} onChange={(event) => setTakesNow(event.target.checked)} />
            <span>Take the filters and the range that the page has now</span>
          </label>
        )}
        <label className="flex items-start gap-2">
          <input
            type="checkbox"
            className="mt-1"
            checked={isShared}
            disabled={view !== null && !view.isMine}
            onChange={(event) => setIsShared(event.target.checked)}
          />
          <span>
            Shared
            <span className="block text-ink-2">
              {view !== null && !view.isMine
                ? `Made by ${view.owner}, who alone can make it private.`
                : 'Everybody sees it, may change it, and plimsoll traces list --view finds it.'}
            </span>
          </span>
        </label>
        {error && (
          <p role="alert" className="text-critical">
            {error.message} {error.fix}
          </p>
        )}
        <div className="mt-2 flex justify-end gap-2">
          {view !== null && (
            <button
              type="button"
              className="button button-critical mr-auto"
              disabled={change.isPending}
              onClick={() => change.mutate({ before: view, after: null }, { onSuccess: onClose })}
            >
              Delete
            </button>
          )}
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={change.isPending || name.trim() === ''}>
            {change.isPending ? 'Saving…' : 'Save'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
