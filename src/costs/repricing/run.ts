import { z } from 'zod';
import type { Scope } from '../../kernel/scope.ts';
import type { LedgerCorrections, LedgerRow, RepricedCall } from '../store.ts';
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
  /** A batch that is being applied: where it ends, what it comes to, and whether the rollups have it. */
  readonly pending: { readonly upTo: string; readonly report: RepricingReport; readonly areRollupsDone: boolean } | null;
}

export function newRun(
  request: Pick<RepricingRun, 'id' | 'from' | 'to' | 'feature' | 'isDryRun' | 'requestedBy' | 'requestedAtMs'>,
): RepricingProgress {
  return { ...request, state: 'waiting', report: EMPTY_REPORT, after: '', batch: 0, pending: null };
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
  readonly results: { readonly before: LedgerRow; readonly result: ReturnType<typeof repriceCall> }[];
  readonly upTo: string;
  readonly isLast: boolean;
}

async function readBatch(scope: Scope, progress: RepricingProgress, ports: RepricingPorts): Promise<Batch> {
  const { pageRows = 2_000, batchCalls = 20_000 } = ports;
  const results: Batch['results'] = [];
  const upTo = progress.pending?.upTo ?? null;
  let { after } = progress;
  for (let changes = 0; changes < batchCalls; ) {
    ports.signal.throwIfAborted();
    const { from, to, feature } = progress;
    const rows = await ports.ledger.page(scope, { from, to, feature, after, upTo, limit: pageRows });
    for (const before of rows) {
      const result = repriceCall(before, ports.priceAttempt);
      if (result.row !== before) changes++;
      results.push({ before, result });
    }
    after = rows.at(-1)?.callId ?? after;
    if (rows.length < pageRows) return { results, upTo: upTo ?? after, isLast: upTo === null };
  }
  return { results, upTo: upTo ?? after, isLast: false };
}

/**
 * Recomputes the cost of recorded calls, batch after batch in the order of call ids. Each batch is staged, then added to the rollups, then put into
 * spans and ledger, in this order: a batch that was cut off anywhere is done again whole from what was staged, and comes to the same. Run twice,
 * the second run finds nothing to change.
 * @throws what the ledger throws, or the reason of the signal; the run may go on later from what was saved
 */
export async function runRepricing(scope: Scope, start: RepricingProgress, ports: RepricingPorts): Promise<RepricingProgress> {
  let progress: RepricingProgress = { ...start, state: 'running' };
  const save = async (next: RepricingProgress): Promise<void> => {
    progress = next;
    await ports.save(next);
  };
  for (;;) {
    const batch = await readBatch(scope, progress, ports);
    // After a crash the ledger may show a part of the batch as corrected: what the batch comes to was written down before.
    const pending = progress.pending ?? { upTo: batch.upTo, report: reportOf(batch.results), areRollupsDone: false };
    const calls = batch.results.flatMap(({ before, result }): RepricedCall[] =>
      result.row === before ? [] : [{ before, after: result.row }],
    );
    if (!progress.isDryRun && (calls.length > 0 || progress.pending !== null)) {
      await save({ ...progress, pending });
      await ports.ledger.stage(scope, progress.id, progress.batch, calls);
      if (!pending.areRollupsDone) {
        await ports.ledger.correctRollups(scope, progress.id, progress.batch);
        await save({ ...progress, pending: { ...pending, areRollupsDone: true } });
      }
      await ports.ledger.correctRows(scope, progress.id, progress.batch);
    }
    await save({
      ...progress,
      state: batch.isLast ? 'done' : 'running',
      report: addReports(progress.report, pending.report),
      after: batch.upTo,
      batch: progress.batch + 1,
      pending: null,
    });
    if (batch.isLast) return progress;
  }
}
