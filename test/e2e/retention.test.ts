import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RetentionReport } from '../../src/audit/retention/report.ts';
import type { MetricSummary, TraceDetail, TracePage } from '../../src/traces/model.ts';
import { chat } from '../fault/chat.ts';
import { ADMIN_KEY, eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { startStubProvider, stubConfig } from '../harness/stub-provider.ts';
import { cli } from './cli-run.ts';

const START_MS = Date.UTC(2026, 0, 1, 12);
const DAY = 86_400_000;
const CALLS = 5;
/** The job runs at minute 27. */
const BEFORE_THE_RUN_MS = 14 * 3_600_000 + 26 * 60_000 + 50_000;

describe('retention across the process tree', { timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'plimsoll-retention-'));
  let stub: Awaited<ReturnType<typeof startStubProvider>>;
  let plimsoll: Plimsoll;
  let costBefore: MetricSummary['total'];
  const start = (nowMs: number) =>
    startPlimsoll({
      config: stubConfig(stub.port, 'retention: { messages: 30, spans: 60 }\n'),
      variables: { PLIMSOLL_FAKE_CLOCK: `${nowMs}` },
      dataDirectory: join(directory, 'data'),
    });
  /** The same data, so many days later, over the next run. */
  async function laterBy(days: number): Promise<void> {
    await plimsoll.stop();
    plimsoll = await start(Math.floor(START_MS / DAY) * DAY + days * DAY + BEFORE_THE_RUN_MS);
    await eventually('the store is there', report, ({ nextRunAt }) => nextRunAt !== null);
    await plimsoll.advance(20_000);
  }
  before(async () => {
    stub = await startStubProvider();
    plimsoll = await start(START_MS);
    const { virtualKey } = plimsoll;
    for (let call = 0; call < CALLS; call++) assert.equal((await chat(plimsoll.url, virtualKey, `question ${call}`)).status, 200);
    await eventually(
      'the calls are stored',
      traces,
      (page) => page.traces.length === CALLS && page.traces.every(({ inputPreview }) => inputPreview !== ''),
    );
    costBefore = await total();
    assert.equal(costBefore.requests, CALLS);
  });
  after(async () => {
    await plimsoll?.stop();
    await stub?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const traces = () => plimsoll.api<TracePage>(`/api/v1/traces?from=${START_MS - DAY}`);
  const total = async () =>
    (await plimsoll.api<MetricSummary>(`/api/v1/metrics/summary?from=${START_MS - DAY / 2}&to=${START_MS + DAY / 2}`)).total;
  const report = () => plimsoll.api<RetentionReport>('/api/v1/retention');
  const messages = async () => (await report()).classes.find(({ name }) => name === 'messages');

  it('says what goes when', async () => {
    const told = await cli(['retention'], {
      cwd: dirname(plimsoll.configPath),
      variables: { PLIMSOLL_URL: plimsoll.url, PLIMSOLL_ADMIN_KEY: ADMIN_KEY },
    });
    assert.equal(told.exitCode, 0, told.stderr);
    assert.match(told.stdout, /messages +30 days +5 .*5 of 2026-01-01, on 2026-02-01/);
    assert.match(told.stdout, /Next run: /);
  });

  it('deletes messages when their days are over, says so where they stood, and leaves costs as they were', async () => {
    await laterBy(30);
    await eventually('the run is over', report, ({ at, nextRunAt }) => nextRunAt !== null && nextRunAt > at);
    assert.equal((await messages())?.rows, CALLS, 'young ones stay');
    await laterBy(31);
    await eventually('the messages are gone', messages, (state) => state?.rows === 0);
    const [trace] = (await traces()).traces;
    assert.equal(trace?.inputPreview, '');
    const detail = await plimsoll.api<TraceDetail>(`/api/v1/traces/${trace?.traceId}`);
    const entry = detail.spans.find(({ isEntry }) => isEntry);
    assert.deepEqual([entry?.input, entry?.output, entry?.textsDeleted], [null, null, { afterDays: 30, by: 'retention.messages' }]);
    assert.deepEqual(await total(), costBefore);
    const { events } = await eventually(
      'the event',
      () => plimsoll.api<{ events: { message: string; subject: string }[] }>('/api/v1/events?name=retention.deleted'),
      (page) => page.events.length > 0,
    );
    assert.deepEqual(
      events.map(({ subject }) => subject),
      ['retention/messages'],
    );
    assert.match(events[0]?.message ?? '', /^5 rows of messages older than 30 days \(before 2026-01-02\) were deleted/);
  });

  it('then deletes the spans; the costs of that time stay', async () => {
    await laterBy(61);
    await eventually('the spans are gone', traces, (page) => page.traces.length === 0);
    assert.deepEqual(await total(), costBefore);
    const ledger = (await report()).classes.find(({ name }) => name === 'ledger');
    assert.deepEqual([ledger?.rows, ledger?.due.rows], [CALLS, 0]);
  });
});
