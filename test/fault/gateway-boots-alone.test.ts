import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Status } from '../../src/app/catalogue-routes.ts';
import { listSegments, segmentPath } from '../../src/kernel/journal/segment.ts';
import { ledgerOf } from '../harness/ledger.ts';
import { startLoad } from '../harness/load.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { type StubProvider, startStubProvider, stubConfig } from '../harness/stub-provider.ts';
import { chat } from './chat.ts';

const CLUSTER_KEY = 'cluster-key-of-this-test-0123456789';

describe('gateways and control as separate trees', { timeout: 600_000 }, () => {
  let root: string;
  let stub: StubProvider;
  let control: Plimsoll | null = null;
  let gateways: Plimsoll[] = [];
  let virtualKey = '';
  let controlPort = '';
  const complete: string[] = [];

  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'plimsoll-apart-'));
    stub = await startStubProvider(() => 2);
    control = await startControl('0');
    virtualKey = control.virtualKey;
    controlPort = new URL(control.url).port;
  });
  after(async () => {
    await Promise.all([...gateways, control].map((tree) => tree?.stop()));
    await stub.close();
    rmSync(root, { recursive: true, force: true });
  });

  const startControl = (port: string) =>
    startPlimsoll({
      config: stubConfig(stub.port),
      args: ['--role', 'control'],
      dataDirectory: join(root, 'control'),
      variables: { PLIMSOLL_CLUSTER_KEY: CLUSTER_KEY, PLIMSOLL_PORT: port },
    });
  const startGateway = (name: string) =>
    startPlimsoll({
      args: ['--role', 'gateway'],
      dataDirectory: join(root, name),
      // A gateway has no configuration of its own.
      variables: {
        PLIMSOLL_CLUSTER_KEY: CLUSTER_KEY,
        PLIMSOLL_CONTROL_URL: `http://127.0.0.1:${controlPort}`,
        PLIMSOLL_CONFIG: join(root, 'none.yaml'),
        PLIMSOLL_ADMIN_KEY: '',
      },
    });

  async function callEach(times: number): Promise<void> {
    for (let call = 0; call < times; call++) {
      for (const gateway of gateways) {
        const answer = await chat(gateway.url, virtualKey, `call ${call}`);
        assert.equal(answer.status, 200, await answer.clone().text());
        await answer.text();
        complete.push(answer.headers.get('x-plimsoll-trace-id') ?? '');
      }
    }
  }

  async function assertOnceEach(tree: Plimsoll): Promise<void> {
    const ledger = await ledgerOf(tree, complete.length);
    assert.deepEqual(
      complete.filter((traceId) => ledger.rowsByTrace.get(traceId) !== 1),
      [],
    );
    assert.equal(ledger.rowsByCall.size, complete.length);
    assert.equal(ledger.requestsInRollup, complete.length);
  }

  it('two gateways follow one control; their journals arrive side by side', async () => {
    assert.ok(control);
    gateways = await Promise.all(['gateway-a', 'gateway-b'].map(startGateway));
    await callEach(10);
    await assertOnceEach(control);
    const { gateway } = await control.api<Status>('/api/v1/status');
    assert.deepEqual([gateway.ready, gateway.workers], [true, 2]);
    for (const name of ['gateway-a', 'gateway-b']) assert.equal(statSync(join(root, name, 'gateway', 'snapshot.json')).mode & 0o777, 0o600);
  });

  it('started again while control is away, they serve from their own last snapshot', async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await control?.stop();
    control = null;
    gateways = await Promise.all(['gateway-a', 'gateway-b'].map(startGateway));
    await callEach(10);
    const [gateway] = gateways;
    assert.ok(gateway);
    assert.equal((await fetch(`${gateway.url}/readyz`)).status, 200);
    const forwarded = await fetch(`${gateway.url}/api/v1/traces`);
    assert.equal(forwarded.status, 503);
    assert.ok(Number(forwarded.headers.get('retry-after')) > 0);
    assert.equal((await chat(gateway.url, 'plk_wrong')).status, 401);
  });

  it('when control is back every call arrives exactly once, also when it had died in the middle of taking a record', async () => {
    // What a control leaves that is killed inside `write()`: the first part of a segment, ending in the middle of a record.
    for (const name of ['gateway-a', 'gateway-b']) {
      const [writer = ''] = readdirSync(join(root, name, 'journal'));
      const segment = listSegments(join(root, name, 'journal', writer)).at(-1) ?? 0;
      const bytes = readFileSync(segmentPath(join(root, name, 'journal', writer), segment));
      const copy = join(root, 'control', 'journal', writer);
      assert.ok((listSegments(copy).at(-1) ?? 0) < segment, 'the copy is further than it should be');
      writeFileSync(segmentPath(copy, segment), bytes.subarray(0, Math.floor(bytes.length / 2) + 3));
    }
    control = await startControl(controlPort);
    await assertOnceEach(control);
  });

  it('control killed again and again while gateways upload: every call still exactly once', async () => {
    assert.ok(control);
    const loads = gateways.map((gateway) => startLoad(gateway.url, virtualKey, 2, 10));
    for (let kill = 0; kill < 4; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 150 + Math.random() * 300));
      const pid = (await control.pids()).control;
      if (pid) process.kill(pid, 'SIGKILL');
      await eventually(
        'control serves again',
        () => control?.api<Status>('/api/v1/status') ?? Promise.reject(new Error('none')),
        () => true,
        20_000,
      );
    }
    for (const load of loads) {
      const result = await load.stop();
      assert.equal(result.failed, 0, JSON.stringify([...result.statuses]));
      complete.push(...result.complete);
    }
    // The last records are still on their way: the ledger is asked until they are there.
    await assertOnceEach(control);
  });

  it('a gateway with another cluster key is refused and says so', async () => {
    const starting = startPlimsoll({
      args: ['--role', 'gateway'],
      dataDirectory: join(root, 'stranger'),
      variables: { PLIMSOLL_CLUSTER_KEY: 'another-cluster-key-0123456789', PLIMSOLL_CONTROL_URL: `http://127.0.0.1:${controlPort}` },
    });
    // It never becomes ready, so there is nothing to await but its words.
    void starting.catch(() => {});
    const { processesOf } = await import('./processes.ts');
    await eventually(
      'the stranger runs',
      async () => processesOf(join(root, 'stranger')).length,
      (count) => count >= 2,
    );
    const answer = await fetch(`http://127.0.0.1:${controlPort}/internal/v1/snapshot`, {
      headers: { authorization: 'Bearer another-cluster-key-0123456789' },
    });
    assert.equal(answer.status, 401);
    for (const pid of processesOf(join(root, 'stranger'))) process.kill(pid, 'SIGKILL');
    await eventually(
      'the stranger is gone',
      async () => processesOf(join(root, 'stranger')).length,
      (count) => count === 0,
    );
  });
});
