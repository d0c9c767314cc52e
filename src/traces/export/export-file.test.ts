import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { PlimsollError } from '../../kernel/errors.ts';
import { DEFAULT_SCOPE } from '../../kernel/scope.ts';
import type { ExportedSpan } from './columns.ts';
import { exportFile, type SpanExport } from './export-file.ts';
import { exportedSpan } from './testing.ts';

const QUERY = { limit: 1_000 };

/** A store of pages that says how far it was read. */
function storeOf(pages: number, page: (place: number) => readonly ExportedSpan[]): SpanExport & { pulled: number; isReturned: boolean } {
  const store = {
    pulled: 0,
    isReturned: false,
    async *spans(_scope: unknown, _query: unknown, signal: AbortSignal) {
      try {
        for (let place = 0; place < pages; place++) {
          signal.throwIfAborted();
          store.pulled += 1;
          yield page(place);
        }
      } finally {
        store.isReturned = true;
      }
    },
    parquet: async () => Readable.from(['PAR1']),
  };
  return store;
}

const spanOf = (place: number) => exportedSpan({ name: `span ${place}` }, { input: 'x'.repeat(10_000) });

describe('an export as a stream', () => {
  it('has a line for each span', async () => {
    const store = storeOf(3, (place) => [spanOf(place), spanOf(place + 100)]);
    const lines = (await text(await exportFile(store, DEFAULT_SCOPE, QUERY, 'jsonl'))).split('\n');
    assert.equal(lines.pop(), '');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).name),
      ['span 0', 'span 100', 'span 1', 'span 101', 'span 2', 'span 102'],
    );
    assert.equal(
      await text(
        await exportFile(
          storeOf(0, () => []),
          DEFAULT_SCOPE,
          QUERY,
          'jsonl',
        ),
      ),
      '',
    );
  });

  it('reads no further than its reader takes, and stops when that one leaves', async () => {
    const store = storeOf(10_000, (place) => [spanOf(place)]);
    const file = await exportFile(store, DEFAULT_SCOPE, QUERY, 'jsonl');
    file.once('readable', () => undefined);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(store.pulled > 0 && store.pulled < 30, `${store.pulled} pages`);
    file.destroy();
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(store.isReturned, 'the store is left');
  });

  it('says why it cannot begin, and fails where the store fails', async () => {
    const failing = (at: number) =>
      storeOf(10, (place) => {
        if (place === at) throw new PlimsollError('query_too_expensive', 'stopped');
        return [spanOf(place)];
      });
    await assert.rejects(exportFile(failing(0), DEFAULT_SCOPE, QUERY, 'jsonl'), { code: 'query_too_expensive' });
    const file = await exportFile(failing(4), DEFAULT_SCOPE, QUERY, 'otlp');
    await assert.rejects(text(file), { code: 'query_too_expensive' });
  });

  it('keeps an OTLP request within what receivers take', async () => {
    const store = storeOf(1, () =>
      Array.from({ length: 20 }, (_, place) => exportedSpan({ name: `${place}` }, { input: 'y'.repeat(900_000) })),
    );
    const lines = (await text(await exportFile(store, DEFAULT_SCOPE, QUERY, 'otlp'))).trimEnd().split('\n');
    assert.ok(lines.length >= 5, `${lines.length} requests`);
    for (const line of lines) assert.ok(line.length < 8_000_000, `${line.length} characters`);
  });
});
