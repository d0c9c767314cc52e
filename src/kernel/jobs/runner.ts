import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock, Timer } from '../clock.ts';
import { PlimsollError } from '../errors.ts';
import { newUuidV7 } from '../ids.ts';
import type { Scope } from '../scope.ts';
import { type ClaimedJob, DEFAULT_RETRY, type Job, type JobStore, type JobTiming, type RetryPolicy, type RunOutcome } from './job.ts';
import { nextCronMs } from './schedule.ts';

export interface JobContext {
  readonly scope: Scope;
  readonly payload: unknown;
  readonly runId: string;
  /** 1 for the first run of a planned time. */
  readonly attempt: number;
  /** The planned time, epoch ms. After downtime several missed times are one run, for the first of them. */
  readonly scheduledForMs: number;
  /** Aborted when the lease is lost (another process may run the job from now on) or the runner stops: end soon, write nothing more. */
  readonly signal: AbortSignal;
}

export type JobHandler = (context: JobContext) => Promise<void>;

export interface JobRequest {
  /** The handler. */
  readonly name: string;
  /** One job per key: scheduling it again changes it. Default: the name. */
  readonly key?: string;
  readonly timing: JobTiming;
  readonly payload?: unknown;
  readonly retry?: RetryPolicy;
}

export interface JobRunnerOptions {
  readonly store: JobStore;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly handlers: Readonly<Record<string, JobHandler>>;
  /** Told of handlers that failed and of a store that cannot be reached. */
  readonly onError: (thrown: unknown, context: { readonly jobName: string | null; readonly runId: string | null }) => void;
  /** Default 30 s; extended every third of it. Clocks of two control processes may differ by less than that third. */
  readonly leaseMs?: number;
  /** How soon a job is noticed that another process scheduled; default 5 s. */
  readonly pollMs?: number;
  /** Jobs at once in this process; default 4. */
  readonly maxConcurrent?: number;
  /** How long the history of runs is kept; default 30 days. */
  readonly keepRunsMs?: number;
}

export interface JobRunner {
  /** Starts the timer. */
  start(): void;
  /** Claims and runs everything that is due, and resolves when it is done. The timer calls it; tests may. */
  runDue(): Promise<void>;
  /** @throws PlimsollError `invalid_argument` for an unknown handler, or a cron text that is wrong or never comes */
  schedule(request: JobRequest, store?: JobStore): Promise<Job>;
  /**
   * Claims nothing more, aborts what runs and waits up to `graceMs` for it; a run that ends so with an error is given back, to run again
   * at once elsewhere. One that does not end keeps its lease until that runs out: given back, it could run twice at once.
   */
  stop(graceMs?: number): Promise<void>;
}

const DEFAULT_LEASE_MS = 30_000;
const DEFAULT_POLL_MS = 5_000;
const DEFAULT_KEEP_MS = 30 * 86_400_000;
const PRUNE_EVERY_MS = 3_600_000;
const LONGEST_ERROR = 2_000;

function firstRunMs(timing: JobTiming, nowMs: number): number {
  if (timing.kind === 'at') return timing.runAtMs;
  const next = nextCronMs(timing.cron, timing.timeZone, nowMs);
  if (next === null)
    throw new PlimsollError('invalid_argument', `The schedule "${timing.cron}" names no time that ever comes.`, {
      details: { cron: timing.cron },
    });
  return next;
}

/** What becomes of a job after a run; pure. Missed times of a cron job are not made up for: the next one is after now. */
export function outcomeOf(job: Job, attempt: number, nowMs: number, error: string | null): RunOutcome {
  const nextCron = job.timing.kind === 'cron' ? nextCronMs(job.timing.cron, job.timing.timeZone, nowMs) : null;
  if (error === null) return { status: 'succeeded', error: null, finishedAtMs: nowMs, nextRunAtMs: nextCron, failedAttempts: 0 };
  const { maxAttempts, firstMs, maxMs } = job.retry;
  const retryAtMs = attempt < maxAttempts ? nowMs + Math.min(firstMs * 2 ** (attempt - 1), maxMs) : null;
  const isRetry = retryAtMs !== null && (nextCron === null || retryAtMs < nextCron);
  return {
    status: 'failed',
    error: error.slice(0, LONGEST_ERROR),
    finishedAtMs: nowMs,
    nextRunAtMs: isRetry ? retryAtMs : nextCron,
    failedAttempts: isRetry || nextCron === null ? attempt : 0,
  };
}

