import type { Clock } from '../kernel/clock.ts';
import { toPlimsollError } from '../kernel/errors.ts';
import { createJobRunner, type JobRunner } from '../kernel/jobs/runner.ts';
import type { Scope } from '../kernel/scope.ts';
import type { ControlStore } from '../stores/sql/control-store.ts';
import type { ChildContext } from './child-process.ts';

/** The standing jobs of control. Of several control processes on one database, one runs each of them. */
export async function startControlJobs(store: ControlStore, scope: Scope, clock: Clock, log: ChildContext['log']): Promise<JobRunner> {
  const runner = createJobRunner({
    store: store.jobs,
    scope,
    clock,
    handlers: {
      'sessions.prune': async () => void (await store.sessions.prune(scope, clock.nowMs())),
    },
    onError: (thrown, { jobName, runId }) => log('error', 'job_failed', { job: jobName, runId, message: toPlimsollError(thrown).message }),
  });
  await runner.schedule({ name: 'sessions.prune', timing: { kind: 'cron', cron: '17 * * * *', timeZone: 'UTC' } });
  runner.start();
  return runner;
}
