import type { Selectable } from 'kysely';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { OpenRun, OpenRunStore, RunChanges } from '../../traces/sdk/open-runs.ts';
import type { Handle } from './connection.ts';
import type { OpenRunRow } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

/** Values bound in one statement: SQLite takes 32 766, PostgreSQL 65 535. */
const CHUNK = 2_000;

function chunks<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / CHUNK) }, (_, index) => list.slice(index * CHUNK, (index + 1) * CHUNK));
}

function toRun({ run_key: key, state, due_at_ms: dueAtMs, held }: Selectable<OpenRunRow>): OpenRun {
  return { key, state, dueAtMs, held: held === null ? null : (parseJsonText(held) as OpenRun['held']) }; // written below
}

export interface SqlOpenRuns extends OpenRunStore {
  apply(scope: Scope, changes: RunChanges): Promise<void>;
  /** When the next one is due, epoch ms; null = none. */
  nextDueMs(scope: Scope): Promise<number | null>;
}

export function sqlOpenRuns(handle: Handle): SqlOpenRuns {
  return {
    find: (scope, keys) =>
      handle.read(async (db) => {
        const rows: Selectable<OpenRunRow>[] = [];
        for (const chunk of chunks(keys))
          rows.push(...(await db.selectFrom('open_runs').selectAll().where(inScope(scope)).where('run_key', 'in', chunk).execute()));
        return rows.map(toRun);
      }),
    due: (scope, atMs, limit) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('open_runs')
          .selectAll()
          .where(inScope(scope))
          .where('due_at_ms', '<=', atMs)
          .orderBy('due_at_ms')
          .orderBy('run_key')
          .limit(limit)
          .execute();
        return rows.map(toRun);
      }),
    nextDueMs: (scope) =>
      handle.read(async (db) => {
        const row = await db
          .selectFrom('open_runs')
          .select('due_at_ms')
          .where(inScope(scope))
          .orderBy('due_at_ms')
          .limit(1)
          .executeTakeFirst();
        return row?.due_at_ms ?? null;
      }),
    apply: (scope, { put, forget }) =>
      handle.write(async (db) => {
        for (const chunk of chunks(put))
          await db
            .insertInto('open_runs')
            .values(
              chunk.map(({ key, state, dueAtMs, held }) => ({
                ...tenantColumns(scope),
                run_key: key,
                state,
                due_at_ms: dueAtMs,
                held: held === null ? null : JSON.stringify(held),
              })),
            )
            .onConflict((conflict) =>
              conflict.columns(['organisation_id', 'environment', 'run_key']).doUpdateSet(({ ref }) => ({
                state: ref('excluded.state'),
                due_at_ms: ref('excluded.due_at_ms'),
                held: ref('excluded.held'),
              })),
            )
            .execute();
        for (const chunk of chunks(forget)) await db.deleteFrom('open_runs').where(inScope(scope)).where('run_key', 'in', chunk).execute();
      }),
  };
}
