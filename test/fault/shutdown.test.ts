import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ledgerOf } from '../harness/ledger.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { stubConfig } from '../harness/stub-provider.ts';
import { type Streaming, stream } from './chat.ts';
import { startHeldProvider } from './held-provider.ts';
import { allGone, isAlive, processesOf } from './processes.ts';

const config = (port: number) => stubConfig(port).replaceAll('5000', '30000').replace('totalMs: 10000', 'totalMs: 60000');

const onceEach = (streams: readonly Streaming[]): [string, number][] => streams.map((each): [string, number] => [each.traceId, 1]).sort();

describe('end of the process tree', { timeout: 600_000 }, () => {
  it('SIGTERM while streams run: they complete, exit code 0, no process is left, and the next start has their rows', async () => {
    const provider = await startHeldProvider();
    const dataDirectory = mkdtempSync(join(tmpdir(), 'plimsoll-shutdown-'));
    const plimsoll = await startPlimsoll({ config: config(provider.port), dataDirectory });
    let again: Plimsoll | null = null;
    try {
      const streams = await Promise.all(Array.from({ length: 5 }, () => stream(plimsoll.url, plimsoll.virtualKey)));
      await Promise.all(streams.map((each) => each.until('first')));
      const exited = plimsoll.stop();
      const readyz = () =>
        fetch(`${plimsoll.url}/readyz`, { signal: AbortSignal.timeout(300) }).then(
          (answer) => answer.status,
          () => 0,
        );
      await eventually('the gateway takes no new calls', readyz, (status) => status !== 200);
      assert.match(plimsoll.output.stderr, /stopping; answers in flight have 30 s/);
      assert.equal(provider.held, 5, 'a stream was cut by the shutdown');
      provider.release();
      for (const each of streams) assert.match(await each.rest(), / last.*data: \[DONE\]\s*$/s);
      assert.equal(await exited, 0);
      assert.deepEqual(processesOf(dataDirectory), []);
      again = await startPlimsoll({ config: config(provider.port), dataDirectory });
      const ledger = await ledgerOf(again, 5);
      assert.deepEqual([...ledger.rowsByTrace].sort(), onceEach(streams));
    } finally {
      await plimsoll.stop();
      await again?.stop();
      await provider.close();
      rmSync(dataDirectory, { recursive: true, force: true });
    }
  });

  it('kill -9 of the supervisor: children finish their streams and end by themselves; the next start finds every call once', async () => {
    const provider = await startHeldProvider();
    const plimsoll = await startPlimsoll({ config: config(provider.port) });
    const pids = Object.values(await plimsoll.pids()).filter((pid) => pid !== null);
    assert.equal(pids.length, 4);
    let again: Plimsoll | null = null;
    try {
      const streams = await Promise.all(Array.from({ length: 3 }, () => stream(plimsoll.url, plimsoll.virtualKey)));
      await Promise.all(streams.map((each) => each.until('first')));
      plimsoll.kill();
      await eventually(
        'the supervisor is gone',
        async () => pids.filter(isAlive).length,
        (alive) => alive < 4,
      );
      // A new start while the old gateway still serves must not settle its calls a second time.
      const starting = startPlimsoll({ config: config(provider.port), dataDirectory: plimsoll.dataDirectory });
      await eventually(
        'the new start has begun',
        async () => processesOf(plimsoll.dataDirectory).filter((pid) => !pids.includes(pid)).length,
        (count) => count > 0,
      );
      provider.release();
      for (const each of streams) assert.match(await each.rest(), / last.*data: \[DONE\]\s*$/s);
      again = await starting;
      await eventually(
        'the old processes are gone',
        async () => pids.filter(isAlive),
        (alive) => alive.length === 0,
      );
      const ledger = await ledgerOf(again, 3);
      assert.deepEqual([...ledger.rowsByTrace].sort(), onceEach(streams));
      assert.equal(ledger.requestsInRollup, 3);
    } finally {
      await again?.stop();
      await plimsoll.stop();
      await provider.close();
    }
    await allGone(plimsoll.dataDirectory);
  });
});
