import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sampleCall } from '../../test/contract/ledger-sample-calls.ts';
import type { CallBatch, LedgerRow } from '../costs/store.ts';
import { systemClock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { FileJournalWriter } from '../kernel/journal/writer.ts';
import { DEFAULT_SCOPE } from '../kernel/scope.ts';
import { readShippedPriceBook } from '../models/price-book.ts';
import { openControlStore } from '../stores/sql/control-store.ts';
import { Ingest } from './ingest.ts';
import { settledRecord } from './journal-recovery.ts';

const call = (number: number) => sampleCall(`${number}`, 1_700_000_000_000 + number);

/** A trace store in memory with the promises of the real one: idempotent by token and table, ledger first, refuses what it is told to. */
class MemoryStore {
  readonly ledger: LedgerRow[] = [];
  readonly spans: string[] = [];
  readonly #tokens = new Set<string>();
  refusedCall: string | null = null;
  /** Called before each table of a batch; may throw. */
  onTable: () => void = () => {};

  insert = async (batch: CallBatch): Promise<void> => {
    this.onTable();
    this.#once(`${batch.token}/ledger`, batch.ledger.length, () => this.ledger.push(...batch.ledger));
    this.onTable();
    if (batch.spans.some((span) => span.callId === this.refusedCall)) throw new PlimsollError('internal', 'a row cannot be stored');
    this.#once(`${batch.token}/spans`, batch.spans.length, () =>
      this.spans.push(...batch.spans.filter((span) => span.isEntry).map((span) => span.callId ?? '')),
    );
    this.onTable();
  };

  #once(token: string, rows: number, write: () => void): void {
    if (rows === 0 || this.#tokens.has(token)) return;
    this.#tokens.add(token);
    write();
  }
}

async function withJournal(run: (directory: string, start: (store: MemoryStore) => Promise<Ingest>) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'plimsoll-ingest-'));
  const control = await openControlStore({ kind: 'sqlite', path: join(root, 'control.db') });
  try {
    await run(join(root, 'journal'), async (store) => {
      const ingest = new Ingest({
        journals: join(root, 'journal'),
        scope: DEFAULT_SCOPE,
        cursors: control.cursors,
        openRuns: control.openRuns,
        commit: (reader, writer, changes) =>
          control.transaction(async (tx) => {
            await tx.cursors.commit(DEFAULT_SCOPE, reader, writer);
            await tx.openRuns.apply(DEFAULT_SCOPE, changes);
          }),
        insert: store.insert,
        hasLedgerRow: async (row) => store.ledger.some((stored) => stored.callId === row.callId),
        priceBook: readShippedPriceBook(),
        storedSpans: async () => [],
        onEvents: async () => {},
        onKeysUsed: async () => {},
        clock: systemClock,
        log: () => {},
      });
      await ingest.start();
      return ingest;
    });
  } finally {
    await control.close();
    rmSync(root, { recursive: true, force: true });
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + 120_000;
  while (!isTrue()) {
    assert.ok(performance.now() < endMs, 'not within 2 min');
    await systemClock.sleep(10);
  }
}

describe('Ingest', () => {
  it('each call once in ledger and spans, however often the store fails and control dies between any two steps', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
        async (runs, luck) => {
          await withJournal(async (journals, start) => {
            const store = new MemoryStore();
            // One failure in ten: the store is away before, in the middle of, or after the write.
            store.onTable = () => {
              if (luck.next().value === 0) throw new PlimsollError('store_unavailable', 'away');
            };
            let written = 0;
            for (const count of runs) {
              const writer = await FileJournalWriter.open({
                directory: join(journals, 'gateway-1'),
                clock: systemClock,
                maxSegmentBytes: 20_000,
                reserveBytes: 4_096,
              });
              for (let index = 0; index < count; index++) writer.append(settledRecord(call(written++)));
              await writer.written();
              const ingest = await start(store);
              if (luck.next().value > 4) await until(() => ingest.status().pendingBytes === 0 && ingest.status().lagMs !== null);
              await ingest.stop();
              await writer.close();
            }
            const last = await start(store);
            await until(() => store.ledger.length >= written && store.spans.length >= written);
            await last.stop();
            const expected = Array.from({ length: written }, (_, index) => call(index).callId).sort();
            assert.deepEqual(store.ledger.map((row) => row.callId).sort(), expected);
            assert.deepEqual([...store.spans].sort(), expected);
          });
        },
      ),
      { numRuns: 12 },
    );
  });

  it('a call that the store refuses is set aside; the others of its batch have one ledger row and their spans', async () => {
    await withJournal(async (journals, start) => {
      const store = new MemoryStore();
      store.refusedCall = call(3).callId;
      const writer = await FileJournalWriter.open({ directory: join(journals, 'gateway-1'), clock: systemClock, reserveBytes: 4_096 });
      for (let index = 0; index < 8; index++) writer.append(settledRecord(call(index)));
      writer.append({ type: 'call.settled', schemaVersion: 1, id: 'broken', payload: Buffer.from('{not json') });
      await writer.close();
      const ingest = await start(store);
      await until(() => ingest.status().quarantined === 2 && ingest.status().pendingBytes === 0);
      await ingest.stop();
      assert.equal(store.ledger.length, 8);
      assert.equal(new Set(store.ledger.map((row) => row.callId)).size, 8);
      assert.equal(store.spans.length, 7);
      const path = join(journals, 'gateway-1.quarantine.jsonl');
      assert.ok(existsSync(path));
      const set = readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: string });
      assert.deepEqual(set.map((entry) => entry.id).sort(), ['broken', store.refusedCall].sort());
    });
  });
});