export function createJobRunner(options: JobRunnerOptions): JobRunner {
  const { store, scope, clock, handlers, onError } = options;
  const leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
  const pollMs = options.pollMs ?? DEFAULT_POLL_MS;
  const maxConcurrent = options.maxConcurrent ?? 4;
  const names = Object.keys(handlers);
  const owner = newUuidV7(clock.nowMs());
  // Timers set while a caller's transaction is open must not inherit it: the store refuses writes from inside another transaction.
  const outside = AsyncLocalStorage.snapshot();
  const running = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();
  let timer: Timer | null = null;
  let isStarted = false;
  let isStopped = false;
  let armedForMs = Number.POSITIVE_INFINITY;
  let isPumping = false;
  let isPumpWanted = false;
  let prunedAtMs = Number.NEGATIVE_INFINITY;

  function arm(delayMs: number): void {
    timer?.cancel();
    armedForMs = clock.monotonicMs() + delayMs;
    timer = clock.setTimer(delayMs, () => void outside(() => pump()));
  }

  async function execute({ job, run }: ClaimedJob, abort: AbortController): Promise<void> {
    let leaseUntilMs = clock.monotonicMs() + leaseMs;
    const lose = () => abort.abort(new PlimsollError('conflict', `Job "${job.key}" lost its lease: it may run elsewhere now.`));
    let heartbeat: Timer = { cancel: () => {} };
    let isOver = false;
    const beat = () => {
      if (!isOver) heartbeat = clock.setTimer(leaseMs / 3, () => void outside(extend));
    };
    const extend = async (): Promise<void> => {
      const askedAtMs = clock.monotonicMs();
      try {
        if (!(await store.extend(scope, run.id, clock.nowMs() + leaseMs))) return lose();
        leaseUntilMs = askedAtMs + leaseMs;
      } catch (thrown) {
        onError(thrown, { jobName: job.name, runId: run.id });
        if (clock.monotonicMs() + leaseMs / 3 >= leaseUntilMs) return lose();
      }
      beat();
    };
    beat();
    let error: string | null = null;
    try {
      const handler = handlers[job.name];
      if (handler === undefined) throw new PlimsollError('internal', `No handler is named "${job.name}".`);
      if (run.attempt > job.retry.maxAttempts)
        throw new PlimsollError('internal', `Given up: ${run.attempt - 1} runs ended with their process.`);
      await handler({
        scope,
        payload: job.payload,
        runId: run.id,
        attempt: run.attempt,
        scheduledForMs: run.scheduledForMs,
        signal: abort.signal,
      });
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
      onError(thrown, { jobName: job.name, runId: run.id });
    } finally {
      isOver = true;
      heartbeat.cancel();
    }
    try {
      // A run that the stop of this process cut short has not failed.
      if (error !== null && isStopped) await store.release(scope, run.id, clock.nowMs());
      else if (!(await store.finish(scope, run.id, outcomeOf(job, run.attempt, clock.nowMs(), error)))) {
        throw new PlimsollError('conflict', `Job "${job.key}" ended after it had lost its lease; its outcome is not kept.`);
      }
    } catch (thrown) {
      // The lease runs out and the job is claimed again: at least once, never twice at once.
      onError(thrown, { jobName: job.name, runId: run.id });
    }
  }

  /** Claims until nothing is due or all places are taken. */
  async function claimDue(): Promise<void> {
    while (!isStopped && running.size < maxConcurrent) {
      const nowMs = clock.nowMs();
      const claimed = await store.claim(scope, { owner, names, nowMs, leaseUntilMs: nowMs + leaseMs });
      if (claimed === null) return;
      const runId = claimed.run.id;
      const abort = new AbortController();
      const done = execute(claimed, abort).finally(() => {
        running.delete(runId);
        if (isStarted && !isStopped) arm(0);
      });
      running.set(runId, { abort, done });
    }
  }

  async function prune(): Promise<void> {
    if (clock.monotonicMs() - prunedAtMs < PRUNE_EVERY_MS) return;
    prunedAtMs = clock.monotonicMs();
    await store.prune(scope, clock.nowMs() - (options.keepRunsMs ?? DEFAULT_KEEP_MS));
  }

  async function pump(): Promise<void> {
    if (isPumping) isPumpWanted = true;
    if (isStopped || isPumping) return;
    isPumping = true;
    isPumpWanted = false;
    let delayMs = pollMs;
    try {
      await claimDue();
      await prune();
      const dueMs = running.size < maxConcurrent ? await store.nextDueMs(scope, names) : null;
      if (dueMs !== null) delayMs = Math.min(pollMs, Math.max(1, dueMs - clock.nowMs()));
    } catch (thrown) {
      onError(thrown, { jobName: null, runId: null });
    } finally {
      isPumping = false;
      if (isStarted && !isStopped) arm(isPumpWanted ? 0 : delayMs);
    }
  }

  return {
    start() {
      isStarted = true;
      arm(0);
    },
    async runDue() {
      for (;;) {
        await claimDue();
        if (running.size === 0) return;
        await Promise.race([...running.values()].map(({ done }) => done));
      }
    },
    async schedule(request, within = store) {
      if (!Object.hasOwn(handlers, request.name)) {
        throw new PlimsollError('invalid_argument', `No job handler is named "${request.name}"; there are ${names.join(', ')}.`, {
          details: { name: request.name },
        });
      }
      const nowMs = clock.nowMs();
      const { name, key = name, timing, payload = null, retry = DEFAULT_RETRY } = request;
      const job = await within.put(scope, { name, key, timing, payload, retry, nextRunAtMs: firstRunMs(timing, nowMs) }, nowMs);
      const delayMs = Math.max(1, job.nextRunAtMs - nowMs);
      if (isStarted && !isStopped && clock.monotonicMs() + delayMs < armedForMs) arm(delayMs);
      return job;
    },
    async stop(graceMs = 5_000) {
      isStopped = true;
      timer?.cancel();
      for (const { abort } of running.values()) abort.abort(new PlimsollError('not_ready', 'The process is stopping.'));
      let grace: Timer | null = null;
      const waited = new Promise<void>((resolve) => {
        grace = clock.setTimer(graceMs, resolve);
      });
      await Promise.race([Promise.all([...running.values()].map(({ done }) => done)), waited]);
      (grace as Timer | null)?.cancel();
    },
  };
}
