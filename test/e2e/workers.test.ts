import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { MetricSummary } from '../../src/traces/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { type StubProvider, startStubProvider, stubConfig } from '../harness/stub-provider.ts';

const CALLS = 60;

describe('several gateway workers on one port', () => {
  let stub: StubProvider;
  let plimsoll: Plimsoll;
  before(async () => {
    stub = await startStubProvider();
    plimsoll = await startPlimsoll({ config: stubConfig(stub.port, 'gateway: { workers: 2 }\n') });
    await eventually(
      'the second worker runs',
      () => plimsoll.pids(),
      (pids) => typeof pids['gateway-2'] === 'number',
    );
    await eventually(
      'both workers follow control',
      () => plimsoll.api<{ gateway: { workers: number; ready: boolean } }>('/api/v1/status'),
      ({ gateway }) => gateway.workers === 2 && gateway.ready,
    );
  });
  after(async () => {
    await plimsoll.stop();
    await stub.close();
  });

  const call = () =>
    fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      // A new connection each: the kernel gives it to either worker.
      headers: { authorization: `Bearer ${plimsoll.virtualKey}`, 'content-type': 'application/json', connection: 'close' },
      body: '{"model":"default","messages":[{"role":"user","content":"hello"}]}',
    });
  const counted = async (): Promise<number> => {
    const text = await (await fetch(`${plimsoll.url}/metrics`)).text();
    return [...text.matchAll(/^llm_request_duration_seconds_count\{[^}]*\} (\d+)$/gm)].reduce((sum, match) => sum + Number(match[1]), 0);
  };

  it('/metrics adds up all workers, whichever answers, and every call has its trace', async () => {
    const statuses = await Promise.all(Array.from({ length: CALLS }, async () => (await call()).status));
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.equal(await counted(), CALLS);
    const summary = await eventually(
      'summary',
      () => plimsoll.api<MetricSummary>('/api/v1/metrics/summary'),
      ({ total }) => total.requests === CALLS,
    );
    assert.equal(summary.total.costPicoUsd, `${BigInt(CALLS) * (10n * 1_000_000n + 5n * 2_000_000n)}`);
  });

  it('goes on serving while one worker is killed, and drains the one that the configuration takes away', async () => {
    const pid = (await plimsoll.pids())['gateway-2'];
    process.kill(pid ?? 0, 'SIGKILL');
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await call().catch(() => null))?.status ?? 0));
    // Connections that the dead worker had already taken are lost; all others are served.
    assert.ok(statuses.filter((status) => status === 200).length >= 15, statuses.join(' '));
    await eventually(
      'it is back',
      () => plimsoll.pids(),
      (pids) => typeof pids['gateway-2'] === 'number' && pids['gateway-2'] !== pid,
    );
    writeFileSync(plimsoll.configPath, stubConfig(stub.port, 'gateway: { workers: 1 }\n'));
    await eventually(
      'one worker is left',
      () => plimsoll.pids(),
      (pids) => !('gateway-2' in pids),
    );
    assert.equal((await call()).status, 200);
  });
});
