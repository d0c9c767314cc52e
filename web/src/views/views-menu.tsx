import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { asApiError } from '../api/problem.ts';
import type { SavedView } from '../api/schema.ts';
import { Icon } from '../shell/icons.tsx';
import { Popover } from '../ui/popover.tsx';
import { useViewActions, type ViewPage, viewsQuery } from './view-actions.ts';
import { ViewDialog } from './view-dialog.tsx';
import { describeQuery, sortedQuery } from './view-query.ts';
import { ViewToast } from './view-toast.tsx';

interface ViewsMenuProps {
  readonly page: ViewPage;
  /** Query of the page's URL now, with or without `?`. */
  readonly query: string;
  readonly onOpen: (query: string) => void;
}

/** Saved views of a page: a view is a name for a query, so opening one is going to its URL. */
export function ViewsMenu({ page, query, onOpen }: ViewsMenuProps): ReactNode {
  const views = useQuery(viewsQuery(page));
  const actions = useViewActions(page);
  const [edited, setEdited] = useState<SavedView | 'new' | null>(null);
  const now = sortedQuery(query);
  const current = views.data?.find((view) => view.query === now);
  return (
    <>
      <Popover
        align="end"
        buttonClass={`button max-w-56 ${current ? 'border-accent text-accent' : ''}`}
        label={
          <>
            <span className="truncate">{current ? <bdi>{current.name}</bdi> : 'Views'}</span>
            <Icon name="chevron" className="size-3 rotate-90" />
          </>
        }
      >
        {(close) => (
          <div className="flex w-80 max-w-full flex-col gap-2">
            {views.error !== null && <p className="text-critical">{asApiError(views.error).message}</p>}
            {views.data?.length === 0 && (
              <p className="text-ink-2">No view yet. Set filters and a time range, then give them a name to come back to.</p>
            )}
            {(['mine', 'shared'] as const).map((kind) => (
              <ViewGroup
                key={kind}
                title={kind === 'mine' ? 'Private to you' : 'Shared'}
                views={(views.data ?? []).filter(({ isShared }) => isShared === (kind === 'shared'))}
                now={now}
                onOpen={(view) => {
                  close();
                  onOpen(view.query);
                }}
                onEdit={(view) => {
                  close();
                  setEdited(view);
                }}
              />
            ))}
            <button
              type="button"
              className="button button-primary"
              onClick={() => {
                close();
                setEdited('new');
              }}
            >
              Save what is set now…
            </button>
          </div>
        )}
      </Popover>
      {edited !== null && (
        <ViewDialog view={edited === 'new' ? null : edited} now={now} change={actions.change} onClose={() => setEdited(null)} />
      )}
      <ViewToast done={actions.done} undo={actions.undo} onDismiss={actions.dismiss} />
    </>
  );
}

interface ViewGroupProps {
  readonly title: string;
  readonly views: readonly SavedView[];
  readonly now: string;
  readonly onOpen: (view: SavedView) => void;
  readonly onEdit: (view: SavedView) => void;
}

function ViewGroup({ title, views, now, onOpen, onEdit }: ViewGroupProps): ReactNode {
  if (views.length === 0) return null;
  return (
    <section>
      <h3 className="label">{title}</h3>
      <ul className="-mx-1.5 max-h-72 overflow-y-auto">
        {views.map((view) => (
          <li key={view.id} className="flex items-center gap-1 rounded-md hover:bg-hover">
            <button
              type="button"
              className="min-w-0 flex-1 px-1.5 py-1 text-left"
              aria-current={view.query === now ? 'true' : undefined}
              onClick={() => onOpen(view)}
            >
              <span className={`block truncate ${view.query === now ? 'font-semibold text-accent' : 'font-medium'}`}>
                <bdi>{view.name}</bdi>
              </span>
              <span className="block truncate text-xs text-ink-3">
                <bdi>{describeQuery(view.query)}</bdi>
                {view.isShared && !view.isMine && <> · by {view.owner}</>}
              </span>
            </button>
            <button type="button" className="button button-quiet button-small" onClick={() => onEdit(view)}>
              Edit<span className="sr-only"> {view.name}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
