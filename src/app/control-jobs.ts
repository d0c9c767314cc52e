import type { FeatureSwitchService } from '../features/switch-service.ts';
import type { Clock } from '../kernel/clock.ts';
import { toPlimsollError } from '../kernel/errors.ts';
import { createJobRunner, type JobRunner } from '../kernel/jobs/runner.ts';
import type { Scope } from '../kernel/scope.ts';
import type { ControlStore } from '../stores/sql/control-store.ts';
import type { ChildContext } from './child-process.ts';
import type { CostWatch } from './cost-watch.ts';
import { type OwnerWebhooks, WEBHOOK_JOB } from './owner-webhooks.ts';
import { REPLAY_JOB, type Replaying } from './replaying.ts';
import { REPRICING_JOB, type Repricing } from './repricing.ts';
import { RETENTION_JOB, type Retention } from './retention.ts';

export interface ControlJobsOptions {
  readonly store: ControlStore;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: ChildContext['log'];
  readonly featureSwitches: Pick<FeatureSwitchService, 'endExpired'>;
  readonly webhooks: OwnerWebhooks;
  readonly repricing: Repricing;
  readonly replaying: Replaying;
  readonly costWatch: CostWatch;
  readonly retention: Retention;
  /** Logs what people should know of models today. */
  readonly checkModels: () => Promise<void>;
  /** Asks the status pages that are due; asks none when none is configured. */
  readonly pollStatusPages: (signal: AbortSignal) => Promise<void>;
}

const EVENTS_KEPT_MS = 400 * 86_400_000;

/** The standing jobs of control. Of several control processes on one database, one runs each of them. */
export async function startControlJobs({
  store,
  scope,
  clock,
  log,
  featureSwitches,
  webhooks,
  repricing,
  replaying,
  costWatch,
  retention,
  checkModels,
  pollStatusPages,
}: ControlJobsOptions): Promise<JobRunner> {
  const runner = createJobRunner({
    store: store.jobs,
    scope,
    clock,
    handlers: {
      'sessions.prune': async () => void (await store.sessions.prune(scope, clock.nowMs())),
      'features.end_expired_switches': async () => void (await featureSwitches.endExpired(scope)),
      [WEBHOOK_JOB]: (job) => webhooks.deliver(job),
      [REPRICING_JOB]: (job) => repricing.run(job),
      [REPLAY_JOB]: (job) => replaying.run(job),
      'costs.watch_anomalies': () => costWatch.run(),
      [RETENTION_JOB]: ({ signal }) => retention.run(scope, signal),
      'models.check_lifecycle': checkModels,
      'providers.poll_status_pages': ({ signal }) => pollStatusPages(signal),
      'events.prune': async () => void (await store.eventLog.prune(scope, clock.nowMs() - EVENTS_KEPT_MS)),
    },
    onError: (thrown, { jobName, runId }) => log('error', 'job_failed', { job: jobName, runId, message: toPlimsollError(thrown).message }),
  });
  const cron = (name: string, text: string) => runner.schedule({ name, timing: { kind: 'cron', cron: text, timeZone: 'UTC' } });
  await cron('sessions.prune', '17 * * * *');
  await cron('features.end_expired_switches', '* * * * *');
  await cron('providers.poll_status_pages', '* * * * *');
  // When the last records of the hour before are in.
  await cron('costs.watch_anomalies', '7 * * * *');
  await cron(RETENTION_JOB, '27 * * * *');
  // In the morning of Europe, where somebody reads it; more often would say nothing new.
  await cron('models.check_lifecycle', '13 6 * * *');
  await cron('events.prune', '41 3 * * *');
  runner.start();
  return runner;
}
