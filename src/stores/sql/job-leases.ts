import type { ExpressionBuilder, ExpressionWrapper, Kysely, SqlBool } from 'kysely';
import { newUuidV7 } from '../../kernel/ids.ts';
import type { Claim, ClaimedJob, JobStore, RunOutcome } from '../../kernel/jobs/job.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { Handle } from './connection.ts';
import { toJob, toRun } from './job-rows.ts';
import type { Database } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

/** Its time has come, and no lease on it holds. */
function isClaimable(nowMs: number): (builder: ExpressionBuilder<Database, 'jobs'>) => ExpressionWrapper<Database, 'jobs', SqlBool> {
  return ({ eb, or, and }) =>
    or([
      and([eb('state', '=', 'waiting'), eb('next_run_at_ms', '<=', nowMs)]),
      and([eb('state', '=', 'running'), eb('next_run_at_ms', '<=', nowMs), eb('lease_until_ms', '<=', nowMs)]),
    ]);
}

async function claim(db: Kysely<Database>, scope: Scope, { owner, names, nowMs, leaseUntilMs }: Claim): Promise<ClaimedJob | null> {
  if (names.length === 0) return null;
  for (;;) {
    const candidate = await db
      .selectFrom('jobs')
      .select(['id', 'state', 'current_run_id', 'failed_attempts'])
      .where(inScope(scope))
      .where('name', 'in', names)
      .where(isClaimable(nowMs))
      .orderBy('next_run_at_ms')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    if (candidate === undefined) return null;
    const runId = newUuidV7(nowMs);
    const isLapsed = candidate.state === 'running';
    // A run whose process died counts as a failure: a job that kills its process must not do so for ever.
    const failedAttempts = candidate.failed_attempts + (isLapsed ? 1 : 0);
    const row = await db
      .updateTable('jobs')
      .set({
        state: 'running',
        current_run_id: runId,
        lease_until_ms: leaseUntilMs,
        failed_attempts: failedAttempts,
        is_rescheduled: 0,
        updated_at_ms: nowMs,
      })
      .where(inScope(scope))
      .where('id', '=', candidate.id)
      // A rival may have taken it since: PostgreSQL waits for its commit and looks at these conditions again.
      .where(isClaimable(nowMs))
      .where('current_run_id', candidate.current_run_id === null ? 'is' : '=', candidate.current_run_id)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) continue;
    if (isLapsed && candidate.current_run_id !== null) {
      await db
        .updateTable('job_runs')
        .set({
          status: 'abandoned',
          finished_at_ms: nowMs,
          error: 'The lease ran out: the process that ran it is gone, or was stopped for too long.',
        })
        .where(inScope(scope))
        .where('id', '=', candidate.current_run_id)
        .where('status', '=', 'running')
        .execute();
    }
    const run = await db
      .insertInto('job_runs')
      .values({
        ...tenantColumns(scope),
        id: runId,
        job_id: row.id,
        name: row.name,
        status: 'running',
        attempt: failedAttempts + 1,
        scheduled_for_ms: row.next_run_at_ms,
        started_at_ms: nowMs,
        owner,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { job: toJob(row), run: toRun(run) };
  }
}

async function finish(db: Kysely<Database>, scope: Scope, runId: string, outcome: RunOutcome): Promise<boolean> {
  const held = await db
    .updateTable('jobs')
    .set({ lease_until_ms: null, current_run_id: null, state: 'waiting', updated_at_ms: outcome.finishedAtMs })
    .where(inScope(scope))
    .where('current_run_id', '=', runId)
    .returning(['id', 'is_rescheduled'])
    .executeTakeFirst();
  if (held === undefined) return false;
  if (held.is_rescheduled === 0) {
    await db
      .updateTable('jobs')
      .set(
        outcome.nextRunAtMs === null
          ? { state: outcome.status === 'succeeded' ? 'done' : 'failed', failed_attempts: outcome.failedAttempts }
          : { next_run_at_ms: outcome.nextRunAtMs, failed_attempts: outcome.failedAttempts },
      )
      .where(inScope(scope))
      .where('id', '=', held.id)
      .execute();
  }
  await db
    .updateTable('job_runs')
    .set({ status: outcome.status, error: outcome.error, finished_at_ms: outcome.finishedAtMs })
    .where(inScope(scope))
    .where('id', '=', runId)
    .execute();
  return true;
}

export function leaseMethods(handle: Handle): Pick<JobStore, 'claim' | 'extend' | 'finish' | 'release' | 'nextDueMs'> {
  return {
    claim: (scope, request) => handle.write((db) => claim(db, scope, request)),
    finish: (scope, runId, outcome) => handle.write((db) => finish(db, scope, runId, outcome)),
    extend: (scope, runId, leaseUntilMs) =>
      handle.write(async (db) => {
        const held = await db
          .updateTable('jobs')
          .set({ lease_until_ms: leaseUntilMs })
          .where(inScope(scope))
          .where('current_run_id', '=', runId)
          .returning('id')
          .execute();
        return held.length > 0;
      }),
    release: (scope, runId, nowMs) =>
      handle.write(async (db) => {
        const held = await db
          .updateTable('jobs')
          .set({ lease_until_ms: null, current_run_id: null, state: 'waiting', updated_at_ms: nowMs })
          .where(inScope(scope))
          .where('current_run_id', '=', runId)
          .returning('id')
          .execute();
        if (held.length === 0) return false;
        await db
          .updateTable('job_runs')
          .set({ status: 'abandoned', finished_at_ms: nowMs, error: 'Given back: the process was draining.' })
          .where(inScope(scope))
          .where('id', '=', runId)
          .execute();
        return true;
      }),
    nextDueMs: (scope, names) =>
      handle.read(async (db) => {
        if (names.length === 0) return null;
        const row = await db
          .selectFrom('jobs')
          .select(({ fn, eb, ref }) =>
            fn
              .min<number | null>(
                eb.case().when('lease_until_ms', '>', ref('next_run_at_ms')).then(ref('lease_until_ms')).else(ref('next_run_at_ms')).end(),
              )
              .as('due'),
          )
          .where(inScope(scope))
          .where('name', 'in', names)
          .where('state', 'in', ['waiting', 'running'])
          .executeTakeFirst();
        return row?.due ?? null;
      }),
  };
}
