import { parseJsonText } from '../../kernel/parse-json.ts';
import type { ReplayItem, ReplayRun, ReplayState } from '../../traces/replay/model.ts';
import type { ReplayStore } from '../../traces/replay/store.ts';
import type { Handle } from './connection.ts';
import { inScope, tenantColumns } from './tenant.ts';

/** States that end a run. */
const ENDED: readonly ReplayState[] = ['done', 'stopped', 'cancelled', 'failed'];

function toRun(body: string): ReplayRun {
  return parseJsonText(body) as ReplayRun; // written below
}

export function sqlReplays(handle: Handle): ReplayStore {
  return {
    put: (scope, run) =>
      handle.write(async (db) => {
        const values = { state: run.state, body: JSON.stringify(run) };
        await db
          .insertInto('replays')
          .values({ ...tenantColumns(scope), id: run.id, ...values })
          .onConflict((conflict) => conflict.columns(['organisation_id', 'environment', 'id']).doUpdateSet(values))
          .execute();
      }),
    get: (scope, id) =>
      handle.read(async (db) => {
        const row = await db.selectFrom('replays').select('body').where(inScope(scope)).where('id', '=', id).executeTakeFirst();
        return row === undefined ? null : toRun(row.body);
      }),
    list: (scope, { beforeId, limit }) =>
      handle.read(async (db) => {
        let query = db.selectFrom('replays').select('body').where(inScope(scope));
        if (beforeId !== null) query = query.where('id', '<', beforeId);
        return (await query.orderBy('id', 'desc').limit(limit).execute()).map(({ body }) => toRun(body));
      }),
    move: (scope, id, from, to, reason, nowMs) =>
      handle.write(async (db) => {
        const row = await db.selectFrom('replays').select(['state', 'body']).where(inScope(scope)).where('id', '=', id).executeTakeFirst();
        if (row === undefined || !from.some((state) => state === row.state)) return null;
        const run = toRun(row.body);
        const moved: ReplayRun = {
          ...run,
          state: to,
          reason,
          startedAtMs: to === 'running' ? nowMs : run.startedAtMs,
          endedAtMs: ENDED.includes(to) ? nowMs : null,
        };
        const changed = await db
          .updateTable('replays')
          .set({ state: to, body: JSON.stringify(moved) })
          .where(inScope(scope))
          .where('id', '=', id)
          .where('state', '=', row.state)
          .returning('id')
          .execute();
        return changed.length === 0 ? null : moved;
      }),
    putItems: (scope, id, items) =>
      handle.write(async (db) => {
        for (const item of items) {
          const body = JSON.stringify(item);
          await db
            .insertInto('replay_items')
            .values({ ...tenantColumns(scope), replay_id: id, number: item.number, body })
            .onConflict((conflict) => conflict.columns(['organisation_id', 'environment', 'replay_id', 'number']).doUpdateSet({ body }))
            .execute();
        }
      }),
    items: (scope, id, { afterNumber, limit }) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('replay_items')
          .select('body')
          .where(inScope(scope))
          .where('replay_id', '=', id)
          .where('number', '>', afterNumber)
          .orderBy('number')
          .limit(limit)
          .execute();
        return rows.map(({ body }) => parseJsonText(body) as ReplayItem); // written above
      }),
  };
}
