import { readShippedPriceBook } from '../models/price-book.ts';
import { rowsFromRun } from './from-otlp.ts';
import type { SenderMeta } from './otlp/batch-record.ts';
import type { GenAiLog } from './otlp/logs.ts';
import { partsFromLogs } from './sdk/from-logs.ts';
import { advanceRuns, FRAME_QUIET_MS } from './sdk/open-runs.ts';
import type { SpanIoRow } from './store.ts';

const sender: SenderMeta = {
  organisationId: 'o',
  environment: 'e',
  keyId: 'k',
  team: null,
  feature: 'helper',
  features: { helper: 'full' },
  maxPayloadBytes: 10_000,
};

/** The texts that logs come to once nothing more is told of their spans. */
export function ioRowsOf(logs: readonly GenAiLog[], nowMs: number): SpanIoRow[] {
  const { parts } = partsFromLogs({ logs, rejected: 0, reason: '' }, sender, nowMs);
  const events = parts.map((part) => ({ kind: 'part' as const, part, sender, receivedAtMs: nowMs }));
  const { finished } = advanceRuns([], [...events, { kind: 'due', atMs: nowMs + FRAME_QUIET_MS }]);
  return finished.flatMap((run) => rowsFromRun(run, readShippedPriceBook()).io);
}
