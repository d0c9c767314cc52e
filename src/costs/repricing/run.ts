import { z } from 'zod';
import type { Scope } from '../../kernel/scope.ts';
import type { LedgerCorrections, RepricedCall } from '../store.ts';
import { addReports, EMPTY_REPORT, RepricingReport, reportOf } from './report.ts';
import { type PriceAttempt, repriceCall } from './reprice-call.ts';

/** What was asked for and how far it is; written after each step, so that another process can go on. */
export const RepricingRun = z
  .object({
    id: z.string(),
    from: z.int().describe('Epoch ms, inclusive: calls that started then or later'),
    to: z.int().describe('Epoch ms, exclusive'),
    feature: z.string().nullable().describe('Only calls of this feature; null = all'),
    isDryRun: z.boolean(),
    requestedBy: z.string(),
    requestedAtMs: z.int(),
    state: z.enum(['waiting', 'running', 'done']),
    report: RepricingReport.describe('Of what is done so far'),
  })
  .meta({ id: 'RepricingRun' });
export type RepricingRun = z.infer<typeof RepricingRun>;

/** The run with its place; the place is nobody's business but the run's own. */
export interface RepricingProgress extends RepricingRun {
  /** Last call id that is done. */
  readonly after: string;
  /** Number of the next batch. */
  readonly batch: number;
  /** The batch is being put together: what is staged of it is worth nothing until it is whole. */
  readonly isStaging: boolean;
  /** A batch that is staged whole and being applied: where it ends, what it comes to, and whether the rollups have it. */
  readonly pending: { readonly upTo: string; readonly report: RepricingReport; readonly areRollupsDone: boolean } | null;
}

export function newRun(
  request: Pick<RepricingRun, 'id' | 'from' | 'to' | 'feature' | 'isDryRun' | 'requestedBy' | 'requestedAtMs'>,
): RepricingProgress {
  return { ...request, state: 'waiting', report: EMPTY_REPORT, after: '', batch: 0, isStaging: false, pending: null };
}

export interface RepricingPorts {
  readonly ledger: LedgerCorrections;
  readonly priceAttempt: PriceAttempt;
  readonly save: (progress: RepricingProgress) => Promise<void>;
  readonly signal: AbortSignal;
  /** Rows read at once, and changed calls of one batch. */
  readonly pageRows?: number;
  readonly batchCalls?: number;
}

interface Batch {
  readonly report: RepricingReport;
  readonly changedCalls: number;
  readonly upTo: string;
  readonly isLast: boolean;
}

/** Reads on from where the run is, page by page, and stages what changes: never more than a page is held. */
async function stageBatch(scope: Scope, progress: RepricingProgress, ports: RepricingPorts): Promise<Batch> {
  const { pageRows = 2_000, batchCalls = 100_000, ledger } = ports;
  const { id, batch, from, to, feature, isDryRun } = progress;
  let { after: upTo } = progress;
  let report = EMPTY_REPORT;
  let changedCalls = 0;
  for (let page = 0; changedCalls < batchCalls; page++) {
    ports.signal.throwIfAborted();
    const rows = await ledger.page(scope, { from, to, feature, after: upTo, upTo: null, limit: pageRows });
    const results = rows.map((before) => ({ before, result: repriceCall(before, ports.priceAttempt) }));
    const calls = results.flatMap(({ before, result }): RepricedCall[] => (result.row === before ? [] : [{ before, after: result.row }]));
    if (!isDryRun && calls.length > 0) await ledger.stage(scope, id, batch, page, calls);
    report = addReports(report, reportOf(results));
    changedCalls += calls.length;
    upTo = rows.at(-1)?.callId ?? upTo;
    if (rows.length < pageRows) return { report, changedCalls, upTo, isLast: true };
  }
  return { report, changedCalls, upTo, isLast: false };
}

/**
 * Recomputes the cost of recorded calls, batch after batch in the order of call ids. Each batch is staged whole, then added to the rollups, then put
 * into spans and ledger, in this order. One that was cut off while it was staged is forgotten and staged anew under the next number; one that was cut
 * off later is done again from what was staged, and comes to the same. Run twice, the second run finds nothing to change.
 * @throws what the ledger throws, or the reason of the signal; the run may go on later from what was saved
 */
export async function runRepricing(scope: Scope, start: RepricingProgress, ports: RepricingPorts): Promise<RepricingProgress> {
  const { ledger, signal } = ports;
  let progress: RepricingProgress = { ...start, state: 'running' };
  const save = async (next: RepricingProgress): Promise<void> => {
    progress = next;
    await ports.save(next);
  };
  if (progress.isStaging) {
    await ledger.unstage(scope, progress.id, progress.batch);
    await save({ ...progress, batch: progress.batch + 1, isStaging: false });
  }
  for (;;) {
    let isLast = false;
    if (progress.pending === null) {
      if (!progress.isDryRun) await save({ ...progress, isStaging: true });
      const staged = await stageBatch(scope, progress, ports);
      isLast = staged.isLast;
      const pending = { upTo: staged.upTo, report: staged.report, areRollupsDone: false };
      progress = { ...progress, isStaging: false };
      if (progress.isDryRun || staged.changedCalls === 0) {
        await save(done(progress, pending, isLast));
        if (isLast) return progress;
        continue;
      }
      await save({ ...progress, pending });
    }
    const { pending } = progress;
    if (pending === null) continue; // it was set above
    signal.throwIfAborted();
    if (!pending.areRollupsDone) {
      await ledger.correctRollups(scope, progress.id, progress.batch);
      await save({ ...progress, pending: { ...pending, areRollupsDone: true } });
    }
    await ledger.correctRows(scope, progress.id, progress.batch);
    await save(done(progress, pending, isLast));
    if (isLast) return progress;
  }
}

/** The progress once a batch is applied. After a crash nobody knows whether it was the last one; the next one is empty then. */
function done(
  progress: RepricingProgress,
  { upTo, report }: NonNullable<RepricingProgress['pending']>,
  isLast: boolean,
): RepricingProgress {
  return {
    ...progress,
    state: isLast ? 'done' : 'running',
    report: addReports(progress.report, report),
    after: upTo,
    batch: progress.batch + 1,
    pending: null,
  };
}
