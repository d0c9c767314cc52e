import { createHash } from 'node:crypto';
import { readJournal } from '../../kernel/journal/reader.ts';
import { listSegments } from '../../kernel/journal/segment.ts';
import type { SenderMeta } from '../../traces/otlp/batch-record.ts';

/** Exporters give up long before. */
const KEPT_MS = 15 * 60_000;
const MAX_KEPT = 50_000;
const READ = { maxRecords: 10_000, maxBytes: 8 * 1024 * 1024 };

/**
 * Batches that are in the journal already. An exporter that got no answer sends the very same bytes again; the spans must not be stored twice for
 * that. After a crash the newest segments of the journal tell: what was written and not acknowledged stands at their end.
 */
export class RecentBatches {
  readonly #atMs = new Map<string, number>();

  /** sha-256 of all that decides which rows a body becomes, but for the time: hex, 64 characters. */
  static idOf({ organisationId, environment, keyId, feature, encoding }: SenderMeta & { readonly encoding: string }, body: Buffer): string {
    const sender = JSON.stringify([organisationId, environment, keyId, feature, encoding]);
    return createHash('sha256').update(sender).update(body).digest('hex');
  }

  /** Takes up what earlier processes wrote into segments that are still there. */
  async recover(directory: string, nowMs: number): Promise<void> {
    const first = listSegments(directory).at(-2) ?? listSegments(directory).at(-1);
    if (first === undefined) return;
    let position = { segment: first, offset: 0 };
    for (;;) {
      const slice = await readJournal(directory, position, READ);
      if (slice.records.length === 0) return;
      for (const { type, id } of slice.records)
        if (type === 'otlp.batch' || type === 'sdk.request' || type === 'otlp.logs') this.add(id, nowMs);
      position = slice.next;
    }
  }

  has(id: string): boolean {
    return this.#atMs.has(id);
  }

  add(id: string, nowMs: number): void {
    this.#atMs.delete(id);
    this.#atMs.set(id, nowMs);
    for (const [oldest, atMs] of this.#atMs) {
      if (this.#atMs.size <= MAX_KEPT && atMs > nowMs - KEPT_MS) return;
      this.#atMs.delete(oldest);
    }
  }

  delete(id: string): void {
    this.#atMs.delete(id);
  }
}
