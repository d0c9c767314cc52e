import type { Selectable } from 'kysely';
import type { Job, JobRun, JobTiming, RetryPolicy } from '../../kernel/jobs/job.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { JobRow, JobRunRow } from './schema.ts';

export function toJob(row: Selectable<JobRow>): Job {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    // These three are written by `put` in jobs.ts.
    timing: parseJsonText(row.timing) as JobTiming,
    payload: parseJsonText(row.payload) as unknown,
    retry: parseJsonText(row.retry) as RetryPolicy,
    nextRunAtMs: row.next_run_at_ms,
    createdAtMs: row.created_at_ms,
    state: row.state,
    failedAttempts: row.failed_attempts,
  };
}

export function toRun(row: Selectable<JobRunRow>): JobRun {
  return {
    id: row.id,
    jobId: row.job_id,
    name: row.name,
    status: row.status,
    attempt: row.attempt,
    scheduledForMs: row.scheduled_for_ms,
    startedAtMs: row.started_at_ms,
    finishedAtMs: row.finished_at_ms,
    error: row.error,
    owner: row.owner,
  };
}
