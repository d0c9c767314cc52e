import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Agent } from 'undici';
import type { Status } from '../../src/app/catalogue-routes.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { JOURNAL_START, readJournal } from '../../src/kernel/journal/reader.ts';
import type { JournalPosition } from '../../src/kernel/journal/record.ts';
import { FileJournalWriter } from '../../src/kernel/journal/writer.ts';
import { ledgerOf } from '../harness/ledger.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { startStubProvider, stubConfig } from '../harness/stub-provider.ts';
import { Filler } from './filler.ts';
import { MOUNT_REFUSED, smallDisk } from './processes.ts';

/** 32 tags of 240 characters: a ledger record of 8 KB, so that the reserve is used up sooner. */
const TAGS = Array.from({ length: 32 }, (_, index) => `tag${index}=${'t'.repeat(240)}`).join(',');

describe('full disk', { skip: MOUNT_REFUSED ?? false, timeout: 600_000 }, () => {
  it('calls go on from the reserve and from memory, then 503; with space again everything that was answered is in the ledger', async () => {
    const disk = smallDisk('192m');
    const stub = await startStubProvider();
    let plimsoll: Plimsoll | null = null;
    let filler: Filler | null = null;
    const agent = new Agent({ connections: 16 });
    try {
      const running = await startPlimsoll({ config: stubConfig(stub.port), dataDirectory: join(disk.path, 'data') });
      plimsoll = running;
      const complete: string[] = [];
      const refused: { status: number; code: string; retryAfter: string | undefined }[] = [];
      const call = async (): Promise<number> => {
        const answer = await agent.request({
          origin: running.url,
          path: '/v1/chat/completions',
          method: 'POST',
          headers: { authorization: `Bearer ${running.virtualKey}`, 'content-type': 'application/json', 'x-plimsoll-tags': TAGS },
          body: '{"model":"default","messages":[{"role":"user","content":"hello"}]}',
        });
        const text = await answer.body.text();
        if (answer.statusCode === 200) complete.push(String(answer.headers['x-plimsoll-trace-id']));
        else
          refused.push({
            status: answer.statusCode,
            code: (JSON.parse(text) as { error: { code: string } }).error.code,
            retryAfter: answer.headers['retry-after'] as string | undefined,
          });
        return answer.statusCode;
      };
      for (let index = 0; index < 20; index++) assert.equal(await call(), 200);
      const before = complete.length;
      filler = new Filler(disk);
      // 16 MiB of reserve and 8 MiB of memory at 16 KB a call: about 1 500 calls.
      const until = async (isEnough: () => boolean): Promise<void> => {
        await Promise.all(
          Array.from({ length: 16 }, async () => {
            while (!isEnough()) {
              await call();
              if (refused.length > 0) await systemClock.sleep(5);
            }
          }),
        );
      };
      await until(() => complete.length >= before + 300);
      assert.deepEqual(refused, [], 'refused although the reserve is there');
      const degraded = await eventually(
        'status says degraded',
        () => running.api<Status>('/api/v1/status'),
        (state) => state.journal.isDegraded,
      );
      assert.ok(degraded.journal.shedPayloads > 0, 'payloads are shed and counted');
      await until(() => refused.length >= 20 || complete.length > 20_000);
      assert.ok(complete.length >= before + 1_000, `only ${complete.length - before} calls were taken without a disk`);
      assert.deepEqual([...new Set(refused.map(({ status, code }) => `${status} ${code}`))], ['503 journal_full']);
      const ready = await fetch(`${running.url}/readyz`);
      assert.equal(ready.status, 503);
      assert.match(await ready.text(), /journal/);
      assert.match(running.output.stderr, /"event":"journal_degraded"/);
      filler.remove();
      filler = null;
      await eventually('calls are taken again', call, (status) => status === 200);
      await eventually(
        'status says that it is over',
        () => running.api<Status>('/api/v1/status'),
        (state) => !state.journal.isDegraded && state.gateway.ready,
      );
      assert.match(running.output.stderr, /"event":"journal_recovered"/);
      const ledger = await ledgerOf(running, complete.length);
      const missing = complete.filter((traceId) => ledger.rowsByTrace.get(traceId) !== 1);
      assert.deepEqual(missing, [], `${missing.length} of ${complete.length} answers are not exactly once in the ledger`);
      assert.equal(ledger.requestsInRollup, ledger.rowsByCall.size);
    } finally {
      filler?.remove();
      await agent.close();
      await plimsoll?.stop();
      await stub.close();
      disk.remove();
    }
  });

  it('a reader that follows the journal over the moment in which the disk fills up sees each ledger record once', async () => {
    const disk = smallDisk('2m');
    const directory = join(disk.path, 'journal');
    const seen: string[] = [];
    let position: JournalPosition = JOURNAL_START;
    let isDone = false;
    const follow = async (): Promise<void> => {
      for (;;) {
        const isLast = isDone;
        const slice = await readJournal(directory, position, { maxRecords: 1_000, maxBytes: 1 << 20 });
        seen.push(...slice.records.filter((record) => record.type === 'call.settled').map((record) => record.id));
        position = slice.next;
        if (isLast && slice.isAtEnd && slice.records.length === 0) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    try {
      const writer = await FileJournalWriter.open({ directory, clock: systemClock, reserveBytes: 256 * 1024, ringBytes: 16 * 1024 * 1024 });
      const reading = follow();
      // Batches that cross the end of the disk at no record's border.
      const ids: string[] = [];
      for (let batch = 0; batch < 60; batch++) {
        for (let index = 0; index < 40; index++) {
          const id = `call-${batch}-${index}`;
          ids.push(id);
          writer.append({ type: 'call.settled', schemaVersion: 1, id, payload: Buffer.alloc(1_000 + ((batch * 40 + index) % 97), 0x78) });
        }
        await writer.written();
      }
      assert.equal(writer.stats.isDegraded, true, 'the disk never filled up');
      disk.remount('size=16m');
      await eventually(
        'the writer is back on the disk',
        async () => writer.stats.isDegraded,
        (isDegraded) => !isDegraded,
      );
      await writer.close();
      isDone = true;
      await reading;
      assert.deepEqual(seen, ids);
    } finally {
      isDone = true;
      disk.remove();
    }
  });

  it('nor does one that looks in the very moment: what it saw of a half-written batch is not written again', async () => {
    for (let round = 0; round < 12; round++) {
      const disk = smallDisk('512k');
      const directory = join(disk.path, 'journal');
      try {
        const writer = await FileJournalWriter.open({ directory, clock: systemClock, reserveBytes: 256 * 1024 });
        const seen: string[] = [];
        let position: JournalPosition = JOURNAL_START;
        let isDone = false;
        const follow = async (): Promise<void> => {
          for (;;) {
            const isLast = isDone;
            const slice = await readJournal(directory, position, { maxRecords: 10_000, maxBytes: 1 << 20 });
            seen.push(...slice.records.map((record) => record.id));
            position = slice.next;
            if (isLast && slice.isAtEnd && slice.records.length === 0) return;
          }
        };
        const reading = follow();
        let count = 0;
        while (!writer.stats.isDegraded) {
          for (let index = 0; index < 60; index++)
            writer.append({ type: 'call.settled', schemaVersion: 1, id: `call-${count++}`, payload: Buffer.alloc(900 + round * 7, 0x78) });
          await writer.written();
        }
        await writer.close();
        isDone = true;
        await reading;
        assert.deepEqual(
          seen,
          Array.from({ length: count }, (_, index) => `call-${index}`),
          `round ${round}`,
        );
      } finally {
        disk.remove();
      }
    }
  });
});
