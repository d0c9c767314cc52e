import { type BegunDeletion, type Deletion, enforceRetention } from '../audit/retention/enforce.ts';
import { type RetentionReport, reportRetention } from '../audit/retention/report.ts';
import type { RetentionStore } from '../audit/retention/store.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Scope } from '../kernel/scope.ts';
import type { ControlStore } from '../stores/sql/control-store.ts';
import type { ChildContext } from './child-process.ts';
import type { Config } from './config.ts';
import { formatBytes, formatCount } from './format.ts';

export const RETENTION_JOB = 'retention.enforce';
const BEGUN_SETTING = 'retention.begun';

export interface RetentionOptions {
  readonly store: ControlStore;
  readonly data: () => Promise<RetentionStore>;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: ChildContext['log'];
}

/** Deletes what is older than the configuration wants it kept, and says what it is about to delete. */
export class Retention {
  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** The hourly job. The configuration in force at that moment holds. */
  async run(scope: Scope, signal: AbortSignal): Promise<void> {
    const { store, data, config, clock, log } = this.#options;
    const deletions = await enforceRetention(scope, {
      store: await data(),
      memory: {
        begun: async (tenant) => (await store.settings.get(tenant, BEGUN_SETTING)) as BegunDeletion | null, // written below
        begin: (tenant, deletion) => store.settings.put(tenant, BEGUN_SETTING, deletion),
        done: (tenant, deletion) => this.#record(tenant, deletion),
      },
      config: config().retention,
      nowMs: clock.nowMs(),
      signal,
    });
    for (const { dataClass, rows } of deletions) log('info', 'retention_deleted', { class: dataClass, rows });
  }

  async #record(scope: Scope, deletion: Deletion): Promise<void> {
    const { store, clock } = this.#options;
    const atMs = clock.nowMs();
    const subject = `retention/${deletion.dataClass}`;
    const details = { ...deletion };
    await store.transaction(async (tx) => {
      await tx.eventLog.append(scope, {
        name: 'retention.deleted',
        subject,
        severity: 'info',
        message: messageOf(deletion),
        details,
        atMs,
      });
      await tx.audit.record(scope, {
        action: 'retention.deleted',
        actor: { kind: 'system', id: RETENTION_JOB, organisationId: scope.organisationId, grants: [] },
        subject,
        details,
        atMs,
      });
      await tx.settings.put(scope, BEGUN_SETTING, null);
    });
  }

  async report(scope: Scope): Promise<RetentionReport> {
    const { store, data, config, clock } = this.#options;
    const job = await store.jobs.get(scope, RETENTION_JOB);
    return reportRetention(scope, {
      store: await data(),
      config: config().retention,
      nowMs: clock.nowMs(),
      nextRunMs: job?.nextRunAtMs ?? null,
    });
  }
}

function messageOf({ dataClass, rows, bytesBefore, bytesAfter, beforeMs, days }: Deletion): string {
  const what =
    days === null || beforeMs === null
      ? 'by rules of features'
      : `older than ${days} days (before ${new Date(beforeMs).toISOString().slice(0, 10)})`;
  const freed = bytesBefore > bytesAfter ? `; ${formatBytes(bytesBefore - bytesAfter)} freed` : '';
  return `${formatCount(rows)} rows of ${dataClass} ${what} were deleted${freed}.`;
}
