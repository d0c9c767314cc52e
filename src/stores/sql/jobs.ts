import { type Kysely, sql } from 'kysely';
import { newUuidV7 } from '../../kernel/ids.ts';
import type { Job, JobDraft, JobStore, JobTiming } from '../../kernel/jobs/job.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { Handle } from './connection.ts';
import { leaseMethods } from './job-leases.ts';
import { toJob, toRun } from './job-rows.ts';
import type { Database } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

/** Fixed order of keys, so that equal values are equal texts. */
function timingJson(timing: JobTiming): string {
  return timing.kind === 'at'
    ? JSON.stringify({ kind: 'at', runAtMs: timing.runAtMs })
    : JSON.stringify({ kind: 'cron', cron: timing.cron, timeZone: timing.timeZone });
}

async function put(db: Kysely<Database>, scope: Scope, draft: JobDraft, nowMs: number): Promise<Job> {
  const definition = {
    name: draft.name,
    timing: timingJson(draft.timing),
    payload: JSON.stringify(draft.payload ?? null),
    retry: JSON.stringify({ maxAttempts: draft.retry.maxAttempts, firstMs: draft.retry.firstMs, maxMs: draft.retry.maxMs }),
  };
  await db
    .insertInto('jobs')
    .values({
      ...tenantColumns(scope),
      ...definition,
      id: newUuidV7(nowMs),
      key: draft.key,
      state: 'waiting',
      next_run_at_ms: draft.nextRunAtMs,
      failed_attempts: 0,
      is_rescheduled: 0,
      created_at_ms: nowMs,
      updated_at_ms: nowMs,
    })
    .onConflict((conflict) => conflict.columns(['organisation_id', 'environment', 'key']).doNothing())
    .execute();
  await db
    .updateTable('jobs')
    .set(({ eb }) => ({
      ...definition,
      next_run_at_ms: draft.nextRunAtMs,
      failed_attempts: 0,
      updated_at_ms: nowMs,
      state: eb.case().when('state', '=', 'running').then(sql.lit('running')).else(sql.lit('waiting')).end() as never,
      is_rescheduled: eb.case().when('state', '=', 'running').then(sql.lit(1)).else(sql.lit(0)).end(),
    }))
    .where(inScope(scope))
    .where('key', '=', draft.key)
    .where(({ not, and }) => not(and(definition)))
    .execute();
  const row = await db.selectFrom('jobs').selectAll().where(inScope(scope)).where('key', '=', draft.key).executeTakeFirstOrThrow();
  return toJob(row);
}

export function sqlJobs(handle: Handle): JobStore {
  return {
    ...leaseMethods(handle),
    put: (scope, draft, nowMs) => handle.write((db) => put(db, scope, draft, nowMs)),
    remove: (scope, key) =>
      handle.write(async (db) => {
        const gone = await db.deleteFrom('jobs').where(inScope(scope)).where('key', '=', key).returning('id').execute();
        return gone.length > 0;
      }),
    get: (scope, key) =>
      handle.read(async (db) => {
        const row = await db.selectFrom('jobs').selectAll().where(inScope(scope)).where('key', '=', key).executeTakeFirst();
        return row === undefined ? null : toJob(row);
      }),
    list: (scope, { afterKey, limit }) =>
      handle.read(async (db) => {
        let query = db.selectFrom('jobs').selectAll().where(inScope(scope));
        if (afterKey !== null) query = query.where('key', '>', afterKey);
        return (await query.orderBy('key').limit(limit).execute()).map(toJob);
      }),
    runs: (scope, { jobId, beforeRunId, limit }) =>
      handle.read(async (db) => {
        let query = db.selectFrom('job_runs').selectAll().where(inScope(scope)).where('job_id', '=', jobId);
        if (beforeRunId !== null) query = query.where('id', '<', beforeRunId);
        return (await query.orderBy('id', 'desc').limit(limit).execute()).map(toRun);
      }),
    prune: (scope, beforeMs) =>
      handle.write(async (db) => {
        const endedJobs = db
          .selectFrom('jobs')
          .select('id')
          .where(inScope(scope))
          .where('state', 'in', ['done', 'failed'])
          .where('updated_at_ms', '<', beforeMs);
        const newestRuns = db
          .selectFrom('job_runs')
          .select(({ fn }) => fn.max('id').as('id'))
          .where(inScope(scope))
          .groupBy('job_id');
        const gone = await db
          .deleteFrom('job_runs')
          .where(inScope(scope))
          .where('finished_at_ms', '<', beforeMs)
          .where(({ eb, or, not }) => or([not(eb('id', 'in', newestRuns)), eb('job_id', 'in', endedJobs)]))
          .returning('id')
          .execute();
        await db.deleteFrom('jobs').where(inScope(scope)).where('id', 'in', endedJobs).execute();
        return gone.length;
      }),
  };
}
