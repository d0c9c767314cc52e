import type { Selectable } from 'kysely';
import type { StoredView } from '../../traces/views/model.ts';
import type { ViewStore } from '../../traces/views/store.ts';
import { ViewPage } from '../../traces/views/view-query.ts';
import type { Handle } from './connection.ts';
import type { SavedViewRow } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

/** Reader of a shared view: no owner's key is empty. */
const EVERYBODY = '';

function toView(row: Selectable<SavedViewRow>): StoredView {
  return {
    id: row.id,
    page: ViewPage.parse(row.page),
    name: row.name,
    query: row.query,
    isShared: row.reader === EVERYBODY,
    owner: row.owner,
    ownerName: row.owner_name,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}

export function sqlViews(handle: Handle): ViewStore {
  return {
    list: (scope, page, reader) =>
      handle.read(async (db) => {
        let query = db.selectFrom('saved_views').selectAll().where(inScope(scope)).where('reader', 'in', [EVERYBODY, reader]);
        if (page !== null) query = query.where('page', '=', page);
        return (await query.orderBy('name').orderBy('id').execute()).map(toView);
      }),
    get: (scope, id) =>
      handle.read(async (db) => {
        const row = await db.selectFrom('saved_views').selectAll().where(inScope(scope)).where('id', '=', id).executeTakeFirst();
        return row === undefined ? null : toView(row);
      }),
    put: (scope, view) =>
      handle.write(async (db) => {
        const values = {
          name: view.name,
          query: view.query,
          reader: view.isShared ? EVERYBODY : view.owner,
          updated_at_ms: view.updatedAtMs,
        };
        await db
          .insertInto('saved_views')
          .values({
            ...tenantColumns(scope),
            id: view.id,
            page: view.page,
            owner: view.owner,
            owner_name: view.ownerName,
            created_at_ms: view.createdAtMs,
            ...values,
          })
          .onConflict((conflict) => conflict.columns(['organisation_id', 'environment', 'id']).doUpdateSet(values))
          .execute();
      }),
    remove: (scope, id) =>
      handle.write(async (db) => {
        const removed = await db.deleteFrom('saved_views').where(inScope(scope)).where('id', '=', id).returning('id').execute();
        return removed.length > 0;
      }),
  };
}
