import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { protobufRequest, type TestSpan } from '../../src/traces/otlp/testing.ts';
import { readStore } from '../harness/ledger.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { Filler } from './filler.ts';
import { MOUNT_REFUSED, smallDisk } from './processes.ts';

function batch(): TestSpan[] {
  const traceId = randomBytes(16).toString('hex');
  const startNs = BigInt(Date.now()) * 1_000_000n;
  return Array.from({ length: 5 }, (_, place) => ({
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: `chat ${place}`,
    startNs,
    endNs: startNs + 1_000_000n,
    attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', note: randomBytes(1_500).toString('hex') },
  }));
}

describe('full disk while spans come in', { skip: MOUNT_REFUSED ?? false, timeout: 300_000 }, () => {
  it('nothing is acknowledged that is not on disk; with space again all of it is in the store, once', async () => {
    const disk = smallDisk('192m');
    let plimsoll: Plimsoll | null = null;
    let filler: Filler | null = null;
    try {
      const running = await startPlimsoll({ dataDirectory: join(disk.path, 'data') });
      plimsoll = running;
      const acknowledged = new Set<string>();
      const waiting: { readonly spans: TestSpan[]; readonly body: Buffer }[] = [];
      let refused = 0;
      const send = async (of: { readonly spans: TestSpan[]; readonly body: Buffer }): Promise<boolean> => {
        const answer = await fetch(`${running.url}/v1/traces`, {
          method: 'POST',
          headers: { authorization: `Bearer ${running.virtualKey}`, 'content-type': 'application/x-protobuf' },
          body: of.body,
        });
        await answer.arrayBuffer();
        if (answer.status !== 200) {
          assert.equal(answer.status, 503);
          assert.ok(answer.headers.get('retry-after'), 'says when to come again');
          refused += 1;
          return false;
        }
        for (const span of of.spans) acknowledged.add(`${span.traceId}/${span.spanId}`);
        return true;
      };
      const sendNew = async (): Promise<void> => {
        const spans = batch();
        const of = { spans, body: protobufRequest([{ spans }]) };
        if (!(await send(of))) waiting.push(of);
      };
      for (let count = 0; count < 20; count++) await sendNew();
      assert.equal(refused, 0);
      filler = new Filler(disk);
      await eventually(
        'the full disk is noticed',
        async () => {
          await sendNew();
          return refused;
        },
        (count) => count > 5,
      );
      filler.remove();
      filler = null;
      // As exporters do: the same bytes again.
      for (const of of waiting)
        await eventually(
          'taken once there is space',
          () => send(of),
          (isTaken) => isTaken,
        );
      await eventually(
        'the ingest has caught up',
        () => running.api<{ ingest: { pendingBytes: number } }>('/api/v1/status'),
        ({ ingest }) => ingest.pendingBytes === 0,
      );
      const rows = await readStore<{ place: string; n: string }>(
        running,
        "SELECT concat(trace_id, '/', span_id) AS place, toString(count()) AS n FROM spans GROUP BY place",
      );
      const stored = new Map(rows.map(({ place, n }) => [place, Number(n)]));
      assert.deepEqual(
        [...acknowledged].filter((place) => !stored.has(place)),
        [],
        'acknowledged and lost',
      );
      assert.deepEqual(
        [...stored].filter(([, n]) => n !== 1),
        [],
        'doubled',
      );
    } finally {
      filler?.remove();
      await plimsoll?.stop();
      disk.remove();
    }
  });
});
