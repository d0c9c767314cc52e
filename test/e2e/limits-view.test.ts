import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { LimitList } from '../../src/gateway/admission/limit-view.ts';
import { ADMIN_KEY, eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { type StubProvider, startStubProvider, stubConfig } from '../harness/stub-provider.ts';
import { cli } from './cli-run.ts';

const CALLS = 40;
const COST_PICO_USD = 10n * 1_000_000n + 5n * 2_000_000n;
const LIMITS = `gateway: { workers: 2 }
limits:
  - { scope: feature, name: load, budgetUsd: 1, per: day, requestsPerHour: ${CALLS + 5} }
  - { scope: user, requestsPerDay: 100 }
`;

describe('what is used of limits, over several gateway workers', { timeout: 120_000 }, () => {
  let stub: StubProvider;
  let plimsoll: Plimsoll;
  before(async () => {
    stub = await startStubProvider();
    plimsoll = await startPlimsoll({ config: stubConfig(stub.port, LIMITS) });
    await eventually(
      'both workers report their limits',
      () => limits(),
      ({ gateways }) => gateways.filter(({ isAnswering }) => isAnswering).length === 2,
      20_000,
    );
  });
  after(async () => {
    await plimsoll.stop();
    await stub.close();
  });

  const limits = (query = '') => plimsoll.api<LimitList>(`/api/v1/limits${query}`);
  const call = (user: string) =>
    fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      // A new connection each: the kernel gives it to either worker.
      headers: {
        authorization: `Bearer ${plimsoll.virtualKey}`,
        'content-type': 'application/json',
        'x-plimsoll-user': user,
        connection: 'close',
      },
      body: '{"model":"default","max_tokens":20,"messages":[{"role":"user","content":"hello"}]}',
    });
  const find = ({ limits: lines }: LimitList, id: string) => lines.find((line) => line.id === id);
  const REQUESTS = 'feature:load/requests-per-hour';

  it('is the exact sum, and stays it when a worker is killed', async () => {
    const statuses = await Promise.all(Array.from({ length: CALLS }, async (_, index) => (await call(`u${index % 3}`)).status));
    assert.deepEqual(new Set(statuses), new Set([200]));
    const hasAll = (list: LimitList): boolean => find(list, REQUESTS)?.used === `${CALLS}`;
    const list = await eventually('all calls are counted', () => limits(), hasAll);
    const budget = find(list, 'feature:load/budget-per-day');
    assert.deepEqual(
      [budget?.used, budget?.reserved, budget?.capacity, budget?.owner],
      [`${BigInt(CALLS) * COST_PICO_USD}`, '0', `${10n ** 12n}`, 'test'],
    );
    assert.deepEqual([find(list, REQUESTS)?.remaining, find(list, REQUESTS)?.state], ['5', 'near']);
    const users = (await limits('?scope=user&q=u1')).limits;
    assert.deepEqual(
      users.map(({ name, used }) => [name, used]),
      [['u1', '13']],
    );
    const { 'gateway-2': killed } = await plimsoll.pids();
    const killedAtMs = Date.now();
    process.kill(killed ?? 0, 'SIGKILL');
    await eventually(
      'another process is in its place',
      () => plimsoll.pids(),
      ({ 'gateway-2': pid }) => typeof pid === 'number' && pid !== killed,
      20_000,
    );
    // Reports of the dead process are none of the new one: it starts to report two seconds after it began.
    const after = await eventually(
      'it has reported by itself',
      () => limits(),
      ({ gateways }) => gateways.every(({ lastReportAt }) => (lastReportAt ?? 0) > killedAtMs + 1_000),
      20_000,
    );
    assert.equal(find(after, REQUESTS)?.used, `${CALLS}`);
    assert.equal(find(after, 'feature:load/budget-per-day')?.used, `${BigInt(CALLS) * COST_PICO_USD}`);
  });

  it('shows them on the command line', async () => {
    const words = ['limits', '--scope', 'user'];
    const result = await cli(words, {
      cwd: dirname(plimsoll.configPath),
      variables: { PLIMSOLL_URL: plimsoll.url, PLIMSOLL_ADMIN_KEY: ADMIN_KEY },
    });
    assert.equal(result.exitCode, 0, result.stderr);
    assert.match(result.stdout, /whose .* of what .* capacity .* used .* held .* left/);
    assert.match(result.stdout, /^u1/m);
  });
});
