import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { newUuidV7 } from '../../src/kernel/ids.ts';
import type { MetricSummary, Span, TraceDetail, TracePage } from '../../src/traces/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

const TEN_MINUTES = 10 * 60_000;

/** Runs that LangSmith's SDK tells of in two requests, with whatever happens in between. */
describe('runs in two halves', () => {
  const dataDirectory = join(mkdtempSync(join(tmpdir(), 'plimsoll-halves-')), 'data');
  let plimsoll: Plimsoll;
  let key = '';
  let headers: Record<string, string> = {};
  const start = async () => {
    plimsoll = await startPlimsoll({ dataDirectory, variables: { PLIMSOLL_FAKE_CLOCK: `${Date.now()}` } });
    key ||= plimsoll.virtualKey;
    headers = { 'x-api-key': key, 'content-type': 'application/json' };
  };
  const killAndStart = async () => {
    plimsoll.kill();
    await plimsoll.exited;
    await start();
  };
  before(start);
  after(async () => {
    await plimsoll?.stop();
    rmSync(join(dataDirectory, '..'), { recursive: true, force: true });
  });

  const send = async (method: string, path: string, body: object): Promise<void> => {
    const answer = await fetch(`${plimsoll.url}${path}`, { method, headers, body: JSON.stringify(body) });
    assert.equal(answer.status, 202, await answer.text());
  };
  const run = (id: string) => ({ id, trace_id: id, name: 'chat', run_type: 'llm', session_name: 'p' });
  const begin = (id: string, atMs: number) =>
    send('POST', '/runs', {
      ...run(id),
      start_time: atMs,
      inputs: { messages: [{ role: 'user', content: 'Where is it?' }] },
      extra: { metadata: { ls_provider: 'openai', ls_model_name: 'gpt-4o' } },
    });
  const end = (id: string, atMs: number) =>
    send('PATCH', `/runs/${id}`, {
      ...run(id),
      end_time: atMs,
      outputs: {
        choices: [{ message: { role: 'assistant', content: 'Here.' } }],
        usage_metadata: { input_tokens: 100, output_tokens: 20, total_tokens: 120 },
      },
    });
  const read = (id: string, isIt: (span: Span) => boolean) =>
    eventually(
      `run ${id}`,
      () => plimsoll.api<TraceDetail>(`/api/v1/traces/${id.replaceAll('-', '')}`).catch(() => null),
      (detail) => detail?.spans.some(isIt) === true,
    ) as Promise<TraceDetail>;
  function checkWhole({ spans, trace }: TraceDetail, lengthMs: number): void {
    assert.equal(spans.length, 1);
    const [span] = spans as [Span];
    assert.equal(span.status, 'ok');
    assert.equal(span.durationNs, `${lengthMs}000000`);
    assert.equal(span.usage?.inputUncachedTokens, 100);
    assert.equal(span.costPicoUsd, '450000000');
    assert.match(span.input ?? '', /Where is it/);
    assert.match(span.output ?? '', /Here/);
    assert.equal(trace.requests, 1);
    assert.equal(trace.costPicoUsd, '450000000');
  }

  it('kill -9 after either half: one run, whole, counted once, also when its end is sent again', async () => {
    const fromMs = Date.now();
    const [first, second, third] = [newUuidV7(fromMs), newUuidV7(fromMs), newUuidV7(fromMs)];
    await begin(first, fromMs);
    // The end may come before the beginning.
    await end(second, fromMs + 7);
    await begin(third, fromMs);
    await end(third, fromMs + 7);
    await killAndStart();
    await end(first, fromMs + 7);
    await begin(second, fromMs);
    await end(third, fromMs + 7);
    await killAndStart();
    await end(first, fromMs + 7);
    for (const id of [first, second, third]) checkWhole(await read(id, ({ status }) => status === 'ok'), 7);
    const summary = await plimsoll.api<MetricSummary>(`/api/v1/metrics/summary?from=${fromMs - 1_000}&to=${fromMs + 60_000}`);
    assert.equal(summary.total.requests, 3);
    assert.equal(summary.total.costPicoUsd, '1350000000');
  });

  it('a run without an end is shown as unfinished and counts nothing; its end takes the place of that, also after a restart', async () => {
    const fromMs = Date.now();
    const id = newUuidV7(fromMs);
    await begin(id, fromMs);
    // The ingest has it before time is moved on.
    await read(await whole(), ({ status }) => status === 'ok');
    await plimsoll.advance(TEN_MINUTES + 5_000);
    const shown = await eventually(
      'the unfinished run',
      async () => {
        await plimsoll.advance(2_500);
        return plimsoll.api<TraceDetail>(`/api/v1/traces/${id.replaceAll('-', '')}`).catch(() => null);
      },
      (detail) => detail !== null,
    );
    const span = shown?.spans[0];
    assert.equal(span?.status, 'aborted');
    assert.equal(span?.attributes['plimsoll.unfinished'], true);
    assert.match(span?.statusMessage ?? '', /10 minutes/);
    assert.match(span?.input ?? '', /Where is it/);
    assert.deepEqual([shown?.trace.requests, shown?.trace.isUnfinished, shown?.trace.costPicoUsd], [0, true, null]);
    const listed = await plimsoll.api<TracePage>(`/api/v1/traces?traceId=${id.replaceAll('-', '')}`);
    assert.deepEqual(
      listed.traces.map(({ isUnfinished, costPicoUsd, inputTokens }) => [isUnfinished, costPicoUsd, inputTokens]),
      [[true, null, null]],
    );
    await killAndStart();
    await end(id, fromMs + 9);
    checkWhole(await read(id, ({ status }) => status === 'ok'), 9);
    const page = await plimsoll.api<TracePage>(`/api/v1/traces?traceId=${id.replaceAll('-', '')}`);
    assert.deepEqual(
      page.traces.map(({ status, isUnfinished, requests, costPicoUsd }) => [status, isUnfinished, requests, costPicoUsd]),
      [['ok', false, 1, '450000000']],
    );
  });

  async function whole(): Promise<string> {
    const id = newUuidV7(Date.now());
    await begin(id, Date.now());
    await end(id, Date.now() + 1);
    return id;
  }
});
