import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import type { SavedView } from '../api/schema.ts';

export type ViewPage = SavedView['page'];
export type ViewValues = Pick<SavedView, 'name' | 'query' | 'isShared'>;

export function viewsQuery(page: ViewPage) {
  return queryOptions({
    queryKey: ['views', page],
    queryFn: async ({ signal }) =>
      (await unwrap<{ views: readonly SavedView[] }>(api.GET('/api/v1/views', { params: { query: { page } }, signal }))).views,
    staleTime: 30_000,
  });
}

/** One change of one view: no `before` = create it, no `after` = delete it. */
export interface ViewChange {
  readonly before: SavedView | null;
  readonly after: ViewValues | null;
}

/** What was done last, and how to take it back. */
export interface ViewDone {
  readonly text: string;
  readonly undo: ViewChange;
}

function carryOut(page: ViewPage, { before, after }: ViewChange): Promise<SavedView | null> {
  const values = after === null ? null : { name: after.name, query: after.query, isShared: after.isShared };
  if (before === null)
    return values === null ? Promise.resolve(null) : unwrap<SavedView>(api.POST('/api/v1/views', { body: { ...values, page } }));
  const params = { path: { id: before.id } };
  if (values === null) return unwrap<null>(api.DELETE('/api/v1/views/{id}', { params }));
  return unwrap<SavedView>(api.PUT('/api/v1/views/{id}', { params, body: values }));
}

export function doneOf({ before, after }: ViewChange, answer: SavedView | null): ViewDone {
  if (before === null) return { text: `View “${after?.name}” saved.`, undo: { before: answer, after: null } };
  if (after === null) return { text: `View “${before.name}” deleted.`, undo: { before: null, after: before } };
  return { text: `View “${after.name}” changed.`, undo: { before: answer, after: before } };
}

/** Changes views of a page, one at a time, and remembers how to take back the last one. */
export function useViewActions(page: ViewPage) {
  const queryClient = useQueryClient();
  const [done, setDone] = useState<ViewDone | null>(null);
  const refresh = () => queryClient.invalidateQueries({ queryKey: ['views', page] });
  const change = useMutation({
    mutationFn: (wanted: ViewChange) => carryOut(page, wanted),
    onSuccess: async (answer, wanted) => {
      setDone(doneOf(wanted, answer));
      await refresh();
    },
  });
  const undo = useMutation({
    mutationFn: (last: ViewDone) => carryOut(page, last.undo),
    onSuccess: async () => {
      setDone(null);
      await refresh();
    },
  });
  return {
    change,
    undo,
    done,
    dismiss: () => {
      setDone(null);
      undo.reset();
    },
  };
}
