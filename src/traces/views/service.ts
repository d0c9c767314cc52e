import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { newUuidV7 } from '../../kernel/ids.ts';
import type { Actor, Scope } from '../../kernel/scope.ts';
import { MAX_VIEWS, ownerKey, type SavedView, type StoredView, type ViewDraft } from './model.ts';
import type { ViewStore } from './store.ts';
import { normaliseViewQuery, type ViewPage } from './view-query.ts';

export interface ViewService {
  list(scope: Scope, page: ViewPage | null, actor: Actor): Promise<SavedView[]>;
  /** @throws PlimsollError `invalid_argument`, `conflict` */
  create(scope: Scope, page: ViewPage, draft: ViewDraft, actor: Actor): Promise<SavedView>;
  /** @throws PlimsollError `not_found` also for a private view of somebody else, `invalid_argument`, `conflict` */
  change(scope: Scope, id: string, draft: ViewDraft, actor: Actor): Promise<SavedView>;
  /** @returns what was removed @throws PlimsollError `not_found` */
  remove(scope: Scope, id: string, actor: Actor): Promise<SavedView>;
}

interface Options {
  readonly store: ViewStore;
  readonly nameOf: (scope: Scope, actor: Actor) => Promise<string>;
  readonly clock: Clock;
}

export function createViewService({ store, nameOf, clock }: Options): ViewService {
  function toView({ owner, ownerName, createdAtMs, updatedAtMs, ...view }: StoredView, actor: Actor): SavedView {
    return { ...view, owner: ownerName, isMine: owner === ownerKey(actor), createdAt: createdAtMs, updatedAt: updatedAtMs };
  }
  async function find(scope: Scope, id: string, actor: Actor): Promise<StoredView> {
    const found = await store.get(scope, id);
    if (found === null || (!found.isShared && found.owner !== ownerKey(actor)))
      throw new PlimsollError('not_found', `There is no view ${id}, or it is private to somebody else.`, { details: { id } });
    return found;
  }
  async function assertRoom(scope: Scope, view: StoredView, actor: Actor): Promise<void> {
    const same = (await store.list(scope, view.page, ownerKey(actor))).filter(
      (other) => other.id !== view.id && other.isShared === view.isShared,
    );
    const kind = view.isShared ? 'shared' : 'private';
    if (same.some(({ name }) => name === view.name))
      throw new PlimsollError('conflict', `The page ${view.page} has a ${kind} view ${JSON.stringify(view.name)} already.`, {
        details: { param: 'name', name: view.name },
      });
    if (same.length >= MAX_VIEWS)
      throw new PlimsollError('conflict', `The page ${view.page} has ${same.length} ${kind} views already: delete some first.`);
  }
  return {
    list: async (scope, page, actor) => (await store.list(scope, page, ownerKey(actor))).map((view) => toView(view, actor)),
    async create(scope, page, draft, actor) {
      const nowMs = clock.nowMs();
      const view: StoredView = {
        id: newUuidV7(nowMs),
        page,
        name: draft.name,
        query: normaliseViewQuery(page, draft.query),
        isShared: draft.isShared,
        owner: ownerKey(actor),
        ownerName: await nameOf(scope, actor),
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      };
      await assertRoom(scope, view, actor);
      await store.put(scope, view);
      return toView(view, actor);
    },
    async change(scope, id, draft, actor) {
      const before = await find(scope, id, actor);
      if (!draft.isShared && before.owner !== ownerKey(actor))
        throw new PlimsollError('invalid_argument', `Only ${before.ownerName}, who made this view, can make it private.`, {
          details: { param: 'isShared' },
        });
      const view: StoredView = {
        ...before,
        name: draft.name,
        query: normaliseViewQuery(before.page, draft.query),
        isShared: draft.isShared,
        updatedAtMs: clock.nowMs(),
      };
      await assertRoom(scope, view, actor);
      await store.put(scope, view);
      return toView(view, actor);
    },
    async remove(scope, id, actor) {
      const view = await find(scope, id, actor);
      await store.remove(scope, id);
      return toView(view, actor);
    },
  };
}
