import { z } from 'zod';
import { PlimsollError } from '../errors.ts';
import { defineRoute } from '../routes.ts';
import type { Job, JobRun, JobStore } from './job.ts';

const epochMs = z.int().describe('Epoch ms');

export const JobView = z
  .object({
    key: z.string(),
    name: z.string(),
    schedule: z.string().describe('Cron text with its time zone, or "once"'),
    state: z.enum(['waiting', 'running', 'done', 'failed']),
    nextRunAt: epochMs,
    failedAttempts: z.int().describe('Failed runs in a row for the current time'),
  })
  .meta({ id: 'Job' });

export const JobRunView = z
  .object({
    id: z.string(),
    status: z.enum(['running', 'succeeded', 'failed', 'abandoned']),
    attempt: z.int(),
    scheduledFor: epochMs,
    startedAt: epochMs,
    finishedAt: epochMs.nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: 'JobRun' });

export interface JobServices {
  readonly jobs: JobStore;
}

const route = defineRoute<JobServices>();
const limit = z.coerce.number().int().min(1).max(200).default(50);

function jobView({ key, name, timing, state, nextRunAtMs, failedAttempts }: Job): z.input<typeof JobView> {
  return {
    key,
    name,
    schedule: timing.kind === 'cron' ? `${timing.cron} ${timing.timeZone}` : 'once',
    state,
    nextRunAt: nextRunAtMs,
    failedAttempts,
  };
}

function runView({ id, status, attempt, scheduledForMs, startedAtMs, finishedAtMs, error }: JobRun): z.input<typeof JobRunView> {
  return { id, status, attempt, scheduledFor: scheduledForMs, startedAt: startedAtMs, finishedAt: finishedAtMs, error };
}

export const jobRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/jobs',
    summary: 'List the jobs of the control plane with their next run',
    permission: 'jobs:read',
    query: z.strictObject({ cursor: z.string().min(1).max(200).optional().describe('nextCursor of the page before'), limit }),
    response: z.object({ jobs: z.array(JobView), nextCursor: z.string().nullable() }).meta({ id: 'JobPage' }),
    async handler({ scope, query, services }) {
      const jobs = await services.jobs.list(scope, { afterKey: query.cursor ?? null, limit: query.limit + 1 });
      const shown = jobs.slice(0, query.limit);
      return { jobs: shown.map(jobView), nextCursor: jobs.length > query.limit ? (shown.at(-1)?.key ?? null) : null };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/jobs/:key/runs',
    summary: 'History of a job, newest run first',
    permission: 'jobs:read',
    params: z.strictObject({ key: z.string().max(200) }),
    query: z.strictObject({ cursor: z.string().min(1).max(64).optional().describe('nextCursor of the page before'), limit }),
    response: z.object({ runs: z.array(JobRunView), nextCursor: z.string().nullable() }).meta({ id: 'JobRunPage' }),
    async handler({ scope, params, query, services }) {
      const job = await services.jobs.get(scope, params.key);
      if (job === null) throw new PlimsollError('not_found', `There is no job "${params.key}".`, { details: { key: params.key } });
      const runs = await services.jobs.runs(scope, { jobId: job.id, beforeRunId: query.cursor ?? null, limit: query.limit + 1 });
      const shown = runs.slice(0, query.limit);
      return { runs: shown.map(runView), nextCursor: runs.length > query.limit ? (shown.at(-1)?.id ?? null) : null };
    },
  }),
];
