import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RetentionReport } from '../../src/audit/retention/report.ts';
import { readStore } from '../harness/ledger.ts';
import { startLoad } from '../harness/load.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { startStubProvider, stubConfig } from '../harness/stub-provider.ts';

const START_MS = Date.UTC(2026, 0, 1, 12);
const DAY = 86_400_000;
const HOUR = 3_600_000;
/** The job runs at minute 27. */
const BEFORE_THE_RUN_MS = 26 * 60_000 + 50_000;
/** 20 in the long run. */
const KILLS = Number(process.env.PLIMSOLL_RETENTION_KILLS ?? 3);

describe('retention', { timeout: 600_000 }, () => {
  it(`is finished and told of once when the engine is killed in it, ${KILLS} times; nothing young and no cost is lost`, async () => {
    const stub = await startStubProvider(() => 2);
    const directory = mkdtempSync(join(tmpdir(), 'plimsoll-retention-'));
    const start = (nowMs: number): Promise<Plimsoll> =>
      startPlimsoll({
        config: stubConfig(stub.port, 'retention: { messages: 1 }\n'),
        variables: { PLIMSOLL_FAKE_CLOCK: `${nowMs}` },
        dataDirectory: join(directory, 'data'),
      });
    let plimsoll = await start(START_MS);
    const { virtualKey } = plimsoll;
    const report = () => plimsoll.api<RetentionReport>('/api/v1/retention');
    const messages = async () => (await report()).classes.find(({ name }) => name === 'messages');
    const told = async () =>
      (await plimsoll.api<{ events: { details: { rows: number } }[] }>('/api/v1/events?name=retention.deleted')).events;
    try {
      let calls = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const load = startLoad(plimsoll.url, virtualKey, 4, 5);
        await eventually(
          'some calls are made',
          async () => load.result.complete.length,
          (made) => made >= 60,
        );
        const { complete } = await load.stop();
        calls += complete.length;
        await eventually('they are stored', messages, (state) => state?.rows === complete.length);
        await plimsoll.stop();
        plimsoll = await start(START_MS + (kill + 1) * 3 * DAY + BEFORE_THE_RUN_MS);
        await eventually('the store is there', report, ({ nextRunAt }) => nextRunAt !== null);
        await plimsoll.advance(20_000);
        // The job runs in real time from here on; it is somewhere in its course.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 500));
        const { engine } = await plimsoll.pids();
        assert.ok(engine);
        process.kill(engine, 'SIGKILL');
        await eventually('the engine is back', messages, (state) => state !== undefined);
        await plimsoll.advance(HOUR);
        await eventually('the messages are gone', messages, (state) => state?.rows === 0);
        const events = await eventually('they were told of', told, (list) => list.length > kill);
        assert.equal(events.length, kill + 1);
        assert.equal(events[0]?.details.rows, complete.length);
      }
      const rows = await readStore<{ calls: string; parts: string; words: string }>(
        plimsoll,
        'SELECT (SELECT count() FROM ledger) AS calls, (SELECT count() FROM text_parts) AS parts, (SELECT count() FROM span_words) AS words',
      );
      assert.deepEqual(
        rows.map((row) => [Number(row.calls), Number(row.parts), Number(row.words)]),
        [[calls, 0, 0]],
      );
    } finally {
      await plimsoll.stop();
      await stub.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
