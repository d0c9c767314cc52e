import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { within } from '../../src/kernel/testing.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { stubConfig } from '../harness/stub-provider.ts';
import { chat, stream } from './chat.ts';
import { startHeldProvider } from './held-provider.ts';

const SWITCHES = '/api/v1/features/load/switches';
/** "In force on every gateway within a second." */
const IN_FORCE_MS = 1_000;

/** A call on a connection of its own, so that the kernel gives it to either worker. */
async function statusOfCall(plimsoll: Plimsoll): Promise<number> {
  const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${plimsoll.virtualKey}`, 'content-type': 'application/json', connection: 'close' },
    body: '{"model":"default","messages":[{"role":"user","content":"hello"}]}',
  });
  await answer.text();
  return answer.status;
}

/** Enough calls that both workers got some. */
async function statusesOfCalls(plimsoll: Plimsoll, count = 40): Promise<Set<number>> {
  return new Set(await Promise.all(Array.from({ length: count }, () => statusOfCall(plimsoll))));
}

async function startTwoWorkers(port: number, dataDirectory?: string): Promise<Plimsoll> {
  const config = stubConfig(port, 'gateway: { workers: 2 }\n');
  const plimsoll = await startPlimsoll({ config, ...(dataDirectory === undefined ? {} : { dataDirectory }) });
  await eventually(
    'both workers follow control',
    () => plimsoll.api<{ gateway: { workers: number; ready: boolean } }>('/api/v1/status'),
    ({ gateway }) => gateway.workers === 2 && gateway.ready,
  );
  return plimsoll;
}

/** Stops control for good, so that nothing can reach the gateways any more. @returns lets it go on */
async function stopControl(plimsoll: Plimsoll): Promise<() => void> {
  const control = (await plimsoll.pids()).control ?? 0;
  assert.ok(control > 0);
  process.kill(control, 'SIGSTOP');
  return () => void process.kill(control, 'SIGCONT');
}

describe('switches of a feature on two workers', { timeout: 600_000 }, () => {
  it('pause takes effect for new calls within a second, running streams finish, resume too', async () => {
    const held = await startHeldProvider();
    const plimsoll = await startTwoWorkers(held.port);
    try {
      const streams = await Promise.all(Array.from({ length: 8 }, () => stream(plimsoll.url, plimsoll.virtualKey)));
      await Promise.all(streams.map((each) => each.until('first')));
      const set = await plimsoll.api<{ setBy: string }>(SWITCHES, { method: 'POST', body: { kind: 'pause', reason: 'drill' } });
      assert.equal(set.setBy, 'PLIMSOLL_ADMIN_KEY');
      await eventually(
        'every call is refused',
        () => statusesOfCalls(plimsoll),
        (statuses) => statuses.size === 1 && statuses.has(503),
        within(IN_FORCE_MS),
      );
      assert.equal(held.held, 8);
      held.release();
      for (const each of streams) assert.match(await each.rest(), /last[\s\S]*\[DONE\]\n\n$/);
      await plimsoll.api(`${SWITCHES}?reason=over`, { method: 'DELETE' });
      await eventually(
        'every call is taken',
        () => statusesOfCalls(plimsoll),
        (statuses) => statuses.size === 1 && statuses.has(200),
        within(IN_FORCE_MS),
      );
    } finally {
      await plimsoll.stop();
      await held.close();
    }
  });

  it('a pause outlives control, and the whole tree', async () => {
    const held = await startHeldProvider();
    const dataDirectory = mkdtempSync(join(tmpdir(), 'plimsoll-switches-'));
    let plimsoll = await startTwoWorkers(held.port, dataDirectory);
    const { virtualKey } = plimsoll;
    try {
      await plimsoll.api(SWITCHES, { method: 'POST', body: { kind: 'pause', reason: 'drill' } });
      const before = (await plimsoll.pids()).control ?? 0;
      process.kill(before, 'SIGKILL');
      assert.deepEqual(await statusesOfCalls(plimsoll), new Set([503]));
      await eventually(
        'control is back and knows it',
        () => plimsoll.api<{ features: { switch: { reason: string } | null }[] }>('/api/v1/features'),
        ({ features }) => features[0]?.switch?.reason === 'drill',
      );
      assert.notEqual((await plimsoll.pids()).control, before);
      assert.deepEqual(await statusesOfCalls(plimsoll), new Set([503]));
    } finally {
      await plimsoll.stop();
    }
    plimsoll = await startPlimsoll({ config: stubConfig(held.port), dataDirectory });
    try {
      const answer = await chat(plimsoll.url, virtualKey);
      assert.equal(answer.status, 503, await answer.text());
    } finally {
      await plimsoll.stop();
      await held.close();
      rmSync(dataDirectory, { recursive: true, force: true });
    }
  });

  it('an expiry that passes while control is down ends the pause', async () => {
    const held = await startHeldProvider();
    const plimsoll = await startTwoWorkers(held.port);
    let resume = (): void => {};
    try {
      // Long enough for control to be stopped while the pause holds.
      await plimsoll.api(SWITCHES, { method: 'POST', body: { kind: 'pause', reason: 'drill', forMs: 6_000 } });
      resume = await stopControl(plimsoll);
      assert.deepEqual(await statusesOfCalls(plimsoll), new Set([503]));
      await eventually(
        'the pause has ended',
        () => statusesOfCalls(plimsoll, 10),
        (statuses) => statuses.size === 1 && statuses.has(200),
      );
    } finally {
      resume();
      await plimsoll.stop();
      await held.close();
    }
  });
});
