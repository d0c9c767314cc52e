import type { Scope } from '../scope.ts';

/** Retries after an error: the n-th waits `min(firstMs × 2ⁿ⁻¹, maxMs)`. */
export interface RetryPolicy {
  /** Runs in all, the first one included; 1 = no retry. */
  readonly maxAttempts: number;
  readonly firstMs: number;
  readonly maxMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = Object.freeze({ maxAttempts: 5, firstMs: 1_000, maxMs: 300_000 });

/** `at` runs once; `cron` runs at each time of its text (five fields, or six with seconds first) on the wall clock of `timeZone`. */
export type JobTiming =
  | { readonly kind: 'at'; readonly runAtMs: number }
  | { readonly kind: 'cron'; readonly cron: string; readonly timeZone: string };

export interface JobDraft {
  /** One job per key and scope: writing it again changes it. Defaults to `name` in the runner. */
  readonly key: string;
  /** The handler. */
  readonly name: string;
  readonly timing: JobTiming;
  /** First run, epoch ms. */
  readonly nextRunAtMs: number;
  /** JSON. */
  readonly payload: unknown;
  readonly retry: RetryPolicy;
}

export interface Job extends JobDraft {
  readonly id: string;
  readonly createdAtMs: number;
  /** `waiting` for its time, `running` under a lease, `done` or `failed` for good (only `at` jobs end). */
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** Failed runs in a row for the current time. */
  readonly failedAttempts: number;
}

/** `abandoned`: the process that ran it went away, or lost its lease. */
export type JobRunStatus = 'running' | 'succeeded' | 'failed' | 'abandoned';

export interface JobRun {
  readonly id: string;
  readonly jobId: string;
  readonly name: string;
  readonly status: JobRunStatus;
  /** 1 for the first run of a planned time. */
  readonly attempt: number;
  readonly scheduledForMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  /** Message of what the handler threw. */
  readonly error: string | null;
  /** The runner that holds or held the lease. */
  readonly owner: string;
}

export interface ClaimedJob {
  readonly job: Job;
  readonly run: JobRun;
}

export interface Claim {
  readonly owner: string;
  readonly names: readonly string[];
  readonly nowMs: number;
  readonly leaseUntilMs: number;
}

export interface RunOutcome {
  readonly status: 'succeeded' | 'failed';
  readonly error: string | null;
  readonly finishedAtMs: number;
  /** The job's next state: the time of the next run, or null when it is over (`done` after success, `failed` otherwise). */
  readonly nextRunAtMs: number | null;
  /** 0 when the next run is for a new time, else the failures so far. */
  readonly failedAttempts: number;
}

/**
 * Durable timers. A run is held by a lease: at most one owner holds a job's lease at a time, and only its holder can extend it or
 * report the outcome; whoever lost it learns so by `false`.
 */
export interface JobStore {
  /** Inserts, or changes the job of the same key. When name, timing, payload and retry are as before, nothing changes (a missed time stays due). */
  put(scope: Scope, draft: JobDraft, nowMs: number): Promise<Job>;
  /** Removes the job and its history. A run that is going on loses its lease. @returns false when there was none */
  remove(scope: Scope, key: string): Promise<boolean>;
  get(scope: Scope, key: string): Promise<Job | null>;
  /** By key. */
  list(scope: Scope, page: { readonly afterKey: string | null; readonly limit: number }): Promise<Job[]>;
  /** Takes the job that is due longest, not under a lease that still holds; opens its run and closes the run of a lapsed lease as `abandoned`. */
  claim(scope: Scope, claim: Claim): Promise<ClaimedJob | null>;
  /** @returns false when the lease is lost */
  extend(scope: Scope, runId: string, leaseUntilMs: number): Promise<boolean>;
  /** @returns false when the lease is lost; nothing is changed then */
  finish(scope: Scope, runId: string, outcome: RunOutcome): Promise<boolean>;
  /** Gives a claimed job back unrun (the process is draining): it is due at once, the run is `abandoned`, no attempt is counted. */
  release(scope: Scope, runId: string, nowMs: number): Promise<boolean>;
  /** Earliest time at which one of `names` can be claimed (its time, or the end of a lease), epoch ms; null without such a job. */
  nextDueMs(scope: Scope, names: readonly string[]): Promise<number | null>;
  /** Newest first. */
  runs(scope: Scope, page: { readonly jobId: string; readonly beforeRunId: string | null; readonly limit: number }): Promise<JobRun[]>;
  /** Removes finished runs older than `beforeMs` and the job's own ended `at` jobs with them; the newest run of each job stays. @returns runs removed */
  prune(scope: Scope, beforeMs: number): Promise<number>;
}
