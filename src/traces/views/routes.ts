import { z } from 'zod';
import { defineRoute, RouteAnswer } from '../../kernel/routes.ts';
import { SavedView, ViewDraft } from './model.ts';
import type { ViewService } from './service.ts';
import { ViewPage } from './view-query.ts';

export interface ViewServices {
  readonly views: ViewService;
}

const route = defineRoute<ViewServices>();
const Id = z.strictObject({ id: z.string().min(1).max(64) });

/** What the audit log says of a view. */
function noteOf({ id, page, name, query, isShared }: SavedView) {
  return { subject: `view/${id}`, details: { page, name, query, isShared } };
}

export const viewRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/views',
    summary: 'Saved views that you may see: shared ones and your own, by name',
    permission: 'views:read',
    query: z.strictObject({ page: ViewPage.optional().describe('Only views of this page') }),
    response: z.object({ views: z.array(SavedView) }).meta({ id: 'SavedViewList' }),
    handler: async ({ query, actor, scope, services }) => ({ views: await services.views.list(scope, query.page ?? null, actor) }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/views',
    summary: "Give the query of a page's URL a name",
    permission: 'views:write',
    audit: 'view.created',
    status: 201,
    body: ViewDraft.extend({ page: ViewPage }),
    response: SavedView,
    async handler({ body: { page, ...draft }, actor, scope, services }) {
      const view = await services.views.create(scope, page, draft, actor);
      return new RouteAnswer(view, { location: `/api/v1/views/${view.id}` }, noteOf(view));
    },
  }),
  route({
    method: 'PUT',
    path: '/api/v1/views/:id',
    summary: 'Rename a view, give it another query, share it or make it private',
    permission: 'views:write',
    audit: 'view.changed',
    params: Id,
    body: ViewDraft,
    response: SavedView,
    async handler({ params, body, actor, scope, services }) {
      const view = await services.views.change(scope, params.id, body, actor);
      return new RouteAnswer(view, {}, noteOf(view));
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/views/:id',
    summary: 'Delete a view',
    permission: 'views:write',
    audit: 'view.deleted',
    status: 204,
    params: Id,
    response: z.null(),
    async handler({ params, actor, scope, services }) {
      const view = await services.views.remove(scope, params.id, actor);
      return new RouteAnswer(null, {}, noteOf(view));
    },
  }),
];
