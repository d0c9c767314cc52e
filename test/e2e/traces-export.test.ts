import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TraceDetail, TracePage } from '../../src/traces/model.ts';
import { chat } from '../fault/chat.ts';
import { ADMIN_KEY, eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { startStubProvider, stubConfig } from '../harness/stub-provider.ts';
import { cli } from './cli-run.ts';

const CALLS = 6;

describe('export of traces', { timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'plimsoll-export-'));
  let stub: Awaited<ReturnType<typeof startStubProvider>>;
  let plimsoll: Plimsoll;
  before(async () => {
    stub = await startStubProvider();
    plimsoll = await startPlimsoll({ config: stubConfig(stub.port) });
    for (let call = 0; call < CALLS; call++) assert.equal((await chat(plimsoll.url, plimsoll.virtualKey, `question ${call}`)).status, 200);
    await stored(plimsoll);
  });
  after(async () => {
    await plimsoll?.stop();
    await stub?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const stored = (of: Plimsoll) =>
    eventually(
      'the calls are stored',
      () => of.api<TracePage>('/api/v1/traces'),
      ({ traces }) => traces.length === CALLS && traces.every(({ inputPreview }) => inputPreview !== ''),
    );
  const run = (...words: string[]) =>
    cli(['traces', 'export', ...words], {
      cwd: dirname(plimsoll.configPath),
      variables: { PLIMSOLL_URL: plimsoll.url, PLIMSOLL_ADMIN_KEY: ADMIN_KEY },
    });

  it('goes to a file, and writes over none unasked', async () => {
    const file = join(directory, 'all.jsonl');
    const first = await run('--output', file, '--json');
    assert.equal(first.exitCode, 0, first.stderr);
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(first.json<{ lines: number; bytes: number }>(), {
      file,
      format: 'jsonl',
      bytes: readFileSync(file).length,
      lines: lines.length,
    });
    assert.equal(lines.filter(({ isRequest }) => isRequest).length, CALLS);
    writeFileSync(file, 'mine');
    const refused = await run('--output', file);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /is there already; --force replaces it/);
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    assert.equal((await run('--output', file, '--force', '--format', 'parquet')).exitCode, 0);
    assert.equal(readFileSync(file).subarray(0, 4).toString(), 'PAR1');
    assert.equal(existsSync(`${file}.part`), false);
  });

  it('goes to standard output, filtered and limited', async () => {
    const { stdout, stderr, exitCode } = await run('--limit', '2', '--feature', 'load');
    assert.equal(exitCode, 0, stderr);
    const traces = new Set(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).traceId),
    );
    assert.equal(traces.size, 2);
    assert.match(stderr, /spans, /);
    assert.equal((await run('--feature', 'nobody')).stdout, '');
    assert.match((await run('--from', '2026-12-01', '--limit', '0')).stderr, /--limit/);
  });

  it('comes back into a fresh Plimsoll over its OTLP endpoint, span by span', async () => {
    const { stdout } = await run('--format', 'otlp');
    const fresh = await startPlimsoll({ config: stubConfig(stub.port) });
    try {
      for (const line of stdout.trimEnd().split('\n')) {
        const answer = await fetch(`${fresh.url}/v1/traces`, {
          method: 'POST',
          headers: { authorization: `Bearer ${fresh.virtualKey}`, 'content-type': 'application/json' },
          body: line,
        });
        assert.equal(answer.status, 200, await answer.text());
      }
      const { traces } = await stored(fresh);
      for (const { traceId } of traces) {
        const [original, copy] = await Promise.all([plimsoll, fresh].map((each) => each.api<TraceDetail>(`/api/v1/traces/${traceId}`)));
        assert.deepEqual(copy?.trace, original?.trace);
        assert.deepEqual(
          copy?.spans.map(({ attributes: { 'plimsoll.imported': _mark, ...attributes }, ...span }) => ({ ...span, attributes })),
          original?.spans,
        );
      }
    } finally {
      await fresh.stop();
    }
  });

  it('says why it cannot begin, and is nobody’s without the right to read traces', async () => {
    const ask = (query: string, key = ADMIN_KEY) =>
      fetch(`${plimsoll.url}/api/v1/traces/export?${query}`, { headers: { authorization: `Bearer ${key}` } });
    assert.equal((await ask('format=csv')).status, 400);
    assert.equal((await ask('format=jsonl', plimsoll.virtualKey)).status, 403);
    const { engine } = await plimsoll.pids();
    assert.ok(engine);
    process.kill(engine, 'SIGKILL');
    const failed = await ask('format=jsonl');
    assert.ok([200, 503].includes(failed.status));
    if (failed.status === 503) assert.match(await failed.text(), /trace store/);
    else await failed.body?.cancel();
  });
});
